"""One function in one engine, at inputs that can be moved: its values, its gradients, and those of its gradients.

The leaves by which is differentiated are the floating inputs, then a module's parameters, then what else the function holds on
to that requires grad. `at` moves all of them at once along a direction; every run is a fresh one, so no graph is used twice.
"""

from __future__ import annotations

import contextlib
import copy
import inspect
import math
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from .captured import captured
from .engines import ENGINES, MINIGRAD, TORCH, Engine
from .inputs import Input, lay_out

ENGINE_PARAMETERS = ("torch", "engine", "minigrad")
Place = int | str  # the number of an input, or what else a leaf is called


class Unanswerable(ValueError):
    """What was given has no gradient to check; the message says why and what to do."""


class Refused(Exception):
    """The backward pass raised; the cause is chained."""


def takes_engine(fn: Callable[..., Any]) -> bool:
    try:
        parameters = list(inspect.signature(fn).parameters)
    except (TypeError, ValueError):
        return False
    return bool(parameters) and parameters[0] in ENGINE_PARAMETERS


def to_input(x: Any) -> Any:
    """Arrays and tensors (also in lists, tuples and dicts) as Inputs, floating ones in float64, laid out as they were."""
    if isinstance(x, list | tuple) and not hasattr(x, "_fields"):
        return type(x)(to_input(v) for v in x)
    if isinstance(x, dict):
        return {k: to_input(v) for k, v in x.items()}
    for engine in ENGINES:
        if isinstance(x, engine.Tensor):
            x = engine.array(x.detach())
    if not isinstance(x, np.ndarray | np.floating):
        return x
    array = np.asarray(x)
    floating = array.dtype.kind == "f"
    values = array.astype(np.float64, order="C") if floating else np.ascontiguousarray(array).reshape(array.shape)
    order = sorted(range(array.ndim), key=lambda i: -abs(array.strides[i]))
    if array.ndim > 1 and array.size and not array.flags.c_contiguous and order != list(range(array.ndim)):
        return lay_out(values, "transposed", floating, order)
    if array.ndim and array.size and array.strides[-1] > array.itemsize and array.shape[-1] > 1:
        return lay_out(values, "strided", floating)
    return Input.of(values, floating)


def leaves_of(x: Any, path: str = "") -> Iterator[tuple[str, Any]]:
    """(where, value) of everything in lists, tuples and dicts."""
    if isinstance(x, dict):
        for key, value in x.items():
            yield from leaves_of(value, f"{path}[{key!r}]")
    elif isinstance(x, list | tuple) and not isinstance(x, tuple(e.module.Size for e in ENGINES)):
        for i, value in enumerate(x):
            yield from leaves_of(value, f"{path}[{i}]")
    else:
        yield path, x


@dataclass
class Leaf:
    """Something by which is differentiated."""

    place: Place
    tensor: Any
    memory: np.ndarray  # the tensor's own
    base: np.ndarray  # where the function is checked
    given: bool  # an argument, not a parameter

    @property
    def name(self) -> str:
        return f"input {self.place}" if isinstance(self.place, int) else self.place


@dataclass
class Traced:
    """See the module's text. Raises what the function raises, or Unanswerable.

    Outputs: the floating tensors that the function returns, `recorded` those that autograd can go back from.
    """

    engine: Engine
    fn: Callable[..., Any]
    arrays: list[Any]
    held: dict[str, Any]  # captured tensors, in the type in which the function is run
    dtype: str = "float64"
    copies: bool = False  # the function is given copies, as it changes its inputs in place
    leaves: list[Leaf] = field(init=False)
    names: list[str] = field(init=False)

    def __post_init__(self) -> None:
        self.leaves = []
        self.by_backward = False  # autograd.grad is refused
        count = 0

        def make(x: Any, path: str, i: int) -> Any:
            nonlocal count
            if isinstance(x, list | tuple):
                return type(x)(make(v, f"{path}[{k}]", i) for k, v in enumerate(x))
            if isinstance(x, dict):
                return {k: make(v, f"{path}[{k!r}]", i) for k, v in x.items()}
            if not isinstance(x, Input):
                return x
            floating = x.dtype.kind == "f"
            tensor = self.engine.tensor(x, self.dtype if floating else None)
            if floating and x.grad:
                self._leaf(i if path == f"input {i}" else path, tensor, True)
            return tensor

        self.arguments = [make(x, f"input {i}", i) for i, x in enumerate(self.arrays)]
        module = isinstance(self.fn, self.engine.module.nn.Module)
        for name, tensor in self.held.items():
            if isinstance(tensor, self.engine.Tensor) and tensor.requires_grad and tensor.is_leaf:
                self._leaf(f"{'parameter' if module else 'captured'} {name}", tensor, False)
        self.state = [
            (t, self.engine.array(t.detach()).copy())
            for t in self.held.values()
            if isinstance(t, self.engine.Tensor) and not (t.requires_grad and t.is_leaf)
        ]
        if not self.leaves:
            raise Unanswerable(
                "none of the inputs is a floating array or tensor, and no parameter requires grad, so there is nothing to "
                "differentiate by"
            )
        self._settle()

    def _leaf(self, place: Place, tensor: Any, given: bool) -> None:
        memory = self.engine.array(tensor.detach())
        self.leaves.append(Leaf(place, tensor, memory, memory.copy(), given))

    def _settle(self) -> None:
        """First runs: whether the inputs are left alone, what comes out, and that it comes out again."""
        try:
            first = self.run()
        except RuntimeError as error:
            if "a leaf Variable that requires grad" not in str(error) or self.copies:
                raise
            self.copies = True
            return self._settle()
        if (
            any(not np.array_equal(x.memory, x.base, equal_nan=True) for x in self.leaves if x.given)
            and not self.copies
        ):
            self.copies = True
            return self._settle()
        self.names = [
            f"output {i}" if path == f"[{i}]" else f"output{path}" if path else "output 0"
            for i, (path, _) in enumerate(first)
        ]
        values = [self.engine.array(y.detach()).copy() for _, y in first]
        self.recorded = [i for i, (_, y) in enumerate(first) if y.requires_grad]
        self.shapes = [v.shape for v in values]
        self.values = values
        self.dtypes = [self.engine.dtype(y) for _, y in first]
        for a, (_, b) in zip(values, self.run(), strict=True):
            again = self.engine.array(b.detach())
            if a.shape != again.shape or not np.allclose(a, again, rtol=self.eps * 100, atol=0, equal_nan=True):
                raise Unanswerable(
                    "two runs on the same inputs gave different values: draw random numbers outside the function, or seed "
                    "inside it, and let it keep no count or state that changes its values (a module with dropout: .eval())"
                )
        if not self.recorded:
            raise Unanswerable(
                f"in {self.engine.name} the result does not depend on the inputs in a way that autograd recorded: is there a "
                "detach(), numpy(), item(), no_grad, or a comparison on the way?"
            )
        if not any(np.isfinite(values[i]).any() for i in self.recorded if values[i].size) and any(
            values[i].size for i in self.recorded
        ):
            raise Unanswerable(
                f"in {self.engine.name} the result is nan or infinite everywhere at these inputs, so it has no gradient there: "
                "choose others"
            )
        return None

    @property
    def eps(self) -> float:
        return float(np.finfo(self.dtype).eps)

    # -- running

    def move(self, t: float = 0.0, direction: list[np.ndarray | None] | None = None) -> None:
        """Every leaf to base + t · direction."""
        for i, x in enumerate(self.leaves):
            v = direction[i] if direction is not None else None
            x.memory[...] = x.base if v is None or t == 0.0 else x.base + t * v

    def run(self) -> list[tuple[str, Any]]:
        """(where, tensor) of the floating tensors that the function returns."""
        for t, values in self.state:
            self.engine.array(t.detach())[...] = values
        module = self.engine.module
        given = self.arguments
        if self.copies:
            given = copy_of(given, self.engine)
        with module.enable_grad():
            result = self.fn(module, *given) if takes_engine(self.fn) else self.fn(*given)
        return self._floating(result)

    def _floating(self, result: Any) -> list[tuple[str, Any]]:
        parts = list(leaves_of(result))
        outputs = [(w, y) for w, y in parts if isinstance(y, self.engine.Tensor) and y.is_floating_point()]
        if outputs:
            return outputs
        kinds = ", ".join(
            f"a tensor of {y.dtype}" if hasattr(y, "dtype") and hasattr(y, "dim") else type(y).__name__
            for _, y in parts
        )
        wanted = "a floating tensor, or a tuple, list or dict with some"
        if any(isinstance(y, self.engine.Tensor) for _, y in parts):
            raise Unanswerable(
                f"the function returned {kinds}, which has no gradient; wanted: {wanted}. Comparisons, argmax and "
                "conversions to whole numbers end differentiation"
            )
        if any(isinstance(y, other.Tensor) for _, y in parts for other in ENGINES):
            raise TypeError(f"the function returned tensors of another engine, wanted: {wanted} of {self.engine.name}")
        raise Unanswerable(f"the function returned {kinds or 'nothing'}; wanted: {wanted}")

    def vector(self) -> np.ndarray:
        """The values of the recorded outputs in a row, where the leaves are now."""
        outputs = self.run()
        parts = [self.engine.array(outputs[i][1].detach()).astype(np.float64).ravel() for i in self.recorded]
        return np.concatenate(parts)

    def spread(self, derive: Callable[[], list[np.ndarray]], here: list[np.ndarray]) -> list[np.ndarray]:
        """By how much each derivative changes when the leaves are moved by their rounding."""
        rng = np.random.default_rng(0)
        worst = [np.zeros(np.shape(x)) for x in here]
        for _ in range(6):
            self.move(64 * self.eps, [x.base * rng.normal(size=x.base.shape) for x in self.leaves])
            with np.errstate(invalid="ignore"):
                worst = [np.fmax(w, np.abs(a - b)) for w, a, b in zip(worst, derive(), here, strict=True)]
        self.move()
        return worst

    # -- going back

    def gradients(self, cotangents: list[np.ndarray]) -> list[np.ndarray]:
        """By each leaf, of the sum of outputs times cotangents. Raises Refused."""
        roots, given, _ = self._roots(cotangents, False)
        if self.by_backward:
            return self._by_backward(roots, given)
        return self._arrays(self._grad(roots, [x.tensor for x in self.leaves], given, False))

    def second(self, cotangents: list[np.ndarray], weights: list[np.ndarray]) -> tuple[list[np.ndarray], bool]:
        """By each leaf, then by each cotangent, of the sum of gradients times weights; and whether the gradients were
        recorded at all. Raises Refused."""
        roots, given, wanted = self._roots(cotangents, True)
        gradients = self._grad(roots, [x.tensor for x in self.leaves], given, True)
        pairs = [
            (g, self._tensor(w, g))
            for g, w in zip(gradients, weights, strict=True)
            if g is not None and g.requires_grad
        ]
        targets = [x.tensor for x in self.leaves] + wanted
        if any(type(node).__name__ in _REFUSING for node in nodes_of([g for g, _ in pairs])):
            raise Refused(
                "a backward is marked @once_differentiable"
            )  # no such node is asked on the way to the targets
        if not pairs:
            return [np.zeros(tuple(t.shape)) for t in targets], False
        found = self._grad([g for g, _ in pairs], targets, [w for _, w in pairs], False)
        return self._arrays(found, targets), True

    def _roots(self, cotangents: list[np.ndarray], wanted: bool) -> tuple[list, list, list]:
        outputs = self.run()
        roots = [outputs[i][1] for i in self.recorded]
        given = [self._tensor(c, y) for c, y in zip(cotangents, roots, strict=True)]
        if wanted:
            for c in given:
                c.requires_grad_()
        return roots, given, given

    def _tensor(self, array: np.ndarray, like: Any) -> Any:
        return self.engine.tensor(Input.of(array.astype(self.engine.dtype(like)), False))

    def _grad(self, roots: list, targets: list, given: list, create_graph: bool) -> list:
        grad = self.engine.module.autograd.grad
        try:
            return list(grad(roots, targets, given, create_graph=create_graph, allow_unused=True))
        except Exception as error:
            if "incompatible with .grad()" in str(error) and not create_graph and not self.by_backward:
                self.by_backward = True
            raise Refused(told(error, self.engine)) from error

    def _by_backward(self, roots: list, given: list) -> list[np.ndarray]:
        """As `gradients`, of a graph with a node that allows only `backward()` (a reentrant checkpoint)."""
        try:
            self.engine.module.autograd.backward(roots, given)
        except Exception as error:
            raise Refused(told(error, self.engine)) from error
        found = [x.tensor.grad for x in self.leaves]
        for x in self.leaves:
            x.tensor.grad = None
        return self._arrays(found)

    def _arrays(self, gradients: list, targets: list | None = None) -> list[np.ndarray]:
        shapes = [tuple(x.tensor.shape) for x in self.leaves] if targets is None else [tuple(t.shape) for t in targets]
        return [
            np.zeros(shape) if g is None else self.engine.array(g.detach()).astype(np.float64)
            for g, shape in zip(gradients, shapes, strict=True)
        ]

    def handwritten(self) -> bool:
        """Whether an autograd.Function of the user's, or a hook, takes part in the backward pass."""
        outputs = self.run()
        autograd = self.engine.module.autograd
        kind = autograd.Function if self.engine is MINIGRAD else autograd.function.BackwardCFunction
        return any(isinstance(node, kind) for node in nodes_of([outputs[i][1] for i in self.recorded]))


_REFUSING = ("DelayedError", "Error")  # what PyTorch's once_differentiable puts into the graph


def nodes_of(tensors: list[Any]) -> Iterator[Any]:
    """Every node of the graph behind these tensors."""
    nodes = [y.grad_fn for y in tensors]
    seen: set[int] = set()
    keep = []  # PyTorch makes the Python object of a node anew: an id must not be used again
    while nodes:
        node = nodes.pop()
        if node is None or id(node) in seen:
            continue
        seen.add(id(node))
        keep.append(node)
        yield node
        nodes += [before for before, _ in node.next_functions]


def copy_of(x: Any, engine: Engine) -> Any:
    """The arguments with a clone of each tensor, of which the original stays the leaf."""
    if isinstance(x, list | tuple):
        return type(x)(copy_of(v, engine) for v in x)
    if isinstance(x, dict):
        return {k: copy_of(v, engine) for k, v in x.items()}
    return x.clone() if isinstance(x, engine.Tensor) else x


def told(error: BaseException, engine: Engine) -> str:
    """Class and first line of an error, with the engines named where it says only "Tensor"."""
    other = TORCH if engine is MINIGRAD else MINIGRAD
    lines = str(error).strip().splitlines()
    text = lines[0] if lines else ""
    text = re.sub(r"(must be|must return a) Tensor\b", rf"\1 {engine.module.__name__}.Tensor", text)
    text = re.sub(r"\b(not|got) Tensor\b", rf"\1 {other.module.__name__}.Tensor", text)
    return f"{type(error).__name__}: {text}"


def prepared(fn: Callable[..., Any]) -> tuple[Callable[..., Any], dict[str, Any]]:
    """The function (a module: a copy of it where that can be made) and the tensors that it holds on to."""
    if any(isinstance(fn, e.module.nn.Module) for e in ENGINES):
        with contextlib.suppress(
            Exception
        ):  # one with tensors that cannot be copied: its values are given back afterwards
            fn = copy.deepcopy(fn)
    return fn, captured(fn)


def unit(x: np.ndarray) -> np.ndarray:
    """By how much an element of this size is moved, times a step."""
    return np.maximum(1.0, np.abs(x))


def directions_of(leaves: list[Leaf]) -> int:
    return sum(math.prod(x.base.shape) for x in leaves)
