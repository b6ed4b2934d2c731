// The page of a watched training: curves over time, the state at a moment, layers.
"use strict";

(async () => {
  const data = (MG.data = await MG.load());
  const $ = (id) => document.getElementById(id), { h } = MG, { frames, layers, parameters, points } = data;
  const nameOf = (i) => layers[i].name || "(the model)", titleOf = (i) => `${nameOf(i)} ${layers[i].kind}`;
  let at = 0, chosen = null;

  // -- what follows from the record: norms of layers are roots of sums of their parameters' squares
  const members = layers.map((_, i) => parameters.map((p, k) => k).filter((k) => parameters[k].layer === i));
  const learning = layers.map((_, i) => i).filter((i) => members[i].length);
  const together = (kind, layer, t) => {
    const all = members[layer].map((k) => MG.number(points[kind][k][t])).filter((v) => v !== null);
    return all.length ? Math.hypot(...all) : null;
  };
  const gradients = learning.map((i) => points.step.map((_, t) => together("grad", i, t)));
  const ratios = learning.map((i) => points.step.map((_, t) => { const u = together("update", i, t), w = together("weight", i, t); return u === null || !w ? null : u / w; }));
  MG.atLayer = (i, t) => ({ gradient: gradients[learning.indexOf(i)][t], ratio: ratios[learning.indexOf(i)][t] });

  // -- cards
  const loss = MG.card("Loss"), gradient = MG.card("Gradient norm, by layer"), ratio = MG.card("Update / weight, by layer");
  const accuracy = MG.card("Accuracy"), plane = MG.card("Decision boundary"), fitted = MG.card("Fitted curve"), confusion = MG.card("Confusion");
  const curves = [loss, ...(learning.length ? [gradient, ratio] : [])];
  const states = [];
  if (frames.some((f) => f.map)) states.push(plane);
  if (frames.some((f) => f.curve)) states.push(fitted);
  if (frames.some((f) => f.confusion)) states.push(confusion, accuracy);
  if (data.space && data.space.of === "values") plane.root.querySelector("h2 span").textContent = "What the model says";
  $("curves").append(...curves.map((c) => c.root));
  $("states").append(...states.map((c) => c.root));

  const drawing = (name) => {
    const svg = d3.create("svg").attr("xmlns", "http://www.w3.org/2000/svg").attr("role", "img");
    const save = h("button", { type: "button", class: "small", "aria-label": `save the histograms of ${name} as SVG`, onclick: () => MG.save(svg.node(), name) }, "SVG");
    return { svg, root: h("div", { class: "drawing" }, svg.node(), save) };
  };
  const rows = layers.map((layer, i) => {
    const told = h("div", {}), pictures = h("div", {}), root = h("div", { class: "layer" }, h("div", {}, h("h3", {}, titleOf(i)), told), pictures);
    // The largest parameter stands for the layer; where it is chosen, all do.
    const size = (k) => parameters[k].shape.reduce((a, b) => a * b, 1), own = [...members[i]].sort((a, b) => size(b) - size(a));
    const drawings = (own.length ? own : [null]).map((k) => ({ k, ...drawing(k === null ? titleOf(i) : parameters[k].name) }));
    pictures.append(...drawings.map((d) => d.root));
    $("layers").append(root);
    $("layer").append(h("option", { value: i }, MG.cutTo(titleOf(i), 40)));
    return { root, told, drawings };
  });
  const rangeOf = (find) => { // over all frames
    const all = frames.map(find).filter((s) => s && s.k);
    return all.length ? [d3.min(all, (s) => s.lo), d3.max(all, (s) => s.hi)] : [0, 1];
  };
  const ranges = { weights: parameters.map((_, k) => rangeOf((f) => f.weights[k])), gradients: parameters.map((_, k) => rangeOf((f) => f.gradients[k])), outputs: layers.map((_, i) => rangeOf((f) => f.outputs[i])) };
  const range = (kind, i, s) => ($("range").value === "whole" || !s || !s.k ? ranges[kind][i] : [s.lo, s.hi]);

  // -- drawing
  const pick = (step) => { const steps = frames.map((f) => f.step), k = d3.bisectCenter(steps, step); player.go(k); };
  const series = (values) => learning.map((i, k) => {
    const few = learning.length <= 8, strong = chosen === i;
    return { name: titleOf(i), values: values[k], color: MG.layerColor(k, learning.length), dash: MG.dashes[k % MG.dashes.length], kind: strong ? "strong" : chosen === null || !learning.includes(chosen) ? "" : "faint", label: few || strong || k === 0 || k === learning.length - 1 ? nameOf(i) : null };
  });
  const drawCurves = () => {
    const step = frames[at].step, steps = data.loss.map((s) => s[0]);
    const values = data.loss.map((s) => s[1]), all = values.map(MG.number).filter(Number.isFinite), log = all.length > 0 && d3.min(all) > 0 && d3.max(all) / d3.min(all) > 20;
    const now = MG.near(steps, step), here = now >= 0 ? data.loss[now] : null;
    MG.lines(loss, { steps, series: [{ name: "loss", values, color: "var(--link)", kind: "" }], band: data.every.loss > 1 ? [data.loss.map((s) => s[2]), data.loss.map((s) => s[3])] : null, at: step, log, onpick: pick, label: `Loss over ${data.steps} steps, ${values.length ? `from ${MG.num(values[0])} to ${MG.num(values.at(-1))}` : "none seen"}` });
    const t = MG.near(points.step, step), rates = t >= 0 ? points.lr[t] : [];
    loss.text.textContent = [frames[at].loss !== null ? `loss ${MG.num(frames[at].loss)} at step ${step}` : here ? `loss ${MG.num(here[1])} at step ${here[0]}` : "", rates.length ? `learning rate ${[...new Set(rates.map((r) => MG.num(r)))].join(", ")}` : "", data.every.loss > 1 ? "shaded: the least and the largest of the steps between" : "", log ? "logarithmic scale" : ""].filter(Boolean).join("; ");
    if (!learning.length) return;
    const said = (all) => { const known = learning.filter((_, k) => t >= 0 && all[k][t] !== null); return t < 0 ? "from the first step on" : known.length ? `step ${points.step[t]}: ${[...new Set(chosen !== null && known.includes(chosen) ? [chosen] : [known[0], known.at(-1)])].map((i) => `layer ${nameOf(i)} ${MG.num(all[learning.indexOf(i)][t])}`).join(", ")}` : `step ${points.step[t]}: none`; };
    for (const [card, all, guide] of [[gradient, gradients, null], [ratio, ratios, 1e-3]]) {
      MG.lines(card, { steps: points.step, series: series(all), at: step, log: true, guide, onpick: pick, label: `${card.title}, logarithmic. ${said(all)}` });
      card.text.textContent = `${said(all)}; logarithmic scale${card.guided ? "; dotted: 0.001, a healthy size" : ""}`;
    }
  };
  const drawStates = () => {
    const frame = frames[at], space = data.space;
    if (states.includes(plane)) {
      const meaning = space.scale === "class" ? "numbers: the class with the largest output" : space.scale === "difference" ? "blue: class 1 is more likely, red: class 0; line: as likely" : `blue: above 0, red: below, up to ${MG.num(frame.max)}`;
      const marks = space.of === "classes" ? `; data: ${d3.range(Math.min(7, space.classes)).map((c) => `${MG.symbolNames[c]} ${c}`).join(", ")}` : "";
      MG.plane(plane, { space, frame, label: `What the model says over the plane at step ${frame.step}; ${meaning}${marks}` });
      plane.text.textContent = `${meaning}${marks}${frame.map && new Int8Array(MG.bytes(frame.map).buffer).includes(-128) ? "; magenta: not finite" : ""}`;
    }
    if (states.includes(fitted)) { MG.fitted(fitted, { space, frames, at, label: `What the model says along its input, at step ${frame.step}, over the data` }); fitted.text.textContent = "strong: now; faint: before; dots: data"; }
    if (states.includes(confusion)) {
      const table = frame.confusion;
      if (table) MG.confusion(confusion, { table, label: `Confusion at step ${frame.step}: ${table.map((row, i) => `true ${i}: ${row.map((v, j) => `${v} as ${j}`).join(", ")}`).join("; ")}` });
      else MG.begin(confusion, 40, "not asked at this moment");
      confusion.text.textContent = table ? `accuracy ${MG.num(frame.accuracy)} on the data${frame.unknown ? `; of ${frame.unknown} rows the output is not finite` : ""}; framed: right${frame.level === undefined ? "" : `; class 1: an output above ${frame.level}`}` : "not asked at this moment";
      const steps = frames.map((f) => f.step), values = frames.map((f) => f.accuracy ?? null);
      MG.lines(accuracy, { steps, series: [{ name: "accuracy", values, color: "var(--link)" }], at: frame.step, onpick: pick, label: `Accuracy on the data at step ${frame.step}: ${MG.num(frame.accuracy)}` });
      accuracy.text.textContent = `${MG.num(frame.accuracy)} at step ${frame.step}, on the data`;
    }
  };
  const drawLayers = () => {
    const frame = frames[at], t = MG.near(points.step, frame.step);
    rows.forEach(({ root, told, drawings }, i) => {
      root.classList.toggle("chosen", chosen === i);
      const lines = [], out = frame.outputs[i], trouble = [];
      if (members[i].length) {
        const frozen = members[i].every((k) => parameters[k].frozen), now = t >= 0 && points.step[t] === frame.step ? MG.atLayer(i, t) : { gradient: null, ratio: null };
        lines.push(frozen ? "frozen: no gradient" : `gradient ${MG.num(now.gradient)}, update / weight ${MG.num(now.ratio)}`);
      }
      if (out && out.silent) { const [dead, of] = out.silent; lines.push(`dead units: ${dead} of ${of}`); if (dead > of / 2) trouble.push(`⚠ ${dead} of ${of} units say the same for every row of the batch`); }
      if (out && out.std !== undefined) lines.push(`outputs: mean ${MG.num(out.mean)}, spread ${MG.num(out.std)}`);
      const bad = [...members[i].flatMap((k) => [[`${parameters[k].name}`, frame.weights[k]], [`gradient of ${parameters[k].name}`, frame.gradients[k]]]), ["outputs", out]].filter(([, s]) => s && s.bad);
      for (const [name, s] of bad) trouble.push(`⚠ ${name}: ${s.bad} of ${s.n} not finite`);
      told.replaceChildren(...lines.map((text) => h("p", {}, text)), ...trouble.map((text) => h("p", { class: "trouble" }, text)));
      const own = (k) => parameters[k].name.slice(layers[i].name ? layers[i].name.length + 1 : 0), shows = frames.some((f) => f.outputs[i]);
      drawings.forEach(({ k, svg, root: place }, nth) => {
        place.hidden = nth > 0 && chosen !== i;
        if (place.hidden) return;
        const parts = k === null ? [] : [{ head: own(k), hist: frame.weights[k], range: range("weights", k, frame.weights[k]) }, { head: "its gradient", hist: frame.gradients[k], range: range("gradients", k, frame.gradients[k]) }];
        if (shows) parts.push(nth ? null : { head: "outputs", hist: out, range: range("outputs", i, out) });
        svg.attr("aria-label", parts.filter(Boolean).map((p) => `histogram of ${p.head}: ${p.hist && p.hist.k ? `${MG.num(p.hist.lo)} to ${MG.num(p.hist.hi)}, mean ${MG.num(p.hist.mean)}, spread ${MG.num(p.hist.std)}` : "none"}`).join("; ") || titleOf(i));
        MG.histograms(svg, Math.max(200, root.clientWidth - (innerWidth > 800 ? 330 : 70)), parts);
      });
    });
  };
  const draw = () => { drawCurves(); drawStates(); drawLayers(); };
  const show = (k) => {
    at = k;
    draw();
    const frame = frames[at];
    $("where").textContent = `step ${frame.step} of ${data.steps}`;
    $("said").textContent = `${frame.step ? `Step ${frame.step}` : "Before the first step"}${frame.loss === null ? "" : `: loss ${MG.num(frame.loss)}`}${frame.accuracy === undefined ? "" : `, accuracy ${MG.num(frame.accuracy)}`}.`;
  };

  const choose = (i) => { chosen = i; $("layer").value = i === null ? "" : String(i); draw(); if (i !== null) $("said").textContent = `Layer ${titleOf(i)}`; };
  $("layer").addEventListener("change", () => choose($("layer").value === "" ? null : Number($("layer").value)));
  $("range").addEventListener("change", draw);
  MG.themes($("theme"), () => draw());
  const player = MG.player({
    last: () => frames.length - 1, show,
    keys: { l: () => choose(layers.length ? ((chosen === null ? -1 : chosen) + 1) % layers.length : null), Escape: () => choose(null) },
  });
  const often = (n, what) => `${what} every ${n === 1 ? "step" : `${n} steps`}`;
  const thin = data.every.frames > 1 || data.every.points > 1 ? ` Long trainings are thinned: ${often(data.every.frames, "a frame")}, ${often(data.every.points, "a point of the curves")}.` : "";
  $("about").textContent = `${data.steps} step${data.steps === 1 ? "" : "s"}, ${d3.sum(parameters, (p) => d3.reduce(p.shape, (a, b) => a * b, 1)).toLocaleString("en")} weights in ${learning.length} layer${learning.length === 1 ? "" : "s"}, ${frames.length} frames.${thin} Recorded from a run of minigrad's engine.`;
  data.notes.forEach((note) => $("notes").append(h("li", {}, note)));
  let width = innerWidth;
  addEventListener("resize", () => { if (innerWidth !== width) { width = innerWidth; draw(); } });
  MG.go = player.go; MG.at = () => at; MG.last = () => frames.length - 1; MG.choose = choose; // for programs that drive the page
  player.go(frames.length - 1);
  document.documentElement.setAttribute("data-ready", "yes");
})();
