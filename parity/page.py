"""The backward page of a program, with PyTorch's gradient beside minigrad's in every node.

The program runs in both engines from the same random numbers. Then both graphs are walked from the result: a node of one belongs to
a node of the other where their names agree and what they depend on does too. New starts are the outputs of modules and the parameters,
which have names in both. Where the engines compute in other steps, a node has no counterpart, and the page says so.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch

from minigrad.viz.page import write
from minigrad.viz.reading import Graph, Item
from minigrad.viz.record import record, walked
from minigrad.viz.recording import kept, recording, with_variables
from minigrad.viz.tensors import Pool

from .engines import MINIGRAD, TORCH, Engine
from .watch import same_random_numbers

# Nodes that lay elements out anew, and change none: one engine has them where the other has not.
LAYOUT = {
    "TBackward0", "TransposeBackward0", "ViewBackward0", "UnsafeViewBackward0", "ReshapeAliasBackward0", "ExpandBackward0",
    "UnsqueezeBackward0", "SqueezeBackward0", "SqueezeBackward1", "PermuteBackward0", "CloneBackward0", "AliasBackward0",
}  # fmt: skip
RELATIVE = {"float64": 1e-9, "float32": 1e-4}


@dataclass
class Beside:
    """What `page` found. `str` says it in words."""

    path: Path
    compared: int  # nodes that have a counterpart
    nodes: int  # nodes with a gradient
    differ: list[str]  # the names of those that differ, the first to run first
    apart: float  # the largest difference, by the largest element

    @property
    def equal(self) -> bool:
        return not self.differ

    def __str__(self) -> str:
        found = f"the gradients differ first at {self.differ[0]}" if self.differ else "the gradients are equal"
        return f"{found}: {self.compared} of {self.nodes} nodes compared with PyTorch, largest difference {self.apart:.2g}. {self.path}"


def page(
    program: Callable[[Any], Any],
    path: str | Path = "backward.html",
    *,
    words: Sequence[str] | None = None,
    title: str | None = None,
) -> Beside:
    """Write the backward page of a program with PyTorch's gradients in it; it opens where they differ.

    program: a function of one argument, the engine (`torch`), that returns the tensor from which the pass goes back, and has not gone
    back itself (or with retain_graph=True). words: as in `viz.page`.

        def program(torch):
            model = torch.nn.Linear(2, 1)
            return model(torch.randn(5, 2)).square().mean()

        print(parity.page(program, "backward.html"))
    """
    with same_random_numbers(MINIGRAD), recording():
        loss, variables = with_variables(program, MINIGRAD.module)
    _check(loss, MINIGRAD)
    with same_random_numbers(TORCH), _module_outputs() as (outputs, names):
        theirs = program(TORCH.module)
    _check(theirs, TORCH)
    graph = walked(loss, variables)
    seen = _torch_gradients(theirs)
    pairs = _pairs(graph, theirs, outputs, names)
    found: dict[Item, tuple[np.ndarray, float, bool]] = {}
    for item, node in pairs.items():
        other, own = seen.get(node), item.grad
        if other is not None and own is not None and other.shape == own.shape:
            found[item] = (other, *_apart(item, own, other))
    differ = [item for item in graph.order if item in found and found[item][2]]
    compared = sum(item.grad is not None for item in graph.items)
    result = Beside(
        Path(path),
        len(found),
        compared,
        [item.title for item in differ],
        max((f[1] for f in found.values()), default=0.0),
    )

    def beside(_: Graph, pool: Pool) -> dict[str, Any]:
        return {
            "engine": "PyTorch",
            "said": f"{len(found)} of {compared} nodes compared, {'all equal' if not differ else f'{len(differ)} differ'}",
            "first": differ[0].id if differ else None,
            "nodes": {
                item.id: {"grad": pool.put(other), "apart": apart, "differs": wrong}
                for item, (other, apart, wrong) in found.items()
            },
        }

    write(
        record(
            graph, title=title or f"Backward pass of {graph.top.title}, in both engines", words=words, beside=beside
        ),
        path,
    )
    return result


def _check(out: Any, engine: Engine) -> None:
    if not isinstance(out, engine.Tensor):
        raise TypeError(
            f"the program must return the tensor from which the backward pass begins; it returned {type(out).__name__}"
        )


def _apart(item: Item, own: np.ndarray, other: np.ndarray) -> tuple[float, bool]:
    """How far two gradients are apart, by the largest element that they have or came from, and whether it is more than rounding.

    Where large gradients cancel, as in a normalization, what is left has the rounding of what came in.
    """
    if not np.array_equal(np.isfinite(own), np.isfinite(other)):
        return float("inf"), True
    with np.errstate(all="ignore"):
        off = float(np.nan_to_num(np.abs(own.astype(np.float64) - other), nan=0.0, posinf=0.0).max(initial=0.0))
        largest = float(np.abs(np.nan_to_num(other, posinf=0.0, neginf=0.0)).max(initial=0.0))
        came = max(
            (float(np.abs(s.source.grad).max(initial=0.0)) for s in item.arrivals if s.source.grad is not None),
            default=0.0,
        )
    allowed = RELATIVE.get(str(own.dtype), 1e-2) * largest + 64 * float(np.finfo(own.dtype).eps) * came
    return off / (max(largest, came) or 1.0), off > allowed


# -- PyTorch's graph


@contextmanager
def _module_outputs() -> Iterator[tuple[dict[tuple[str, int], Any], dict[int, str]]]:
    """Until the end, what every call of a module returned, by (path, which call), and the names of parameters by id."""
    outputs: dict[tuple[str, int], Any] = {}
    names: dict[int, str] = {}
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
                names.setdefault(id(p), path)
        key = (id(self), paths[id(self)])
        counts[key] = number = counts.get(key, 0) + 1
        depth += 1
        try:
            out = call(self, *args, **kwargs)
        finally:
            depth -= 1
        first = out[0] if isinstance(out, tuple | list) and out else out
        if isinstance(first, torch.Tensor) and first.grad_fn is not None:
            outputs.setdefault((paths[id(self)], number), first.grad_fn)
        return out

    torch.nn.Module.__call__ = reporting  # type: ignore[method-assign]
    try:
        yield outputs, names
    finally:
        torch.nn.Module.__call__ = call  # type: ignore[method-assign]


def _torch_gradients(theirs: Any) -> dict[Any, np.ndarray]:
    """By node of PyTorch's graph the complete gradient of its (first) output."""
    nodes: list[Any] = []
    seen: set[Any] = set()
    stack = [theirs.grad_fn] if theirs.grad_fn is not None else []
    while stack:
        node = stack.pop()
        if node in seen:
            continue
        seen.add(node)
        nodes.append(node)
        stack += [following for following, _ in node.next_functions if following is not None]
    found: dict[Any, np.ndarray] = {}

    def watch(node: Any) -> Any:
        def hook(grads: Any) -> None:
            first = next((g for g in grads if g is not None), None)
            if first is not None:
                found[node] = np.array(first.detach().numpy(), copy=True)

        return node.register_prehook(hook)

    handles = [watch(node) for node in nodes]
    try:
        if theirs.grad_fn is not None:
            torch.autograd.backward(theirs, torch.ones_like(theirs), retain_graph=True)
    finally:
        for handle in handles:
            handle.remove()
    return found


# -- which node is which


def _equal(a: Any, b: Any) -> bool:
    return np.array_equal(a, b)


def _pairs(graph: Graph, theirs: Any, outputs: dict[tuple[str, int], Any], names: dict[int, str]) -> dict[Item, Any]:
    pairs: dict[Item, Any] = {}
    if theirs.grad_fn is None or not graph.by_node:
        return pairs
    starts: list[tuple[Item, Any]] = [(graph.top, theirs.grad_fn)]
    for item in graph.items:
        found = kept(item.node) if item.node is not None else None
        call = None if found is None else found.call
        while call is not None:
            if any(ref() is item.node for ref in call.outputs[:1]) and (call.path, call.number) in outputs:
                starts.append((item, outputs[call.path, call.number]))
            call = call.outer
    for item, node in starts:
        _together(item, node, pairs)
    pairs.setdefault(graph.top, theirs.grad_fn)
    parameters = {item.name: item for item in graph.items if item.op == "parameter"}
    for node in _all(theirs.grad_fn):
        leaf = getattr(node, "variable", None)
        if leaf is not None and names.get(id(leaf)) in parameters:
            pairs.setdefault(parameters[names[id(leaf)]], node)
    _same_leaves(graph, theirs.grad_fn, pairs)
    return pairs


def _same_leaves(graph: Graph, root: Any, pairs: dict[Item, Any]) -> None:
    """Leaves without names, by what they hold: where no two hold the same."""
    mine = [item for item in graph.items if item.is_leaf and item not in pairs]
    taken = set(pairs.values())
    free = [node for node in _all(root) if getattr(node, "variable", None) is not None and node not in taken]
    for item in mine:
        fits = [node for node in free if _equal(node.variable.detach().numpy(), item.value)]
        if len(fits) == 1 and sum(_equal(other.value, item.value) for other in mine) == 1:
            pairs[item] = fits[0]


def _all(root: Any) -> Iterator[Any]:
    seen, stack = set(), [root]
    while stack:
        node = stack.pop()
        if node is not None and node not in seen:
            seen.add(node)
            yield node
            stack += [following for following, _ in node.next_functions]


def _together(item: Item, node: Any, pairs: dict[Item, Any]) -> None:
    """Walk both graphs from these two on, as long as they agree."""
    stack = [(item, node)]
    while stack:
        item, node = stack.pop()
        item, node = _past_layout(item, node)
        if item.node is None or item in pairs or _name(item) != _plain(node.name()):
            continue
        pairs[item] = node
        order = item.node.order_of_inputs or range(len(item.inputs))
        parts = sorted(
            ((order[i], part.item) for i, part in enumerate(item.inputs) if part.wants and i < len(order)),
            key=lambda p: p[0],
        )
        following = [f for f, _ in node.next_functions if f is not None]
        if len(parts) == len(following):
            stack += [(part, f) for (_, part), f in zip(parts, following, strict=True) if part is not None]


def _past_layout(item: Item, node: Any) -> tuple[Item, Any]:
    """Both after nodes that only lay out, where one engine has one and the other has not."""
    while _name(item) != _plain(node.name()):
        if node.name() in LAYOUT and node.next_functions and node.next_functions[0][0] is not None:
            node = node.next_functions[0][0]
        elif item.node is not None and item.node.name() in LAYOUT and item.inputs and item.inputs[0].item is not None:
            item = item.inputs[0].item
        else:
            break
    return item, node


def _name(item: Item) -> str:
    return _plain(item.node.name()) if item.node is not None else ""


def _plain(name: str) -> str:
    """MulBackward0 as Mul, torch::autograd::AccumulateGrad as AccumulateGrad: numbers tell apart only what arguments are."""
    return name.rpartition("::")[2].rstrip("0123456789").removesuffix("Backward")
