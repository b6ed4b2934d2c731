"""Every compiled loop, beside PyTorch: which comparison reaches it, and that the comparison fails when it is wrong.

Both are derived from the list of kernels itself (minigrad/kernels/compiled.py). Small drawn arrays never reach a compiled
loop by themselves, so examples are compared in the compiled form, which is taken at any size. What a kernel computes are the
arrays that it changes, but for the room that it works in: for each of them a fault is planted, one wrong element in every call.

    for fault in faults():
        ...  fault.name, caught(fault)  # by which case, after how many examples
"""

from __future__ import annotations

import functools
import inspect
import itertools
import warnings
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from typing import Any
from unittest import mock

import numpy as np

from .agreement import Example, Mismatch, Tally, _Backward, check_case, run_form
from .case import CASES, Case
from .engines import MINIGRAD
from .inputs import Seeded


@contextmanager
def split() -> Iterator[None]:
    """Compiled loops are divided among threads from two rows on; a batch is convolved as on a processor where that is quicker."""
    from minigrad import kernels
    from minigrad.kernels import conv_batch

    with mock.patch.object(kernels, "_PER_THREAD", 1), mock.patch.object(conv_batch, "_FEW", 0):
        yield


@contextmanager
def watched(after: Callable[[Any, tuple[Any, ...], dict[int, np.ndarray]], None]) -> Iterator[None]:
    """Call `after(kernel, arguments, before)` after each call of a kernel; before: copies of its arrays, by position."""
    from minigrad.kernels.compiled import Kernel

    original = Kernel.__call__

    def call(self: Any, *args: Any) -> Any:
        before = {i: a.copy() for i, a in enumerate(args) if isinstance(a, np.ndarray)}
        result = original(self, *args)
        after(self, args, before)
        return result

    with mock.patch.object(Kernel, "__call__", call):
        yield


def changed(before: np.ndarray, now: np.ndarray) -> np.ndarray:
    """Which elements differ (two nans do not)."""
    return (before != now) & ~(np.isnan(before) & np.isnan(now))


@dataclass
class Kernel:
    """What comparisons show of one kernel."""

    comparisons: list[tuple[str, int]] = field(default_factory=list)  # cases of the table, and the seed that reached it
    outputs: dict[int, str] = field(default_factory=dict)  # the arrays that it changes, by position; those of whole
    # numbers (which may be places, where a wrong one would lead out of an array) only of a kernel that has no others
    floating: set[int] = field(default_factory=set)  # of these the ones that hold floating numbers
    changing: dict[int, list[tuple[str, int]]] = field(default_factory=dict)  # the comparisons in which it changed them


def _kernels() -> dict[str, Any]:
    from minigrad.kernels.compiled import all_kernels

    return all_kernels()


# A thread beside another that computes, in the other's rooms, what that would compute itself. How much of it depends on the
# moment, so no comparison can count on it: tests/test_kernels_recurrent.py has it do each part, and wants the same bits.
HELPERS = {"recurrent._help"}
FIRST = 12  # examples of each case that calls a kernel


def reached(cases: list[Case] | None = None, examples: int = 40) -> dict[str, Kernel]:
    """By kernel: the comparisons that reach it, none for some that nobody compares.

    A case whose first four examples, in minigrad alone, call no kernel, and apply nothing that has a compiled form, is left at
    that. The others are compared twelve times, and then up to `examples` times where they call a kernel that all of them reached
    less often than that, or may call one that none of them has reached.
    """
    from minigrad.autograd.fused import Fused

    found = {name: Kernel() for name in _kernels()}
    parameters = {name: list(inspect.signature(k.__wrapped__).parameters.values()) for name, k in _kernels().items()}
    called: set[str] = set()
    where = ("", 0)

    def note(kernel: Any, args: tuple[Any, ...], before: dict[int, np.ndarray]) -> None:
        seen = found.get(kernel.name)
        if seen is None:
            return
        called.add(kernel.name)
        if not where[0]:
            return
        if where not in seen.comparisons:
            seen.comparisons.append(where)
        for i in before:
            parameter = parameters[kernel.name][i]
            if parameter.annotation != "Room" and changed(before[i], args[i]).any():
                seen.outputs[i] = parameter.name
                if before[i].dtype.kind == "f":
                    seen.floating.add(i)
                comparisons = seen.changing.setdefault(i, [])
                if where not in comparisons:
                    comparisons.append(where)

    apply = vars(Fused)["apply"].__func__

    def note_form(cls: Any, *inputs: Any) -> Any:
        if cls.compiled is not None:
            called.add(cls.compiled)
        return apply(cls, *inputs)

    with split(), watched(note), mock.patch.object(Fused, "apply", classmethod(note_form)):
        by_case: list[tuple[Case, set[str]]] = []
        for case in cases if cases is not None else list(CASES.values()):
            called.clear()
            where = ("", 0)
            for seed in range(4):
                alone(case, seed)
            if called:
                by_case.append((case, called))
            for seed in range(FIRST if called else 0):
                where = (case.name, seed)
                compare(case, seed)
            called = set()
        for case, its in by_case:
            for seed in range(FIRST, examples):
                rare = [name for name in found.keys() & its if len(found[name].comparisons) < examples]
                if not rare and all(found[name].comparisons for name in _beside(its, found)):
                    break
                where = (case.name, seed)
                compare(case, seed)
    for kernel in found.values():
        if kernel.floating:
            kernel.outputs = {i: name for i, name in kernel.outputs.items() if i in kernel.floating}
    return found


def _beside(called: set[str], names: Iterable[str]) -> list[str]:
    """The kernels in the files of those that were called: others that the same operations may call."""
    files = {name.partition(".")[0] for name in called}
    return [name for name in names if name.partition(".")[0] in files and name not in HELPERS]


def alone(case: Case, seed: int, position: str = "compiled") -> None:
    """What minigrad does in one example of a case, without a comparison: forward, gradient, and the gradient's gradient."""
    with warnings.catch_warnings(), MINIGRAD.module.use_kernels(position):
        warnings.simplefilter("ignore")
        example = Example(case, Seeded(seed), Tally(), position)
        run = run_form(MINIGRAD, case, example.form, example.call, seed=example.seed)
        outputs = [i for i, (_, y) in enumerate(run.outputs) if isinstance(y, MINIGRAD.Tensor) and y.requires_grad]
        if not case.gradient or not outputs:
            return
        drawn = [(tuple(run.outputs[i][1].shape), MINIGRAD.dtype(run.outputs[i][1])) for i in outputs]
        side = _Backward(run, outputs, [example.draw.cotangent(*d) for d in drawn])
        with suppress(Exception):  # a derivative that there is not, which comparisons are about
            gradients = [g for g in side.gradients(create_graph=True) if g is not None and g.requires_grad]
            side.second(gradients, [example.draw.cotangent(tuple(g.shape), MINIGRAD.dtype(g)) for g in gradients])


def compare(case: Case, seed: int, position: str = "compiled") -> None:
    """One example of a case, with fused operations in that form. Raises Mismatch."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        check_case(case, 1, seed, Tally(), position)


@dataclass(frozen=True)
class Fault:
    """One array that a kernel computes is wrong in one element, at each call."""

    kernel: str
    output: str
    position: int
    comparisons: tuple[tuple[str, int], ...]

    @property
    def name(self) -> str:
        return f"{self.kernel}: {self.output}"


@functools.cache
def faults() -> tuple[Fault, ...]:
    """A fault for each array that each kernel computes."""
    return tuple(
        Fault(name, output, position, tuple(_in_turn(kernel.changing[position])))
        for name, kernel in sorted(reached().items())
        for position, output in sorted(kernel.outputs.items())
    )


def _in_turn(comparisons: list[tuple[str, int]]) -> list[tuple[str, int]]:
    """One of each case, then a second of each, and so on: the cases differ more than the examples of one do."""
    by_case: dict[str, list[tuple[str, int]]] = {}
    for comparison in comparisons:
        by_case.setdefault(comparison[0], []).append(comparison)
    rounds = itertools.zip_longest(*by_case.values())
    return [comparison for one_of_each in rounds for comparison in one_of_each if comparison is not None]


@contextmanager
def planted(fault: Fault) -> Iterator[None]:
    """minigrad with this fault: the first nonzero element that the kernel wrote is another."""

    def spoil(kernel: Any, args: tuple[Any, ...], before: dict[int, np.ndarray]) -> None:
        if kernel.name != fault.kernel:
            return
        array = args[fault.position]
        places = np.flatnonzero(changed(before[fault.position], array) & (array != 0) & np.isfinite(array))
        if places.size:
            array.flat[places[0]] = 1.5 * array.flat[places[0]] + 0.5

    with watched(spoil):
        yield


def never_compared() -> list[str]:
    """The kernels that no comparison reaches, or of which none was seen to compute anything; but for helpers."""
    return sorted(set(_kernels()) - HELPERS - {fault.kernel for fault in faults()})


def caught(fault: Fault, tries: int = 24) -> tuple[str, int] | None:
    """The case that fails with this fault, and after how many comparisons; None if none that reaches the kernel does."""
    with split(), planted(fault):
        for i, (case, seed) in enumerate(fault.comparisons[:tries]):
            try:
                compare(CASES[case], seed)
            except Mismatch:
                return case, i + 1
    return None
