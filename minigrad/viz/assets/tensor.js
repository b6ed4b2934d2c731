// Tensors: their numbers out of the page's data, and pictures of them.
"use strict";

const MG = { views: [] };

// An element of the page. Text is always text: nothing that came from data is read as HTML.
MG.h = (tag, attributes, ...children) => {
  const element = document.createElement(tag);
  for (const [key, value] of Object.entries(attributes || {})) {
    if (key.startsWith("on")) element.addEventListener(key.slice(2), value);
    else if (value !== null && value !== undefined && value !== false) element.setAttribute(key, value);
  }
  for (const child of children.flat()) if (child !== null && child !== undefined) element.append(child);
  return element;
};

// A number with four digits, as minigrad/viz/tensors.py writes it.
MG.num = (x, n = 4) => {
  if (typeof x === "string") return x;
  if (x === null || x === undefined) return "–";
  if (!Number.isFinite(x)) return Number.isNaN(x) ? "nan" : x > 0 ? "inf" : "-inf";
  if (Number.isInteger(x) && Math.abs(x) < 1e5) return String(x);
  const size = Math.abs(x);
  if (size >= 1e-4 && size < 1e4) return String(Number(x.toPrecision(n)));
  const [digits, power] = x.toExponential(n - 1).split("e");
  if (Number(power) < 4 && Number(power) >= -4) return String(Number(x.toPrecision(n)));
  return `${Number(digits)}e${power[0] === "-" ? "-" : "+"}${power.slice(1)}`;
};
// How many digits tell numbers of the size of x apart that differ by `gap`: at least `n`, at most 8.
MG.digits = (x, gap, n = 4) => (Number.isFinite(x / gap) && x ? Math.min(8, Math.max(n, Math.ceil(Math.log10(Math.abs(x / gap))) + 2)) : n);
MG.in = (x) => { const text = MG.num(x); return text.startsWith("-") ? `(${text})` : text; }; // inside a product

MG.bytes = (text) => Uint8Array.from(atob(text), (c) => c.charCodeAt(0));

// The numbers of a tensor of the pool in a row, or null where only a heat map was kept.
MG.values = (t) => {
  if (t.all === undefined) {
    if (t.v) t.all = t.v.map((v) => (typeof v === "string" ? (v === "nan" ? NaN : v === "inf" ? Infinity : -Infinity) : v));
    else if (t.b) t.all = Array.from(new Float32Array(MG.bytes(t.b).buffer));
    else if (t.d) t.all = Array.from(new Float64Array(MG.bytes(t.d).buffer));
    else t.all = null;
  }
  return t.all;
};
MG.shape = (s) => (s.length ? s.join("×") : "one number");
MG.brief = (t, n = 4) => {
  if (!t) return "–";
  const all = MG.values(t);
  if (all && t.n === 1) return MG.num(all[0]);
  if (all && t.s.length === 1 && t.n <= 3) return `[${all.map((v) => MG.num(v)).join(" ")}]`;
  if (t.n === 0) return "empty";
  if (t.lo === undefined) return "nan";
  return `${MG.num(t.lo, n)} .. ${MG.num(t.hi, n)}${t.bad ? ` (${t.bad} not finite)` : ""}`;
};
MG.index = (k, shape) => { const at = []; for (let d = shape.length - 1; d >= 0; d--) { at.unshift(k % shape[d]); k = Math.floor(k / shape[d]); } return at; };
MG.flat = (at, shape) => at.reduce((k, i, d) => k * shape[d] + i, 0);

// Red is negative, blue positive, as in every picture of the project.
MG.color = (v, max, gray) => {
  if (!Number.isFinite(v)) return "#ff00ff";
  if (gray) return d3.interpolateGreys(max ? v / max : 0);
  return d3.interpolateRdBu(0.5 + 0.5 * (max ? v / max : 0));
};
MG.inkOn = (color) => (d3.lab(color).l < 58 ? "#ffffff" : "#141821");

// A small picture of a tensor as a data URL: a pixel for each cell.
MG.mini = (t) => {
  if (t.url === undefined) {
    const grid = MG.grid(t, 0);
    if (!grid || grid.r * grid.c < 2) return (t.url = null);
    t.url = MG.pixels(grid, false);
  }
  return t.url;
};
MG.table = (scale) => d3.range(255).map((i) => { const c = d3.rgb(scale(i / 254)); return [c.r, c.g, c.b, 255]; });
MG.signs = MG.table(d3.interpolateRdBu);
MG.grays = MG.table(d3.interpolateGreys);
MG.pixels = (grid, gray) => {
  const canvas = document.createElement("canvas");
  canvas.width = grid.c; canvas.height = grid.r;
  const context = canvas.getContext("2d"), image = context.createImageData(grid.c, grid.r), table = gray ? MG.grays : MG.signs;
  for (let i = 0; i < grid.r * grid.c; i++) {
    const v = grid.at(i), share = Number.isFinite(v) ? Math.min(1, Math.max(0, gray ? v / grid.max : 0.5 + (0.5 * v) / grid.max)) : -1;
    image.data.set(share < 0 ? [255, 0, 255, 255] : table[Math.round(share * 254)], 4 * i);
  }
  context.putImageData(image, 0, 0);
  return canvas.toDataURL();
};

// The cells of one slice: of the last two dimensions; of a large tensor the means of blocks.
MG.grid = (t, slice) => {
  const all = MG.values(t);
  if (!all) {
    if (!t.heat) return null;
    const cells = new Int8Array(MG.bytes(t.heat.b).buffer);
    return { r: t.heat.r, c: t.heat.c, at: (i) => (cells[i] / 127) * t.heat.max, max: t.heat.max, block: t.heat.block, slices: 1 };
  }
  const s = t.s, c = s.length ? s[s.length - 1] : 1, r = s.length > 1 ? s[s.length - 2] : 1;
  const start = slice * r * c;
  const max = Math.max(1e-300, ...[t.lo, t.hi].filter((x) => x !== undefined).map(Math.abs));
  return { r, c, at: (i) => all[start + i], start, max, slices: r * c ? t.n / (r * c) : 1 };
};

// A picture of a tensor. It reads out the element under the pointer or the keyboard's cursor, calls onpick(flat index),
// and shows marks (a list of flat indices) on wish: view.mark(list).
MG.tensor = (t, { name = "", gray = false, words = null, onpick = null, role = "" } = {}) => {
  const caption = MG.h("figcaption", {}, MG.h("b", {}, name), MG.h("span", {}, `${MG.shape(t.s)} ${t.t}`));
  const figure = MG.h("figure", { class: "tensor", "data-role": role }, caption);
  const view = { figure, t, mark: () => {}, pick: () => {} };
  if (t.n === 1 && MG.values(t)) {
    figure.classList.add("one");
    caption.replaceChildren(MG.h("b", {}, name), MG.h("span", { class: "whole" }, MG.num(MG.values(t)[0])), MG.h("span", {}, `${t.s.length ? `${MG.shape(t.s)} ` : ""}${t.t}`));
    return view;
  }
  if (t.n > 1) caption.append(MG.h("span", { class: "range" }, `${MG.brief(t)}${t.mean === undefined ? "" : `, mean ${MG.num(t.mean)}, spread ${MG.num(t.std)}`}`));
  if (!MG.grid(t, 0)) return view;
  let slice = 0, cursor = 0, marks = [];
  const first = MG.grid(t, 0);
  const read = MG.h("div", { class: "read" });
  const svg = d3.create("svg").attr("tabindex", 0).attr("role", "img").attr("xmlns", "http://www.w3.org/2000/svg")
    .attr("aria-label", `${name}, ${MG.shape(t.s)}, ${MG.brief(t)}. Arrow keys read its elements.`);
  if (first.slices > 1) {
    const input = MG.h("input", { type: "range", min: 0, max: first.slices - 1, value: 0, "aria-label": `slice of ${name}`, oninput: () => { slice = Number(input.value); draw(); } });
    const label = MG.h("span", {});
    view.slider = { input, label };
    figure.append(MG.h("label", { class: "beside" }, "slice ", input, " ", label));
  }
  const rowWords = words && words.length === first.r ? words : null;
  const columnWords = words && words.length === first.c ? words : null;
  let size, left, top;
  const draw = () => {
    const grid = MG.grid(t, slice);
    const numbers = grid.c <= 8 && grid.r <= 16 && grid.r * grid.c <= 64 && !gray;
    const width = 380 - (rowWords ? 70 : 0);
    size = numbers ? [Math.min(58, width / grid.c), 22] : Array(2).fill(Math.max(0.6, Math.min(columnWords ? 26 : 18, width / grid.c, Math.max(grid.r > 100 ? 2 : 5, 260 / grid.r))));
    if (!numbers && !rowWords && grid.r <= 2) size[1] = 16;
    if (grid.block) size = [Math.min(width / grid.c, 10), Math.min(width / grid.c, 10)];
    left = rowWords ? 70 : 1; top = columnWords ? Math.min(58, 16 + 5 * d3.max(columnWords, (word) => word.length)) : 1;
    const w = left + grid.c * size[0] + (columnWords ? 40 : 1), h = top + grid.r * size[1] + 1;
    svg.attr("viewBox", `0 0 ${w} ${h}`).attr("width", w).attr("height", h);
    svg.selectAll("*").remove();
    if (grid.r * grid.c <= 400) {
      for (let i = 0; i < grid.r * grid.c; i++) {
        const v = grid.at(i), color = MG.color(v, grid.max, gray), x = left + (i % grid.c) * size[0], y = top + Math.floor(i / grid.c) * size[1];
        const cell = svg.append("g").attr("class", "cell");
        cell.append("rect").attr("x", x).attr("y", y).attr("width", size[0]).attr("height", size[1]).attr("fill", color).attr("stroke", "#8888").attr("stroke-width", 0.5);
        if (numbers) cell.append("text").attr("x", x + size[0] / 2).attr("y", y + 15).attr("fill", MG.inkOn(color)).attr("font-size", 11).attr("font-family", "monospace").attr("text-anchor", "middle").attr("textLength", MG.num(v).length > size[0] / 6.8 ? size[0] - 3 : null).attr("lengthAdjust", "spacingAndGlyphs").text(MG.num(v));
        else if (v < 0 && size[0] >= 10 && !gray) cell.append("path").attr("d", `M${x + size[0] / 2 - 3} ${y + size[1] / 2}h6`).attr("stroke", MG.inkOn(color));
      }
    } else {
      svg.append("image").attr("href", MG.pixels(grid, gray)).attr("x", left).attr("y", top).attr("width", grid.c * size[0]).attr("height", grid.r * size[1])
        .attr("preserveAspectRatio", "none").attr("style", "image-rendering: pixelated");
      svg.append("rect").attr("x", left).attr("y", top).attr("width", grid.c * size[0]).attr("height", grid.r * size[1]).attr("fill", "none").attr("stroke", "#888").attr("stroke-width", 0.7);
    }
    (rowWords || []).forEach((word, i) => svg.append("text").attr("class", "side").attr("x", left - 5).attr("y", top + (i + 0.5) * size[1] + 3).attr("text-anchor", "end").text(word.length > 11 ? word.slice(0, 10) + "…" : word));
    (columnWords || []).forEach((word, i) => svg.append("text").attr("class", "side").attr("transform", `translate(${left + (i + 0.5) * size[0]},${top - 4}) rotate(-50)`).text(word.length > 11 ? word.slice(0, 10) + "…" : word));
    svg.append("g").attr("class", "marks");
    if (view.slider) {
      view.slider.input.value = slice;
      view.slider.label.textContent = `[${MG.index(slice, t.s.slice(0, -2)).join(", ")}, :, :]`;
    }
    outline();
  };
  const outline = () => {
    const grid = MG.grid(t, slice), layer = svg.select(".marks");
    layer.selectAll("*").remove();
    const place = (i, kind) => layer.append("rect").attr("class", kind).attr("fill", "none").attr("stroke", kind === "mark" ? "#ffb000" : "#000").attr("stroke-width", 2.5)
      .attr("x", left + (i % grid.c) * size[0]).attr("y", top + Math.floor(i / grid.c) * size[1]).attr("width", Math.max(2, size[0])).attr("height", Math.max(2, size[1]));
    if (!grid.block) for (const k of marks) if (k >= grid.start && k < grid.start + grid.r * grid.c) place(k - grid.start, "mark");
  };
  const readOut = (i) => {
    const grid = MG.grid(t, slice);
    if (i < 0 || i >= grid.r * grid.c) return;
    cursor = i;
    if (grid.block) { read.textContent = `mean of a block of ${grid.block.join("×")} elements: ${MG.num(Number(grid.at(i).toPrecision(2)))} (two digits)`; return; }
    const k = grid.start + i, at = MG.index(k, t.s);
    const side = words ? at.slice(-2).map((p, d, a) => (words.length === t.s[t.s.length - a.length + d] ? words[p] : p)) : at;
    read.textContent = `[${at.join(", ")}]${words && (rowWords || columnWords) ? ` (${side.join(" → ")})` : ""} = ${MG.num(grid.at(i))}`;
    view.at = k;
    if (onpick) onpick(k, view);
  };
  const under = (event) => {
    const box = svg.node().getBoundingClientRect(), view = svg.node().viewBox.baseVal, grid = MG.grid(t, slice);
    const x = ((event.clientX - box.left) / box.width) * view.width - left, y = ((event.clientY - box.top) / box.height) * view.height - top;
    const c = Math.floor(x / size[0]), r = Math.floor(y / size[1]);
    return c >= 0 && c < grid.c && r >= 0 && r < grid.r ? r * grid.c + c : -1;
  };
  svg.on("pointermove", (event) => readOut(under(event))).on("click", (event) => readOut(under(event)))
    .on("keydown", (event) => {
      const grid = MG.grid(t, slice), move = { ArrowLeft: -1, ArrowRight: 1, ArrowUp: -grid.c, ArrowDown: grid.c }[event.key];
      if (move === undefined) return;
      event.preventDefault(); event.stopPropagation();
      readOut(Math.min(grid.r * grid.c - 1, Math.max(0, cursor + move)));
      svg.select(".marks").append("rect").attr("class", "at").attr("fill", "none").attr("x", left + (cursor % grid.c) * size[0]).attr("y", top + Math.floor(cursor / grid.c) * size[1]).attr("width", size[0]).attr("height", size[1]);
      svg.selectAll(".marks .at").filter((_, i, all) => i < all.length - 1).remove();
    })
    .on("focus", () => readOut(cursor));
  view.mark = (list) => {
    marks = list;
    const grid = MG.grid(t, slice);
    if (list.length && !grid.block && !list.some((k) => k >= grid.start && k < grid.start + grid.r * grid.c)) { slice = Math.floor(list[0] / (grid.r * grid.c)); draw(); }
    else outline();
  };
  view.pick = (k) => { const grid = MG.grid(t, slice); if (!grid.block) { slice = Math.floor(k / (grid.r * grid.c)); draw(); readOut(k % (grid.r * grid.c)); } };
  draw();
  figure.append(svg.node());
  if (t.n > 64 && t.lo !== t.hi) figure.append(MG.histogram(t, name));
  if (first.block) figure.append(MG.h("div", { class: "beside" }, `each cell is the mean of about ${first.block.join("×")} elements`));
  figure.append(read);
  caption.append(MG.h("button", { type: "button", "aria-label": `save ${name} as SVG`, onclick: () => MG.save(svg.node(), name) }, "SVG"));
  return view;
};

MG.histogram = (t, name) => {
  let hist = t.hist;
  const all = MG.values(t);
  if (!hist && all) {
    const bins = d3.bin().domain([t.lo, t.hi === t.lo ? t.lo + 1 : t.hi]).thresholds(d3.range(1, 24).map((i) => t.lo + (i / 24) * (t.hi - t.lo)))(all.filter(Number.isFinite));
    hist = { lo: t.lo, hi: t.hi, k: bins.map((b) => b.length) };
  }
  const most = hist ? d3.max(hist.k) : 0, w = 240, h = 44;
  const svg = d3.create("svg").attr("xmlns", "http://www.w3.org/2000/svg").attr("viewBox", `0 0 ${w} ${h + 14}`).attr("width", w).attr("height", h + 14).attr("role", "img")
    .attr("aria-label", hist ? `histogram of ${name}, from ${MG.num(hist.lo)} to ${MG.num(hist.hi)}` : "no finite elements");
  if (!hist) return svg.node();
  const step = w / hist.k.length;
  hist.k.forEach((k, i) => svg.append("rect").attr("class", "bar").attr("x", i * step + 0.5).attr("width", step - 1).attr("y", h - (k / most) * h).attr("height", (k / most) * h).attr("fill", "#7a869f"));
  for (const [x, v, anchor] of [[0, hist.lo, "start"], [w, hist.hi, "end"]]) svg.append("text").attr("class", "side").attr("x", x).attr("y", h + 11).attr("text-anchor", anchor).text(MG.num(v));
  if (hist.lo < 0 && hist.hi > 0) svg.append("path").attr("d", `M${(-hist.lo / (hist.hi - hist.lo)) * w} 0v${h}`).attr("stroke", "#c60").attr("stroke-dasharray", "2 2");
  return svg.node();
};

// Any drawing as a file: styles of the page are written into it.
MG.save = (svg, name) => {
  const copy = svg.cloneNode(true);
  const styled = ["fill", "stroke", "stroke-width", "stroke-dasharray", "font", "text-anchor", "opacity", "marker-start", "marker-end", "paint-order", "fill-opacity"];
  const from = [svg, ...svg.querySelectorAll("*")], to = [copy, ...copy.querySelectorAll("*")];
  from.forEach((element, i) => {
    const style = getComputedStyle(element);
    if (!["defs", "g"].includes(element.localName)) to[i].setAttribute("style", styled.map((p) => `${p}:${style.getPropertyValue(p)}`).join(";"));
  });
  copy.setAttribute("xmlns", "http://www.w3.org/2000/svg");
  const text = new XMLSerializer().serializeToString(copy);
  MG.saved = text;
  const link = MG.h("a", { href: URL.createObjectURL(new Blob([text], { type: "image/svg+xml" })), download: `${name.replace(/[^\w.-]+/g, "_") || "picture"}.svg` });
  link.click();
};
