// The page: steps, keys, orders, and what is chosen.
"use strict";

(async () => {
  const held = document.getElementById("data");
  let data;
  if (held.type === "application/json") data = JSON.parse(held.textContent);
  else {
    const stream = new Blob([MG.bytes(held.textContent)]).stream().pipeThrough(new DecompressionStream("gzip"));
    data = await new Response(stream).json();
  }
  const $ = (id) => document.getElementById(id);
  const { h } = MG;
  let step = 0, playing = null, mode = "engine", ran = []; // ran: the reader's own order
  MG.chosen = null;
  MG.focused = null;

  // -- light and dark
  const still = matchMedia("(prefers-reduced-motion: reduce)"), dark = matchMedia("(prefers-color-scheme: dark)");
  const theme = (name) => document.documentElement.setAttribute("data-theme", name);
  theme(dark.matches ? "dark" : "light");
  dark.addEventListener("change", () => theme(dark.matches ? "dark" : "light"));
  $("theme").addEventListener("click", () => theme(document.documentElement.dataset.theme === "dark" ? "light" : "dark"));

  // -- the drawing
  const svg = d3.select("#drawing");
  const zoom = d3.zoom().scaleExtent([0.05, 3]).on("zoom", (event) => d3.select("#world").attr("transform", event.transform));
  svg.call(zoom).on("dblclick.zoom", null);
  const room = () => { const box = $("drawing").getBoundingClientRect(); return [box.width || 600, box.height || 400]; };
  const whole = () => {
    const [w, hh] = room(), k = Math.min(1.25, w / (MG.size[0] + 10), hh / (MG.size[1] + 10));
    whole.k = k;
    svg.interrupt().call(zoom.transform, d3.zoomIdentity.translate((w - MG.size[0] * k) / 2, (hh - MG.size[1] * k) / 2).scale(k));
  };
  const look = (key) => { // bring a part into sight, if it is not
    const p = MG.parts.get(key);
    if (!p) return;
    const t = d3.zoomTransform(svg.node()), [w, hh] = room(), x = t.applyX(p.x), y = t.applyY(p.y), k = t.k;
    const least = w < 500 ? 0.7 : 0.85; // a size at which its numbers can be read
    if (x >= 110 * k && x <= w - 110 * k && y >= 120 * k && y <= hh - 120 * k && k >= least - 0.16) return;
    const better = Math.max(k, least), along = (at, size, window) => (size * better <= window ? (window - size * better) / 2 : Math.min(12, Math.max(window - size * better - 12, window / 2 - at * better)));
    const to = d3.zoomIdentity.translate(along(p.x, MG.size[0], w), along(p.y, MG.size[1], hh)).scale(better); // no more empty room than there must be
    (still.matches ? svg : svg.transition().duration(200)).call(zoom.transform, to);
  };

  const rebuild = (follow) => {
    MG.arrange(); MG.layout(); MG.draw();
    $("slider").max = lastStep();
    phases();
    step = Math.min(step, lastStep());
    if (follow) whole();
  };
  const lastStep = () => (mode === "naive" ? MG.turn + data.naive.length - 1 : mode === "choose" ? MG.turn + ran.length - 1 : MG.steps.length - 1);
  const phases = () => { const [a, b] = $("phases").children, n = Math.max(1, lastStep() + 1); a.style.width = `${(100 * MG.turn) / n}%`; b.style.width = `${100 - (100 * MG.turn) / n}%`; };

  MG.toggle = (key) => {
    if (mode !== "engine") return say("Modules and fused operations open and close in the engine's order.");
    const before = MG.steps[step], ids = before ? before.nodes : [];
    if (MG.open.has(key)) MG.open.delete(key); else MG.open.add(key);
    MG.chosen = null;
    rebuild(false);
    const same = MG.steps.findIndex((s) => before && s.phase === before.phase && s.nodes.some((id) => ids.includes(id)));
    const part = key[0] === "f" ? MG.steps.findIndex((s) => before && s.phase === before.phase && s.nodes.some((id) => data.nodes[id].inside.includes(Number(key.slice(1))))) : -1;
    go(same >= 0 ? same : part >= 0 ? part : Math.min(step, lastStep()));
    const target = document.querySelector(`[data-close="${CSS.escape(key)}"], [data-key="${CSS.escape(key[0] === "f" ? "n" + key.slice(1) : key)}"]`);
    if (target) target.focus({ preventScroll: true });
  };
  const openAll = (yes) => {
    data.boxes.forEach((_, i) => (yes ? MG.open.add(`b${i}`) : MG.open.delete(`b${i}`)));
    Object.keys(data.inside).forEach((id) => (yes ? MG.open.add(`f${id}`) : MG.open.delete(`f${id}`)));
    if (yes && new Set(data.nodes.filter(MG.exists).map((n) => MG.rep(n.id))).size > 400) { openAll(false); return say("All at once are too many to draw: open modules one by one."); }
    const phase = step >= MG.turn;
    rebuild(true);
    go(phase ? MG.turn : 0);
  };

  // -- steps
  const say = (text) => { $("said").textContent = text; };
  const go = (s) => {
    step = Math.max(0, Math.min(s, lastStep()));
    const last = lastStep() < 0;
    $("slider").value = step;
    const back = step >= MG.turn;
    $("where").textContent = last ? "no steps" : back ? `backward ${step - MG.turn + 1} of ${lastStep() - MG.turn + 1}` : `forward ${step + 1} of ${MG.turn}`;
    $("first").disabled = $("back").disabled = step <= 0;
    $("next").disabled = $("last").disabled = step >= lastStep() && mode !== "choose";
    MG.paint(mode === "engine" ? step : Math.max(step, 0));
    if (MG.chosen && MG.parts.has(MG.chosen)) return;
    explainStep();
  };
  const explainStep = () => {
    const panel = $("panel");
    if (step >= MG.turn && mode === "naive") return explainNaive();
    if (step >= MG.turn && mode === "choose") return explainChoice();
    const now = MG.steps[step];
    if (!now) { const p = [...MG.parts.values()][0]; return p && p.node ? MG.explain(panel, p.node, { phase: "forward", s: step, why: MG.title(p.node) }) : panel.replaceChildren(); }
    if (MG.moved) look(now.rep); // the page begins with the whole graph
    const id = now.nodes[now.nodes.length - 1], node = data.nodes[id], p = MG.parts.get(now.rep);
    let why;
    if (p && p.box) { why = `${now.phase === "forward" ? "Forward" : "Backward"}: ${now.nodes.length} node${now.nodes.length > 1 ? "s" : ""} of ${MG.boxTitle(Number(p.key.slice(1)))}, at last ${MG.title(node)}`; }
    else why = now.phase === "forward" ? `Forward: ${MG.title(node)} computes` : node.kind === "leaf" ? `Backward: ${node.name || "the leaf"} adds to its .grad` : `Backward: ${MG.title(node)} runs`;
    MG.explain(panel, node, { phase: now.phase, s: step, why });
    if (now.phase === "backward" && node.kind === "op") panel.querySelector("h2").after(h("p", { class: "beside", "data-role": "why" }, reason(node)));
    const grad = MG.tensorOf(node.grad), sum = panel.querySelector("[data-role=sum]");
    say(`${why}. ${now.phase === "forward" ? `value ${MG.brief(MG.tensorOf(node.value))}` : `gradient ${MG.brief(grad)}${sum ? `: ${sum.textContent}` : ""}`}`);
  };
  const reason = (node) => {
    const got = node.got.filter(MG.active), waiting = [...MG.parts.values()].map((p) => MG.state(p, step)).filter((x) => x.kind.startsWith("waiting") && x.arrived).length;
    return `Why now? ${node.id === MG.rootId() ? "Nothing depends on it: it is where the walk begins." : `${got.length > 1 ? `${got.length === 2 ? "Both" : `All ${got.length}`} of its gradients have` : "Its one gradient has"} arrived, and of those that are ready it is the newest.`}${waiting ? ` ${waiting} other${waiting > 1 ? "s have" : " has"} some, but not all of theirs.` : ""}`;
  };
  MG.choose = (key) => {
    const p = MG.parts.get(key);
    if (mode === "choose" && step >= MG.turn - 1) return tryToRun(p);
    MG.chosen = key;
    MG.paint(step);
    const panel = $("panel"), node = MG.shown(p), phase = step >= MG.turn && node.b <= step ? "backward" : "forward";
    MG.explain(panel, node, { phase, s: step, why: p.box ? `${MG.boxTitle(Number(key.slice(1)))}: ${p.members.length} nodes` : `Chosen: ${MG.title(node)}` });
    const state = MG.state(p, step);
    const buttons = [];
    if (node.f >= 0 && node.f !== Infinity) buttons.push(h("button", { type: "button", onclick: () => jump(node.f) }, "Where it computes"));
    if (node.b !== Infinity) buttons.push(h("button", { type: "button", "data-role": "runs", onclick: () => jump(node.b) }, node.kind === "leaf" ? "Where it gets its gradient (g)" : "Where it runs backward (g)"));
    if (p.box || data.inside[node.id]) buttons.push(h("button", { type: "button", onclick: () => MG.toggle(p.box ? key : `f${node.id}`) }, "Open (o)"));
    buttons.push(h("button", { type: "button", onclick: release }, "Back to the step (Esc)"));
    panel.querySelector("h2").after(h("p", {}, state.word ? `${state.word}. ` : "", ...buttons.flatMap((b) => [b, " "])));
    if (p.box) panel.querySelector("h2").after(h("p", { class: "beside" }, "Shown is its last operation, which makes its output."));
    say(`${MG.partTitle(p)}. ${state.word}`);
  };
  const release = () => { MG.chosen = null; go(step); };
  const jump = (s) => { MG.chosen = null; go(s); };

  // -- the naive walk: each arrival is passed on at once
  MG.naiveGradient = (node, s) => { const run = data.naive.slice(0, s - MG.turn + 1).filter((r) => r.node === node.id).at(-1); const t = run ? data.tensors[run.total] : null; return [t, t ? MG.brief(t) : "–"]; };
  MG.naiveNow = (e, s) => s >= MG.turn && e.to === `n${data.naive[s - MG.turn].node}` && data.naive[s - MG.turn].sent.some((t, i) => t !== null && `n${data.nodes[data.naive[s - MG.turn].node].inputs[i].node}` === e.from);
  MG.naiveSent = (e, s) => { const run = data.naive[s - MG.turn]; return run.sent.filter((t, i) => t !== null && `n${data.nodes[run.node].inputs[i].node}` === e.from); };
  const explainNaive = () => {
    const panel = $("panel"), run = data.naive[step - MG.turn], node = data.nodes[run.node], before = data.naive.slice(0, step - MG.turn).filter((r) => r.node === run.node), count = before.length + 1;
    MG.views = [];
    look(`n${run.node}`);
    panel.replaceChildren(h("h2", {}, `Naive: ${MG.title(node)}, arrival ${count}`), h("p", {}, "Whatever arrives is added to what is there, and all of it is passed on at once. Nobody waits."));
    const t = (i) => data.tensors[i], value = (i) => MG.brief(t(i));
    panel.append(h("p", { class: "sum", "data-role": "sum" }, count > 1 ? `${value(before.at(-1).total)} was there, ${value(run.arrived)} arrives from ${MG.nameOf(run.from)}: ${value(run.total)}${node.kind === "leaf" ? "" : " is passed on. What was there had been passed on before, and is passed on once more."}` : `${value(run.arrived)} arrives${run.from === null ? "" : ` from ${MG.nameOf(run.from)}`}.`));
    run.sent.forEach((s, i) => { if (s !== null) panel.append(h("p", { class: "rule" }, `${MG.dName(node, i)} = ${value(s)} to ${MG.nameOf(node.inputs[i].node)}`)); });
    if (step === lastStep()) {
      const rows = data.nodes.filter((n) => n.kind === "leaf" && n.of === undefined && MG.tensorOf(n.grad)).map((n) => { const [got] = MG.naiveGradient(n, step), right = MG.tensorOf(n.grad); return h("tr", {}, h("td", {}, n.name || "leaf"), h("td", {}, MG.brief(got)), h("td", {}, MG.brief(right)), h("td", {}, got === right ? "✓" : "✗ wrong")); });
      panel.append(h("h3", {}, "The end: the naive walk and the right one"), h("table", { "data-role": "naive" }, h("tr", {}, ["leaf", "naive", "right", ""].map((x) => h("th", {}, x))), rows), h("p", {}, `${data.naive.length} runs of nodes; in the engine's order ${data.backward.length}, each node once.`));
    }
    say(panel.querySelector("h2").textContent + ". " + panel.querySelector(".sum").textContent);
  };

  // -- the next node, chosen by the reader
  const doneOf = () => new Set(ran.slice(0, Math.max(0, step - MG.turn + 1)));
  const has = (node) => { const done = doneOf(), got = node.got.filter(MG.active); return { got, arrived: got.filter((g) => done.has(g.from)), missing: got.filter((g) => !done.has(g.from)) }; };
  const choiceState = (p, s) => {
    const node = p.node;
    if (!node || s < MG.turn - 1) return MG.state(p, s);
    const { got, arrived, missing } = has(node), done = doneOf().has(node.id), root = node.id === MG.rootId();
    if (node.kind === "constant") return { word: "wants no gradient", kind: "" };
    if (done) return { word: "done ✓", kind: "done" };
    if (root || (got.length && !missing.length)) return { word: root ? "has its gradient: 1" : `has ${got.length} of ${got.length}`, kind: "ready" };
    return { word: `has ${arrived.length} of ${got.length}`, kind: arrived.length ? "waiting" : "waiting far" };
  };
  const tryToRun = (p) => {
    const node = p.node, panel = $("panel");
    if (!node || node.kind === "constant") return;
    const { got, arrived, missing } = has(node), done = doneOf();
    if (done.has(node.id)) return say(`${MG.title(node)} has run. Each node runs once.`);
    ran = ran.slice(0, Math.max(0, step - MG.turn + 1));
    if (node.id === MG.rootId() || (got.length && !missing.length)) {
      ran.push(node.id);
      $("slider").max = lastStep(); phases();
      go(MG.turn + ran.length - 1);
      return;
    }
    MG.views = [];
    panel.replaceChildren(h("h2", { "data-role": "wrong" }, `✗ ${MG.title(node)} cannot run yet`));
    if (!arrived.length) panel.append(h("p", { class: "trouble" }, `None of its ${got.length} gradient${got.length > 1 ? "s" : ""} has arrived: it has nothing to pass on.`));
    else {
      const value = (g) => MG.brief(data.tensors[g.grad]);
      panel.append(h("p", { class: "trouble" }, `It has ${arrived.length} of its ${got.length} gradients: ${arrived.map((g) => `${value(g)} from ${MG.nameOf(g.from)}`).join(", ")}. Still to come: ${d3.rollups(missing, (g) => g.length, (g) => g.from).map(([from, n]) => `${n > 1 ? `${n} ` : ""}from ${MG.nameOf(from)}`).join(", ")}.`));
      const rows = (data.parts || {})[node.id];
      if (rows) {
        node.sent.forEach((s, i) => {
          if (s === null) return;
          const right = data.tensors[data.sent[s].grad], some = arrived.map((g) => rows[data.sent.indexOf(g)]).filter(Boolean).map((row) => data.tensors[row[i]]);
          if (!some.length || !some.every((t) => t && MG.values(t)) || !MG.values(right)) return;
          const sums = MG.values(right).map((_, k) => d3.sum(some, (t) => MG.values(t)[k])), k = MG.largest(right), at = right.n > 1 ? ` at [${MG.index(k, right.s).join(", ")}]` : "";
          panel.append(h("p", { class: "rule", "data-role": "too-early" }, `Run now, it would send ${MG.num(Number(sums[k].toPrecision(4)))}${at} to ${MG.nameOf(data.sent[s].to)}; right is ${MG.num(MG.values(right)[k])}.`));
        });
      }
      panel.append(h("p", {}, "What comes later would then never be passed on, or the node would have to run again and count the first part twice. Choose one that has all its gradients."));
    }
    say([...panel.children].map((c) => c.textContent).join(" "));
  };
  const explainChoice = () => {
    const id = ran[step - MG.turn], node = data.nodes[id];
    if (id === undefined) return;
    node.b = step; // for "which has n of its gradients"
    MG.explain($("panel"), node, { phase: "backward", s: step, why: `✓ ${MG.title(node)} runs: it has all its gradients` });
    const newest = data.backward.filter((x) => !ran.slice(0, step - MG.turn).includes(x)).find((x) => x === MG.rootId() || data.nodes[x].got.filter(MG.active).every((g) => ran.slice(0, step - MG.turn).includes(g.from)));
    const left = data.backward.length - ran.length;
    $("panel").querySelector("h2").after(h("p", { class: "right" }, id === newest ? "The engine would take it too: of those that are ready the newest." : `The engine would take ${MG.nameOf(newest)}, the newest that is ready. Yours is right as well: any order in which every node waits for all its gradients gives the same.`, left ? ` ${left} to go.` : " All have run, and every gradient is right."));
    say($("panel").querySelector("h2").textContent);
  };

  const setMode = (name) => {
    if (name === "naive" && !data.naive) { $("mode").value = mode; return say("The naive walk is kept for small graphs that could run backward: it may need more runs than there are nodes by far."); }
    if (name !== "engine") {
      if (data.nodes.length > 200) { $("mode").value = mode; return say("To choose yourself, or to walk naively, a graph of up to 200 nodes is wanted: this one is larger."); }
      data.boxes.forEach((_, i) => MG.open.add(`b${i}`));
      Object.keys(data.inside).forEach((id) => MG.open.delete(`f${id}`));
    }
    mode = name; ran = [];
    MG.naive = mode === "naive";
    MG.states = mode === "choose" ? choiceState : mode === "naive" ? (p, s) => (s < MG.turn ? MG.state(p, s) : { word: `n${data.naive[s - MG.turn].node}` === p.key ? "passes on at once" : "", kind: `n${data.naive[s - MG.turn].node}` === p.key ? "running" : "" }) : null;
    const gradient = MG.plainGradient || (MG.plainGradient = MG.gradientAt);
    MG.gradientAt = mode !== "choose" ? gradient : (node, s) => {
      const { got, arrived, missing } = has(node);
      if (s < MG.turn - 1 || node.kind === "constant") return [null, "–"];
      if (node.id === MG.rootId() || (got.length && !missing.length)) { const t = MG.tensorOf(node.grad); return [t, MG.brief(t)]; }
      return [null, arrived.length ? `so far ${arrived.length} of ${got.length}` : "–"];
    };
    MG.chosen = null;
    rebuild(true);
    step = mode === "choose" ? MG.turn - 1 : MG.turn;
    go(step);
    if (mode === "choose") {
      MG.paint(MG.turn);
      $("panel").replaceChildren(h("h2", {}, "Choose the next node"), h("p", {}, "The forward pass is done, and the gradient of the result is 1. Which node may run? Choose it in the graph: click, or Tab and Enter. Each node says how many of its gradients it has."));
    }
  };

  // -- controls
  const play = () => {
    if (playing) { clearInterval(playing); playing = null; $("play").textContent = "Play"; return; }
    if (step >= lastStep()) go(0);
    $("play").textContent = "Stop";
    playing = setInterval(() => { if (step >= lastStep()) play(); else jump(step + 1); }, 1100);
  };
  $("first").onclick = () => jump(0);
  $("back").onclick = () => jump(step - 1);
  $("next").onclick = () => jump(step + 1);
  $("last").onclick = () => jump(lastStep());
  $("turn").onclick = () => jump(MG.turn);
  $("play").onclick = play;
  $("slider").addEventListener("input", () => jump(Number($("slider").value)));
  $("mode").addEventListener("change", () => setMode($("mode").value));
  $("open-all").onclick = () => (mode === "engine" ? openAll(true) : say("Modules open and close in the engine's order."));
  $("close-all").onclick = () => (mode === "engine" ? openAll(false) : say("Modules open and close in the engine's order."));
  $("fit").onclick = whole;
  $("save").onclick = () => {
    const t = svg.select("#world").attr("transform"), node = svg.node();
    svg.attr("viewBox", `0 0 ${MG.size[0]} ${MG.size[1]}`).attr("width", MG.size[0]).attr("height", MG.size[1]);
    svg.select("#world").attr("transform", null);
    MG.save(node, data.title);
    svg.attr("viewBox", null).attr("width", null).attr("height", null).select("#world").attr("transform", t);
  };
  $("jump").addEventListener("change", () => {
    const id = $("jump").value;
    if (id === "") return;
    const node = data.nodes[Number(id)];
    for (const key of node.chain) MG.open.add(key);
    rebuild(false);
    MG.chosen = null;
    go(node.b !== Infinity ? node.b : Math.max(0, node.f));
    look(node.rep);
    const drawn = document.querySelector(`[data-key="${node.rep}"]`);
    if (drawn) drawn.focus({ preventScroll: true });
    $("jump").value = "";
  });
  document.addEventListener("keydown", (event) => {
    const tag = event.target.tagName;
    if (event.ctrlKey || event.metaKey || event.altKey || tag === "SELECT" || (tag === "INPUT" && event.target.id !== "slider") || $("help").open) return;
    if (tag === "INPUT" && (event.key.startsWith("Arrow") || ["Home", "End"].includes(event.key))) return; // the slider's own
    if ((event.key === " " || event.key === "Enter") && (tag === "BUTTON" || tag === "SUMMARY")) return;
    const keys = {
      ArrowRight: () => jump(step + 1), n: () => jump(step + 1), ArrowLeft: () => jump(step - 1), p: () => jump(step - 1), Home: () => jump(0), End: () => jump(lastStep()),
      b: () => jump(MG.turn), " ": play, Escape: release, "?": () => $("help").showModal(),
      g: () => { const p = MG.parts.get(MG.chosen || MG.focused); if (p) { const node = MG.shown(p); if (node.b !== Infinity) jump(node.b); } },
      o: () => { const key = event.target.dataset && event.target.dataset.close ? event.target.dataset.close : MG.chosen || MG.focused || (MG.steps[step] || {}).rep, p = MG.parts.get(key); if (MG.open.has(key)) MG.toggle(key); else if (p && p.box) MG.toggle(key); else if (p && data.inside[p.node.id]) MG.toggle(`f${p.node.id}`); else if (p && p.node) { const around = p.node.chain.filter((c) => MG.open.has(c)).at(-1); if (around) MG.toggle(around); } },
    };
    if (keys[event.key]) { event.preventDefault(); keys[event.key](); }
  });
  $("tools").append(h("button", { type: "button", onclick: () => $("help").showModal() }, "Keys (?)"));

  // -- begin
  MG.prepare(data);
  const ops = data.nodes.filter((n) => n.kind === "op" && n.of === undefined).length, leaves = data.nodes.filter((n) => n.kind === "leaf" && n.of === undefined).length;
  $("about").textContent = `${ops} operation${ops === 1 ? "" : "s"}, ${leaves} ${leaves === 1 ? "leaf" : "leaves"}${data.boxes.length ? `, ${data.boxes.length} module calls` : ""}. ${data.beside ? `${data.beside.engine}'s gradients stand beside minigrad's: ${data.beside.said}. ` : ""}Recorded from a run of minigrad's engine.`;
  const notes = [...data.notes, ...data.nodes.filter((n) => n.trouble).slice(0, 30).flatMap((n) => n.trouble.map((t) => [n.id, t]))];
  notes.forEach((note) => $("notes").append(typeof note === "string" ? h("li", {}, note) : h("li", {}, "⚠ ", h("button", { type: "button", class: "small", onclick: () => { $("jump").value = String(note[0]); $("jump").dispatchEvent(new Event("change")); } }, MG.nameOf(note[0])), ` ${note[1]}`)));
  const choices = data.nodes.filter((n) => n.of === undefined && n.kind !== "constant");
  choices.slice(0, 3000).forEach((n) => $("jump").append(h("option", { value: n.id }, `${MG.cut(MG.title(n), 40)}${n.shape[0].length ? ` ${n.shape[0].join("×")}` : ""}`)));
  rebuild(true);
  const wrong = data.beside ? data.beside.first : null;
  if (wrong !== null && wrong !== undefined) { MG.moved = true; for (const key of data.nodes[wrong].chain) MG.open.add(key); rebuild(true); go(data.nodes[wrong].b); look(data.nodes[wrong].rep); }
  else go(0);
  MG.moved = true;
  addEventListener("resize", () => { const now = MG.steps[step]; if (now) look(now.rep); });
  MG.go = jump; MG.at = () => step; MG.last = lastStep; MG.mode = setMode; // for programs that drive the page
  document.documentElement.setAttribute("data-ready", "yes");
})();
