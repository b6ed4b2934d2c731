"""Which node of PyTorch's graph belongs to a node of minigrad's, where both engines ran the same program.

1. By place: both graphs are walked from the result, and a node of one belongs to a node of the other where their names agree and what
   they depend on does too. New starts are the outputs of modules, parameters, and the program's variables: they have names in both.
2. By value: of the rest, those belong together that computed the same numbers, whatever the step is called.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any
from unittest import mock

import numpy as np
import torch
from torch.overrides import TorchFunctionMode

from minigrad.viz.reading import Graph, Item
from minigrad.viz.recording import kept

# Nodes that lay elements out anew, and change none: one engine has them where the other has not. Of these, those that keep their order.
IN_ORDER = {
    "ViewBackward0", "UnsafeViewBackward0", "ReshapeAliasBackward0", "UnsqueezeBackward0", "SqueezeBackward0", "SqueezeBackward1",
    "CloneBackward0", "AliasBackward0",
}  # fmt: skip
LAYOUT = IN_ORDER | {"TBackward0", "TransposeBackward0", "ExpandBackward0", "PermuteBackward0"}
Place = tuple[Any, int]  # a node of PyTorch's graph, and which of its outputs
CLOSE = {"float64": 1e-11, "float32": 1e-5}  # of the largest element: up to this, numbers are the same


@dataclass
class Seen:
    """What was seen of PyTorch's run."""

    outputs: dict[tuple[str, int], Place] = field(default_factory=dict)  # by a module's path and which call of it
    names: dict[int, str] = field(default_factory=dict)  # of parameters, by id
    values: dict[Place, np.ndarray] = field(default_factory=dict)


# -- PyTorch's run, watched


@contextmanager
def watching() -> Iterator[Seen]:
    """Until the end, note what modules return, what parameters are called, and what every function computes."""
    seen = Seen()
    with _modules(seen), _values(seen):
        yield seen


@contextmanager
def _modules(seen: Seen) -> Iterator[None]:
    paths: dict[int, str] = {}
    alive: list[Any] = []
    counts: dict[tuple[int, str], int] = {}
    call, depth = torch.nn.Module.__call__, 0

    def reporting(self: Any, *args: Any, **kwargs: Any) -> Any:
        nonlocal depth
        if depth == 0 or id(self) not in paths:
            for path, part in self.named_modules():
                paths.setdefault(id(part), path)
                alive.append(part)
            for path, p in self.named_parameters():
                seen.names.setdefault(id(p), path)
        key = (id(self), paths[id(self)])
        counts[key] = number = counts.get(key, 0) + 1
        depth += 1
        try:
            out = call(self, *args, **kwargs)
        finally:
            depth -= 1
        first = out[0] if isinstance(out, tuple | list) and out else out
        if isinstance(first, torch.Tensor) and first.grad_fn is not None:
            seen.outputs.setdefault((paths[id(self)], number), (first.grad_fn, first.output_nr))
        return out

    torch.nn.Module.__call__ = reporting  # type: ignore[method-assign]
    try:
        yield
    finally:
        torch.nn.Module.__call__ = call  # type: ignore[method-assign]


class _Watch(TorchFunctionMode):
    def __init__(self, seen: Seen) -> None:
        super().__init__()
        self.seen = seen

    def __torch_function__(self, function: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        out = function(*args, **(kwargs or {}))
        for x in out if isinstance(out, tuple | list) else [out]:
            if isinstance(x, torch.Tensor) and x.grad_fn is not None:
                self.seen.values[x.grad_fn, x.output_nr] = x.detach().numpy(force=True).copy()
        return out


@contextmanager
def _values(seen: Seen) -> Iterator[None]:
    """Functions that are written in Python would be reported whole; told that nobody watches, they report what they call."""
    names = ("has_torch_function", "has_torch_function_unary", "has_torch_function_variadic")
    with _Watch(seen):
        patches = [
            mock.patch.object(module, name, return_value=False)
            for module in (torch.nn.functional, torch.functional)
            for name in names
            if hasattr(module, name)
        ]
        for patch in patches:
            patch.start()
        try:
            yield
        finally:
            for patch in patches:
                patch.stop()


def every(root: Any) -> Iterator[Any]:
    """Every node of PyTorch's graph behind this one."""
    found, stack = set(), [root]
    while stack:
        node = stack.pop()
        if node is not None and node not in found:
            found.add(node)
            yield node
            stack += [following for following, _ in node.next_functions]


def gradients(theirs: Any) -> dict[Place, np.ndarray]:
    """The complete gradient of every output of every node of PyTorch's graph."""
    found: dict[Place, np.ndarray] = {}

    def watch(node: Any) -> Any:
        def hook(grads: Any) -> None:
            for i, grad in enumerate(grads):
                if grad is not None:
                    found[node, i] = np.array(grad.detach().numpy(), copy=True)

        return node.register_prehook(hook)

    handles = [watch(node) for node in every(theirs.grad_fn)]
    try:
        if theirs.grad_fn is not None:
            torch.autograd.backward(theirs, torch.ones_like(theirs), retain_graph=True)
    finally:
        for handle in handles:
            handle.remove()
    return found


def beside(
    graph: Graph, theirs: Any, seen: Seen, own: Mapping[str, Any], others: Mapping[str, Any]
) -> dict[Item, np.ndarray]:
    """By item of minigrad's graph PyTorch's gradient of its counterpart, in the same layout.

    theirs: PyTorch's result, and `seen` its run. own, others: the program's variables, in minigrad and in PyTorch.
    """
    grads = gradients(theirs)
    pairs = by_place(graph, theirs, seen, own, others)
    values = _known(seen.values, grads)
    pairs |= by_value(graph, theirs, values, pairs)
    found: dict[Item, np.ndarray] = {}
    for item, place in pairs.items():
        grad, mine = grads.get(place), item.grad
        if grad is None or mine is None or grad.size != mine.size:
            continue
        value = values.get(place)
        order = None if value is None or item.value is None else order_of(item.value, value)
        if order is not None:
            found[item] = grad.transpose(order).reshape(mine.shape)
        elif grad.shape == mine.shape:
            found[item] = grad
    return found


# -- by place


def by_place(
    graph: Graph, theirs: Any, seen: Seen, own: Mapping[str, Any], others: Mapping[str, Any]
) -> dict[Item, Place]:
    """Counterparts by walking from the result, from modules' outputs, and from what has a name. own, others: the variables."""
    pairs: dict[Item, Place] = {}
    if theirs.grad_fn is None or not graph.by_node:
        return pairs
    nodes = set(every(theirs.grad_fn))
    result = theirs.grad_fn, theirs.output_nr
    starts: list[tuple[Item, Place]] = [(graph.top, result)]
    for item in graph.items:
        found = kept(item.node) if item.node is not None else None
        call = None if found is None else found.call
        while call is not None:
            if any(ref() is item.node for ref in call.outputs[:1]) and (call.path, call.number) in seen.outputs:
                starts.append((item, seen.outputs[call.path, call.number]))
            call = call.outer
    leaves = {id(item.node.variable): item for item in graph.items if item.is_leaf and item.node is not None}
    leaf_nodes = {id(node.variable): node for node in nodes if getattr(node, "variable", None) is not None}
    their_tensors = dict(_tensors(others, torch.Tensor, torch.nn.Module))
    for name, tensor in _tensors(own, _minigrad().Tensor, _minigrad().nn.Module):
        other = their_tensors.get(name)
        if other is None:
            continue
        if id(tensor) in leaves and id(other) in leaf_nodes:
            pairs.setdefault(leaves[id(tensor)], (leaf_nodes[id(other)], 0))
        edge = tensor._edge
        if edge is not None and edge[0] in graph.by_node and other.grad_fn in nodes:
            starts.append((graph.by_node[edge[0]], (other.grad_fn, other.output_nr)))
    for item, place in starts:
        _together(item, place, pairs)
    pairs.setdefault(graph.top, result)
    parameters = {item.name: item for item in graph.items if item.op == "parameter"}
    for i, node in leaf_nodes.items():
        if seen.names.get(i) in parameters:
            pairs.setdefault(parameters[seen.names[i]], (node, 0))
    _same_leaves(graph, theirs.grad_fn, pairs)
    return pairs


def _minigrad() -> Any:
    import minigrad

    return minigrad


def _tensors(variables: Mapping[str, Any], tensor: type[Any], module: type[Any]) -> Iterator[tuple[str, Any]]:
    """The tensors among variables, and the parameters of the modules among them, with a name that is the same in both engines."""
    for name, value in variables.items():
        if isinstance(value, tensor):
            yield name, value
        elif isinstance(value, module):
            for path, p in value.named_parameters():
                yield f"{name}.{path}", p
        elif isinstance(value, list | tuple | dict) and len(value) <= 1000:
            parts = value.items() if isinstance(value, dict) else enumerate(value)
            yield from _tensors({f"{name}[{key!r}]": part for key, part in parts}, tensor, module)


def _same_leaves(graph: Graph, root: Any, pairs: dict[Item, Place]) -> None:
    """Leaves without names, by what they hold: where no two hold the same."""
    mine = [item for item in graph.items if item.is_leaf and item not in pairs]
    taken = {node for node, _ in pairs.values()}
    free = [node for node in every(root) if getattr(node, "variable", None) is not None and node not in taken]
    for item in mine:
        fits = [node for node in free if np.array_equal(node.variable.detach().numpy(), item.value)]  # type: ignore[arg-type]
        if len(fits) == 1 and sum(np.array_equal(other.value, item.value) for other in mine) == 1:  # type: ignore[arg-type]
            pairs[item] = fits[0], 0


def _together(item: Item, place: Place, pairs: dict[Item, Place]) -> None:
    """Walk both graphs from these two on, as long as they agree."""
    stack = [(item, place)]
    while stack:
        item, (node, i) = _past_layout(*stack.pop())
        if item.node is None or item in pairs or _name(item) != _plain(node.name()):
            continue
        pairs[item] = node, i
        order = item.node.order_of_inputs or range(len(item.inputs))
        parts = sorted(
            ((order[k], part.item) for k, part in enumerate(item.inputs) if part.wants and k < len(order)),
            key=lambda p: p[0],
        )
        following = [place for place in node.next_functions if place[0] is not None]
        if len(parts) == len(following):
            stack += [(part, place) for (_, part), place in zip(parts, following, strict=True) if part is not None]


def _past_layout(item: Item, place: Place) -> tuple[Item, Place]:
    """Both after nodes that only lay out, where one engine has one and the other has not."""
    while _name(item) != _plain(place[0].name()):
        node = place[0]
        if node.name() in LAYOUT and node.next_functions and node.next_functions[0][0] is not None:
            place = node.next_functions[0]
        elif item.node is not None and item.node.name() in LAYOUT and item.inputs and item.inputs[0].item is not None:
            item = item.inputs[0].item
        else:
            break
    return item, place


def _name(item: Item) -> str:
    return _plain(item.node.name()) if item.node is not None else ""


def _plain(name: str) -> str:
    """MulBackward0 as Mul, torch::autograd::AccumulateGrad as AccumulateGrad: numbers tell apart only what arguments are."""
    return name.rpartition("::")[2].rstrip("0123456789").removesuffix("Backward")


# -- by value


def by_value(
    graph: Graph, theirs: Any, values: Mapping[Place, np.ndarray], pairs: Mapping[Item, Place]
) -> dict[Item, Place]:
    """Counterparts of those that have none yet: nodes that computed the same numbers.

    The same numbers may be held by several nodes, a sum and its views. The gradient of the oldest is that of all uses; those
    of the others are the same only where the numbers go one way, from each to the next.
    """
    uses: dict[Place, list[Any]] = {}
    for node in every(theirs.grad_fn):
        for place in node.next_functions:
            uses.setdefault(place, []).append(node)
    own_uses: dict[Item, list[Item]] = {}
    for item in graph.items:
        for part in item.inputs:
            if part.item is not None:
                own_uses.setdefault(part.item, []).append(item)
    by_size: dict[int, list[Place]] = {}
    for place in sorted(values, key=lambda place: place[0]._sequence_nr()):
        by_size.setdefault(values[place].size, []).append(place)
    ops = [item for item in graph.items if item.kind == "op" and item.grad is not None and _telling(item.value)]
    found: dict[Item, Place] = {}
    for item in ops:
        value = item.value
        assert value is not None
        if item in pairs:
            continue
        same = [place for place in by_size.get(value.size, ()) if order_of(value, values[place]) is not None]
        mine = [x for x in ops if x.value is not None and order_of(value, x.value) is not None]
        if not same:
            continue
        named = [place for place in same if _plain(place[0].name()) == _name(item)]
        one_way = all(own_uses.get(a) == [b] for a, b in itertools.pairwise(mine)) and all(
            uses.get(a) == [b[0]] for a, b in itertools.pairwise(same)
        )
        if one_way and len(named) == 1:
            found[item] = named[0]
        elif mine[0] is item:
            found[item] = same[0]
        elif one_way:
            found[item] = same[-1]
    return found


def _telling(x: np.ndarray | None) -> bool:
    """Whether numbers are known by themselves: not all alike, as those of many tensors may be."""
    if x is None or x.dtype.kind != "f":
        return False
    finite = x[np.isfinite(x)]
    return finite.size > 1 and float(np.ptp(finite)) > 0


def _known(values: Mapping[Place, np.ndarray], grads: Mapping[Place, np.ndarray]) -> dict[Place, np.ndarray]:
    """The values of nodes that have a gradient; also of those that only a view of them is known of."""
    known = {place: value for place, value in values.items() if place in grads}
    stack = list(known)
    while stack:
        place = stack.pop()
        node = place[0]
        below = node.next_functions[0] if node.name() in IN_ORDER and node.next_functions else (None, 0)
        if below not in known and below in grads and grads[below].size == known[place].size:
            known[below] = known[place].reshape(grads[below].shape)
            stack.append(below)
    return known


def order_of(a: np.ndarray, b: np.ndarray) -> tuple[int, ...] | None:
    """In which order of its dimensions `b` holds the numbers of `a`, up to rounding; None where it does not.

    Laid out anew, (2, 3, 4) as (6, 4), is the same order: then the dimensions stay as they are.
    """
    if a.size != b.size or b.dtype.kind != "f":
        return None
    here, there = np.isfinite(a), np.isfinite(b)
    a, b = np.where(here, a, 0), np.where(there, b, 0)
    allowed = CLOSE.get(str(a.dtype), 1e-2) * float(np.abs(a).max(initial=0.0))
    if abs(float(a.max()) - float(b.max())) > allowed or abs(float(a.min()) - float(b.min())) > allowed:
        return None
    straight = tuple(range(b.ndim))
    long = [n for n in a.shape if n != 1]
    for order in itertools.permutations(straight) if 2 <= b.ndim <= 4 else [straight]:
        if order != straight and [b.shape[i] for i in order if b.shape[i] != 1] != long:
            continue
        moved = b.transpose(order).reshape(a.shape)
        if np.abs(a - moved).max(initial=0.0) <= allowed and (here == there.transpose(order).reshape(a.shape)).all():
            return order
    return None
