// The panel beside the graph: what happens in a step, in symbols and with the numbers of this run.
"use strict";

// -- how the elements of a step's tensors belong together

// All places of a tensor whose dimensions are called `spec` in which the letters of `fixed` have these values.
MG.cells = (spec, shape, fixed, most = 3000) => {
  let places = [[]];
  for (let d = 0; d < shape.length; d++) {
    const letter = spec[d], range = letter === "_" ? [0] : letter in fixed ? [fixed[letter]] : d3.range(shape[d]);
    if (places.length * range.length > most) return [];
    places = places.flatMap((place) => range.map((i) => [...place, i]));
  }
  return places.map((place) => MG.flat(place, shape));
};
MG.fix = (spec, shape, k) => Object.fromEntries(MG.index(k, shape).map((i, d) => [spec[d], i]).filter(([letter]) => letter !== "_"));

// Σ of products of two tensors over the letters that `fixed` leaves free: [[a, b], ...]
MG.products = (p, q, fixed) => {
  const free = new Map();
  for (const x of [p, q]) [...x.spec].forEach((letter, d) => { if (letter !== "_" && !(letter in fixed)) free.set(letter, x.shape[d]); });
  let all = [fixed];
  for (const [letter, n] of free) {
    if (all.length * n > 5000) return null;
    all = all.flatMap((f) => d3.range(n).map((i) => ({ ...f, [letter]: i })));
  }
  const at = (x, f) => x.values[MG.flat(x.shape.map((_, d) => (x.spec[d] === "_" ? 0 : f[x.spec[d]])), x.shape)];
  return all.map((f) => [at(p, f), at(q, f)]);
};
MG.sumText = (pairs, result) => {
  const shown = pairs.length > 9 ? pairs.slice(0, 8) : pairs;
  return `${shown.map(([a, b]) => (b === null ? MG.in(a) : `${MG.in(a)}·${MG.in(b)}`)).join(" + ")}${pairs.length > shown.length ? ` + … (${pairs.length} terms)` : ""} = ${MG.num(result)}`;
};

// A formula with numbers in the places of its names.
MG.withNumbers = (formula, numbers) => {
  const names = Object.keys(numbers).sort((a, b) => b.length - a.length).map((n) => n.replace(/[.*+?^${}()|[\]\\]/g, "\\$&"));
  if (!names.length) return formula;
  return formula.replace(new RegExp(`(?<![\\p{L}_])(${names.join("|")})(?![\\p{L}_\\p{Nd}])`, "gu"), (name, _, at) => (/[0-9]/.test(formula[at - 1] || "") ? "·" : "") + MG.in(numbers[name]));
};
MG.right = (formula) => { const at = formula.indexOf(" = "); return at < 0 ? formula : formula.slice(at + 3); };
MG.left = (formula) => { const at = formula.indexOf(" = "); return at < 0 ? "" : formula.slice(0, at); };

// The numbers that stand for the names of an elementwise rule at one element of the output.
MG.numbersAt = (node, k) => {
  const spec = node.letters, out = node.shape[0], fixed = MG.fix(spec.out, out, k), numbers = {};
  const grad = MG.tensorOf(node.grad), value = MG.tensorOf(node.value);
  const of = (t, s) => { const all = t && MG.values(t); return all ? all[MG.flat(t.s.map((_, d) => (s[d] === "_" ? 0 : fixed[s[d]])), t.s)] : undefined; };
  if (grad) numbers.grad = of(grad, spec.out);
  if (value) numbers.out = of(value, spec.out);
  node.inputs.forEach((input, i) => {
    if (input.node !== null && spec.ins[i] !== null && spec.ins[i] !== undefined) { const t = MG.inputTensor(input); const v = t && of(t, spec.ins[i]); if (v !== undefined) numbers[input.name] = v; }
    else if (input.said && !Number.isNaN(Number(input.said))) numbers[input.name] = Number(input.said);
  });
  for (const key of Object.keys(numbers)) if (numbers[key] === undefined) delete numbers[key];
  return numbers;
};
MG.inputTensor = (input) => { const node = MG.data.nodes[input.node], i = node.value[input.out]; return i === null || i === undefined ? null : MG.data.tensors[i]; };
MG.largest = (t) => { const all = MG.values(t); return all ? d3.maxIndex(all, Math.abs) : 0; };

// -- the panel

MG.wordsOf = (t) => { const { words } = MG.data; return words && t.s.length && (t.s.at(-1) === words.length && (t.s.length === 1 || t.s.at(-2) === words.length || t.s.at(-2) === 1 || t.t.startsWith("int"))) ? words : null; };
MG.show = (t, name, role, extra = {}) => {
  if (!t) return null;
  const view = MG.tensor(t, { name, role, words: MG.wordsOf(t), ...extra });
  MG.views.push(view);
  return view;
};
MG.isPicture = (node, t) => node.kind === "constant" && t.s.length >= 3 && t.s.at(-1) >= 8 && t.s.at(-2) >= 8 && t.lo >= 0;
MG.nameOf = (id) => { // with the module it belongs to: a network may have many a Linear
  const node = MG.data.nodes[id], box = node.box === null || node.box === undefined ? "" : MG.data.boxes[node.box].name, around = node.module || (box.length <= 24 ? box : "");
  return node.name || (around && node.of === undefined ? `${around}: ${node.op}` : node.op);
};
MG.inputLabel = (input) => (input.node === null ? input.name : MG.data.nodes[input.node].name && MG.data.nodes[input.node].name !== input.name ? `${MG.data.nodes[input.node].name}, as ${input.name}` : input.name);
MG.dName = (node, i) => MG.left(node.rule.d[i] || "") || `d${node.inputs[i].name}`;

MG.explain = (panel, node, { phase, s, why }) => {
  const { h, data } = MG;
  panel.replaceChildren();
  MG.views = [];
  panel.append(h("h2", {}, why));
  if (node.line) panel.append(h("p", { class: "line" }, MG.cut(node.line, 160)));
  (node.trouble || []).forEach((text) => panel.append(h("p", { class: "trouble" }, `⚠ ${text}`)));
  if (node.kind !== "op") return MG.explainLeaf(panel, node, phase, s);
  const rule = node.rule, terms = h("p", { class: node.window || (node.letters && node.letters.sum) ? "terms" : "" , "aria-live": "polite" }, node.window || (node.letters && node.letters.sum) ? "Point at an element: what it was made of lights up." : "");
  const views = { ins: [] };
  const inputs = node.inputs.filter((input) => input.node !== null);
  if (phase === "forward") {
    panel.append(h("p", { class: "rule", "data-role": "rule" }, rule.out || rule.text.split("\n")[0] || node.op));
    const k = 0;
    if (node.letters && node.letters.elementwise && node.value[0] !== null && rule.out) {
      const numbers = MG.numbersAt(node, k);
      delete numbers.out; delete numbers.grad;
      const value = MG.values(MG.tensorOf(node.value));
      if (value) panel.append(h("p", { class: "rule numbers", "data-role": "numbers" }, `${value.length > 1 ? `first element: ` : ""}${MG.withNumbers(MG.right(rule.out), numbers)} = ${MG.num(value[k])}`));
    }
  } else MG.explainBackward(panel, node);
  MG.beside(panel, node);
  panel.append(h("h3", {}, phase === "forward" ? "Its inputs and its output" : "Its values"), terms);
  MG.stretches(panel, node);
  node.inputs.forEach((input, i) => {
    if (input.node === null) { if (input.said && input.said !== "None") panel.append(h("p", { class: "beside" }, `${input.name} = ${input.said}`)); return; }
    const t = MG.inputTensor(input);
    const view = t ? MG.show(t, MG.inputLabel(input), `input ${i}`, { gray: MG.isPicture(data.nodes[input.node], t), onpick: (k) => MG.link(node, views, { which: "in", i }, k, terms) }) : null;
    if (view) panel.append(view.figure); else panel.append(h("p", { class: "beside" }, `${MG.inputLabel(input)}: its values were not kept`));
    views.ins[i] = view;
  });
  node.value.forEach((v, i) => {
    if (v === null) { panel.append(h("p", { class: "beside" }, "its output was not kept")); return; }
    const view = MG.show(data.tensors[v], node.value.length > 1 ? `output ${i}` : `output${node.name ? ` (${node.name})` : ""}`, "value", { onpick: (k) => MG.link(node, views, { which: "out" }, k, terms) });
    if (i === 0) views.out = view;
    panel.append(view.figure);
  });
  if (phase === "backward") {
    views.d = [];
    node.grad.forEach((g, i) => { if (g !== null) { const view = MG.show(data.tensors[g], node.grad.length > 1 ? `gradient of output ${i}` : "grad, of the output", "grad", { onpick: (k) => MG.link(node, views, { which: "grad" }, k, terms) }); views.grad = views.grad || view; panel.querySelector("[data-role=arrived]").append(view.figure); } });
    node.sent.forEach((s, i) => {
      if (s === null || s === undefined) return;
      const sent = data.sent[s], place = panel.querySelector(`[data-edge="${s}"]`);
      const view = MG.show(data.tensors[sent.grad], MG.dName(node, i), `sent ${i}`, { onpick: (k) => MG.link(node, views, { which: "d", i }, k, terms) });
      views.d[i] = view;
      if (view.t.n > 1 || !place.querySelector("[data-role=numbers]")) place.append(view.figure); // of one number all has been said
    });
  }
  panel.append(h("p", { class: "line" }, rule.text ? "From its source: " + rule.text.split("\n")[0] : ""));
};

MG.explainBackward = (panel, node) => {
  const { h, data } = MG;
  const got = node.got.filter(MG.active);
  panel.append(h("h3", {}, "What arrived"));
  const box = h("div", { "data-role": "arrived" });
  if (node.id === MG.rootId()) box.append(h("p", {}, "The walk begins here: the slope of the result by itself is 1."));
  else if (got.length === 1) box.append(h("p", { class: "sum" }, `One gradient, from ${MG.nameOf(got[0].from)}.`));
  else if (got.length) {
    const order = [...got].sort((a, b) => data.nodes[a.from].b - data.nodes[b.from].b || a.input - b.input);
    const total = MG.tensorOf(node.grad);
    const small = order.every((g) => data.tensors[g.grad].n === 1);
    const k = total && MG.values(total) && order.every((g) => MG.values(data.tensors[g.grad])) ? MG.largest(total) : null;
    const value = (t) => MG.values(t)[k];
    box.append(h("p", { class: "sum", "data-role": "sum" }, k === null ? `${got.length} gradients are added up: ${order.map((g) => `from ${MG.nameOf(g.from)}`).join(" + ")}.`
      : `${small ? "" : `at [${MG.index(k, total.s).join(", ")}]: `}${order.map((g) => `${MG.in(value(data.tensors[g.grad]))} from ${MG.nameOf(g.from)}`).join(" + ")} = ${MG.num(value(total))}`));
    MG.sumPicture(box, order, total);
  } else box.append(h("p", {}, "No gradient arrived."));
  panel.append(box, h("h3", {}, "What it sends"));
  if (!node.sent.some((s) => s !== null && s !== undefined)) panel.append(h("p", {}, (node.trouble || []).length ? "Nothing: it could not run." : "Nothing: no input wants a gradient."));
  node.inputs.forEach((input, i) => {
    const s = node.sent[i];
    if (s === null || s === undefined) return;
    const sent = data.sent[s], formula = node.rule.d[i], part = h("div", { "data-edge": s });
    part.append(h("p", { class: "rule", "data-role": "rule" }, formula || `${MG.dName(node, i)}, as its source says: ${node.rule.text.split("\n")[0]}`));
    const numbers = MG.sentWithNumbers(node, i, sent, formula);
    if (numbers) part.append(h("p", { class: "rule numbers", "data-role": "numbers" }, numbers));
    part.classList.add("card");
    const target = data.nodes[sent.to], all = target.got.filter(MG.active), arrived = all.filter((g) => data.nodes[g.from].b <= node.b).length;
    const state = target.kind === "leaf" ? (arrived < all.length ? `, which has ${arrived} of its ${all.length} gradients` : "") : arrived < all.length ? `, which waits: it has ${arrived} of its ${all.length} gradients` : all.length > 1 ? `, which now has all its ${all.length} gradients` : "";
    part.append(h("p", { class: "beside" }, `↑ to ${MG.nameOf(sent.to)}${state}`));
    panel.append(part);
  });
};

// The sum where paths meet, as heat maps: what came from each, and what that makes.
MG.sumPicture = (box, order, total) => {
  if (!total || total.n < 2 || order.length > 4) return;
  const { h, data } = MG, max = Math.max(1e-300, ...[total, ...order.map((g) => data.tensors[g.grad])].flatMap((t) => [t.lo, t.hi]).filter((x) => x !== undefined).map(Math.abs));
  const small = (t, words) => {
    const grid = MG.grid(t, 0);
    if (!grid) return null;
    const svg = d3.create("svg").attr("viewBox", "0 0 76 46").attr("width", 76).attr("height", 46).attr("role", "img").attr("aria-label", words);
    svg.append("image").attr("href", MG.pixels({ ...grid, max }, false)).attr("width", 76).attr("height", 46).attr("preserveAspectRatio", "none").attr("style", "image-rendering: pixelated");
    return h("figure", { class: "term" }, svg.node(), h("figcaption", {}, words));
  };
  box.append(h("div", { class: "sums", "data-role": "sum-picture" }, order.flatMap((g, i) => [i ? "+" : "", small(data.tensors[g.grad], `from ${MG.nameOf(g.from)}`)]), "=", small(total, "together")));
};

// "dx = grad · y = 2 · 3 = 6", for a rule that holds element by element, at the element where most is sent.
MG.sentWithNumbers = (node, i, sent, formula) => {
  const { data } = MG, t = data.tensors[sent.grad], raw = sent.raw === undefined ? null : data.tensors[sent.raw], spec = node.letters;
  const all = MG.values(t);
  if (!all || !spec || !all.length) return null;
  const name = MG.dName(node, i), k = MG.largest(t), at = t.n > 1 ? `[${MG.index(k, t.s).join(", ")}]` : "";
  if (spec.sum) { const text = MG.contraction(node, { which: "d", i }, k); return text && `${name}${at} = ${text}`; }
  if (!spec.elementwise || !formula) return null;
  if (!raw) {
    const fixed = MG.fix(spec.ins[i], t.s, k), places = MG.cells(spec.out, node.shape[0], fixed);
    if (places.length !== 1) return null;
    const put = MG.withNumbers(MG.right(formula), MG.numbersAt(node, places[0])), result = MG.num(all[k]);
    return put === result || put === `(${result})` ? `${name}${at} = ${result}` : `${name}${at} = ${put} = ${result}`;
  }
  const rawValues = MG.values(raw);
  if (!rawValues) return null;
  const fixed = MG.fix(spec.ins[i], t.s, k), places = MG.cells(spec.out, node.shape[0], fixed);
  if (!places.length || raw.n !== node.shape[0].reduce((a, b) => a * b, 1)) return null;
  return `${name}${at} = ${places.length > 9 ? places.slice(0, 8).map((p) => MG.in(rawValues[p])).join(" + ") + ` + … (${places.length} terms)` : places.map((p) => MG.in(rawValues[p])).join(" + ")} = ${MG.num(all[k])}: it was stretched, so its gradients are added up`;
};

// An element of a product of matrices, or of its gradients, as a sum of products.
MG.contraction = (node, what, k) => {
  const spec = node.letters, { data } = MG;
  const side = (t, s) => (t && MG.values(t) && s ? { values: MG.values(t), shape: t.s, spec: s } : null);
  const out = side(MG.tensorOf(node.value), spec.out), grad = side(MG.tensorOf(node.grad), spec.out);
  const ins = node.inputs.map((input, i) => (input.node === null ? null : side(MG.inputTensor(input), spec.ins[i])));
  if (what.which === "out") {
    if (!out || !ins[0] || !ins[1]) return null;
    const pairs = MG.products(ins[0], ins[1], MG.fix(spec.out, out.shape, k));
    if (!pairs) return null;
    if (ins[2]) pairs.push([ins[2].values[MG.flat([MG.fix(spec.out, out.shape, k)[spec.ins[2][0]]], ins[2].shape)], null]);
    return MG.sumText(pairs, out.values[k]);
  }
  const s = node.sent[what.i], t = s === null || s === undefined ? null : data.tensors[data.sent[s].grad];
  if (!t || !MG.values(t) || !grad) return null;
  const fixed = MG.fix(spec.ins[what.i], t.s, k);
  if (what.i === 2) return MG.sumText(MG.cells(spec.out, grad.shape, fixed).map((c) => [grad.values[c], null]), MG.values(t)[k]);
  const other = ins[1 - what.i];
  const pairs = other && MG.products(grad, other, fixed);
  return pairs && MG.sumText(pairs, MG.values(t)[k]);
};

// Broadcasting, said in words.
MG.stretches = (panel, node) => {
  const spec = node.letters, out = node.shape[0];
  if (!spec || !spec.elementwise) return;
  node.inputs.forEach((input, i) => {
    const t = input.node === null ? null : MG.data.nodes[input.node].shape[input.out];
    if (t && t.join() !== out.join()) panel.append(MG.h("p", { class: "beside", "data-role": "stretch" }, `${MG.inputLabel(input)} (${MG.shape(t)}) is stretched to ${MG.shape(out)}: every copy is the same number. Backward, the gradients of the copies are added up.`));
  });
};

// The element under the pointer, and what belongs to it in the other tensors.
MG.link = (node, views, what, k, terms) => {
  const spec = node.letters, all = [...views.ins, views.out, views.grad, ...(views.d || [])].filter(Boolean);
  all.forEach((view) => view.mark([]));
  terms.textContent = "";
  if (node.window && node.op === "Convolution") return MG.linkWindow(node, views, what, k, terms);
  if (node.window) return MG.linkPool(node, views, what, k);
  if (!spec) return;
  const own = what.which === "in" || what.which === "d" ? spec.ins[what.i] : spec.out;
  const shape = what.which === "in" || what.which === "d" ? MG.data.nodes[node.inputs[what.i].node].shape[node.inputs[what.i].out] : node.shape[0];
  if (!own) return;
  const fixed = MG.fix(own, shape, k);
  const mark = (view, s) => { if (view && s) view.mark(MG.cells(s, view.t.s, fixed)); };
  if (what.which === "in" || what.which === "out") { views.ins.forEach((view, i) => mark(view, spec.ins[i])); mark(views.out, spec.out); }
  else { mark(views.grad, spec.out); views.ins.forEach((view, i) => { if (!spec.sum || i !== what.i) mark(view, spec.ins[i]); }); (views.d || []).forEach((view, i) => mark(view, spec.ins[i])); }
  if (spec.sum && what.which !== "in" && what.which !== "grad") {
    const text = MG.contraction(node, what, k), at = MG.index(k, shape).join(", ");
    if (text) terms.textContent = `${what.which === "out" ? "out" : MG.dName(node, what.i)}[${at}] = ${text}`;
  }
};

// A convolution: the window, its weights, its products.
MG.window = (node, k) => {
  const { stride, pad, dilation, groups = 1 } = node.window, x = MG.data.nodes[node.inputs[0].node].shape[node.inputs[0].out], w = MG.data.nodes[node.inputs[1].node].shape[0];
  const [n, o, y0, x0] = MG.index(k, node.shape[0]), per = w[1], first = Math.floor(o / (w[0] / groups)) * per, cells = [];
  for (let c = 0; c < per; c++) for (let i = 0; i < w[2]; i++) for (let j = 0; j < w[3]; j++) {
    const y = y0 * stride[0] + i * dilation[0] - pad[0], xx = x0 * stride[1] + j * dilation[1] - pad[1];
    if (y >= 0 && y < x[2] && xx >= 0 && xx < x[3]) cells.push([MG.flat([n, first + c, y, xx], x), MG.flat([o, c, i, j], w)]);
  }
  return cells;
};
MG.linkWindow = (node, views, what, k, terms) => {
  const tensor = (view) => view && MG.values(view.t);
  const [x, w, b] = views.ins, at = (s) => `[${MG.index(k, s).join(", ")}]`;
  if (what.which === "out" || what.which === "grad") {
    const cells = MG.window(node, k);
    if (x) x.mark(cells.map((c) => c[0]));
    if (w) w.mark(cells.map((c) => c[1]));
    [views.out, views.grad].forEach((view) => view && view.mark([k]));
    if (what.which === "out" && tensor(x) && tensor(w) && tensor(views.out)) {
      const pairs = cells.map(([i, j]) => [tensor(x)[i], tensor(w)[j]]).filter(([a]) => a !== 0);
      if (b && tensor(b)) pairs.push([tensor(b)[MG.index(k, node.shape[0])[1]], null]);
      terms.textContent = `out${at(node.shape[0])} = ${MG.sumText(pairs, tensor(views.out)[k])} (products with 0 left out)`;
    } else if (what.which === "grad" && views.d[0] && tensor(views.grad)) {
      views.d[0].mark(cells.map((c) => c[0]));
      terms.textContent = `its window gets back the weights · ${MG.num(tensor(views.grad)[k])}`;
    }
  } else if (what.which === "d" && what.i === 1 && views.grad && tensor(x) && tensor(views.grad)) {
    const place = [];
    for (let out = 0; out < views.grad.t.n; out++) { if (MG.index(out, node.shape[0])[1] !== MG.index(k, views.d[1].t.s)[0]) continue; for (const [i, j] of MG.window(node, out)) if (j === k) place.push([i, out]); }
    x.mark(place.map((p) => p[0]));
    views.grad.mark(place.map((p) => p[1]));
    terms.textContent = `dw${at(views.d[1].t.s)} = ${MG.sumText(place.map(([i, out]) => [tensor(views.grad)[out], tensor(x)[i]]).filter(([a, c]) => a * c !== 0), tensor(views.d[1])[k])} (products with 0 left out)`;
  }
};
MG.linkPool = (node, views, what, k) => {
  if (what.which !== "out" && what.which !== "grad") return;
  const { stride, pad, dilation, kernel } = node.window, x = MG.data.nodes[node.inputs[0].node].shape[0], [n, c, y0, x0] = MG.index(k, node.shape[0]), cells = [];
  for (let i = 0; i < kernel[0]; i++) for (let j = 0; j < kernel[1]; j++) {
    const y = y0 * stride[0] + i * dilation[0] - pad[0], xx = x0 * stride[1] + j * dilation[1] - pad[1];
    if (y >= 0 && y < x[2] && xx >= 0 && xx < x[3]) cells.push(MG.flat([n, c, y, xx], x));
  }
  [views.ins[0], views.d && views.d[0]].forEach((view) => view && view.mark(cells));
  [views.out, views.grad].forEach((view) => view && view.mark([k]));
};

MG.explainLeaf = (panel, node, phase, s) => {
  const { h, data } = MG, value = MG.tensorOf(node.value);
  if (node.kind === "constant") {
    panel.append(h("p", {}, node.trouble ? "" : "It goes into the computation, and wants no gradient."));
    if (value) {
      if (data.words && MG.wordsOf(value) && value.t.startsWith("int")) panel.append(h("p", { "data-role": "words" }, data.words.join(" ")));
      panel.append(MG.show(value, node.name || "value", "value", { gray: MG.isPicture(node, value) }).figure);
    }
    return;
  }
  const got = node.got.filter(MG.active);
  if (phase === "backward") {
    const before = node.before === null ? null : data.tensors[node.before], after = node.after === null ? null : data.tensors[node.after], total = MG.tensorOf(node.grad);
    panel.append(h("p", {}, `A leaf: what arrives is added to its .grad. ${got.length > 1 ? `${got.length} gradients arrived, one for each use.` : ""}`));
    if (total) MG.explainBackwardSum(panel, node, got, total);
    panel.append(h("p", { class: "rule", "data-role": "leaf" }, `.grad before: ${before ? MG.brief(before) : "None"}    .grad after: ${after ? MG.brief(after) : "None"}`));
    if (before) panel.append(MG.show(before, ".grad before", "before").figure);
    if (after) panel.append(MG.show(after, ".grad after", "after").figure);
  }
  MG.nudge(panel, node);
  MG.beside(panel, node);
  if (value) panel.append(h("h3", {}, "Its value"), MG.show(value, node.name || "value", "value").figure);
};
MG.explainBackwardSum = (panel, node, got, total) => {
  const { data, h } = MG, all = MG.values(total);
  if (got.length < 2 || !all || !got.every((g) => MG.values(data.tensors[g.grad]))) return;
  const k = MG.largest(total), order = [...got].sort((a, b) => data.nodes[a.from].b - data.nodes[b.from].b || a.input - b.input);
  if (total.n > 1) MG.sumPicture(panel, order, total);
  panel.append(h("p", { class: "sum", "data-role": "sum" }, `${total.n > 1 ? `at [${MG.index(k, total.s).join(", ")}]: ` : ""}${order.map((g) => `${MG.in(MG.values(data.tensors[g.grad])[k])} from ${MG.nameOf(g.from)}`).join(" + ")} = ${MG.num(all[k])}`));
};

// PyTorch's gradient beside minigrad's.
MG.beside = (panel, node) => {
  const other = MG.data.beside;
  if (!other) return;
  const { h, data } = MG, theirs = other.nodes[node.id];
  panel.append(h("h3", {}, `${other.engine} beside`));
  if (theirs === undefined) { panel.append(h("p", { class: "beside" }, node.kind === "constant" ? "wants no gradient there either" : node.of !== undefined ? `A step of an opened operation: closed, it is one node, and ${other.engine}'s gradient stands beside that.` : `${other.engine} has no node in this place: it computes this in other steps.`)); return; }
  const own = MG.tensorOf(node.grad), t = theirs.grad === null ? null : data.tensors[theirs.grad];
  const cancelled = !theirs.differs && theirs.apart > 1e-3 ? " up to rounding: large gradients cancelled on the way, and what is left has few right digits" : "";
  panel.append(h("p", { class: theirs.differs ? "trouble" : "right", "data-role": "beside" }, `${theirs.differs ? "⚠ differs" : "✓ equal"}${cancelled} (largest difference ${MG.num(theirs.apart)}): minigrad ${MG.brief(own)}, ${other.engine} ${MG.brief(t)}`));
  if (!t || t.n < 2) return;
  const picture = () => MG.show(t, `gradient in ${other.engine}`, "theirs").figure;
  if (theirs.differs) panel.append(picture());
  else { const more = h("details", { ontoggle: () => { if (more.open && more.children.length === 1) more.append(picture()); } }, h("summary", {}, `${other.engine}'s numbers`)); panel.append(more); }
};

// Move a weight, see the loss move.
MG.nudge = (panel, node) => {
  const table = (MG.data.nudge || {})[node.id], { h } = MG;
  if (!table) return;
  const t = MG.tensorOf(node.value), grad = MG.tensorOf(node.grad), slopes = MG.values(grad), steps = table.steps, middle = Math.floor(steps[0].length / 2);
  const number = (v) => (typeof v === "string" ? Number(v.replace("inf", "Infinity")) : v), finite = (v) => (Number.isFinite(v) ? Number(v.toPrecision(4)) : v);
  const which = h("select", { "aria-label": "which number" }, steps.map((_, k) => h("option", { value: k }, `[${MG.index(k, t.s).join(", ")}]`)));
  const move = h("input", { type: "range", min: 0, max: steps[0].length - 1, value: middle + 3, "aria-label": `move ${node.name}` });
  const said = h("p", { class: "beside", "data-role": "nudge", "aria-live": "polite" }), plot = h("figure", { class: "tensor" });
  const show = () => {
    const row = steps[Number(which.value)].map((pair) => pair.map(number)), [x, loss] = row[Number(move.value)], [x0, loss0] = row[middle], slope = slopes[Number(which.value)], digits = MG.digits(loss0, loss - loss0);
    plot.replaceChildren(MG.nudgePlot(row, middle, Number(move.value), slope, node.name || "the leaf"));
    said.textContent = `from ${MG.num(x0)} to ${MG.num(x)}: the loss goes from ${MG.num(loss0, digits)} to ${MG.num(loss, digits)}, by ${MG.num(finite(loss - loss0))}. Slope × step = ${MG.num(slope)} × ${MG.in(finite(x - x0))} = ${MG.num(finite(slope * (x - x0)))}.`;
  };
  which.addEventListener("change", show); move.addEventListener("input", show);
  panel.append(h("h3", {}, "Move it"), h("p", { class: "beside" }, steps.length > 1 ? "the number " : "", steps.length > 1 ? which : "", " ", move), said, plot,
    h("p", { class: "line" }, `Computed when this page was made: the forward pass again at ${steps[0].length} places of ${steps.length > 1 ? `each of the ${steps.length} numbers, ${steps.length * steps[0].length} losses` : "the number"}.`));
  show();
};

// The loss over the number that is moved, and the straight line that its slope foretells.
MG.nudgePlot = (row, middle, at, slope, name) => {
  const w = 340, hh = 150, left = 52, [x0, loss0] = row[middle], [x1, loss1] = row[at], foretold = loss0 + slope * (x1 - x0);
  const finite = row.filter(([, loss]) => Number.isFinite(loss));
  if (![loss0, loss1, foretold].every(Number.isFinite) || finite.length < 2) return MG.h("p", { class: "beside" }, "No curve: the loss here, or there, is not finite.");
  const x = d3.scaleLinear(d3.extent(row, (d) => d[0]), [left, w - 8]);
  const y = d3.scaleLinear(d3.extent([...finite.map((d) => d[1]), loss0, foretold]), [hh - 22, 8]).nice();
  const svg = d3.create("svg").attr("xmlns", "http://www.w3.org/2000/svg").attr("viewBox", `0 0 ${w} ${hh}`).attr("width", w).attr("height", hh).attr("role", "img")
    .attr("aria-label", `the loss over ${name}: a curve, and a dashed line with the slope ${MG.num(slope)} that touches it`);
  const [low, high] = y.domain(), ends = x.domain().map((v) => [v, loss0 + slope * (v - x0)]);
  svg.append("clipPath").attr("id", "inside").append("rect").attr("x", left).attr("y", 0).attr("width", w - left).attr("height", hh - 20);
  const add = (tag, cls, attributes) => { const e = svg.append(tag).attr("class", cls); for (const [k, v] of Object.entries(attributes)) e.attr(k, v); return e; };
  for (const v of [low, high]) add("text", "side", { x: left - 6, y: y(v) + 4, "text-anchor": "end" }).text(MG.num(v, MG.digits(v, high - low, 3)));
  for (const [i, v] of x.domain().entries()) add("text", "side", { x: x(v), y: hh - 6, "text-anchor": i ? "end" : "start" }).text(MG.num(Number(v.toPrecision(3))));
  add("path", "axis", { d: `M${left} 8V${hh - 22}H${w - 8}`, fill: "none" });
  add("path", "tangent", { d: d3.line((d) => x(d[0]), (d) => y(d[1]))(ends), fill: "none", "clip-path": "url(#inside)" });
  add("path", "curve", { d: d3.line((d) => x(d[0]), (d) => y(d[1])).curve(d3.curveMonotoneX)(finite), fill: "none" });
  add("path", "gap", { d: `M${x(x1)} ${y(loss1)}V${y(foretold)}`, fill: "none" });
  add("circle", "now", { cx: x(x0), cy: y(loss0), r: 4 });
  add("circle", "moved", { cx: x(x1), cy: y(loss1), r: 5 });
  return svg.node();
};
