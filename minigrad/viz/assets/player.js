// What every page that plays something has: its data, light and dark, a slider with buttons and keys.
"use strict";

MG.load = async () => {
  const held = document.getElementById("data");
  if (held.type === "application/json") return JSON.parse(held.textContent);
  const stream = new Blob([MG.bytes(held.textContent)]).stream().pipeThrough(new DecompressionStream("gzip"));
  return new Response(stream).json();
};

MG.themes = (button, onchange) => {
  const dark = matchMedia("(prefers-color-scheme: dark)");
  const set = (name) => { document.documentElement.setAttribute("data-theme", name); onchange(); };
  document.documentElement.setAttribute("data-theme", dark.matches ? "dark" : "light");
  dark.addEventListener("change", () => set(dark.matches ? "dark" : "light"));
  button.addEventListener("click", () => set(document.documentElement.dataset.theme === "dark" ? "light" : "dark"));
};

// A player of frames 0 to last(): calls show(frame). keys: more keys, by name.
MG.player = ({ last, show, keys = {}, pause = 160 }) => {
  const $ = (id) => document.getElementById(id);
  let at = 0, playing = null;
  const go = (to) => {
    at = Math.max(0, Math.min(to, last()));
    $("slider").max = last();
    $("slider").value = at;
    $("first").disabled = $("back").disabled = at <= 0;
    $("next").disabled = $("last").disabled = at >= last();
    show(at);
  };
  const stop = () => { clearInterval(playing); playing = null; $("play").textContent = "Play"; $("said").setAttribute("aria-live", "polite"); };
  const play = () => {
    if (playing) return stop();
    if (at >= last()) go(0);
    $("play").textContent = "Stop";
    $("said").setAttribute("aria-live", "off"); // who listens would hear nothing else
    playing = setInterval(() => { if (at >= last()) { stop(); go(at); } else go(at + 1); }, pause);
  };
  const jump = (to) => { if (playing) stop(); go(to); };
  $("first").onclick = () => jump(0);
  $("back").onclick = () => jump(at - 1);
  $("next").onclick = () => jump(at + 1);
  $("last").onclick = () => jump(last());
  $("play").onclick = play;
  $("slider").addEventListener("input", () => jump(Number($("slider").value)));
  $("keys").onclick = () => $("help").showModal();
  document.addEventListener("keydown", (event) => {
    const tag = event.target.tagName;
    if (event.ctrlKey || event.metaKey || event.altKey || tag === "SELECT" || $("help").open) return;
    if (tag === "INPUT" && (event.target.id !== "slider" ? event.key.startsWith("Arrow") || event.key === " " : event.key.startsWith("Arrow") || event.key.startsWith("Page") || ["Home", "End"].includes(event.key))) return; // its own
    if ((event.key === " " || event.key === "Enter") && (tag === "BUTTON" || tag === "SUMMARY")) return;
    const all = {
      ArrowRight: () => jump(at + 1), n: () => jump(at + 1), ArrowLeft: () => jump(at - 1), p: () => jump(at - 1), Home: () => jump(0), End: () => jump(last()),
      PageUp: () => jump(at + 10), PageDown: () => jump(at - 10), " ": play, "?": () => $("help").showModal(), ...keys,
    };
    if (all[event.key]) { event.preventDefault(); all[event.key](); }
  });
  return { go: jump, at: () => at, playing: () => playing !== null };
};
