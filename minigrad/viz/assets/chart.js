// Charts of trainings. Each draws into a card and is drawn anew when its width, the moment or the colours change.
"use strict";

MG.number = (x) => (typeof x === "number" ? x : x === "nan" ? NaN : x === "inf" ? Infinity : x === "-inf" ? -Infinity : null);
MG.dashes = ["", "7 3", "2 2", "9 3 2 3", "4 4"];
MG.layerColor = (i, n) => { // from the first layer to the last, dark enough on light ground and light enough on dark
  const color = d3.lab(d3.interpolateTurbo(0.1 + 0.8 * (n < 2 ? 0.2 : i / (n - 1))));
  color.l = document.documentElement.dataset.theme === "dark" ? Math.max(66, color.l) : Math.min(54, color.l);
  return color.formatRgb();
};
MG.symbols = [d3.symbolCircle, d3.symbolTriangle, d3.symbolSquare, d3.symbolCross, d3.symbolDiamond, d3.symbolStar, d3.symbolWye];
MG.symbolNames = ["circle", "triangle", "square", "cross", "diamond", "star", "Y"];
MG.classColor = (c) => d3.schemeTableau10[c % 10];

// A card with a title, a drawing, a button that saves it, and a line of text under it.
MG.card = (title, under = "") => {
  const svg = d3.create("svg").attr("xmlns", "http://www.w3.org/2000/svg").attr("role", "img").node();
  const save = MG.h("button", { type: "button", class: "small", "aria-label": `save ${title} as SVG`, onclick: () => MG.save(svg, title) }, "SVG");
  const text = MG.h("div", { class: "under" }, under), heading = MG.h("h2", {}, MG.h("span", {}, title), save);
  return { root: MG.h("figure", { class: "card" }, heading, svg, text), svg: d3.select(svg), text, title };
};

MG.begin = (card, height, label) => {
  const width = Math.max(160, card.root.clientWidth - 24);
  card.svg.attr("viewBox", `0 0 ${width} ${height}`).attr("width", width).attr("height", height).attr("aria-label", label);
  card.svg.selectAll("*").remove();
  return width;
};

// Lines over steps. series: {name, values, color, dash, kind: "", "faint" or "strong", label}; band: [lows, highs].
MG.lines = (card, { steps, series, at, log = false, band = null, guide = null, label, onpick, height = 190 }) => {
  const width = MG.begin(card, height, label), left = 46, right = series.some((s) => s.label) ? 74 : 12, top = 8, bottom = 24;
  const values = [...series.map((s) => s.values), ...(band || [])].flat().map(MG.number).filter((v) => Number.isFinite(v) && (!log || v > 0));
  const x = d3.scaleLinear([steps.length ? Math.min(steps[0], 0) : 0, Math.max(1, steps.at(-1) || 1)], [left, width - right]);
  let [low, high] = values.length ? d3.extent(values) : log ? [0.1, 1] : [0, 1];
  if (low === high) [low, high] = log ? [low / 2, high * 2] : [low - Math.abs(low || 1) / 2, high + Math.abs(high || 1) / 2];
  const y = (log ? d3.scaleLog() : d3.scaleLinear()).domain([low, high]).range([height - bottom, top]);
  const some = Math.max(2, Math.floor(height / 38));
  if (!log) y.nice(some);
  const ticks = log ? MG.logTicks(low, high, some) : y.ticks(some), written = log ? (t) => MG.num(Number(t.toPrecision(3))) : y.tickFormat(some);
  const g = card.svg;
  g.append("g").selectAll("line").data(ticks).join("line").attr("class", "grid").attr("x1", left).attr("x2", width - right).attr("y1", (t) => y(t)).attr("y2", (t) => y(t));
  g.append("g").attr("class", "axis").attr("transform", `translate(0,${height - bottom})`).call(d3.axisBottom(x).ticks(Math.max(2, Math.floor((width - right - left) / 70))).tickFormat((t) => (Number.isInteger(t) ? MG.num(t) : "")).tickSizeOuter(0));
  const axis = g.append("g");
  ticks.forEach((t) => axis.append("text").attr("class", "soft").attr("x", left - 5).attr("y", y(t) + 4).attr("text-anchor", "end").text(written(t).replace("\u2212", "-")));
  card.guided = guide !== null && guide >= y.domain()[0] && guide <= y.domain()[1];  // whether it lies in the picture
  if (card.guided) g.append("line").attr("class", "guide").attr("x1", left).attr("x2", width - right).attr("y1", y(guide)).attr("y2", y(guide));
  const good = (v) => v !== null && Number.isFinite(v) && (!log || v > 0);
  if (band) g.append("path").attr("class", "band").attr("d", d3.area().defined((i) => good(MG.number(band[0][i])) && good(MG.number(band[1][i]))).x((i) => x(steps[i])).y0((i) => y(MG.number(band[0][i]))).y1((i) => y(MG.number(band[1][i])))(d3.range(steps.length)));
  const ends = [];
  for (const s of series) {
    const v = s.values.map(MG.number), line = d3.line().defined((i) => good(v[i])).x((i) => x(steps[i])).y((i) => y(v[i]));
    g.append("path").attr("class", `series ${s.kind || ""}`).attr("stroke", s.color).attr("stroke-dasharray", s.dash || null).attr("d", line(d3.range(v.length))).append("title").text(s.name);
    v.forEach((w, i) => { if (good(w) && !good(v[i - 1] ?? null) && !good(v[i + 1] ?? null)) g.append("circle").attr("cx", x(steps[i])).attr("cy", y(w)).attr("r", 2).attr("fill", s.color); });
    const lost = v.map((w, i) => i).filter((i) => v[i] !== null && !Number.isFinite(v[i]));
    if (lost.length && (series.length < 9 || s.kind === "strong")) g.append("text").attr("x", Math.min(x(steps[lost[0]]), width - right - 60)).attr("y", top + 9).attr("class", "lost").text("✕ not finite");
    const last = v.findLastIndex(good);
    if (s.label && last >= 0) ends.push({ y: y(v[last]), s });
    const now = MG.near(steps, at);
    if (now >= 0 && good(v[now]) && s.kind !== "faint") g.append("circle").attr("cx", x(steps[now])).attr("cy", y(v[now])).attr("r", 3.2).attr("fill", s.color).attr("stroke", "#8886");
  }
  ends.sort((a, b) => a.y - b.y);
  for (let i = 1; i < ends.length; i++) ends[i].y = Math.max(ends[i].y, ends[i - 1].y + 12);
  for (let i = ends.length - 1, floor = height - bottom; i >= 0; i--) { ends[i].y = Math.min(ends[i].y, floor); floor = ends[i].y - 12; }
  for (const { y: place, s } of ends) {
    g.append("line").attr("x1", width - right + 4).attr("x2", width - right + 18).attr("y1", place).attr("y2", place).attr("stroke", s.color).attr("stroke-width", 2).attr("stroke-dasharray", s.dash || null);
    g.append("text").attr("class", "end").attr("x", width - right + 21).attr("y", place + 4).text(MG.cutTo(s.label, 9)).append("title").text(s.name);
  }
  g.append("line").attr("class", "cursor").attr("x1", x(at)).attr("x2", x(at)).attr("y1", top).attr("y2", height - bottom);
  const pick = (event) => { const [px] = d3.pointer(event, g.node()); onpick(x.invert(px)); };
  g.classed("chart", true).on("pointerdown", pick).on("pointermove", (event) => { if (event.buttons) pick(event); });
};
// Powers of ten, as many as there is room for; in a narrow range also twice and five times them, or plain numbers.
MG.logTicks = (low, high, some) => {
  const decades = Math.log10(high / low), powers = (every) => d3.range(Math.ceil(Math.log10(low) - 1e-9), Math.log10(high) + 1e-9, every);
  if (decades >= 2) return powers(Math.ceil(decades / some)).map((p) => 10 ** p);
  const fine = d3.range(Math.floor(Math.log10(low)), Math.log10(high) + 1).flatMap((p) => [1, 2, 5].map((m) => m * 10 ** p)).filter((t) => t >= low && t <= high);
  return fine.length > 1 ? fine : d3.ticks(low, high, 3);
};
MG.cutTo = (text, most) => (text.length > most ? `${text.slice(0, most - 1)}…` : text);
MG.near = (steps, at) => d3.bisectRight(steps, at) - 1; // the last that is not later

// The space between rows of a grid: pixels in the colours of sign, the boundary as a line, the data as symbols.
MG.plane = (card, { space, frame, label, height = null }) => {
  const width = MG.begin(card, height || Math.min(340, Math.max(160, card.root.clientWidth - 24)), label), tall = height || Math.min(340, width);
  const edge = 22, side = Math.min(width - 30, tall - edge), left = 28, x = d3.scaleLinear(space.ends[0], [left, left + side]), y = d3.scaleLinear(space.ends[1], [side + 2, 2]);
  const g = card.svg, n = space.side, cells = frame.map ? new Int8Array(MG.bytes(frame.map).buffer) : null;
  if (!cells) { g.append("text").attr("x", left).attr("y", 30).text("not asked at this moment"); return; }
  const classes = space.scale === "class", steps = space.steps || 127;
  const canvas = MG.h("canvas", { width: n, height: n }), context = canvas.getContext("2d"), image = context.createImageData(n, n);
  for (let i = 0; i < n * n; i++) {
    const v = cells[i], to = (n - 1 - Math.floor(i / n)) * n + (i % n);
    let rgb = [255, 0, 255, 255];
    if (v !== -128) { if (classes) { const c = d3.rgb(d3.interpolateRgb(MG.classColor(v), "#ffffff")(0.45)); rgb = [c.r, c.g, c.b, 255]; } else rgb = MG.signs[Math.round((0.5 + (0.4 * v) / steps) * 254)]; }
    image.data.set(rgb, 4 * to);
  }
  context.putImageData(image, 0, 0);
  g.append("image").attr("href", canvas.toDataURL()).attr("x", left).attr("y", 2).attr("width", side).attr("height", side).attr("preserveAspectRatio", "none").attr("style", "image-rendering: pixelated");
  const cell = side / n, line = (values) => {
    const d = MG.boundary(values, n).map((part) => d3.line((p) => left + p[0] * cell, (p) => 2 + side - p[1] * cell)(part)).join("");
    for (const kind of ["boundary halo", "boundary"]) if (d) g.append("path").attr("class", kind).attr("d", d);
  };
  if (classes) for (const c of new Set(cells)) { if (c !== -128) line(Array.from(cells, (v) => (v === c ? 1 : -1))); } else if (space.of !== "values") line(Array.from(cells, (v) => (v === -128 ? -1 : v || -0.01)));
  (space.x || []).forEach(([a, b], i) => {
    const of = space.of === "classes" && space.y ? space.y[i][0] : null, v = space.of === "values" && space.y ? MG.number(space.y[i][0]) : null;
    const fill = of === null ? (v === null ? "#888" : MG.color(v, d3.max(space.y, (r) => Math.abs(MG.number(r[0]))) || 1)) : classes ? MG.classColor(of) : of ? "#2166ac" : "#b2182b";
    g.append("path").attr("class", "dot").attr("d", d3.symbol(MG.symbols[(of || 0) % 7], space.x.length > 150 ? 14 : 26)()).attr("transform", `translate(${x(a)},${y(b)})`).attr("fill", fill).attr("stroke", "#fff").attr("stroke-width", 0.7);
  });
  if (classes) for (const c of new Set(cells)) { const own = d3.range(n * n).filter((i) => cells[i] === c), k = own[Math.floor(own.length / 2)]; if (c !== -128) g.append("text").attr("x", left + ((k % n) + 0.5) * cell).attr("y", 2 + side - Math.floor(k / n) * cell).attr("text-anchor", "middle").attr("font-weight", 700).attr("style", "fill:#000; paint-order: stroke; stroke: #fff; stroke-width: 3px").text(c); }
  for (const [scale, axis, place] of [[x, d3.axisBottom, `translate(0,${side + 2})`], [y, d3.axisLeft, `translate(${left},0)`]]) g.append("g").attr("class", "axis").attr("transform", place).call(axis(scale).ticks(4).tickSizeOuter(0));
};
// Where a grid's values change sign, as lines; the edges of the grid, along which contours close, are no boundary.
MG.boundary = (values, n) => {
  const parts = [], edge = ([a, b]) => [a <= 0.01, a >= n - 0.01, b <= 0.01, b >= n - 0.01];
  for (const ring of d3.contours().size([n, n]).thresholds([0])(values)[0].coordinates.flat()) {
    let part = [ring[0]];
    for (let i = 1; i < ring.length; i++) {
      const a = edge(ring[i - 1]), b = edge(ring[i]);
      if (a.some((yes, k) => yes && b[k]) || (a.includes(true) && b.includes(true) && Math.hypot(ring[i][0] - ring[i - 1][0], ring[i][1] - ring[i - 1][1]) < 1)) { if (part.length > 1) parts.push(part); part = []; }
      part.push(ring[i]);
    }
    if (part.length > 1) parts.push(part);
  }
  return parts;
};

// A fitted curve: what the model says along the line, over the data; earlier moments stay in sight, faintly.
MG.fitted = (card, { space, frames, at, label, height = 240 }) => {
  const width = MG.begin(card, height, label), left = 44, right = 12, bottom = 24, top = 8, frame = frames[at], g = card.svg;
  const places = d3.range(160).map((i) => MG.number(space.ends[0][0]) + ((MG.number(space.ends[0][1]) - MG.number(space.ends[0][0])) * i) / 159);
  const finite = (v) => v !== null && Number.isFinite(v), data = space.of === "values" || (space.y && space.numbers === 1) ? (space.y || []).map((r) => MG.number(r[0])) : [];
  const all = [...data, ...(frames.at(-1).curve || []).flat().map(MG.number), ...(data.length ? [] : frames.flatMap((f) => (f.curve || []).flat().map(MG.number)))].filter(finite);
  const [low, high] = all.length ? d3.extent(all) : [-1, 1], room = (high - low || 1) * 0.15;
  const x = d3.scaleLinear(space.ends[0], [left, width - right]), y = d3.scaleLinear([low - room, high + room], [height - bottom, top]).clamp(true);
  g.append("g").attr("class", "axis").attr("transform", `translate(0,${height - bottom})`).call(d3.axisBottom(x).ticks(5).tickSizeOuter(0));
  g.append("g").attr("class", "axis").attr("transform", `translate(${left},0)`).call(d3.axisLeft(y).ticks(5).tickSizeOuter(0));
  data.forEach((v, i) => { if (finite(v)) g.append("circle").attr("cx", x(space.x[i][0])).attr("cy", y(v)).attr("r", 2.2).attr("fill", "#888").attr("opacity", 0.75); });
  if (space.y && !data.length) space.x.forEach((r, i) => g.append("path").attr("d", d3.symbol(MG.symbols[space.y[i][0] % 7], 22)()).attr("transform", `translate(${x(r[0])},${height - bottom - 6})`).attr("fill", MG.classColor(space.y[i][0])));
  const draw = (f, kind, opacity) => (f.curve || []).forEach((values, k) => {
    const v = values.map(MG.number), several = f.curve.length > 1;
    g.append("path").attr("class", `series ${kind}`).attr("stroke", several ? MG.classColor(k) : "#2166ac").attr("stroke-dasharray", MG.dashes[k]).attr("style", several ? null : "stroke: var(--positive)").attr("opacity", opacity).attr("d", d3.line().defined((i) => finite(v[i])).x((i) => x(places[i])).y((i) => y(v[i]))(d3.range(v.length)));
    if (several && kind) g.append("text").attr("x", width - right - 4).attr("y", Math.min(height - bottom - 4, Math.max(18, y(v.findLast(finite) ?? 0) - 4))).attr("text-anchor", "end").text(`output ${k}`);
  });
  for (const back of [8, 4, 2, 1]) if (at - back >= 0) draw(frames[at - back], "", 0.1 + 0.1 / back);
  draw(frame, "strong", 1);
};

// A confusion: rows are true classes, columns what was said.
MG.confusion = (card, { table, label }) => {
  const k = table.length, wide = Math.max(160, card.root.clientWidth - 24), size = Math.min(56, (wide - 40) / k), width = MG.begin(card, 36 + k * size, label), g = card.svg, most = d3.max(table.flat()) || 1, left = Math.min(40, width - k * size);
  g.append("text").attr("class", "soft").attr("x", left).attr("y", 10).text("said →");
  g.append("text").attr("class", "soft").attr("transform", `translate(10,${32 + k * size}) rotate(-90)`).text("true →");
  table.forEach((row, i) => {
    if (size > 11) g.append("text").attr("class", "soft").attr("x", left - 5).attr("y", 24 + (i + 0.5) * size + 4).attr("text-anchor", "end").text(i);
    if (size > 11) g.append("text").attr("class", "soft").attr("x", left + (i + 0.5) * size).attr("y", 21).attr("text-anchor", "middle").text(i);
    row.forEach((v, j) => {
      const color = d3.interpolateBlues(Math.sqrt(v / most) * 0.9), spot = g.append("g");
      spot.append("rect").attr("class", "cellbox").attr("x", left + j * size).attr("y", 24 + i * size).attr("width", size).attr("height", size).attr("fill", v ? color : "transparent").append("title").text(`true ${i}, said ${j}: ${v}`);
      if (size > 15 && v) spot.append("text").attr("class", "count").attr("x", left + (j + 0.5) * size).attr("y", 24 + (i + 0.5) * size + 4).attr("text-anchor", "middle").attr("style", `fill:${MG.inkOn(color)};font-size:${Math.min(11, (size / String(v).length) * 1.4)}px`).text(v);
      if (i === j) spot.append("rect").attr("class", "right-cell").attr("x", left + j * size + 1).attr("y", 24 + i * size + 1).attr("width", size - 2).attr("height", size - 2);
    });
  });
};

// Histograms side by side in one drawing: {head, hist, range}; hist may be null. Red is below zero, blue above.
MG.histograms = (svg, width, parts) => {
  const gap = 14, w = (width - gap * (parts.length - 1)) / parts.length, h = 40, g = svg.attr("viewBox", `0 0 ${width} ${h + 32}`).attr("width", width).attr("height", h + 32);
  g.selectAll("*").remove();
  parts.forEach((part, p) => {
    if (!part) return;
    const { head, hist, range } = part, left = p * (w + gap), box = g.append("g").attr("transform", `translate(${left},0)`);
    box.append("text").attr("class", "head").attr("y", 11).text(MG.cutTo(head, Math.max(8, Math.floor(w / 6.3))));
    box.append("line").attr("class", "grid").attr("x1", 0).attr("x2", w).attr("y1", h + 16).attr("y2", h + 16);
    if (!hist || !hist.k) { box.append("text").attr("y", 34).text(hist ? `none of ${hist.n} is finite` : "none"); return; }
    const [low, high] = range, wide = high > low ? high - low : Math.abs(low) || 1, base = high > low ? low : low - wide / 2, x = (v) => ((v - base) / wide) * w, most = d3.max(hist.k), step = (hist.hi - hist.lo) / hist.k.length;
    let red = "", blue = "";
    hist.k.forEach((k, i) => {
      if (!k) return;
      const a = hist.lo + i * step, b = a + step, thick = Math.max(1.2, x(b) - x(a) - (x(b) - x(a) > 3 ? 0.6 : 0)), tall = Math.max(1, (k / most) * h), bar = `M${Math.min(w - 1, Math.max(0, x(a))).toFixed(1)} ${h + 16}v${(-tall).toFixed(1)}h${thick.toFixed(1)}v${tall.toFixed(1)}z`;
      if ((a + b) / 2 < 0) red += bar; else blue += bar;
    });
    box.append("path").attr("class", "bars negative").attr("d", red);
    box.append("path").attr("class", "bars positive").attr("d", blue);
    if (base < 0 && base + wide > 0) box.append("line").attr("class", "zero").attr("x1", x(0)).attr("x2", x(0)).attr("y1", 16).attr("y2", h + 16);
    const written = [3, 2, 1].map((digits) => [MG.num(base, digits), MG.num(base + wide, digits)]), [from, to] = written.find((pair) => pair.join("").length * 5.9 + 8 < w) || written[2];
    box.append("text").attr("class", "low").attr("y", h + 28).text(from);
    box.append("text").attr("class", "high").attr("x", w).attr("y", h + 28).attr("text-anchor", "end").text(to);
  });
};
