// The graph: what is visible while some modules are closed, in which step each part runs, where it stands, and how it looks.
"use strict";

// -- what is visible

MG.prepare = (data) => {
  MG.data = data;
  MG.open = new Set();
  data.nodes.forEach((node) => {
    node.inside = []; // the fused nodes of whose definitions it is a step, the outermost first
    for (let of = node.of; of !== undefined; of = data.nodes[of].of) node.inside.unshift(of);
    const chain = node.inside.map((id) => `f${id}`);
    const around = node.inside.length ? data.nodes[node.inside[0]] : node;
    for (let b = around.box; b !== null && b !== undefined; b = data.boxes[b].outer) chain.unshift(`b${b}`);
    node.chain = chain;
    node.got = []; // gradients sent to it
  });
  data.sent.forEach((s) => data.nodes[s.to].got.push(s));
  for (const [id, inside] of Object.entries(data.inside)) data.nodes[inside.root].got.push(...data.nodes[id].got); // what comes to an opened node comes to its last step
  // Open from outside to inside, as long as the eye can take it in.
  const levels = d3.groups(data.boxes.map((_, i) => i), (i) => { let depth = 0; for (let b = data.boxes[i].outer; b !== null; b = data.boxes[b].outer) depth++; return depth; }).sort((a, b) => a[0] - b[0]);
  for (const [, boxes] of levels) {
    boxes.forEach((b) => MG.open.add(`b${b}`));
    if (new Set(data.nodes.filter((n) => n.of === undefined).map((n) => MG.rep(n.id))).size > 60) { boxes.forEach((b) => MG.open.delete(`b${b}`)); break; }
  }
};

// Who stands for a node in the drawing: itself, or the outermost closed module around it.
MG.rep = (id) => {
  const node = MG.data.nodes[id];
  for (const key of node.chain) if (!MG.open.has(key)) return key[0] === "b" ? key : `n${key.slice(1)}`;
  return MG.isOpened(id) ? MG.rep(MG.data.inside[id].root) : `n${id}`;
};
MG.isOpened = (id) => MG.data.inside[id] !== undefined && MG.open.has(`f${id}`);
MG.exists = (node) => !MG.isOpened(node.id) && node.inside.every((id) => MG.open.has(`f${id}`)); // with fused nodes open or closed as they are
MG.active = (s) => MG.exists(MG.data.nodes[s.from]);

// Everything that follows from what is open: visible parts, edges between them, and the steps.
MG.arrange = () => {
  const { data } = MG;
  const parts = (MG.parts = new Map());
  const part = (key) => {
    if (!parts.has(key)) parts.set(key, { key, members: [], got: [], box: key[0] === "b" ? data.boxes[Number(key.slice(1))] : null, node: key[0] === "n" ? data.nodes[Number(key.slice(1))] : null });
    return parts.get(key);
  };
  for (const node of data.nodes) if (MG.exists(node)) part((node.rep = MG.rep(node.id))).members.push(node);
  const expand = (ids, which) => ids.flatMap((id) => (MG.isOpened(id) ? expand(data.inside[id][which], which) : [id]));
  const steps = (MG.steps = []);
  const run = (ids, phase) => {
    for (const id of ids) {
      const node = data.nodes[id], last = steps[steps.length - 1];
      if (phase === "forward" && node.kind !== "op") continue;
      if (last && last.phase === phase && last.rep === node.rep && node.rep[0] === "b") last.nodes.push(id);
      else steps.push({ phase, rep: node.rep, nodes: [id] });
    }
  };
  run(expand(data.forward, "forward"), "forward");
  MG.turn = steps.length; // the first step backward
  run(expand(data.backward, "backward"), "backward");
  for (const node of data.nodes) node.f = node.b = Infinity;
  steps.forEach((step, i) => step.nodes.forEach((id) => { data.nodes[id][step.phase[0]] = i; }));
  for (const node of data.nodes) if (node.kind !== "op") node.f = -1;
  const edges = (MG.edges = new Map());
  for (const node of data.nodes) {
    if (!MG.exists(node)) continue;
    (node.inputs || []).forEach((input, i) => {
      if (input.node === null) return;
      const from = MG.rep(input.node), to = node.rep;
      if (from === to) return;
      const key = from[0] === "n" && to[0] === "n" ? `${from}>${to}>${i}` : `${from}>${to}`;
      if (!edges.has(key)) edges.set(key, { key, from, to, sent: [] });
      const s = node.sent[i];
      if (s !== null && s !== undefined) edges.get(key).sent.push(data.sent[s]);
    });
  }
  for (const p of parts.values()) {
    p.got = p.members.flatMap((n) => n.got).filter((s) => MG.active(s) && data.nodes[s.from].rep !== p.key);
    const runs = p.members.map((n) => n.b).filter((b) => b !== Infinity), made = p.members.filter((n) => n.kind === "op");
    p.sentAt = p.got.map((g) => data.nodes[g.from].b).sort(d3.ascending); // in which steps its gradients come
    p.end = runs.length ? d3.max(runs) : Infinity;
    p.start = made.length ? d3.min(made, (n) => n.f) : -1;
    p.last = p.box ? d3.greatest(made, (n) => n.f) || p.members[0] : p.node; // of a module its last operation: its output
    p.isRoot = p.members.some((n) => n.id === MG.rootId());
    p.trouble = p.members.some((n) => n.trouble);
  }
};

// What is known of a part after step s.
MG.state = (p, s) => {
  const now = MG.steps[s], { isRoot } = p, arrived = d3.bisectRight(p.sentAt, s), running = now && now.rep === p.key, done = p.end <= s;
  const begun = s >= MG.turn;
  let word = "", kind = "";
  const isOp = p.box || (p.node && p.node.kind === "op");
  if (p.node && p.node.kind === "constant") word = "wants no gradient";
  else if (!begun) { if (running) { word = "computes now"; kind = "running"; } else if (isOp && p.start > s) { word = "not computed yet"; kind = "later"; } }
  else if (running) { word = isOp ? "runs now" : "adds to .grad now"; kind = "running"; }
  else if (done) { word = "done ✓"; kind = "done"; }
  else if (isRoot && p.got.length === 0) { word = "has its gradient: 1"; kind = "ready"; }
  else if (p.got.length === 0) word = "no gradient comes here";
  else if (arrived === p.got.length) { word = `ready: ${arrived} of ${p.got.length} arrived`; kind = "ready"; }
  else { word = `waits for ${p.got.length - arrived} of ${p.got.length}`; kind = arrived ? "waiting" : "waiting far"; }
  return { arrived, total: p.got.length, running, done, begun, word, kind, isRoot };
};
MG.rootId = () => { let id = MG.data.root; while (MG.isOpened(id)) id = MG.data.inside[id].root; return id; };

// -- where it stands

const WIDTH = 204, HEIGHT = 82, SMALL = 64;
MG.heightOf = (p) => (p.node && p.node.kind === "constant" ? SMALL : HEIGHT);

MG.layout = () => {
  const g = new dagre.Graph({ compound: true, multigraph: true });
  g.setGraph({ rankdir: "TB", nodesep: 26, ranksep: 46, edgesep: 14, marginx: 24, marginy: 30 });
  g.setDefaultEdgeLabel(() => ({}));
  const clusters = (MG.clusters = new Map());
  const cluster = (key, around) => {
    if (clusters.has(key)) return;
    clusters.set(key, { key });
    g.setNode(key, {});
    if (around) g.setParent(key, around);
  };
  for (const p of MG.parts.values()) {
    g.setNode(p.key, { width: WIDTH, height: MG.heightOf(p) });
    const chain = p.box ? MG.boxChain(Number(p.key.slice(1))) : p.node.chain;
    let around = null;
    for (const key of chain) { if (!MG.open.has(key)) break; cluster(key, around); around = key; }
    if (around) g.setParent(p.key, around);
  }
  for (const e of MG.edges.values()) g.setEdge(e.from, e.to, e.sent.length ? { width: e.sent.length > 1 ? 78 : 50, height: 16, labelpos: "c" } : {}, e.key); // room for what flows
  dagre.layout(g);
  for (const p of MG.parts.values()) { const at = g.node(p.key); p.x = at.x; p.y = at.y; }
  for (const c of clusters.values()) Object.assign(c, (({ x, y, width, height }) => ({ x, y, width, height }))(g.node(c.key)));
  for (const e of MG.edges.values()) {
    const laid = g.edge(e.from, e.to, e.key), middle = laid.points[Math.floor(laid.points.length / 2)];
    Object.assign(e, { points: laid.points, x: laid.x === undefined ? middle.x : laid.x, y: laid.y === undefined ? middle.y : laid.y });
  }
  const size = g.graph();
  MG.size = [size.width || 400, size.height || 300];
};
MG.boxChain = (b) => { const chain = []; for (let o = MG.data.boxes[b].outer; o !== null; o = MG.data.boxes[o].outer) chain.unshift(`b${o}`); return chain; };
MG.boxTitle = (b) => { const box = MG.data.boxes[b]; return `${box.name ? box.name + ": " : ""}${box.type}${box.number > 1 ? ` (call ${box.number})` : ""}`; };
MG.title = (node) => (node.kind === "op" ? `${node.name ? `${node.name} = ` : ""}${node.module ? `${node.module}: ` : ""}${node.op}` : node.name || node.op);
MG.partTitle = (p) => (p.box ? MG.boxTitle(Number(p.key.slice(1))) : MG.title(p.node));
MG.cut = (text, most) => (text.length <= most ? text : text.slice(0, most - 1) + "…");

// -- how it looks

MG.draw = () => {
  const world = d3.select("#world");
  world.selectAll("*").remove();
  const clusters = world.append("g").selectAll("g").data([...MG.clusters.values()].sort((a, b) => b.width * b.height - a.width * a.height)).join("g")
    .attr("class", (c) => `cluster ${c.key[0] === "f" ? "fused" : ""}`);
  clusters.append("rect").attr("x", (c) => c.x - c.width / 2).attr("y", (c) => c.y - c.height / 2 - 4).attr("width", (c) => c.width).attr("height", (c) => c.height + 6).attr("rx", 10);
  const heads = clusters.append("text").attr("x", (c) => c.x - c.width / 2 + 8).attr("y", (c) => c.y - c.height / 2 + 11);
  heads.append("tspan").text((c) => MG.cut(c.key[0] === "b" ? MG.boxTitle(Number(c.key.slice(1))) : `${MG.data.nodes[Number(c.key.slice(1))].op}, by its definition`, Math.max(8, Math.floor((c.width - 60) / 7.2))));
  heads.append("tspan").attr("class", "close").attr("dx", 8).attr("tabindex", 0).attr("role", "button").attr("data-close", (c) => c.key).text("close")
    .attr("aria-label", (c) => `close ${c.key[0] === "b" ? MG.boxTitle(Number(c.key.slice(1))) : MG.data.nodes[Number(c.key.slice(1))].op}`)
    .on("click", (event, c) => { event.stopPropagation(); MG.toggle(c.key); })
    .on("keydown", (event, c) => { if (event.key === "Enter") { event.stopPropagation(); MG.toggle(c.key); } });
  const line = d3.line((d) => d.x, (d) => d.y).curve(d3.curveMonotoneY);
  const edges = world.append("g").selectAll("g").data([...MG.edges.values()], (e) => e.key).join("g").attr("class", "edge");
  edges.append("path").attr("d", (e) => line(e.points));
  edges.append("image").attr("class", "mini").attr("x", (e) => e.x - 17).attr("y", (e) => e.y - 7).attr("width", 34).attr("height", 14).attr("preserveAspectRatio", "none").attr("style", "image-rendering: pixelated").attr("display", "none");
  edges.append("text").attr("text-anchor", "middle").attr("x", (e) => e.x).attr("y", (e) => e.y + 4);
  const nodes = world.append("g").selectAll("g").data([...MG.parts.values()], (p) => p.key).join("g")
    .attr("data-key", (p) => p.key).attr("transform", (p) => `translate(${p.x - WIDTH / 2},${p.y - MG.heightOf(p) / 2})`)
    .attr("tabindex", 0).attr("role", "button")
    .on("click", (event, p) => MG.choose(p.key)).on("focus", (event, p) => { MG.focused = p.key; })
    .on("keydown", (event, p) => { if (event.key === "Enter") { event.preventDefault(); event.stopPropagation(); MG.choose(p.key); } });
  nodes.filter((p) => p.box).append("rect").attr("class", "deck").attr("x", 5).attr("y", -5).attr("width", WIDTH).attr("height", (p) => MG.heightOf(p)).attr("rx", 8);
  nodes.append("rect").attr("class", "body").attr("width", WIDTH).attr("height", (p) => MG.heightOf(p)).attr("rx", 8);
  nodes.append("title").text((p) => MG.partTitle(p));
  nodes.append("text").attr("class", "name").attr("x", 9).attr("y", 17).text((p) => MG.fit(MG.partTitle(p), MG.nameRoom(p), "650 13px"));
  nodes.append("text").attr("class", "shape").attr("x", WIDTH - 8).attr("y", 17).attr("text-anchor", "end").text((p) => MG.corner(p));
  for (const [row, y] of [["value", 36], ["grad", 54]]) {
    const some = row === "value" ? nodes : nodes.filter((p) => !(p.node && p.node.kind === "constant"));
    some.append("text").attr("class", "word").attr("x", 9).attr("y", y).text((p) => (p.box ? (row === "value" ? "out" : "grad") : row));
    some.append("text").attr("class", row).attr("x", 47).attr("y", y);
    some.append("image").attr("class", `mini ${row}`).attr("x", WIDTH - 42).attr("y", y - 11).attr("width", 34).attr("height", 14).attr("preserveAspectRatio", "none").attr("style", "image-rendering: pixelated");
  }
  nodes.append("text").attr("class", "state").attr("x", 9).attr("y", (p) => MG.heightOf(p) - 9);
  const openable = nodes.filter((p) => p.box || MG.data.inside[p.node.id]);
  openable.append("text").attr("class", "open").attr("x", WIDTH - 8).attr("y", (p) => MG.heightOf(p) - 9).attr("text-anchor", "end").text("open")
    .on("click", (event, p) => { event.stopPropagation(); MG.toggle(p.box ? p.key : `f${p.node.id}`); });
  const troubled = nodes.filter((p) => p.trouble);
  troubled.append("text").attr("class", "warn").attr("x", WIDTH - (0)).attr("y", 4).attr("text-anchor", "middle").text("⚠");
  MG.nodes = nodes; MG.drawnEdges = edges;
};
MG.corner = (p) => (p.box ? `${p.members.length} nodes` : p.node.shape.length > 1 ? `${p.node.shape.length} outputs` : p.node.shape[0].join("×"));
// As much of a text as fits into so many pixels.
MG.ruler = document.createElement("canvas").getContext("2d");
MG.fit = (text, room, font) => {
  MG.ruler.font = `${font} system-ui, -apple-system, "Segoe UI", Roboto, sans-serif`;
  if (MG.ruler.measureText(text).width <= room) return text;
  let n = text.length;
  while (n > 3 && MG.ruler.measureText(`${text.slice(0, n)}…`).width > room) n--;
  return `${text.slice(0, n)}…`;
};
MG.nameRoom = (p) => { MG.ruler.font = '12px system-ui, -apple-system, "Segoe UI", Roboto, sans-serif'; return WIDTH - 26 - MG.ruler.measureText(MG.corner(p)).width; };

MG.tensorOf = (list) => { const i = (list || []).find((x) => x !== null); return i === undefined ? null : MG.data.tensors[i]; };
// The value and the gradient that a part shows: of a module those of its last node, its output.
MG.shown = (p) => p.last;
// What a node has of its gradient after step s: [tensor or null, words]
MG.gradientAt = (node, s) => {
  const got = node.got.filter((g) => MG.active(g));
  if (s < MG.turn || node.kind === "constant") return [null, "–"];
  if (MG.naive) return MG.naiveGradient(node, s);
  const arrived = got.filter((g) => MG.data.nodes[g.from].b <= s);
  if (node.id === MG.rootId() || (got.length && arrived.length === got.length)) { const t = MG.tensorOf(node.grad); return [t, MG.brief(t)]; }
  if (!arrived.length) return [null, "–"];
  const first = MG.data.tensors[arrived[0].grad];
  return [null, first && first.n === 1 && arrived.length <= 3 ? `so far ${arrived.map((g) => MG.brief(MG.data.tensors[g.grad])).join(" + ")}` : `so far ${arrived.length} of ${got.length}`];
};

MG.paint = (s) => {
  const { data } = MG;
  MG.nodes.each(function (p) {
    const state = MG.states ? MG.states(p, s) : MG.state(p, s), node = MG.shown(p), group = d3.select(this);
    const known = node.f <= s || s >= MG.turn;
    const value = known ? MG.tensorOf(node.value) : null;
    const [tensor, words] = MG.gradientAt(node, s);
    const look = `node ${p.box ? "box" : p.node.kind} ${state.kind} ${MG.chosen === p.key ? "chosen" : ""}`;
    const texts = { value: known ? (value ? MG.brief(value) : node.kind === "op" ? "not kept" : "–") : "not yet", grad: words, state: state.word };
    const mark = JSON.stringify([look, texts]);
    if (p.mark === mark) return; // nothing to do: most nodes, in most steps
    p.mark = mark;
    group.attr("class", look);
    group.attr("aria-label", `${MG.partTitle(p)}. ${p.box ? `${p.members.length} nodes` : MG.shape(p.node.shape[0])}. value ${texts.value}, gradient ${texts.grad}. ${state.word}.${p.trouble ? " Trouble here." : ""}`);
    for (const row of ["value", "grad"]) {
      const t = row === "value" ? value : tensor, url = t ? MG.mini(t) : null;
      const room = url ? WIDTH - 47 - 50 : WIDTH - 47 - 10, text = texts[row].length > room / 6.4 && t && t.n > 1 ? MG.brief(t, 3) : texts[row];
      group.select(`text.${row}`).text(text).attr("textLength", text.length > room / 6.4 ? room : null).attr("lengthAdjust", "spacingAndGlyphs");
      group.select(`image.${row}`).attr("href", url).attr("display", url ? null : "none");
    }
    group.select("text.state").text(MG.cut(state.word, p.box || data.inside[(p.node || {}).id] ? 24 : 30));
  });
  MG.drawnEdges.each(function (e) {
    const sent = e.sent.filter((g) => MG.active(g));
    const flown = MG.naive ? [] : sent.filter((g) => data.nodes[g.from].b <= s && s >= MG.turn);
    const now = MG.naive ? MG.naiveNow(e, s) : flown.some((g) => data.nodes[g.from].b === s);
    const kind = `edge ${sent.length ? "" : "none"} ${now ? "now" : flown.length ? "flows" : ""}`;
    const numbers = (now && MG.naive ? MG.naiveSent(e, s) : flown.map((g) => g.grad)).map((i) => data.tensors[i]);
    const text = numbers.length && numbers.length <= 3 && numbers.every((t) => t && t.n === 1) ? numbers.map(MG.brief).join(", ") : "";
    const url = !text && numbers.length === 1 && numbers[0] ? MG.mini(numbers[0]) : null; // of a tensor its heat map travels along
    if (e.mark === kind + text + (url !== null)) return;
    e.mark = kind + text + (url !== null);
    d3.select(this).attr("class", kind).select("text").text(text);
    d3.select(this).select("image").attr("href", url).attr("display", url ? null : "none");
  });
};
