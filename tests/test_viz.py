"""minigrad.viz: what it says of a graph is what the engine does, and it changes nothing."""

import itertools
import re
import subprocess
import sys
import tomllib
import xml.etree.ElementTree as ElementTree
from pathlib import Path

import numpy as np
import pytest

import minigrad as torch
from minigrad import nn, viz
from minigrad.autograd.function import Function
from minigrad.autograd.graph import Operation
from minigrad.nn import functional as F
from minigrad.nn.module import Module
from minigrad.viz import layout, naive, nudge, rules
from minigrad.viz.__main__ import main
from minigrad.viz.reading import read
from minigrad.viz.record import record, to_json, walked
from minigrad.viz.recording import _recorder

PAGE = Path(viz.__file__).parent / "assets"


class TwoOutputs(Function):
    @staticmethod
    def forward(ctx, x):
        ctx.save_for_backward(x)
        return x * 2, x * x

    @staticmethod
    def backward(ctx, first, second):
        (x,) = ctx.saved_tensors
        return 2 * first + 2 * x * second


# Programs: each gives the loss and the tensors that lie on the way to it.
def doublings():
    a = torch.tensor(1.0, requires_grad=True)
    b = a + a
    return b + b, [a, b]


def early_and_late():
    a = torch.tensor(3.0, requires_grad=True)
    m = a + a
    n = m * m
    return m + n, [a, m, n]


def broadcasting():
    w, b = torch.randn(3, 4, requires_grad=True), torch.randn(4, requires_grad=True)
    c = torch.randn(3, 1, requires_grad=True)
    y = w * c + b
    return (y.exp() / (1 + y.abs())).sum(), [w, b, c, y]


def network():
    model = nn.Sequential(nn.Linear(2, 4), nn.Tanh(), nn.Linear(4, 1), nn.Sigmoid())
    h = model(torch.randn(3, 2))
    return F.binary_cross_entropy(h, torch.tensor([[0.0], [1.0], [1.0]])), [*model.parameters(), h]


def pictures():
    model = nn.Sequential(
        nn.Conv2d(1, 3, 3, padding=1), nn.BatchNorm2d(3), nn.ReLU(), nn.MaxPool2d(2), nn.Flatten(), nn.Linear(48, 5)
    )
    return F.cross_entropy(model(torch.randn(2, 1, 8, 8)), torch.tensor([1, 4])), list(model.parameters())


def attention():
    q, k, v = (torch.randn(1, 5, 4, requires_grad=True) for _ in range(3))
    out = F.scaled_dot_product_attention(q, k, v)
    return F.layer_norm(out, (4,)).pow(3).mean(), [q, k, v, out]


def encoder():
    model = nn.TransformerEncoderLayer(8, 2, 16, dropout=0.0, batch_first=True)
    return model(torch.randn(2, 5, 8)).pow(3).mean(), list(model.parameters())


def recurrent():
    model = nn.LSTM(3, 4)
    out, _ = model(torch.randn(5, 2, 3))
    return out.square().sum(), list(model.parameters())


def written_into():
    x, w = torch.randn(4, requires_grad=True), torch.randn(2, requires_grad=True)
    y = x * 2
    y[:2].mul_(w)
    y[3] = w[0]
    return (y * y).sum(), [x, w, y]


def several_outputs():
    x = torch.randn(3, requires_grad=True)
    double, square = TwoOutputs.apply(x)
    return (double * square).sum() + torch.cat(list(torch.split(x, 1))).sum(), [x]


def dropped():
    x = torch.randn(20, requires_grad=True)
    return F.dropout(x * 3, 0.5).sum(), [x]


PROGRAMS = [
    doublings, early_and_late, broadcasting, network, pictures, attention, encoder, recurrent, written_into, several_outputs,
    dropped,
]  # fmt: skip
programs = pytest.mark.parametrize("program", PROGRAMS, ids=lambda p: p.__name__)
recorded = pytest.mark.parametrize("record_it", [False, True], ids=["bare", "recorded"])


def run(program, record_it=False):
    torch.manual_seed(0)
    if not record_it:
        return program()
    with viz.recording():
        return program()


# -- the same numbers as the engine's, to the bit


@recorded
@programs
def test_every_gradient_is_the_engines(program, record_it):
    loss, tensors = run(program, record_it)
    graph = walked(loss)
    shown = {}
    for x in tensors:
        if not x.is_leaf:
            x.retain_grad()
            shown[id(x)] = graph.by_node[x.grad_fn].grads[x.output_nr]
        else:
            shown[id(x)] = next(item.after for item in graph.items if item.is_leaf and item.node.variable is x)
    assert all(x.grad is None for x in tensors if x.is_leaf)  # walking for the page adds nothing
    loss.backward()  # ... and frees nothing
    for x in tensors:
        assert x.grad.array.dtype == shown[id(x)].dtype
        np.testing.assert_array_equal(x.grad.array, shown[id(x)])


@programs
def test_the_order_is_the_engines(program):
    loss, _ = run(program)
    graph, ran = walked(loss), []
    for node in graph.by_node:
        if node.variable is None:
            node.register_prehook(lambda grads, node=node: ran.append(node))
    loss.backward()
    assert [item.node for item in graph.order if item.kind == "op"] == ran


@programs
def test_what_each_edge_carries_adds_up(program):
    loss, _ = run(program)
    for item in walked(loss).items:
        if item.arrivals and len(item.shapes) == 1:
            total = sum(sent.gradient.astype(np.float64) for sent in item.arrivals)
            np.testing.assert_allclose(total, item.grad, rtol=1e-5, atol=1e-6)


@programs
def test_values_found_without_recording_are_those_that_were(program):
    """What is not known is not shown; what is shown is right."""
    bare, known = read(run(program)[0]), read(run(program, True)[0])
    ops = [[item for item in graph.items if item.kind == "op"] for graph in (bare, known)]
    assert [item.op for item in ops[0]] == [item.op for item in ops[1]]
    for mine, real in zip(*ops, strict=True):
        if mine.value is not None and real.value is not None:
            np.testing.assert_array_equal(mine.value, real.value)
    if program is not written_into:  # a node that a write into a view made was not made by `apply`
        assert all(item.value is not None for item in ops[1])


@programs
def test_after_the_pass_a_recorded_graph_is_shown_whole(program):
    loss, tensors = run(program, True)
    before = walked(loss)
    loss.backward()
    if program in (
        written_into,
        several_outputs,
    ):  # Functions, and nodes that were linked by hand, have kept nothing more
        return
    with torch.no_grad():  # what an optimizer does
        for x in tensors:
            if x.is_leaf:
                x.add_(1.0)
    after = walked(loss)
    if program is not doublings:  # (a sum saves nothing: there is nothing to free)
        assert any("has gone through this graph already" in note for note in after.notes)
    for old, new in zip(before.items, after.items, strict=True):
        for a, b in zip(old.grads, new.grads, strict=True):
            np.testing.assert_array_equal(a, b)
        for a, b in zip(old.values, new.values, strict=True):
            np.testing.assert_array_equal(a, b)


def test_nothing_of_the_program_changes():
    torch.manual_seed(0)
    loss, tensors = network()
    state = torch.get_rng_state().array.copy()
    values = [x.array.copy() for x in tensors]
    viz.text(loss), viz.dot(loss), viz.svg(loss)
    to_json(record(walked(loss), title=""))
    assert np.array_equal(state, torch.get_rng_state().array)
    assert all(np.array_equal(x.array, value) for x, value in zip(tensors, values, strict=True))
    assert all(x.grad is None for x in tensors if x.is_leaf)


def test_leaves_show_grad_before_and_after():
    a = torch.tensor(1.0, requires_grad=True)
    (a * 3).backward()
    (leaf,) = [item for item in walked(a * 2).items if item.is_leaf]
    assert (leaf.before.item(), leaf.after.item(), a.grad.item()) == (3.0, 5.0, 3.0)


# -- recording


def test_recording_is_over_when_it_ends():
    places = [Operation.__dict__["apply"].__func__, Function.__dict__["apply"].__func__, Module.__dict__["__call__"]]
    with pytest.raises(ZeroDivisionError), viz.recording(), viz.recording():
        assert Operation.__dict__["apply"].__func__ is not places[0]
        raise ZeroDivisionError
    assert [
        Operation.__dict__["apply"].__func__,
        Function.__dict__["apply"].__func__,
        Module.__dict__["__call__"],
    ] == places
    y = torch.ones(2, requires_grad=True) * 2
    assert "_metadata" not in vars(y.grad_fn)


def test_the_engine_does_not_know_it():
    code = "import sys, minigrad; assert 'minigrad.viz' not in sys.modules; minigrad.viz.text; assert 'minigrad.viz' in sys.modules"
    subprocess.run([sys.executable, "-c", code], check=True)


def test_lines_modules_and_names():
    class Net(nn.Module):
        def __init__(self):
            super().__init__()
            self.layer = nn.Linear(2, 2)

        def forward(self, x):
            return self.layer(self.layer(x))

    model, x = Net(), torch.ones(1, 2)
    with viz.recording():
        model(x)  # calls are counted by graph
        loss = model(x).sum()  # the line
    graph = walked(loss, {"net": model, "x": x, "loss": loss})
    linear = [item for item in graph.items if item.op == "Linear"]
    assert [(item.box.name, item.box.type, item.box.number, item.box.outer.name) for item in linear] == [
        ("layer", "Linear", 1, "net"), ("layer", "Linear", 2, "net")]  # fmt: skip
    assert "test_viz.py" in linear[0].line
    assert "return self.layer(self.layer(x))" in linear[0].line
    assert graph.top.name == "loss"
    assert "loss = model(x).sum()" in graph.top.line
    assert {item.name for item in graph.items if item.is_leaf} == {"layer.weight", "layer.bias"}
    assert [item.name for item in graph.items if item.kind == "constant" and item.name] == ["x"]


def test_lines_of_the_example_are_its_own(tmp_path):
    from minigrad.viz.__main__ import main

    assert main(["-o", str(tmp_path / "backward.html")]) == 0
    written = (tmp_path / "backward.html").read_text(encoding="utf-8")
    assert "runpy" not in written
    assert "loss = nn.functional.binary_cross_entropy(model(x), y)" in written


def test_modules_give_names_without_being_named():
    model = nn.Sequential(nn.Linear(2, 4), nn.Tanh(), nn.Linear(4, 1))
    graph = walked(model(torch.ones(1, 2)).sum())
    assert {item.name for item in graph.items if item.is_leaf} == {"0.weight", "0.bias", "2.weight", "2.bias"}
    assert {item.box.name for item in graph.items if item.op == "Linear"} == {"0", "2"}


def broken_modules():
    """Modules as no program should leave them, each with a layer inside, which a walk through it would look for."""

    class Raises(nn.Module):
        def _no(self, *_, **__):
            raise ValueError("this module is not to be asked")

        named_modules = modules = children = named_parameters = parameters = get_submodule = __len__ = __iter__ = _no

    class Shut(nn.Module):
        def __getattribute__(self, name):
            raise ValueError("this module is not to be asked")

    class Equal(nn.Module):
        def __eq__(self, other):
            raise ValueError("this module is not to be compared")

    class HalfMade(nn.Module):
        def __init__(self):
            pass

    def made(kind=nn.Module, **tables):
        module = kind()
        for name, table in tables.items():
            object.__getattribute__(module, "__dict__")[name] = table
        return module

    layer = nn.Linear(1, 1)
    circle = made()
    circle._modules.update(a=circle, b=layer)
    return {
        "a function for a module": made(_modules={"f": F.relu, "layer": layer}),
        "a class for a module": made(_modules={"layer": nn.Linear}),
        "no table of modules": made(_modules=None),
        "a list for a table": made(_modules=[layer], _parameters=[layer.weight]),
        "keys that are no names": made(_modules={1: layer, None: layer}, _parameters={2: layer.weight}),
        "what is no parameter": made(_parameters={"weight": "text", "bias": None}),
        "raises": made(Raises, _modules={"layer": layer}),
        "shut": made(Shut, _modules={"layer": layer}),
        "not to be compared": made(Equal, _modules={"layer": layer}),
        "half made": made(HalfMade),
        "half made, with parts": made(HalfMade, _modules={"layer": layer}),
        "in a circle": circle,
    }


@pytest.mark.parametrize("kind", list(broken_modules()))
def test_a_strangers_broken_module_stops_no_drawing(kind):
    stranger = broken_modules()[kind]
    model = nn.Sequential(nn.Linear(2, 4), nn.Tanh())
    assert {item.name for item in walked(model(torch.ones(1, 2)).sum()).items if item.is_leaf} == {"0.weight", "0.bias"}
    # Nor where it is a part of what the graph is of.
    model._modules["2"] = stranger
    with viz.recording():
        loss = model[1](model[0](torch.ones(1, 2))).sum()
    for graph in (walked(loss), walked(loss, {"model": model})):
        assert {item.name for item in graph.items if item.is_leaf} == {"0.weight", "0.bias"}


# -- fused nodes, rules, wrong orders, nudges


@pytest.mark.parametrize("program", [pictures, attention, encoder, network], ids=lambda p: p.__name__)
def test_an_opened_node_sends_the_same_gradients(program):
    """Also one that comes to light in another's definition."""
    graph = walked(run(program, True)[0])
    record(graph, title="")
    found = graph.definitions
    assert program is network or len(found) >= 2
    assert program is network or any(item.inside_of is not None for item in found)
    for item, inside in found.items():
        for i, sent in enumerate(item.sent):
            if sent is None:
                continue
            target = item.inputs[i].item
            parts = [
                s.gradient.astype(float)
                for inner in inside.items
                for s in inner.sent
                if s is not None and s.target is target
            ]
            whole = sum(s.gradient.astype(float) for s in item.sent if s is not None and s.target is target)
            np.testing.assert_allclose(sum(parts), whole, rtol=1e-4, atol=1e-6, err_msg=item.op)


def test_every_documented_gradient_is_read():
    """Of every operation whose docstring says what dx is, the page has a formula."""

    def below(cls):
        for sub in cls.__subclasses__():
            yield sub
            yield from below(sub)

    classes = [cls for cls in below(Operation) if ".ops." in cls.__module__ and "out = " in (cls.__doc__ or "")]
    assert len(classes) > 150
    for cls in classes:
        rule = rules.rule(cls)
        assert rule.out.startswith("out"), cls
        if " dx = " in cls.__doc__ or "\ndx = " in cls.__doc__:
            assert rule.d, cls


@pytest.mark.parametrize(
    ("f", "out", "d"),
    [
        (lambda a, b: a * b, "out = a · b", ["da = grad · b", "db = grad · a"]),
        (lambda a, b: a - b, "out = a - b", ["da = grad", "db = -grad"]),
        (lambda a, b: a @ b, "out = a @ b, the last two dimensions as matrices, the others broadcast", ["da = grad @ bᵀ", "db = aᵀ @ grad"]),
        (lambda a, b: F.linear(a, b), "out = x @ Wᵀ + b", ["dx = grad @ W", "dW = gradᵀ @ x", "db = Σ grad"]),
        (lambda a, b: (a + b).tanh(), "out = tanh x", ["dx = grad · (1 - out²)"]),
    ],
)  # fmt: skip
def test_rules_in_symbols(f, out, d):
    a, b = torch.ones(2, 2, requires_grad=True), torch.ones(2, 2, requires_grad=True)
    node = f(a, b).grad_fn
    names = rules.input_names(type(node), len(node.next_functions))
    assert rules.rule(type(node)).out == out
    assert rules.formulas(type(node), [(name, True) for name in names]) == d


def test_the_naive_walk_gives_6_for_4():
    loss, _ = doublings()
    graph = walked(loss)
    runs = naive.walk(graph, np.ones((), np.float32))
    assert [run.total.item() for run in runs if run.item.is_leaf][-1] == 6
    assert graph.items[0].grad.item() == 4


def test_a_naive_walk_without_end_is_not_made():
    x = torch.ones((), requires_grad=True)
    y = x
    for _ in range(40):
        y = y + y
    graph = walked(y)
    assert naive.walk(graph, np.ones((), np.float32)) is None
    assert graph.items[0].grad.item() == 2**40


def test_a_nudge_is_the_forward_pass_again():
    torch.manual_seed(0)
    w, x = torch.randn(3, dtype=torch.float64, requires_grad=True), torch.randn(3, dtype=torch.float64)
    with viz.recording():
        loss = (w * x).tanh().sum()
    graph = walked(loss)
    ((leaf, table),) = nudge.losses(graph).items()
    for k, row in enumerate(table["steps"]):
        for moved, value in row:
            v = w.detach().clone()
            v[k] = moved
            assert value == (v * x).tanh().sum().item()
        (x0, y0), (x1, y1) = row[6], row[7]
        assert (y1 - y0) / (x1 - x0) == pytest.approx(leaf.grad[k], rel=0.05)


def test_no_nudge_where_the_pass_is_not_known():
    assert nudge.losses(walked(broadcasting()[0])) == {}


# -- troubles, and what is no graph


def troubles(loss, **names):
    graph = walked(loss, names)
    return {item.title: item.trouble for item in graph.items if item.trouble}, graph.notes


def test_nan_is_marked_where_it_first_shows():
    x = torch.tensor([-1.0, 4.0], requires_grad=True)
    with viz.recording():
        y = x.log()
        loss = (y * 2).sum()
    found, _ = troubles(loss, y=y)
    assert found["y"] == ["nan first shows here, in the value"]
    assert list(found) == ["y"]


def test_infinity_in_the_gradient():
    x = torch.tensor([0.0, 4.0], requires_grad=True)
    found, _ = troubles((x.sqrt() * 1.0).sum(), x=x)
    assert found == {"x": ["inf first shows here, in the gradient"]}


def test_vanished_and_exploded():
    x = torch.tensor([1.0], requires_grad=True)
    a = x * 1e-7
    found, _ = troubles((a + 0).sum(), x=x)
    assert "vanished" in found["x"][0]
    found, _ = troubles((x * 1e8 * 1.0).sum(), x=x)
    assert "exploded" in found["x"][0]
    torch.manual_seed(0)
    layers = nn.Sequential(nn.Linear(4, 3), nn.BatchNorm1d(3))
    found, _ = troubles(layers(torch.randn(8, 4)).pow(3).sum())
    assert "0 up to rounding" in found["0.bias"][0]  # the normalization takes any shift away
    found, _ = troubles((x * 2.0).sum(), x=x)
    assert found == {}


def test_a_cut_by_detach_and_a_parameter_without_gradient():
    model = nn.Sequential(nn.Linear(2, 2), nn.Linear(2, 1))
    with viz.recording():
        h = model[0](torch.ones(1, 2)).detach()
        loss = model[1](h).sum()
    found, notes = troubles(loss, model=model, h=h)
    assert found["h"] == ["detach() cut this off its graph: no gradient goes beyond it"]
    assert any("0.weight, 0.bias" in note for note in notes)


def test_a_freed_graph_says_what_to_do_and_shows_what_is_there():
    loss, _ = network()
    loss.backward()
    text = viz.text(loss)
    assert "retain_graph=True" in text
    assert "Linear" in text


def test_a_tensor_without_a_graph():
    x = torch.ones(2)
    for made in (viz.text(x), viz.svg(x), viz.dot(x), to_json(record(walked(x), title=""))):
        assert "no graph" in made
    leaf = torch.ones(2, requires_grad=True)
    assert [item.kind for item in walked(leaf).items] == ["leaf"]


def test_what_is_no_tensor_is_refused():
    for given in (3, "loss", nn.Linear, nn.Linear(1, 1), [torch.ones(1)]):
        with pytest.raises(TypeError, match="viz wants a tensor"):
            viz.text(given)
    with pytest.raises(TypeError, match="must return the tensor"):
        viz.text(lambda: None)
    with pytest.raises(RuntimeError, match="gradient has shape"):
        viz.page(torch.ones(2, requires_grad=True) * 2, gradient=torch.ones(3))


def test_many_nodes_are_put_into_runs():
    x = torch.ones(2, requires_grad=True)
    y = x
    for _ in range(1000):
        y = y * 1.001
    graph = walked(y.sum())
    parts = {}
    for thing in (*graph.items, *graph.boxes):
        around = thing.box if hasattr(thing, "box") else thing.outer
        parts[around] = parts.get(around, 0) + 1
    assert max(parts.values()) <= 121
    assert "nodes in all" in viz.text(y.sum())
    assert "too many for a drawing" in viz.svg(y.sum())


def test_a_recording_keeps_no_more_than_the_graphs_that_live():
    w = torch.ones(3, requires_grad=True)
    with viz.recording():
        for _ in range(50):
            loss = (w * torch.ones(3)).square().sum()
        assert len(_recorder.copies) < 20
    assert len(walked(loss).items) == 5


def test_what_is_given_beside_the_tensor_is_looked_at():
    loss = torch.ones(2, requires_grad=True).sum()
    with pytest.raises(TypeError, match="names: a dict"):
        viz.text(loss, names=[loss])
    with pytest.raises(TypeError, match="words: a list"):
        viz.page(loss, words="three words")


def test_a_functions_variables_give_their_names():
    scale = torch.tensor(2.0, requires_grad=True)

    def squared():
        u = scale * 3
        return u * u

    assert {item.name for item in walked(squared).items} == {"scale", "u", "squared"}
    assert walked(lambda: scale * 3).top.name == ""


# -- what is made of it


def test_text():
    a = torch.tensor(1.0, requires_grad=True)
    b = a + a
    c = b + b
    assert viz.text(c, names=locals()).splitlines() == [
        "operation   name  shape  value    gradient",
        "1 Add       c     one    4        1",
        "├ 2 Add     b     one    2        2",
        "│ ├ 3 leaf  a     one    1        4",
        "│ └ 3 leaf  a            (above)",
        "└ 2 Add     b            (above)",
    ]


HOSTILE = ["<script>alert(1)</script>", '"><img src=x onerror=alert(1)>', "]]></svg>", "a\nb\\n", "{{data}}", "'); //"]


def hostile():
    class Net(nn.Module):
        def forward(self, x):
            for part in self.children():
                x = part(x)
            return x

    model = Net()
    for name in HOSTILE:
        model.add_module(name.replace(".", ""), nn.Linear(2, 2))
    x = torch.ones(1, 2)
    with viz.recording():
        loss = model(x).sum()
    return loss, {"model": model, HOSTILE[0]: x, HOSTILE[1]: loss}


def test_hostile_names_are_text(tmp_path):
    loss, names = hostile()
    root = ElementTree.fromstring(viz.svg(loss, names=names))
    assert not [element for element in root.iter() if element.tag.endswith(("script", "img"))]
    assert "<script>alert" not in viz.svg(loss, names=names)
    text = viz.page(loss, tmp_path / "page.html", names=names, title=HOSTILE[1], words=HOSTILE).read_text(
        encoding="utf-8"
    )
    assert "<script>alert" not in text
    assert "<img src=x" not in text
    assert viz.text(loss, names=names).count("\n") == viz.text(loss, names={"model": names["model"]}).count("\n")
    for line in viz.dot(loss, names=names).splitlines():
        inside = line.replace("\\\\", "").replace('\\"', "")
        assert inside.count('"') % 2 == 0, line


def test_the_drawing_has_every_node_and_no_two_in_one_place():
    torch.manual_seed(0)
    loss, _ = encoder()
    graph = walked(loss)
    root = ElementTree.fromstring(viz.svg(loss))
    space = "{http://www.w3.org/2000/svg}"
    boxes = [tuple(float(r.get(k)) for k in ("x", "y", "width", "height")) for r in root.iter(space + "rect")]
    assert len(boxes) == len(graph.items)
    for i, (x, y, w, h) in enumerate(boxes):
        assert all(x + w <= X or x >= X + W or y + h <= Y or y >= Y + H for X, Y, W, H in boxes[i + 1 :])
    assert viz.svg(loss)._repr_svg_().startswith("<svg")


def test_every_edge_of_a_layout_goes_down():
    rng = np.random.default_rng(0)
    for n in (1, 2, 10, 60):
        edges = [(int(a), int(b)) for a, b in rng.integers(0, n, (2 * n, 2)) if a < b]
        places = layout.place(n, edges)
        assert all(places[a][1] < places[b][1] for a, b in edges)
        for row in {layer for _, layer in places}:
            columns = sorted(column for column, layer in places if layer == row)
            assert all(b - a > 0.999 for a, b in itertools.pairwise(columns))


def test_a_wheel_carries_the_pages():
    """Every page, style and script that lies in a package."""
    root = Path(__file__).parent.parent
    settings = tomllib.loads((root / "pyproject.toml").read_text(encoding="utf-8"))
    carried = set()
    for package, patterns in settings["tool"]["setuptools"]["package-data"].items():
        folder = root.joinpath(*package.split("."))
        carried |= {path for pattern in patterns for path in folder.glob(pattern)}
    for top in ("minigrad", "parity", "curriculum"):
        assets = {path for path in (root / top).rglob("*") if path.suffix in (".html", ".css", ".js")}
        assert assets <= carried
    assert {path for path in PAGE.rglob("*") if path.is_file()} <= carried
    for library in PAGE.glob("vendor/*.js"):
        assert library.with_name(library.name.partition(".")[0] + ".LICENSE.txt").is_file()


def test_the_command(tmp_path, capsys):
    main(["-o", str(tmp_path / "example.html")])
    assert (tmp_path / "example.html").stat().st_size < 2e6
    program = tmp_path / "mine.py"
    program.write_text("import minigrad as torch\nw = torch.ones(2, requires_grad=True)\ncost = (w * 3).sum()\n")
    main([str(program), "--name", "cost", "--text"])
    assert "cost" in capsys.readouterr().out
    for arguments, words in (([str(program)], "it has w, cost"), ([str(tmp_path / "none.py")], "there is no file")):
        with pytest.raises(SystemExit):
            main(arguments)
        assert words in capsys.readouterr().err


def test_a_drawing_cuts_no_number():
    """Every number that stands in a node is one of the value's (or the gradient's), from the first digit to the last."""
    for values in (
        [-1.23456e-05, 0.123456],
        [-1.23456e-05, -1.23456e20, 3.33333, 1e-9, 7.0],
        np.linspace(-1.2345e-5, -1.2344e-5, 9),
    ):
        x = torch.tensor(np.asarray(values), requires_grad=True)
        y = (x * 1.2345e-7).sum()
        drawn = viz.svg(y)
        shown = re.findall(r">(?:value|grad) ([^<]+)</text>", drawn)
        full = set(re.findall(r"[^ \[\],;]+", " ".join(re.findall(r"<title>([^<]+)</title>", drawn))))
        assert len(shown) >= 4
        for text in shown:
            assert len(text) <= 31
            assert set(re.findall(r"[^ \[\],]+", text)) - {"…"} <= full, text


PROGRAMS = {
    "import minigrad\nx = minigrad.ones(2)\nx + minigrad.ones(3)\n": "program.py, line 3: RuntimeError: The size of tensor a",
    "def (\n": "program.py, line 1: SyntaxError",
    "import sys\nsys.exit(0)\n": "program.py ended itself",
    "\0": "program.py: SyntaxError",
    "x = 1\n": "has no tensor 'loss' when it ends",
    "import torch\nloss = torch.ones(2)\n": "'loss' is a torch.Tensor of PyTorch",
}


@pytest.mark.parametrize("source", PROGRAMS)
def test_what_is_no_program_with_a_loss_ends_with_a_line(source, tmp_path, monkeypatch, capsys):

    monkeypatch.chdir(tmp_path)
    Path("program.py").write_text(source, encoding="utf-8")
    with pytest.raises(SystemExit) as ended:
        main(["program.py"])
    said = capsys.readouterr().err
    assert ended.value.code == 2
    assert PROGRAMS[source] in said
    assert "Traceback" not in said
    assert not Path("backward.html").exists()


def test_what_cannot_be_written_is_refused_before_the_program_runs(tmp_path, monkeypatch, capsys):
    from minigrad.files import NotWritten

    monkeypatch.chdir(tmp_path)
    Path("program.py").write_text("open('ran', 'w').close()\n", encoding="utf-8")
    for given, line in (
        (["-o", "no/x.html"], "there is no folder"),
        (["-o", "."], "is a folder"),
        (["--text", "-o", "x"], "--output means nothing"),
    ):
        with pytest.raises(SystemExit) as ended:
            main(["program.py", *given])
        assert ended.value.code == 2
        assert line in capsys.readouterr().err
    assert not Path("ran").exists()
    with pytest.raises(NotWritten, match="there is no folder"):
        viz.page(lambda: Path("ran").touch(), "no/x.html")
    assert not Path("ran").exists()
