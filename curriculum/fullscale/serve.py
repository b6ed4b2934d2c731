"""A small local web page: draw a digit, or type a review, and see the answer."""

from __future__ import annotations

import argparse
from html import escape
from pathlib import Path
from typing import Any

import torch
import torch.nn.functional as F

from . import local_server, runs
from .errors import Refused
from .text import clean


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--run", type=Path, required=True, dest="folder", help="folder of a finished run")
    parser.add_argument("--port", type=int, default=8000, help="0 takes a free one (8000)")


STYLE = """
body { font: 17px/1.5 system-ui, sans-serif; max-width: 44rem; margin: 2rem auto; padding: 0 1rem; color: #222 }
canvas { border: 1px solid #888; background: black; touch-action: none; cursor: crosshair }
textarea { width: 100%; height: 9rem; font: inherit; box-sizing: border-box } button { font: inherit; padding: .3rem 1rem }
.bar { background: #1f5fa8; height: 1.1em; display: inline-block; vertical-align: middle } td { padding: .1rem .5rem }
#answer { min-height: 2rem } span.word { padding: 0 .15em; border-radius: .2em } .note { color: #666 }
"""
COMMON = """
const answer = document.getElementById("answer");
async function ask(body) {
  const reply = await fetch("/predict", {method: "POST", headers: {"Content-Type": "application/json"}, body: JSON.stringify(body)});
  const found = await reply.json();
  answer.replaceChildren();
  if (found.error) { answer.textContent = found.error; return; }
  const head = document.createElement("h2");
  head.textContent = found.label + ", " + (100 * found.probability).toFixed(1) + " %";
  answer.append(head);
  const table = document.createElement("table");
  found.classes.forEach((name, i) => {
    const row = table.insertRow();
    row.insertCell().textContent = name;
    const bar = document.createElement("span");
    bar.className = "bar"; bar.style.width = (300 * found.probabilities[i]) + "px";
    row.insertCell().append(bar);
  });
  answer.append(table);
  if (found.words) {
    const text = document.createElement("p"), most = Math.max(...found.words.map(w => Math.abs(w[1])), 1e-9);
    for (const [word, share] of found.words) {
      const part = document.createElement("span");
      part.className = "word"; part.textContent = word;
      part.style.background = `rgba(${share > 0 ? "31,95,168" : "217,96,26"},${0.75 * Math.abs(share) / most})`;
      text.append(part, " ");
    }
    answer.append(text);
  }
}
"""
DRAWING = """
<p>Draw a digit.</p><canvas id="paper" width="280" height="280"></canvas>
<p><button id="clear">clear</button></p><div id="answer"></div>
<script>COMMON
const paper = document.getElementById("paper"), pen = paper.getContext("2d", {willReadFrequently: true});
pen.lineWidth = 22; pen.lineCap = pen.lineJoin = "round"; pen.strokeStyle = "white";
let drawing = false;
paper.onpointerdown = e => { drawing = true; pen.beginPath(); pen.moveTo(e.offsetX, e.offsetY); pen.lineTo(e.offsetX, e.offsetY); pen.stroke(); };
paper.onpointermove = e => { if (drawing) { pen.lineTo(e.offsetX, e.offsetY); pen.stroke(); } };
function look() {
  drawing = false;
  const rgba = pen.getImageData(0, 0, 280, 280).data, rows = [];
  for (let y = 0; y < 28; y++) for (let x = 0; x < 28; x++) {
    let sum = 0;
    for (let i = 0; i < 10; i++) for (let j = 0; j < 10; j++) sum += rgba[4 * ((10 * y + i) * 280 + 10 * x + j)];
    rows.push(Math.round(sum / 100));
  }
  ask({pixels: rows});
}
paper.onpointerup = look;
document.getElementById("clear").onclick = () => { pen.clearRect(0, 0, 280, 280); answer.replaceChildren(); };
if (location.hash === "#seven") { pen.beginPath(); pen.moveTo(80, 70); pen.lineTo(200, 70); pen.lineTo(130, 220); pen.stroke(); look(); }
</script>
"""
TYPING = """
<p>Type or paste a film review.</p><textarea id="review"></textarea>
<p><button id="judge">judge</button></p><div id="answer"></div>
<p class="note">Words on blue ground spoke for the answer, on orange ground against it.</p>
<script>COMMON
const review = document.getElementById("review");
document.getElementById("judge").onclick = () => ask({text: review.value});
if (location.hash.length > 1) { review.value = decodeURIComponent(location.hash.slice(1)); ask({text: review.value}); }
</script>
"""


def page(run: runs.Run) -> str:
    title = "Which digit is it?" if run.about_pictures else "Is the review favourable?"
    body = (DRAWING if run.about_pictures else TYPING).replace("COMMON", COMMON)
    facts = f"{run.config['command']}, {100 * run.results['test_accuracy']:.2f} % right on its test data ({run.results['data']})"
    return f'<!doctype html><html lang="en"><meta charset="utf-8"><title>{title}</title><style>{STYLE}</style><h1>{title}</h1><p class="note">{escape(facts)}</p>{body}</html>'


def centred(picture: torch.Tensor) -> torch.Tensor:
    """A drawing (1, 1, 28, 28) as MNIST's pictures are: the ink in a box of 20 x 20, its centre of mass in the middle."""
    ink = (picture[0, 0] > 20).nonzero()
    if not len(ink):
        return picture
    (top, left), (bottom, right) = ink.min(0).values.tolist(), ink.max(0).values.tolist()
    cut = picture[:, :, top : bottom + 1, left : right + 1]
    scale = 20 / max(cut.shape[2:])
    size = [max(1, round(side * scale)) for side in cut.shape[2:]]
    small = F.interpolate(cut, size=size, mode="bilinear", antialias=True)
    mass = small[0, 0] / small.sum()
    y = (mass.sum(1) * torch.arange(size[0])).sum().item()
    x = (mass.sum(0) * torch.arange(size[1])).sum().item()
    above, before = (min(max(0, round(13.5 - c)), 28 - side) for c, side in ((y, size[0]), (x, size[1])))
    return F.pad(small, (before, 28 - size[1] - before, above, 28 - size[0] - above))


def judge(run: runs.Run, asked: dict[str, Any]) -> dict[str, Any]:
    """The answer to a request. Errors: Refused."""
    if run.about_pictures:
        pixels = asked.get("pixels")
        if (
            not isinstance(pixels, list)
            or len(pixels) != 784
            or not all(isinstance(p, int | float) and 0 <= p <= 255 for p in pixels)
        ):
            raise Refused("Wanted are `pixels`, 784 numbers from 0 to 255.")
        picture = torch.tensor(pixels, dtype=torch.float32).reshape(1, 1, 28, 28)
        if picture.max() < 20:
            raise Refused("Nothing is drawn.")
        with torch.no_grad():
            p = run.model(centred(picture)).softmax(1)[0]
        return {
            "label": run.classes[int(p.argmax())],
            "probability": p.max().item(),
            "classes": run.classes,
            "probabilities": p.tolist(),
        }
    text = asked.get("text")
    if not isinstance(text, str) or not clean(text):
        raise Refused("The review is empty.")
    from .predict import words_that_mattered

    label, probability, words = words_that_mattered(run, clean(text))
    p_positive = probability if label == run.classes[1] else 1 - probability
    return {
        "label": label,
        "probability": probability,
        "classes": run.classes,
        "probabilities": [1 - p_positive, p_positive],
        "words": words,
    }


def server(run: runs.Run, port: int) -> local_server.Server:
    """Listens on this machine alone. Errors: Refused where the port is taken."""
    return local_server.Server(port, page(run).encode(), lambda asked: judge(run, asked))


def run(arguments: argparse.Namespace) -> int:
    found = runs.load(arguments.folder)
    if found.about_pictures and found.results["picture"] != [1, 28, 28]:
        raise Refused(f"serve draws grey pictures of 28 x 28; {arguments.folder} reads {found.results['picture']}.")
    listening = server(found, arguments.port)
    print(f"http://127.0.0.1:{listening.server_address[1]}/   (Ctrl-C ends it)", flush=True)
    try:
        listening.serve_forever()
    except KeyboardInterrupt:
        pass
    finally:
        listening.server_close()
    return 0
