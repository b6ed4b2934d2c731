"""viz: the graph of anything that was computed, looked at.

    viz.text(loss)                     in a terminal: operations, shapes, values, gradients
    viz.dot(loss)                      for Graphviz
    viz.svg(loss)                      a drawing; a notebook shows it inline
    viz.page(loss, "backward.html")    the backward page: forward and backward, step by step, with every number
    with viz.recording(): ...          keep all values, the modules called, and the lines of the program
    with viz.watch(model, optimizer): ...    a training, watched: curves, histograms, boundary and confusion by step, as a page

`python -m minigrad.viz` writes the page of a small network, to begin with.

Viz looks at graphs from above: nothing of the engine knows it, and `import minigrad` does not import it.

    recording.py   keeps what a graph by itself forgets
    names.py       what nodes are called
    reading.py     a graph as it is drawn: items, values, modules as boxes
    rules.py       each operation's rule in symbols, from its docstring
    backward.py    the backward pass, walked with everything written down
    definition.py  a fused node opened into its definition
    naive.py       the walk in a wrong order, to compare
    nudge.py       move a leaf, see the loss move
    trouble.py     nan, inf, vanished and exploded gradients, where they first show
    tensors.py     tensors in few bytes
    record.py      all that as plain data
    text.py  dot.py  layout.py  svg.py  page.py    what is made of it; assets/ holds the page, its script and its libraries

    watch.py       what happens at each step of a training
    summary.py     of a tensor: range, spread, histogram
    thinning.py    much in little room
    probe.py       the model asked on a grid and on data, without a trace
    film.py        all that as plain data
    watch_page.py  pictures.py    what is made of it
"""

from .dot import dot
from .page import page
from .recording import recording
from .svg import svg
from .text import text
from .watch import watch

__all__ = ["dot", "page", "recording", "svg", "text", "watch"]
