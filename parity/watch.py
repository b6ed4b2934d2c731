"""A program's run in one engine, recorded: every module's outputs, every step's gradients and parameters.

A step is one of an optimizer that derives from the engine's `Optimizer`, whatever it overrides. A program that makes none (an
optimizer written from nothing, weights that are changed by hand) is recorded by its backward passes: the loss, and of every leaf
that it reaches the value before it and the gradient after it.
"""

from __future__ import annotations

import contextlib
import functools
import random
import types
import warnings
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from .engines import MINIGRAD, Engine


@dataclass
class Step:
    """What one step saw: names and values in the order in which they came about."""

    tensors: dict[str, np.ndarray] = field(default_factory=dict)


@dataclass
class Record:
    """A program's run in one engine."""

    steps: list[Step] = field(default_factory=list)
    start: dict[str, np.ndarray] = field(default_factory=dict)  # the parameters before the first step
    error: Exception | None = None
    by_backward: bool = False  # steps are backward passes


class Watch:
    """Reports of one run; `record` holds what came of it. nudge(array): moves parameters by rounding, in place."""

    def __init__(self, engine: Engine, nudge: Callable[[np.ndarray], None] | None = None) -> None:
        self.engine, self.nudge = engine, nudge
        self.record, self.passes = Record(), Record(by_backward=True)
        self.current = Step()  # of an optimizer, and
        self.between: dict[str, np.ndarray] = {}  # outputs since the last backward pass
        self.last: list[tuple[Any, np.ndarray]] = []  # the leaves that one reaches, and their values before it
        self.leaves: set[int] = set()  # those that have no other name
        self.names: dict[int, str] = {}
        self.keep: list[Any] = []  # what was named: an id must not be used again
        self.nudged: set[int] = set()

    def run(self, program: Callable[[Any], Any]) -> Record:
        with warnings.catch_warnings(), same_random_numbers(self.engine), _hooked(self.engine.module, self):
            warnings.simplefilter("ignore")
            error = None
            try:
                program(self.engine.module)
            except Exception as raised:
                error = raised
        found = self.record if self.record.steps else self.passes
        found.error = error
        return found

    # -- what happens in the run

    def name_all(self, module: Any) -> None:
        for path, part in module.named_modules():
            self.names.setdefault(id(part), path or type(part).__name__)
            self.keep.append(part)
        for path, p in module.named_parameters():
            self.names.setdefault(id(p), path)
            self.keep.append(p)

    def named(self, tensor: Any, name: str) -> str:
        if self.names.get(id(tensor), "leaf ").startswith("leaf "):  # an optimizer knows a better name than a pass
            if id(tensor) in self.names and name.startswith("leaf "):
                return self.names[id(tensor)]
            self.names[id(tensor)] = name
            self.keep.append(tensor)
        return self.names[id(tensor)]

    def called(self, module: Any, output: Any, entered: bool) -> None:
        if entered:  # the outermost module is entered first, and names those inside
            if id(module) not in self.names:
                self.name_all(module)
            return
        name = f"the output of {self.names[id(module)]} ({type(module).__name__})"
        self.note(self.current.tensors, name, output)
        if not self.record.steps:
            self.note(self.between, name, output)

    def stepped(self, optimizer: Any, after: bool) -> None:
        record = self.record
        for g, group in enumerate(optimizer.param_groups):
            for i, p in enumerate(group["params"]):
                name = self.named(p, f"parameter {i} of group {g}")
                if after:
                    self.note(self.current.tensors, f"{name} after the step", p)
                    self.move(p, again=True)
                else:
                    if not record.steps:
                        self.note(record.start, name, p)
                    if p.grad is not None:
                        self.note(self.current.tensors, f"the gradient of {name}", p.grad)
        if after:
            record.steps.append(self.current)
            self.passes.steps.clear()
            self.current = Step()

    def went_back(self, roots: Any, before: bool, gradients: Any = None, leaves: Any = None) -> None:
        """A backward pass from these tensors; with `leaves` one that returns their gradients."""
        if self.record.steps:
            return
        if before:
            found = list(leaves) if leaves is not None else self.reached(roots)
            self.last = [(x, np.array(self.engine.array(x.detach()), copy=True)) for x in found]
            return
        step = Step(self.between)
        self.between = {}
        self.passes.steps.append(step)
        self.note(step.tensors, "the output of the program", list(_tensors(roots)))
        returned = gradients is not None
        found = [(x, value, gradients[i] if returned else x.grad) for i, (x, value) in enumerate(self.last)]
        if not returned:  # the engines may reach them in another order
            found.sort(key=lambda part: (self.names.get(id(part[0]), "leaf"), part[1].shape, *map(_digits, part[1:])))
        for i, (leaf, value, gradient) in enumerate(found):
            name = self.named(leaf, f"leaf {len(self.leaves) if not returned else i}")
            if name.startswith("leaf "):
                self.leaves.add(id(leaf))
            step.tensors[f"{name} before the pass"] = value
            if gradient is not None:
                self.note(step.tensors, f"the gradient of {name}", gradient)
            self.move(leaf, again=True)
        self.last = []

    def reached(self, roots: Any) -> list[Any]:
        """The leaves that a backward pass from `roots` reaches, in the order in which a walk meets them."""
        found: list[Any] = []
        nodes = [y.grad_fn for y in _tensors(roots)]
        seen: set[int] = set()
        keep = []
        while nodes:
            node = nodes.pop(0)
            if node is None or id(node) in seen:
                continue
            seen.add(id(node))
            keep.append(node)
            leaf = getattr(node, "variable", None)
            if leaf is not None and not any(leaf is x for x in found):
                found.append(leaf)
            nodes += [before for before, _ in node.next_functions]
        return found

    def move(self, p: Any, again: bool = False) -> None:
        """Move a parameter by its rounding, if that is asked for."""
        if self.nudge is not None and p.is_leaf and (again or id(p) not in self.nudged):
            self.nudged.add(id(p))
            self.nudge(self.engine.array(p.detach()))

    def note(self, into: dict[str, np.ndarray], name: str, value: Any) -> None:
        """Copy a tensor (or those of a tuple or dict) under a name that is not taken yet."""
        if isinstance(value, dict):
            value = list(value.values())
        if isinstance(value, tuple | list):
            for i, part in enumerate(value):
                self.note(into, f"{name}[{i}]" if len(value) > 1 else name, part)
            return
        if not isinstance(value, self.engine.Tensor):
            return
        unique, k = name, 2
        while unique in into:
            unique, k = f"{name}, call {k}", k + 1
        into[unique] = np.array(self.engine.array(value.detach()), copy=True)


def _digits(x: Any) -> tuple[float, ...]:
    """The first elements, rounded: by them leaves without a name are told apart, alike in both engines."""
    if x is None:
        return ()
    array = x if isinstance(x, np.ndarray) else np.asarray(x.detach().numpy())
    return tuple(float(f"{v:.3g}") for v in array.ravel()[:6].tolist())


def _tensors(roots: Any) -> Iterator[Any]:
    for y in roots if isinstance(roots, tuple | list) else [roots]:
        if hasattr(y, "grad_fn"):
            yield y


@contextlib.contextmanager
def same_random_numbers(engine: Engine) -> Iterator[None]:
    """Every run starts from the same numbers, of each generator that a program might use; NumPy's and Python's go on
    afterwards where they were."""
    numpy_state, python_state = np.random.get_state(), random.getstate()
    np.random.seed(0)
    random.seed(0)
    engine.module.manual_seed(0)
    try:
        yield
    finally:
        np.random.set_state(numpy_state)
        random.setstate(python_state)


@contextlib.contextmanager
def _hooked(torch: Any, watch: Watch) -> Iterator[None]:
    """Every module's call, every optimizer's step and every backward pass are reported, until the end."""
    Module, Optimizer, autograd = torch.nn.Module, torch.optim.Optimizer, torch.autograd
    call, initialize, backward, grad = Module.__call__, Optimizer.__init__, autograd.backward, autograd.grad
    inside = 0  # a pass that a pass makes is part of it

    def reporting_call(self: Any, *args: Any, **kwargs: Any) -> Any:
        watch.called(self, None, True)
        output = call(self, *args, **kwargs)
        watch.called(self, output, False)
        return output

    def reporting_init(self: Any, *args: Any, **kwargs: Any) -> None:
        initialize(self, *args, **kwargs)
        for group in self.param_groups:
            for p in group["params"]:
                watch.move(p)
        if "step" in vars(self):
            return

        def step(optimizer: Any, *arguments: Any, **options: Any) -> Any:
            watch.stepped(optimizer, False)
            result = type(optimizer).step(optimizer, *arguments, **options)
            watch.stepped(optimizer, True)
            return result

        self.step = types.MethodType(functools.wraps(type(self).step)(step), self)

    def reporting_backward(tensors: Any, *args: Any, **kwargs: Any) -> Any:
        nonlocal inside
        if inside:
            return backward(tensors, *args, **kwargs)
        watch.went_back(tensors, True)
        inside += 1
        try:
            result = backward(tensors, *args, **kwargs)
        finally:
            inside -= 1
        watch.went_back(tensors, False)
        return result

    def reporting_grad(outputs: Any, inputs: Any, *args: Any, **kwargs: Any) -> Any:
        nonlocal inside
        if inside:
            return grad(outputs, inputs, *args, **kwargs)
        leaves = list(inputs) if not isinstance(inputs, torch.Tensor) else [inputs]
        watch.went_back(outputs, True, leaves=leaves)
        inside += 1
        try:
            result = grad(outputs, leaves, *args, **kwargs)
        finally:
            inside -= 1
        watch.went_back(outputs, False, result, leaves)
        return result

    Module.__call__, Optimizer.__init__ = reporting_call, reporting_init
    autograd.backward, autograd.grad = reporting_backward, reporting_grad
    try:
        yield
    finally:
        Module.__call__, Optimizer.__init__ = call, initialize
        autograd.backward, autograd.grad = backward, grad


# minigrad's `Tensor.backward` and PyTorch's both call `autograd.backward`, so that one is watched.
assert MINIGRAD.module.autograd.backward
