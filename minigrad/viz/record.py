"""One run forward and backward as plain data: what the page draws, and nothing that it would have to compute."""

from __future__ import annotations

import itertools
import json
import math
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from .. import quiet
from ..autograd.fit import fit
from ..autograd.modes import no_grad
from ..autograd.variable import Array
from ..counted import counted
from . import backward, naive, nudge, rules, trouble
from .definition import opened
from .reading import Graph, Item, Sent, read, run_recorded
from .tensors import Pool

VERSION = 1  # of the format
ROOM = 1_000_000  # bytes for tensors that are written whole
MANY = 1500  # nodes above which a page keeps ranges only
OPENED = 120  # fused nodes that are opened
NAIVE, SMALL = 80, 100_000  # nodes, and elements, up to which wrong orders are shown


def walked(what: Any, names: Mapping[str, Any] | None = None, gradient: Any = None) -> Graph:
    """The graph of a tensor (or of what a function returns) with its backward pass and its troubles."""
    if names is not None and not isinstance(names, Mapping):
        raise TypeError(
            f"names: a dict from names to tensors and modules, such as locals(), not {type(names).__name__}"
        )
    root, own = run_recorded(what)
    given = dict(names or {})
    graph = read(root, given | {name: value for name, value in own.items() if name not in given})
    begin = backward.start(root, gradient)
    if root.array.size != 1 and gradient is None and graph.by_node:
        graph.notes.append(
            f"The tensor has {counted(root.array.size, 'element')}; its gradient is taken as 1 for each, as of their sum."
        )
    backward.walk(graph, begin)
    trouble.mark(graph)
    return graph


def record(
    graph: Graph,
    *,
    title: str,
    words: Sequence[str] | None = None,
    gradient: Any = None,
    beside: Any = None,
    room: int = ROOM,
) -> dict[str, Any]:
    """The data of a page. beside: by item what another engine has, as `parity.page` gives it. room: as in `viz.page`."""
    if isinstance(words, str):
        raise TypeError("words: a list with one text for each place, not one text")
    many = len(graph.items) > MANY
    if many:
        graph.notes.append(
            f"{len(graph.items)} nodes are too many to draw with all their numbers: ranges are kept, modules are closed, and "
            "fused nodes stay closed."
        )
    else:
        closed = [item for item in graph.items if item.kind == "op"]
        for item in itertools.islice(closed, OPENED):  # ... to which are added those that come to light
            inside = opened(item)
            if inside is not None and len(inside.items) > 1:
                graph.definitions[item] = inside
                closed += [inner for inner in inside.items if inner.kind == "op"]
    items = list(graph.items)
    for inside in graph.definitions.values():
        items += inside.items
    for i, item in enumerate(items):
        item.id = i
    pool = Pool(_budget(items, room), many)
    sent: list[Sent] = []
    for item in items:
        for one in item.sent:
            if one is not None:
                one.id, one.inside_of = len(sent), item.inside_of
                sent.append(one)
    data: dict[str, Any] = {
        "format": VERSION,
        "made_by": "minigrad",
        "title": title,
        "notes": graph.notes,
        "nodes": [_node(graph, item, pool) for item in items],
        "sent": [_sent(one, pool) for one in sent],
        "forward": [item.id for item in graph.items],
        "backward": [item.id for item in graph.order],
        "inside": {
            item.id: {
                "forward": [i.id for i in inside.items],
                "backward": [i.id for i in inside.order],
                "root": inside.order[0].id if inside.order else inside.items[-1].id,
            }
            for item, inside in graph.definitions.items()
        },
        "boxes": [
            {"name": b.name, "type": b.type, "number": b.number, "outer": None if b.outer is None else b.outer.id}
            for b in graph.boxes
        ],
        "root": graph.top.id,
        "words": None if words is None else [str(w) for w in words],
    }
    begin = backward.start(graph.root, gradient)
    if graph.by_node and len(graph.items) <= NAIVE and sum(math.prod(item.shapes[0]) for item in graph.items) <= SMALL:
        runs = naive.walk(graph, begin)
        if runs is not None:
            data["naive"] = [
                {
                    "node": r.item.id,
                    "from": None if r.source is None else r.source.id,
                    "input": r.input,
                    "arrived": pool.put(r.arrived),
                    "total": pool.put(r.total),
                    "sent": [pool.put(s) for s in r.sent],
                }
                for r in runs
            ]
        data["nudge"] = {leaf.id: table for leaf, table in nudge.losses(graph).items()}
        data["parts"] = _parts(graph, pool)
    if beside is not None:
        data["beside"] = beside(graph, pool)
    data["tensors"] = pool.made
    return data


def _budget(items: Sequence[Item], room: int) -> int:
    """Up to how many elements a tensor is written whole, so that all of them together stay within this many bytes."""
    sizes = [math.prod(item.shapes[0]) for item in items]
    for mid in (6000, 3000, 1024, 300):
        if sum(n for n in sizes if n <= mid) * 2 * 16 / 3 < room:  # a value and a gradient each, in base 64
            return mid
    return 256


def _node(graph: Graph, item: Item, pool: Pool) -> dict[str, Any]:
    told: dict[str, Any] = {
        "id": item.id,
        "kind": item.kind,
        "op": item.op,
        "name": item.name,
        "box": None if item.box is None else item.box.id,
        "shape": [list(s) for s in item.shapes],
        "type": item.dtypes[0],
        "value": [pool.put(v) for v in item.values],
        "grad": [pool.put(g) for g in item.grads] or [None],
        "sent": [None if s is None else s.id for s in item.sent],
    }
    if item.inside_of is not None:
        told["of"] = item.inside_of.id
    if item.inputs:
        told["inputs"] = [
            {"name": p.name, "node": None if p.item is None else p.item.id, "out": p.output_nr, "said": p.said}
            for p in item.inputs
        ]
    if item.module:
        told["module"] = item.module
    if item.line:
        told["line"] = item.line
    if item.trouble:
        told["trouble"] = item.trouble
    if item.is_leaf:
        told["before"], told["after"] = pool.put(item.before), pool.put(item.after)
    if item.kind == "op" and item.node is not None:
        cls: Any = type(item.node)
        rule = rules.rule(cls)
        told["rule"] = {"out": rule.out, "text": rule.text}
        told["rule"]["d"] = rules.formulas(cls, [(p.name, p.wants) for p in item.inputs])
        letters = rules.letters(item)
        if letters is not None:
            told["letters"] = letters
        window = _window(item)
        if window is not None:
            told["window"] = window
    return told


def _window(item: Item) -> dict[str, Any] | None:
    """Of a convolution or a pool of pictures: where its windows lie."""
    shape = None if not item.inputs or item.inputs[0].item is None else item.inputs[0].item.shapes[0]
    setting = getattr(item.node, "setting", None)
    if shape is None or len(shape) != 4 or not isinstance(setting, tuple):
        return None
    if item.op == "Convolution" and len(setting) == 4:
        stride, pads, dilation, groups = setting
        return {
            "stride": _ints(stride),
            "pad": [int(p[0]) for p in pads],
            "dilation": _ints(dilation),
            "groups": int(groups),
        }
    if item.op in ("MaxPool", "AvgPool") and len(setting) == 6:
        if item.op == "MaxPool":
            _, kernel, stride, dilation, pads, _ = setting
        else:
            (_, kernel, stride, pads, _, _), dilation = setting, (1, 1)
        return {
            "stride": _ints(stride),
            "pad": [int(p[0]) for p in pads],
            "dilation": _ints(dilation),
            "kernel": _ints(kernel),
        }
    return None


def _ints(values: Any) -> list[int]:
    return [int(v) for v in values]


def _sent(one: Sent, pool: Pool) -> dict[str, Any]:
    told: dict[str, Any] = {
        "from": one.source.id,
        "input": one.input,
        "to": one.target.id,
        "out": one.output_nr,
        "grad": pool.put(one.gradient),
    }
    if one.raw is not None:
        told["raw"] = pool.put(one.raw)
    if one.inside_of is not None:
        told["of"] = one.inside_of.id
    return told


def _parts(graph: Graph, pool: Pool) -> dict[int, dict[int, list[int | None]]]:
    """By node where several gradients meet, and by each of them: what it alone would make the node send.

    `backward` is linear in the gradient, so what too early a run would send is the sum of some of these.
    """
    found: dict[int, dict[int, list[int | None]]] = {}
    for item in graph.items:
        if item.kind != "op" or len(item.arrivals) < 2 or len(item.shapes) > 1 or not item.ran or item.node is None:
            continue
        found[item.id] = {a.id: [pool.put(g) for g in _alone(item, a.gradient)] for a in item.arrivals}
    return found


def _alone(item: Item, gradient: Array) -> list[Array | None]:
    from_it = _run(item, gradient)
    return [None if s is None else from_it[i] for i, s in enumerate(item.sent)]


def _run(item: Item, gradient: Array) -> list[Array | None]:
    node: Any = item.node
    with no_grad():
        results = quiet.quiet(backward.run)(node, [gradient])
        return [
            None if to is None or g is None else np.asarray(fit(g, to, node, i))
            for i, (to, g) in enumerate(zip(node._edges, results, strict=False))
        ]


def to_json(data: dict[str, Any]) -> str:
    """As text. JSON has no nan and no infinity: they are written as "nan", "inf" and "-inf"."""
    try:
        return json.dumps(data, separators=(",", ":"), allow_nan=False, ensure_ascii=False)
    except ValueError:
        return json.dumps(_told(data), separators=(",", ":"), allow_nan=False, ensure_ascii=False)


def _told(x: Any) -> Any:
    if isinstance(x, dict):
        return {key: _told(value) for key, value in x.items()}
    if isinstance(x, list | tuple):
        return [_told(value) for value in x]
    return str(x) if isinstance(x, float) and not math.isfinite(x) else x
