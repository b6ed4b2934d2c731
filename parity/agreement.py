"""The comparison of the two engines on one drawn call.

Compared, in this order: whether both raise; shape and dtype; value; every gradient under a random cotangent; double
backward. Afterwards inputs and cotangents must be what they were, and no two gradients may share memory.

How a difference is measured. The error of a floating-point result is relative to the numbers that were added up to make
it, not to what cancellation left of them. So |got - expected| is divided by a *scale*:

    per element    max(|expected_i|, floor)        for functions of one element
    reduced        max(max_i |expected_i|, floor)  where elements were summed: they share the rounding of the largest

    floor = min(1, largest |input|) / 10           (float32: without the 10; strict cases in float64: 0)

Without the floor, a gradient that crosses zero (GELU's at -0.75) would count as wrong though it is right to the last bit
that float64 has there; with it, tiny inputs still get a tiny scale. The same scale, times the spacing of the dtype, gives
the difference in ulp.

A case may say that its results are what cancellation leaves of large inputs (attention to values of 1e4): then the floor is
the largest input itself, and `cancels` says of what size the numbers are that were added up to make each gradient. A softmax
that is all but certain gives p · (dp - Σ p·dp), the difference of two equal numbers of 1e4, times a key of 1e4: whether 0 or
1e-8 is left, the order of a sum decides. So the tolerance's ulp, of the size of those numbers, are allowed besides.

Fused operations. Each example draws the form that they take: "definition", "numpy", "compiled" at any size, or "fastest",
the choice that users have.

Float32. Neither engine is the truth; PyTorch in float64 on the same (exactly representable) inputs is. minigrad may be as
far from it, in ulp of the scale above, as twice PyTorch's float32 plus the tolerance's stated allowance. One run may be
right by luck, and where cancellation multiplies the rounding, luck is far from typical. So where that bound is passed,
PyTorch's own error is measured on 24 neighbours of the example too (each input moved by at most one ulp), and the
largest counts.
"""

from __future__ import annotations

import math
import warnings
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
from numpy.lib.array_utils import byte_bounds

from minigrad.counted import counted

from .case import ELEMENTWISE, EXACT, REDUCED, Call, Case, Form, Result, Same, Tolerance
from .engines import MINIGRAD, POSITIONS, TORCH, Engine
from .inputs import Draw, Input, Seeded, Source

TINY = float(np.finfo(np.float64).tiny)


SUMMED = Tolerance("elementwise, summed", ELEMENTWISE.relative, REDUCED.ulp, False, "summed over what was broadcast")


class Mismatch(AssertionError):
    """The engines differ; the message says where and by how much."""


@dataclass
class Worst:
    """The largest differences seen."""

    relative: float = 0.0
    ulp: float = 0.0

    def add(self, relative: float, ulp: float) -> None:
        self.relative, self.ulp = max(self.relative, relative), max(self.ulp, ulp)


@dataclass
class Tally:
    """What the examples of one case came to."""

    examples: int = 0
    raised: int = 0  # examples on which both engines raised alike
    arrays: int = 0  # values, gradients and second derivatives that were compared
    forms: dict[str, int] = field(default_factory=dict)  # by the public name that was called
    positions: dict[str, int] = field(default_factory=dict)  # by the form that fused operations took
    worst: dict[str, Worst] = field(default_factory=dict)  # "value", "gradient", "second", by "float32 " if so
    bins: dict[str, dict[int, int]] = field(default_factory=dict)  # how many differences by power of ten; -99: none

    def note(self, kind: str, relative: float, ulp: float) -> None:
        self.worst.setdefault(kind, Worst()).add(relative, ulp)
        power = math.floor(math.log10(relative)) if 0 < relative < math.inf else -99 if relative == 0 else 99
        counts = self.bins.setdefault(kind, {})
        counts[power] = counts.get(power, 0) + 1


# -- measuring


@dataclass
class Difference:
    relative: float
    ulp: float
    index: tuple[int, ...]


def differ(got: np.ndarray, expected: np.ndarray, *, per_element: bool, floor: float) -> Difference:
    """The largest difference of two arrays of one shape. Equal infinities and two nans are equal; else they are infinitely
    far apart."""
    if not expected.size:
        return Difference(0.0, 0.0, ())
    if expected.dtype.kind != "f":
        bad = got != expected
        index = np.unravel_index(int(np.argmax(bad)), bad.shape)
        worst = math.inf if bad.any() else 0.0
        return Difference(worst, worst, tuple(map(int, index)))
    if got.dtype == expected.dtype and np.array_equal(got, expected):
        return Difference(0.0, 0.0, (0,) * expected.ndim)
    eps = float(np.finfo(expected.dtype).eps)
    a, b = got.astype(np.float64), expected.astype(np.float64)
    with np.errstate(all="ignore"):
        gap = np.abs(a - b)
        same = (a == b) | (np.isnan(a) & np.isnan(b))
        size = np.where(np.isfinite(b), np.abs(b), 0.0)
        scale = np.maximum(size if per_element else size.max(), max(floor, TINY))
        relative = np.where(same, 0.0, np.where(np.isfinite(gap), gap / scale, np.inf))
    place = int(np.argmax(relative))
    worst = float(relative.flat[place])
    return Difference(worst, worst / eps, tuple(map(int, np.unravel_index(place, relative.shape))))


# -- walking through arguments and results


def mapped(x: Any, change: Callable[[Any], Any]) -> Any:
    """`change` applied to everything in lists, tuples and dicts."""
    if isinstance(x, tuple) and hasattr(x, "_fields"):
        return type(x)(*(mapped(v, change) for v in x))
    if isinstance(x, list | tuple):
        return type(x)(mapped(v, change) for v in x)
    if isinstance(x, dict):
        return {k: mapped(v, change) for k, v in x.items()}
    return change(x)


def inputs_of(x: Any) -> list[Input]:
    """The distinct Inputs among arguments, in order."""
    found: dict[int, Input] = {}

    def look(value: Any) -> None:
        if isinstance(value, Input):
            found.setdefault(id(value), value)

    mapped([x.args, x.kwargs] if isinstance(x, Call) else x, look)
    return list(found.values())


SAME = " (to the bit)"


def _count(x: Any) -> int:
    """How many Inputs there are among arguments, counted as often as they come."""
    found: list[Input] = []
    mapped(x, lambda value: found.append(value) if isinstance(value, Input) else None)
    return len(found)


def _leaves(x: Any, path: str = "") -> Iterator[tuple[str, Any]]:
    """(where, value) of everything in a result. Named fields are told by name, so names are compared too."""
    if isinstance(x, Same):
        for where, value in _leaves(x.value, path):
            yield where + SAME, value
    elif hasattr(x, "_fields") and not isinstance(x, type):
        for name in x._fields:
            yield from _leaves(getattr(x, name), f"{path}.{name}")
    elif type(x).__module__.startswith("torch.return_types"):
        names = [n for n in dir(x) if not n.startswith(("_", "n_")) and n not in ("count", "index")]
        order = sorted(names, key=lambda n: next(i for i, v in enumerate(x) if v is getattr(x, n)))
        for name in order:
            yield from _leaves(getattr(x, name), f"{path}.{name}")
    elif isinstance(x, dict):
        for key, value in x.items():
            yield from _leaves(value, f"{path}[{key!r}]")
    elif isinstance(x, list | tuple) and not isinstance(x, TORCH.module.Size | MINIGRAD.module.Size):
        for i, value in enumerate(x):
            yield from _leaves(value, f"{path}[{i}]")
    else:
        yield path, x


@dataclass
class Run:
    """What one engine made of a call."""

    engine: Engine
    inputs: list[Any]
    leaves: list[Any] = field(default_factory=list)
    outputs: list[tuple[str, Any]] = field(default_factory=list)
    error: BaseException | None = None


def run_form(engine: Engine, case: Case, form: Form, drawn: Call, dtype: str | None = None, seed: int = 0) -> Run:
    """One engine's run of a drawn call, floating inputs in `dtype` if it is given."""
    inputs = inputs_of(drawn)
    tensors = {}
    for x in inputs:
        to = dtype if dtype is not None and x.dtype.kind == "f" else None
        tensors[id(x)] = engine.tensor(x, to)
    run = Run(engine, list(tensors.values()))

    def change(x: Any) -> Any:
        if isinstance(x, Input):
            return tensors[id(x)]
        return getattr(engine.module, x.name) if isinstance(x, DType) else x

    args, kwargs = mapped(drawn.args, change), mapped(drawn.kwargs, change)
    if case.seeds:
        engine.seed(seed)
    try:
        with warnings.catch_warnings():
            if engine is TORCH:
                warnings.simplefilter("ignore")
            chosen = case.reference if engine is TORCH and case.reference is not None else form.run
            result = chosen(engine.module, *args, **kwargs)
    except Exception as error:
        run.error = error
        return run
    if isinstance(result, Result):
        run.leaves = list(result.leaves)
        result = result.outputs
    run.outputs = list(_leaves(result))
    return run


def nudged(drawn: Call, rng: np.random.Generator) -> Call:
    """The call with each float32 number moved to its neighbour above or below, or left."""
    moved = {}
    for x in inputs_of(drawn):
        if x.dtype == np.float32:
            target = np.where(rng.integers(0, 2, x.buffer.shape) == 1, np.inf, -np.inf).astype(np.float32)
            buffer = np.where(rng.integers(0, 3, x.buffer.shape) > 0, np.nextafter(x.buffer, target), x.buffer)
            moved[id(x)] = replace(x, buffer=buffer.astype(np.float32))

    def change(value: Any) -> Any:
        return moved.get(id(value), value) if isinstance(value, Input) else value

    return replace(drawn, args=mapped(drawn.args, change), kwargs=mapped(drawn.kwargs, change))


@dataclass(frozen=True)
class DType:
    """A dtype among the arguments, named alike in both engines."""

    name: str


# -- the comparison of one example


class Example:
    """One drawn call of one case in both engines. position: the form of fused operations, in place of the one drawn."""

    def __init__(self, case: Case, source: Source, tally: Tally, position: str | None = None) -> None:
        self.case, self.tally = case, tally
        mode = case.modes[source.integer(0, len(case.modes) - 1)]
        dtype = "float32" if case.float32 and source.integer(0, 9) >= 8 else "float64"
        self.draw = Draw(source, mode, dtype, case.kinks, case.layouts)
        self.form = self.draw.choice(case.forms)
        # Where the first derivative jumps there is no second; with infinities it is inf or nan by how a formula is written.
        self.second = case.second and mode not in ("special", "kinks") and self.draw.flag(0.5)
        drawn = self.draw.choice(POSITIONS)
        self.position = position or drawn
        self.call = case.draw(self.draw)
        self.inputs = inputs_of(self.call)
        self.seed = int(self.draw.rng.integers(0, 2**31))
        finite = [a[np.isfinite(a)] for a in (x.array for x in self.inputs) if a.dtype.kind == "f"]
        size = max((float(np.abs(a).max(initial=0.0)) for a in finite), default=1.0)
        self.floor32 = min(1.0, size or 1.0)
        if case.cancels is not None:
            self.floor32 = max(size, 1.0)
        self.floor = 0.0 if case.strict else self.floor32 / 10
        self.reused = len(self.inputs) < _count([self.call.args, self.call.kwargs])  # one tensor in two places
        self.narrow = False  # something on the way is float32
        self.summands = (
            0.0  # the size of the numbers that were added up to make the gradient at hand, if the case says so
        )

    def fail(self, what: str) -> None:
        raise Mismatch(f"{self.describe()}\n  {what}")

    def describe(self) -> str:
        def show(x: Any) -> Any:
            return (
                _Shown(x.describe())
                if isinstance(x, Input)
                else _Shown(f"torch.{x.name}")
                if isinstance(x, DType)
                else x
            )

        args = [repr(mapped(a, show)) for a in self.call.args]
        args += [f"{k}={mapped(v, show)!r}" for k, v in self.call.kwargs.items()]
        called = ", ".join(arg if len(arg) < 300 else arg[:300] + " ..." for arg in args)
        return f"{self.form.label}({called})   [values: {self.draw.mode}; fused operations: {self.position}]"

    def check(self) -> None:
        case, tally = self.case, self.tally
        tally.examples += 1
        tally.forms[self.form.label] = tally.forms.get(self.form.label, 0) + 1
        tally.positions[self.position] = tally.positions.get(self.position, 0) + 1
        theirs = run_form(TORCH, case, self.form, self.call, seed=self.seed)
        with MINIGRAD.module.use_kernels(self.position):
            ours = run_form(MINIGRAD, case, self.form, self.call, seed=self.seed)
            if theirs.error is not None or ours.error is not None:
                self._compare_errors(ours.error, theirs.error)
                tally.raised += 1
                return
            truth = None
            if self.draw.dtype == "float32" and any(x.dtype == np.float32 for x in self.inputs):
                truth = run_form(TORCH, case, self.form, self.call, "float64", self.seed)
            floats = [b for w, b in theirs.outputs if isinstance(b, TORCH.Tensor) and not w.endswith(SAME)]
            self.narrow = any(TORCH.dtype(b) == "float32" for b in floats)
            self._compare_values(ours, theirs, truth)
            if case.gradient:
                self._compare_gradients(ours, theirs, truth)
            self._compare_inputs(ours)

    def _error_of_neighbours(self, name: str, measure: dict[str, Any]) -> float:
        """PyTorch's largest float32 error of this result on inputs one ulp beside the example's."""
        worst = 0.0
        rng = np.random.default_rng(0)
        for _ in range(24):
            drawn = nudged(self.call, rng)
            sides = []
            for dtype in (None, "float64"):
                run = run_form(TORCH, self.case, self.form, drawn, dtype, self.seed)
                if run.error is not None:
                    break
                found = {f"output{where}": b for where, b in run.outputs if isinstance(b, TORCH.Tensor)}
                if name not in found:
                    outputs = [
                        i for i, (_, b) in enumerate(run.outputs) if isinstance(b, TORCH.Tensor) and b.requires_grad
                    ]
                    gradients = _Backward(run, outputs, self.cotangents).gradients(create_graph=False)
                    found = dict(zip(self.gradient_names, gradients, strict=True))
                sides.append(TORCH.array(found[name].detach()).astype(np.float64))
            if len(sides) == 2 and np.isfinite(sides).all():
                worst = max(worst, differ(*sides, **measure).relative)
        return worst

    def _compare_errors(self, ours: BaseException | None, theirs: BaseException | None) -> None:
        if theirs is None:
            raise Mismatch(
                f"{self.describe()}\n  minigrad raised {type(ours).__name__}, PyTorch did not: {ours}"
            ) from ours
        if ours is None:
            raise Mismatch(f"{self.describe()}\n  PyTorch raised {type(theirs).__name__}, minigrad did not: {theirs}")
        if not same_class(ours, theirs):
            raise Mismatch(
                f"{self.describe()}\n  PyTorch raised {type(theirs).__name__}: {theirs}\n"
                f"  minigrad raised {type(ours).__name__}: {ours}"
            ) from ours

    # -- values

    def _compare_values(self, ours: Run, theirs: Run, truth: Run | None) -> None:
        where_ours, where_theirs = [w for w, _ in ours.outputs], [w for w, _ in theirs.outputs]
        if where_ours != where_theirs:
            self.fail(f"the results are built differently: minigrad {where_ours}, PyTorch {where_theirs}")
        for i, ((where, a), (_, b)) in enumerate(zip(ours.outputs, theirs.outputs, strict=True)):
            name = f"output{where}"
            if not isinstance(b, TORCH.Tensor):
                self._compare_plain(name, a, b)
                continue
            t = truth.outputs[i][1] if truth is not None else None
            same = name.endswith(SAME)
            self._compare_tensor("exact" if same else "value", name, a, b, None if same else t, EXACT if same else None)
            if a.requires_grad != b.requires_grad:
                self.fail(f"{name}: requires_grad is {a.requires_grad}, expected {b.requires_grad}")

    def _compare_plain(self, name: str, a: Any, b: Any) -> None:
        dtype, size = TORCH.module.dtype, TORCH.module.Size
        if isinstance(b, dtype | size | TORCH.module.device):
            if repr(a).replace("minigrad.", "torch.") != repr(b):
                self.fail(f"{name}: got {a!r}, expected {b!r}")
            return
        if isinstance(b, float) and isinstance(a, float):
            if not (a == b or (math.isnan(a) and math.isnan(b)) or abs(a - b) <= 1e-12 * max(abs(b), self.floor)):
                self.fail(f"{name}: got {a!r}, expected {b!r}")
            return
        if isinstance(a, str) and isinstance(b, str):  # the engines' names differ in length, so lines break elsewhere
            same = " ".join(a.replace("minigrad.", "torch.").split()) == " ".join(b.split())
        else:
            same = type(a) is type(b) and a == b
        if not same:
            self.fail(f"{name}: got {a!r} ({type(a).__name__}), expected {b!r} ({type(b).__name__})")

    def _compare_tensor(
        self, kind: str, name: str, a: Any, b: Any, t: Any = None, tolerance: Tolerance | None = None
    ) -> None:
        if not isinstance(a, MINIGRAD.Tensor):
            self.fail(f"{name}: got {type(a).__name__}, expected a Tensor")
        got, expected = MINIGRAD.array(a), TORCH.array(b)
        if got.shape != expected.shape:
            self.fail(f"{name}: got shape {list(got.shape)}, expected {list(expected.shape)}")
        if MINIGRAD.dtype(a) != TORCH.dtype(b):
            self.fail(f"{name}: got dtype {MINIGRAD.dtype(a)}, expected {TORCH.dtype(b)}")
        tolerance = tolerance or self.case.tolerance
        self._compare_arrays(kind, name, got, expected, None if t is None else TORCH.array(t), tolerance)

    def _compare_arrays(
        self,
        kind: str,
        name: str,
        got: np.ndarray,
        expected: np.ndarray,
        truth: np.ndarray | None,
        tolerance: Tolerance,
    ) -> None:
        self.tally.arrays += 1
        single = expected.dtype == np.float32 or (self.narrow and expected.dtype.kind == "f")
        measure: dict[str, Any] = {
            "per_element": tolerance.per_element,
            "floor": self.floor32 if single else self.floor,
        }
        if expected.dtype.kind != "f" or expected.dtype == np.float64 or truth is None:
            d = differ(got, expected, **measure)
            # Results in float32 that came from float64 or integers get float32's share of the tolerance.
            limit = tolerance.ulp * float(np.finfo(np.float32).eps) if single else tolerance.relative
            limit = 0.0 if tolerance.relative == 0 else limit
            spacing = float(np.finfo(np.float32 if single else np.float64).eps)
            self.tally.note(f"float32 {kind}" if single else kind, d.relative, d.relative / spacing)
            if self.summands and not single:
                largest = max(float(np.abs(expected).max(initial=0.0)), measure["floor"])
                limit += tolerance.ulp * spacing * self.summands / largest
            if not d.relative <= limit:
                self.fail(
                    self._told(
                        name, got, expected, d, f"at most {limit:g} relative ({tolerance.name}: {tolerance.reason})"
                    )
                )
            return
        eps = float(np.finfo(np.float32).eps)
        with np.errstate(over="ignore"):
            rounded = truth.astype(np.float32)
        overflow = ~np.isfinite(rounded) | ~np.isfinite(expected)
        # Where float32 itself overflows, both engines must do so alike; elsewhere the truth decides.
        mine = differ(np.where(overflow, 0, got).astype(np.float64), np.where(overflow, 0, truth), **measure)
        other = differ(np.where(overflow, 0, expected).astype(np.float64), np.where(overflow, 0, truth), **measure)
        allowed = 2 * other.relative / eps + tolerance.ulp
        self.tally.note(f"float32 {kind}", mine.relative, mine.relative / eps)
        if allowed < mine.relative / eps < math.inf:
            allowed = max(allowed, 2 * self._error_of_neighbours(name, measure) / eps + tolerance.ulp)
        if not mine.relative / eps <= allowed:
            told = f"{allowed:.1f} ulp from the float64 value, twice PyTorch's own plus {tolerance.ulp:g}"
            self.fail(self._told(name, got, expected, mine, told))
        if overflow.any():
            d = differ(
                np.where(overflow, got, 0), np.where(overflow, expected, 0), per_element=True, floor=self.floor32
            )
            if not d.relative <= 1e-5:
                self.fail(self._told(name, got, expected, d, "where float32 overflows, both overflow alike"))

    def _told(self, name: str, got: np.ndarray, expected: np.ndarray, d: Difference, limit: str) -> str:
        place = f" at {list(d.index)}" if d.index else ""
        a, b = got[d.index], expected[d.index]
        return (
            f"{name} (shape {list(expected.shape)}){place}: got {a!r}, expected {b!r}; difference {d.relative:.3g} relative to the "
            f"scale, {d.ulp:.3g} ulp; allowed: {limit}"
        )

    # -- gradients

    def _compare_gradients(self, ours: Run, theirs: Run, truth: Run | None) -> None:
        outputs = [i for i, (_, b) in enumerate(theirs.outputs) if isinstance(b, TORCH.Tensor) and b.requires_grad]
        if len(ours.leaves) != len(theirs.leaves):
            self.fail(f"got {counted(len(ours.leaves), 'parameter')}, expected {len(theirs.leaves)}")
        if not outputs:
            return
        cotangents = [
            self.draw.cotangent(tuple(theirs.outputs[i][1].shape), TORCH.dtype(theirs.outputs[i][1])) for i in outputs
        ]
        self.cotangents = cotangents
        sides = [_Backward(run, outputs, cotangents) for run in (ours, theirs, truth) if run is not None]
        mine, other, true = sides[0], sides[1], sides[2] if truth is not None else None
        names = [f"gradient of input {i} ({x.describe()})" for i, x in enumerate(self.inputs) if x.grad]
        names += [f"gradient of parameter {i}" for i in range(len(theirs.leaves))]
        self.gradient_names = names

        plain, expected = self._both(
            lambda: mine.gradients(create_graph=False), lambda: other.gradients(create_graph=self.second)
        )
        if plain is None:
            self.tally.raised += 1
            return
        exact = true.gradients(create_graph=False) if true is not None else [None] * len(names)
        shape = theirs.outputs[outputs[0]][1].shape if len(outputs) == 1 else None
        self._compare_gradient_lists("gradient", names, plain, expected, exact, shape)
        self._check_memory(names, plain, mine, ours)
        for what, x in zip(cotangents, mine.cotangents, strict=True):
            if MINIGRAD.array(x).tobytes() != what.array.tobytes():
                self.fail("the backward pass changed the cotangent it was given")

        if self.second and truth is None:
            try:
                recorded = mine.gradients(create_graph=True)
            except Exception as error:
                raise Mismatch(f"{self.describe()}\n  under create_graph minigrad raised {error!r}") from error
            self._compare_gradient_lists(
                "gradient", [f"{n} under create_graph" for n in names], recorded, expected, exact, shape
            )
            self._compare_second(mine, other, recorded, expected, names)

    def _both(self, ours: Callable[[], Any], theirs: Callable[[], Any]) -> tuple[Any, Any]:
        """The results of both engines; (None, None) if both raise alike."""
        results: list[Any] = []
        errors: list[BaseException | None] = []
        for step in (ours, theirs):
            try:
                results.append(step())
                errors.append(None)
            except Exception as error:
                results.append(None)
                errors.append(error)
        if errors[1] is not None and "is not implemented" in str(errors[1]):
            return None, None  # a derivative that PyTorch has not written
        if errors[0] is not None or errors[1] is not None:
            self._compare_errors(errors[0], errors[1])
        return results[0], results[1]

    def _compare_gradient_lists(
        self, kind: str, names: list[str], got: list, expected: list, truth: list, shape: Any
    ) -> None:
        for name, a, b, t in zip(names, got, expected, truth, strict=True):
            if (a is None) != (b is None):
                self.fail(f"{name}: got {'none' if a is None else 'one'}, expected {'none' if b is None else 'one'}")
            if b is None:
                continue
            tolerance = self.case.tolerance
            if tolerance.relative == 0:
                tolerance = ELEMENTWISE
            if tolerance is ELEMENTWISE and (self.reused or tuple(b.shape) != tuple(shape or ())):
                tolerance = SUMMED
            # What is summed has at least the size of the cotangents, which are of order 1 also where inputs are tiny.
            before = self.floor, self.floor32
            if not tolerance.per_element:
                self.floor, self.floor32 = 0.1, 1.0
            if self.case.cancels is not None:
                self.summands = self._summands(names.index(name))
                self.floor32 = max(self.floor32, self.summands)
            self._compare_tensor(kind, name, a, b, t, tolerance)
            self.floor, self.floor32 = before
            self.summands = 0.0

    def _summands(self, which: int) -> float:
        """The size of the numbers that are added up to make the gradient of one of the inputs that require it."""
        assert self.case.cancels is not None
        call = mapped([self.call.args, self.call.kwargs], lambda x: x.array if isinstance(x, Input) else x)
        sizes = self.case.cancels(*call[0], **call[1], cotangent=self.cotangents[0].array)
        wanted = [size for x, size in zip(self.inputs, sizes, strict=True) if x.grad]
        return float(np.max(wanted[which], initial=0.0))

    def _check_memory(self, names: list[str], gradients: list, side: _Backward, ours: Run) -> None:
        held = [(n, MINIGRAD.array(g)) for n, g in zip(names, gradients, strict=True) if g is not None]
        others = [("the cotangent", MINIGRAD.array(x)) for x in side.cotangents]
        others += [("an input", MINIGRAD.array(x)) for x in ours.inputs]
        others += [(f"output{w}", MINIGRAD.array(x)) for w, x in ours.outputs if isinstance(x, MINIGRAD.Tensor)]
        for (n, g), (m, h) in _overlapping(held, others):
            if np.shares_memory(g, h):
                self.fail(f"the {n} shares memory with {m}")

    def _compare_second(self, mine: _Backward, other: _Backward, got: list, expected: list, names: list[str]) -> None:
        chosen = [i for i, g in enumerate(expected) if g is not None and g.requires_grad]
        if not chosen:
            return
        weights = [self.draw.cotangent(tuple(expected[i].shape), TORCH.dtype(expected[i])) for i in chosen]
        without = [i for i in chosen if not got[i].requires_grad]
        if without:
            self.fail(f"{names[without[0]]} under create_graph does not require grad")
        a, b = self._both(
            lambda: mine.second([got[i] for i in chosen], weights),
            lambda: other.second([expected[i] for i in chosen], weights),
        )
        if a is None or b is None:
            return
        targets = [f"second derivative by {n.removeprefix('gradient of ')}" for n in names]
        targets += [f"second derivative by cotangent {i}" for i in range(len(mine.cotangents))]
        tolerance = self.case.tolerance
        if tolerance.relative == 0:
            tolerance = ELEMENTWISE
        for name, x, y in zip(targets, a, b, strict=True):
            # An engine may say None or zeros where nothing depends: the same mathematics.
            if x is None and y is None:
                continue
            ya = TORCH.array(y) if y is not None else np.zeros_like(MINIGRAD.array(x))
            xa = MINIGRAD.array(x) if x is not None else np.zeros_like(ya)
            if xa.shape != ya.shape or xa.dtype != ya.dtype:
                self.fail(f"{name}: got {xa.dtype}{list(xa.shape)}, expected {ya.dtype}{list(ya.shape)}")
            summed = Tolerance(tolerance.name, tolerance.relative, REDUCED.ulp, False, tolerance.reason)
            self.floor = max(self.floor, 0.1)  # sums of products with two cotangents of order 1
            self._compare_arrays("second", name, xa, ya, None, summed)

    def _compare_inputs(self, ours: Run) -> None:
        for i, (x, tensor) in enumerate(zip(self.inputs, ours.inputs, strict=True)):
            if MINIGRAD.array(tensor).tobytes() != x.array.tobytes():
                self.fail(f"input {i} ({x.describe()}) was changed")


Named = tuple[str, np.ndarray]


def _overlapping(held: list[Named], others: list[Named]) -> Iterator[tuple[Named, Named]]:
    """The pairs, of two in `held` or of one and one in `others`, whose memory may overlap: by where it begins and ends, sorted,
    as a network has a hundred gradients and few that lie near each other."""
    bounds = [(*byte_bounds(a[1]), i, a) for i, a in enumerate([*held, *others]) if a[1].size]
    bounds.sort(key=lambda b: b[:3])
    open_: list[tuple[int, int, Named]] = []  # those that go on beyond where the current one begins
    for low, high, i, named in bounds:
        open_ = [before for before in open_ if before[0] > low]
        for _, j, before in open_:
            if i < len(held):
                yield named, before
            elif j < len(held):
                yield before, named
        open_.append((high, i, named))


class _Backward:
    """The backward passes of one engine's run."""

    def __init__(self, run: Run, outputs: Sequence[int], cotangents: Sequence[Input]) -> None:
        self.engine = run.engine
        self.outputs = [run.outputs[i][1] for i in outputs]
        self.wanted = [x for x in run.inputs if x.requires_grad] + run.leaves
        dtypes = [self.engine.dtype(y) for y in self.outputs]
        self.cotangents = [
            self.engine.tensor(c, d, requires_grad=True) for c, d in zip(cotangents, dtypes, strict=True)
        ]

    def gradients(self, create_graph: bool) -> list:
        given = self.cotangents if create_graph else [c.detach() for c in self.cotangents]
        return list(
            self.engine.module.autograd.grad(
                self.outputs, self.wanted, given, retain_graph=True, create_graph=create_graph, allow_unused=True
            )
        )

    def second(self, gradients: list, weights: list[Input]) -> list:
        given = [self.engine.tensor(w) for w in weights]
        targets = [*self.wanted, *self.cotangents]
        return list(self.engine.module.autograd.grad(gradients, targets, given, allow_unused=True))


class _Shown(str):
    def __repr__(self) -> str:
        return str(self)


def builtin_class(error: BaseException) -> type:
    """The error's class, or for a class of an engine's own the builtin one that it derives from."""
    return next(c for c in type(error).__mro__ if c.__module__ == "builtins")


def same_class(a: BaseException, b: BaseException) -> bool:
    """Whether two errors are caught by the same `except`."""
    return builtin_class(a) is builtin_class(b)


def check_example(case: Case, source: Source, tally: Tally | None = None, position: str | None = None) -> None:
    """Draw one call and compare, with fused operations in the form that is drawn or given. Raises Mismatch."""
    Example(case, source, tally if tally is not None else Tally(), position).check()


def check_case(
    case: Case, examples: int, seed: int = 0, tally: Tally | None = None, position: str | None = None
) -> Tally:
    """Compare on `examples` seeded draws. Raises Mismatch, with the seed of the draw that failed."""
    tally = tally if tally is not None else Tally()
    for i in range(examples):
        _seeded(case, seed + i, tally, position)
    return tally


def check_well(case: Case, examples: int, least: int, arrays: int) -> Tally:
    """Compare on `examples` seeded draws; on fewer, but no less than `least`, once so many `arrays` have been compared: an
    example of a Transformer compares the gradients of a hundred parameters. Raises Mismatch, as `check_case` does."""
    tally = Tally()
    for seed in range(examples):
        if seed >= least and tally.arrays >= arrays:
            break
        _seeded(case, seed, tally, None)
    return tally


def _seeded(case: Case, seed: int, tally: Tally, position: str | None) -> None:
    try:
        check_example(case, Seeded(seed), tally, position)
    except Mismatch as mismatch:
        form = f" --form {position}" if position else ""
        again = f"again: python -m parity {case.name} --seed {seed} --examples 1{form}"
        raise Mismatch(f"{mismatch}\n  {again}") from mismatch
