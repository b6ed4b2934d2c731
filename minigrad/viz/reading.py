"""A graph as it is drawn: items for nodes, leaves and constants, with names, values and the modules they belong to.

The values of a graph that was not recorded are found as far as they can be: from what nodes saved, from leaves and the program's
variables, and by running a step again whose inputs are all known. What cannot be found stays None, and `notes` says so.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from .. import quiet
from ..autograd.function import Function
from ..autograd.fused import Fused
from ..autograd.graph import AccumulateGrad, gradient_edge
from ..autograd.modes import no_grad
from ..autograd.node import Node
from ..autograd.variable import Array, Edge, Variable
from ..counted import counted
from ..foreign import said
from ..nn.module import Module
from . import rules
from .names import Names
from .recording import Call, Kept, kept, recording, with_variables

NO_GRAPH = (
    "this tensor has no graph: nothing that it was computed from requires grad, or it was computed under no_grad, or "
    "detach() cut it off"
)
GROUPED_FROM, GROUP = (
    400,
    60,
)  # items of a graph from which a box of many parts gets boxes inside; how many parts one has


@dataclass(eq=False)
class Box:
    """A module: a box around the nodes that one call of it made. Or a run of nodes, where one box would hold too many."""

    name: str
    type: str
    outer: Box | None
    number: int = 1  # which call
    id: int = -1


@dataclass
class Input:
    """One input of a node: the item that made it, or a Python value."""

    name: str  # as `forward` calls it
    item: Item | None = None
    output_nr: int = 0
    wants: bool = False  # whether a gradient goes there
    said: str = ""  # of a Python value


@dataclass(eq=False)
class Item:
    """What is drawn as one node."""

    kind: str  # "op", "leaf" or "constant"
    op: str  # Mul, Linear, ...; of others what they are
    node: Node | None
    shapes: list[tuple[int, ...]]  # by output
    dtypes: list[str]
    values: list[Array | None]
    name: str = ""
    module: str = ""  # of a step that is all of a module: how that is called, such as "1" or "act (call 2)"
    inputs: list[Input] = field(default_factory=list)
    box: Box | None = None
    line: str = ""
    inside_of: Item | None = None  # of a step of a definition: the fused node
    id: int = -1
    cut: str = ""  # of a constant: what cut it off
    # Of the backward pass (see backward.py):
    grads: list[Array | None] = field(default_factory=list)
    arrivals: list[Sent] = field(default_factory=list)  # in their order
    sent: list[Sent | None] = field(default_factory=list)  # by input
    before: Array | None = None  # of a leaf: its .grad
    after: Array | None = None
    trouble: list[str] = field(default_factory=list)
    ran: bool = False

    @property
    def is_leaf(self) -> bool:
        return self.kind == "leaf"

    @property
    def title(self) -> str:
        return self.name or self.op

    @property
    def grad(self) -> Array | None:
        return next((g for g in self.grads if g is not None), None)

    @property
    def value(self) -> Array | None:
        return next((v for v in self.values if v is not None), None)


@dataclass(eq=False)
class Sent:
    """A gradient on its way from the node that ran to the item that made its input."""

    source: Item
    input: int
    target: Item
    output_nr: int
    gradient: Array
    raw: Array | None = None  # as `backward` gave it, where it was summed down to the input's shape
    inside_of: Item | None = None
    id: int = -1


@dataclass(eq=False)
class Graph:
    """Everything behind one tensor. `items` stand in the order of the forward pass."""

    root: Any
    items: list[Item] = field(default_factory=list)
    boxes: list[Box] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    by_node: dict[Node, Item] = field(default_factory=dict)
    names: Names | None = None
    order: list[Item] = field(default_factory=list)  # in which the backward pass ran them
    definitions: dict[Item, Graph] = field(default_factory=dict)

    @property
    def top(self) -> Item:
        return self.items[-1] if not self.by_node else self.by_node[root_edge(self.root)[0]]  # type: ignore[index]


def root_edge(root: Any) -> Edge | None:
    return gradient_edge(root)


def run_recorded(what: Any) -> tuple[Variable, dict[str, Any]]:
    """The tensor whose graph is meant: itself, or what the function returns, run with everything kept; and the function's variables."""
    if isinstance(what, Variable):
        return what, {}
    if not callable(what) or isinstance(what, type | Module):
        raise TypeError(f"viz wants a tensor that was computed, or a function that computes one, not {said(what)}")
    with recording():
        out, names = with_variables(what)
    if not isinstance(out, Variable):
        raise TypeError(f"the function must return the tensor whose graph is meant; it returned {said(out)}")
    return out, names


def read(root: Variable, variables: Mapping[str, Any] | None = None, named: bool = True) -> Graph:
    """The graph behind a tensor; of one without a graph the tensor alone, and a note. named: with names of modules."""
    graph = Graph(root)
    edge = root_edge(root)
    if edge is None:
        graph.notes.append(NO_GRAPH)
        item = Item("constant", "tensor", None, [root.array.shape], [str(root.array.dtype)], [root.array], id=0)
        graph.items, graph.names = [item], Names([], variables)
        item.name = graph.names.tensors.get(id(root.array), "")
        return graph
    nodes = _nodes(edge[0])
    graph.names = names = Names([n.variable for n in nodes if n.variable is not None and named], variables)
    for node in nodes:
        graph.by_node[node] = _item(node, names)
    _find_values(graph, nodes, edge)
    _link(graph, nodes)
    _put_in_boxes(graph, nodes)
    for name, tensor in names.named:
        made_by = tensor._edge
        if made_by is not None and made_by[0] in graph.by_node and not graph.by_node[made_by[0]].name:
            graph.by_node[made_by[0]].name = name
    if len(graph.items) > GROUPED_FROM:
        _group_runs(graph)
    for i, item in enumerate(graph.items):
        item.id = i
    unknown = sum(item.kind == "op" and item.value is None for item in graph.items)
    if unknown:
        graph.notes.append(
            f"The values of {unknown} of {counted(sum(item.kind == 'op' for item in graph.items), 'step')} were not kept: the engine keeps "
            "what its backward pass needs. Compute inside `with viz.recording():` and all are shown."
        )
    return graph


def _nodes(top: Node) -> list[Node]:
    """Every node that the root depends on, oldest first."""
    seen, stack = {top}, [top]
    while stack:
        for edge in stack.pop()._edges:
            if edge is not None and edge[0] not in seen:
                seen.add(edge[0])
                stack.append(edge[0])
    return sorted(seen, key=lambda node: node.sequence_nr)


def _item(node: Node, names: Names) -> Item:
    if node.variable is not None:
        leaf: Any = node.variable
        item = Item(
            "leaf",
            "parameter" if id(leaf) in names.owners else "leaf",
            node,
            [leaf.array.shape],
            [str(leaf.array.dtype)],
            [leaf.array],
        )
        item.name = names.of_leaf(leaf)
        return item
    metas = node._outputs if node._outputs is not None else ((node._out_shape, node._out_dtype),)
    shapes = [tuple(shape) for shape, _ in metas]
    return Item("op", op_name(node), node, shapes, [str(dtype) for _, dtype in metas], [None] * len(shapes))


def op_name(node: Node) -> str:
    """Mul, Linear, ...: what its class is called in the source."""
    qualified = type(node).__qualname__.rpartition(".")[2]
    return re.sub(r"Backward0?$", "", qualified) or qualified


# -- values


def _find_values(graph: Graph, nodes: Sequence[Node], root: Edge) -> None:
    """Fill `values` of the items, from the surest source to the last resort."""
    items = graph.by_node

    def know(edge: Edge | None, value: Any) -> None:
        item = None if edge is None else items.get(edge[0])
        if item is None or edge is None or not isinstance(value, Array) or item.is_leaf:
            return
        if item.values[edge[1]] is None and value.shape == item.shapes[edge[1]]:
            item.values[edge[1]] = value

    for node in nodes:
        found = kept(node)
        if found is not None:
            for i, out in enumerate(found.outputs):
                if node._outputs is None or i < len(node._outputs):
                    know((node, i), out)
    know(root, graph.root.array)
    assert graph.names is not None
    for _, tensor in graph.names.named:
        know(tensor._edge, tensor.array)
    for node in nodes:
        for edge, value in _saved_values(node):
            know(edge, value)
    with no_grad():
        for node in nodes:
            item = items[node]
            if item.kind == "op" and item.value is None:
                know((node, 0), again(node, _known_inputs(node, items)))


def _saved_values(node: Node) -> list[tuple[Edge | None, Any]]:
    """What a node saved and has not been overwritten since: where it was made, and the value."""
    saved, n = node._saved or (), len(node._edges)
    found: list[tuple[Edge | None, Any]] = []
    if isinstance(node, Function):
        return found
    try:
        node.check_not_overwritten(saved)
        for value in saved:
            if isinstance(value, Array) and id(value) in node._ids:
                place = list(node._ids).index(id(value))
                found.append(((node, 0) if place >= n else node._edges[place], value))
        for x in getattr(node, "inputs", None) or ():
            if isinstance(x, Variable):
                node.check_not_overwritten([x.array])
                found.append((x._edge, x.array))
    except RuntimeError:
        pass
    return found


def _known_inputs(node: Node, items: Mapping[Node, Item]) -> list[Any] | None:
    """The inputs of a node if all are known: kept, or tensors of the graph, or saved."""
    found = kept(node)
    inputs: list[Any] = []
    given = getattr(node, "inputs", None)
    for i, edge in enumerate(node._edges):
        if found is not None:
            inputs.append(found.inputs[i])
        elif edge is not None:
            value = items[edge[0]].values[edge[1]]
            if value is None:
                return None
            inputs.append(value)
        elif given is not None:
            inputs.append(given[i].array if isinstance(given[i], Variable) else given[i])
        else:
            constant = next((v for v in node._saved or () if isinstance(v, Array) and id(v) == node._ids[i]), None)
            if constant is None:
                return None
            inputs.append(constant)
    return inputs


@quiet.quiet
def again(node: Node, inputs: list[Any] | None) -> Array | None:
    """The output of a step, run once more on these inputs; None where that cannot be."""
    if inputs is None or isinstance(node, Function | AccumulateGrad) or not node._edges:
        return None
    cls: Any = type(node)
    try:
        ctx = cls()
        ctx.needs_input_grad = node.needs_input_grad
        out = np.asarray(cls.forward(ctx, *inputs))
    except Exception:  # a node that was linked by hand (a write into a view): its forward was never meant to run so
        return None
    return out if out.shape == node._out_shape and out.dtype == node._out_dtype else None


# -- inputs


def _link(graph: Graph, nodes: Sequence[Node]) -> None:
    """Fill `inputs`, with items of their own for constants that were kept."""
    assert graph.names is not None
    constants: dict[int, Item] = {}
    for node in nodes:
        item = graph.by_node[node]
        found, given = kept(node), getattr(node, "inputs", None)
        item.line = found.line if found is not None else ""
        cls: Any = type(node)
        names = rules.input_names(cls, len(node._edges))
        for i, edge in enumerate(node._edges):
            part = Input(names[i])
            if edge is not None:
                part.item, part.output_nr, part.wants = graph.by_node[edge[0]], edge[1], True
                if part.item.is_leaf and found is not None and isinstance(found.inputs[i], Array):
                    part.item.values[0] = found.inputs[i]  # as it was then: an optimizer may have moved it since
            else:
                value, is_tensor, cut = _constant(found, given, i)
                if is_tensor or (isinstance(value, Array) and value.ndim):
                    constant = constants.get(id(value))
                    if constant is None:
                        constant = constants[id(value)] = Item(
                            "constant", _role(names[i]), None, [value.shape], [str(value.dtype)], [value]
                        )
                        constant.name = graph.names.tensors.get(_original(given, i, value), "") or _same(
                            graph.names, value
                        )
                        graph.items.append(constant)
                    if cut:
                        constant.cut = "detach() cut this off its graph: no gradient goes beyond it"
                    part.item = constant
                elif value is not _UNKNOWN:
                    part.said = _said(value)
            item.inputs.append(part)
        graph.items.append(item)


def _role(name: str) -> str:
    """What a constant without a name of its own is called: mask, target, indices; x and the like say nothing."""
    return "input" if len(name) < 3 or "[" in name else name


_UNKNOWN: Any = object()


def _constant(found: Kept | None, given: Any, i: int) -> tuple[Any, bool, bool]:
    """An input that wants no gradient: what it is, whether a tensor, and whether `detach` made it."""
    if found is not None and i < len(found.inputs):
        return found.inputs[i], found.tensors[i], found.cut[i]
    if given is not None:
        x = given[i]
        return (x.array, True, x._of_a_graph) if isinstance(x, Variable) else (x, False, False)
    return _UNKNOWN, False, False


def _original(given: Any, i: int, value: Array) -> int:
    return id(given[i].array) if given is not None and isinstance(given[i], Variable) else id(value)


def _same(names: Names, value: Array) -> str:
    """The variable that holds these values: a kept copy is known by what it holds."""
    for name, tensor in names.named:
        x = tensor.array
        if (
            x.shape == value.shape
            and x.dtype == value.dtype
            and np.array_equal(x, value, equal_nan=x.dtype.kind == "f")
        ):
            return name
    return ""


def _said(value: Any) -> str:
    if isinstance(value, Array):
        value = value.item() if value.size == 1 else f"array {value.shape}"
    text = value.__name__ if callable(value) and hasattr(value, "__name__") else str(value)
    return text if len(text) <= 60 else text[:57] + "..."


# -- modules as boxes


def _put_in_boxes(graph: Graph, nodes: Sequence[Node]) -> None:
    boxes: dict[Any, Box] = {}
    assert graph.names is not None
    names = graph.names
    own = {id(module): name for name, module in names.roots}

    def box_of(call: Call) -> Box:
        key = (id(call.module), call.path, call.number)
        if key not in boxes:
            outer = None if call.outer is None else box_of(call.outer)
            name = call.path or own.get(id(call.module), "")
            boxes[key] = Box(name, type(call.module).__name__, outer, call.number)
        return boxes[key]

    def box_of_owner(root: Module, path: str) -> Box | None:
        key = (id(root), path)
        if key not in boxes:
            outer = None if not path else box_of_owner(root, path.rpartition(".")[0])
            boxes[key] = Box(path or own.get(id(root), ""), type(names.at[id(root), path]).__name__, outer)
        return boxes[key]

    recorded = any(kept(node) is not None for node in nodes)
    for node in nodes:
        item, found = graph.by_node[node], kept(node)
        if found is not None:
            item.box = box_of(found.call) if found.call is not None else None
        elif not recorded and not item.is_leaf:  # where nothing was recorded a step belongs to whose parameters it uses
            for edge in node._edges:
                leaf: Any = edge[0].variable if edge is not None else None
                if leaf is not None and id(leaf) in names.owners:
                    item.box = box_of_owner(*names.owners[id(leaf)])
    users: dict[Item, list[Box | None]] = {}
    for item in graph.items:
        for part in item.inputs:
            if part.item is not None and part.item.kind != "op":
                users.setdefault(part.item, []).append(item.box)
    for item, around in users.items():  # leaves and constants stand where all that use them stand
        if item.kind == "leaf" and id(item.node.variable) not in names.owners:  # type: ignore[union-attr]
            continue  # a variable of the program stands outside
        if item.kind == "constant" and item.name:
            continue
        item.box = _common(around)
    calls: dict[Any, int] = {}
    for key, box in sorted(boxes.items(), key=lambda entry: entry[1].number):
        calls[key[:2]] = box.number = calls.get(key[:2], 0) + 1  # which call in this graph
    for box in _without_single(graph, list(boxes.values())):
        box.id = len(graph.boxes)
        graph.boxes.append(box)


def _without_single(graph: Graph, boxes: list[Box]) -> list[Box]:
    """Without the boxes around one step and nothing else, such as an activation: the step itself goes by the module's name."""
    held: dict[Box, list[Item | Box]] = {box: [] for box in boxes}
    parts: list[Item | Box] = [*graph.items, *boxes]
    for part in parts:
        around = part.outer if isinstance(part, Box) else part.box
        if around is not None:
            held[around].append(part)
    left = []
    for box in boxes:
        step = held[box][0] if len(held[box]) == 1 else None
        plain = isinstance(step, Item) and step.kind == "op" and not any(p.item and p.item.is_leaf for p in step.inputs)
        if isinstance(step, Item) and plain and box.name and box.outer is not None:
            step.box, step.module = box.outer, box.name + (f" (call {box.number})" if box.number > 1 else "")
        else:
            left.append(box)
    return left


def _group_runs(graph: Graph) -> None:
    """Put runs of nodes and boxes into boxes of their own where more stand side by side than can be looked at."""
    children: dict[Box | None, list[Item | Box]] = {}
    seen: set[Box] = set()
    for item in graph.items:
        children.setdefault(item.box, []).append(item)
        box = item.box
        while box is not None and box not in seen:
            seen.add(box)
            children.setdefault(box.outer, []).append(box)
            box = box.outer
    for around, parts in children.items():
        while len(parts) > 2 * GROUP:
            groups: list[Item | Box] = []
            for start in range(0, len(parts), GROUP):
                run = Box(
                    f"part {start // GROUP + 1} of {-(-len(parts) // GROUP)}",
                    "run of nodes",
                    around,
                    id=len(graph.boxes),
                )
                graph.boxes.append(run)
                for part in parts[start : start + GROUP]:
                    if isinstance(part, Box):
                        part.outer = run
                    else:
                        part.box = run
                groups.append(run)
            parts = groups


def _chain(box: Box | None) -> list[Box]:
    chain: list[Box] = []
    while box is not None:
        chain.append(box)
        box = box.outer
    return chain[::-1]


def _common(boxes: Sequence[Box | None]) -> Box | None:
    """The innermost box around all of these."""
    chains = [_chain(box) for box in boxes]
    common = None
    for level in zip(*chains, strict=False):
        if any(box is not level[0] for box in level):
            break
        common = level[0]
    return common


def fused(item: Item) -> bool:
    """Whether the item is a fused node that its definition can replace."""
    return isinstance(item.node, Fused) and (kept(item.node) is not None or item.node.inputs is not None)
