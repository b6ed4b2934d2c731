// The playground: two networks side by side, each chosen among the recorded runs, at one moment of their trainings.
"use strict";

(async () => {
  const data = (MG.data = await MG.load());
  const $ = (id) => document.getElementById(id), { h } = MG, cells = data.space.side ** 2;
  let at = 0;
  const all = Object.values(data.runs), finite = (v) => Number.isFinite(v) && v > 0;
  const sizes = all.flatMap((r) => r.gradient.flat().map(MG.number)).filter(finite), ends = [Math.max(1e-12, d3.min(sizes)), d3.max(sizes)];

  const sides = [...document.querySelectorAll(".run")].map((root, side) => {
    const chosen = [...data.begin[side]], word = side ? "right" : "left";
    const plane = MG.card("Decision boundary"), gradient = MG.card("Gradient norm, by depth"), loss = MG.card("Loss");
    const fields = data.choices.map(({ name, said, values }, c) => h("fieldset", { title: said }, h("legend", {}, name), values.map((value, i) => h("label", {}, h("input", { type: "radio", name: `${side}-${c}`, value: i, checked: i === chosen[c] ? "" : null, onchange: () => choose(c, i) }), ` ${value}`))));
    root.append(h("h2", {}, side ? "Right network" : "Left network"), h("div", { class: "choices" }, fields), h("div", { class: "pair" }, plane.root, gradient.root), loss.root);
    const choose = (c, i) => {
      chosen[c] = i;
      root.querySelector(`input[name="${side}-${c}"][value="${i}"]`).checked = true;
      draw();
      $("said").textContent = `${word}: ${name()}. ${told()}`;
    };
    const run = () => data.runs[chosen.join(".")];
    const name = () => data.choices.map(({ name, values }, c) => (name === "depth" ? `${values[chosen[c]]} hidden layers` : name === "activation" || name === "init" ? values[chosen[c]] : `${name} ${values[chosen[c]]}`)).join(", ");
    const told = () => `loss ${MG.num(run().loss[at])}, ${MG.num(100 * run().accuracy[at])} % of the points right`;
    const draw = () => {
      const r = run(), step = data.steps[at], label = `${name()}, step ${step}`;
      const bytes = atob(r.maps).slice(at * cells, (at + 1) * cells);
      MG.plane(plane, { space: data.space, frame: { map: btoa(bytes) }, label: `Decision boundary of ${label}: ${told()}` });
      plane.text.textContent = `${told()}; blue: class 1 (triangles), red: class 0 (circles)`;
      depths(gradient, r.gradient[at].map(MG.number), label);
      MG.lines(loss, { steps: data.steps, series: [{ name: "loss", values: r.loss, color: "var(--link)" }], at: step, log: false, height: 120, onpick: (s) => player.go(d3.bisectCenter(data.steps, s)), label: `Loss of ${label}: ${MG.num(r.loss[at])}` });
      loss.text.textContent = `loss ${MG.num(r.loss[at])} at step ${step}`;
    };
    return { draw, choose, chosen, told, name };
  });

  // The gradient of each layer's weights, on one scale for all runs: a vanished one is a short bar.
  const depths = (card, values, label) => {
    const height = 250, width = MG.begin(card, height, `Gradient norm of ${label}, from the first layer to the output: ${values.map((v) => MG.num(v)).join(", ")}`);
    const left = 46, bottom = 26, top = 8, x = d3.scaleBand(d3.range(values.length), [left, width - 4]).padding(0.18), y = d3.scaleLog(ends, [height - bottom, top]).clamp(true), g = card.svg;
    const ticks = MG.logTicks(...ends, 6);
    ticks.forEach((t) => { g.append("line").attr("class", "grid").attr("x1", left).attr("x2", width - 4).attr("y1", y(t)).attr("y2", y(t)); g.append("text").attr("class", "soft").attr("x", left - 4).attr("y", y(t) + 4).attr("text-anchor", "end").text(MG.num(Number(t.toPrecision(3)))); });
    values.forEach((v, i) => {
      if (finite(v)) g.append("rect").attr("class", "bars positive").attr("x", x(i)).attr("width", x.bandwidth()).attr("y", y(v)).attr("height", Math.max(1.5, height - bottom - y(v))).append("title").text(`layer ${i + 1}: ${MG.num(v)}`);
      else g.append("text").attr("x", x(i) + x.bandwidth() / 2).attr("y", height - bottom - 4).attr("text-anchor", "middle").text(v === 0 ? "0" : "✕");
      g.append("text").attr("class", "soft").attr("x", x(i) + x.bandwidth() / 2).attr("y", height - bottom + 13).attr("text-anchor", "middle").text(i === values.length - 1 ? "out" : i + 1);
    });
    const first = values[0], last = values.at(-1), share = finite(first) && finite(last) ? first / last : null;
    card.text.textContent = `first layer ${MG.num(first)}, output ${MG.num(last)}${share === null ? "" : `, ratio ${MG.num(share, 2)}`}; logarithmic scale`;
  };

  const draw = () => sides.forEach((s) => s.draw());
  const show = (k) => {
    at = k;
    draw();
    $("where").textContent = `step ${data.steps[at]} of ${data.steps.at(-1)}`;
    $("said").textContent = `Step ${data.steps[at]}. Left: ${sides[0].told()}. Right: ${sides[1].told()}.`;
  };
  const keys = {};
  ["a", "i", "d", "b", "o"].forEach((key, c) => [key, key.toUpperCase()].forEach((k, side) => { keys[k] = () => sides[side].choose(c, (sides[side].chosen[c] + 1) % data.choices[c].values.length); }));
  MG.themes($("theme"), draw);
  const player = MG.player({ last: () => data.steps.length - 1, show, keys, pause: 450 });
  $("about").textContent = data.about;
  let width = innerWidth;
  addEventListener("resize", () => { if (innerWidth !== width) { width = innerWidth; draw(); } });
  MG.go = player.go; MG.at = () => at; MG.last = () => data.steps.length - 1; MG.choose = (side, c, i) => sides[side].choose(c, i); // for programs that drive the page
  player.go(data.steps.length - 1);
  document.documentElement.setAttribute("data-ready", "yes");
})();
