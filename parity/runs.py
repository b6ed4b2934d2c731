"""`compare_runs(program)`: a whole training program in both engines, step by step, and where they part.

    def program(torch):
        torch.manual_seed(0)
        model = torch.nn.Sequential(torch.nn.Linear(2, 4), torch.nn.Tanh(), torch.nn.Linear(4, 1))
        optimizer = torch.optim.Adam(model.parameters(), lr=0.01)
        x = torch.randn(64, 2)
        for _ in range(100):
            loss = (model(x) ** 2).mean()
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()

    print(parity.compare_runs(program))

Nothing is changed in the program. While it runs, every optimizer's step, every backward pass and every module's call are
watched (watch.py): a step's record holds, in the order in which they happened, the modules' outputs, then the gradients and the
parameters by name. The first tensor of the first step that differs by more than rounding is where the engines part. Whether that
is a fault or rounding that grew, a run in float64 decides: rounding all but vanishes there, a fault does not. A program that
names float32 gets float64 there too (lifted.py). Where one makes so much of rounding that float64 parts as well, or cannot be run
in float64, PyTorch's own runs are the measure, whose parameters are moved by one rounding at each step.
"""

from __future__ import annotations

from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from minigrad.counted import counted

from .engines import MINIGRAD, POSITIONS, TORCH, default_dtype, require_function
from .lifted import Seen, lifted
from .watch import Record, Watch

APART = {
    "float32": 1e-5,
    "float64": 1e-9,
}  # relative to the largest element of its kind: more than a step's own rounding
ROUNDING = 50.0  # so many times as far as PyTorch's runs with rounding added part, two runs may
NUDGES = 3  # how many such runs are made


@dataclass
class Parting:
    """The first place where two runs are apart."""

    step: int  # from 0; -1: before the first step
    tensor: str
    index: tuple[int, ...]
    got: float
    expected: float
    difference: float  # relative to the largest element of all outputs, gradients or parameters of the step

    @property
    def kind(self) -> str:
        return _kind(self.tensor)

    def __str__(self) -> str:
        when = "before the first step" if self.step < 0 else f"at step {self.step}"
        place = f" at {list(self.index)}" if self.index else ""
        return (
            f"{when}, in {self.tensor}{place}: minigrad {self.got:.9g}, PyTorch {self.expected:.9g} "
            f"({self.difference:.1e} of the largest {self.kind})"
        )


@dataclass
class Comparison:
    """What `compare_runs` found: `agree`, `fault`, and the words for it in str()."""

    steps: int
    parting: Parting | None  # in the program's own type
    parting64: Parting | None  # in the run with float64
    worst: float
    worst64: float
    error: str = ""
    form: str = POSITIONS[0]  # of fused operations in minigrad
    without64: str = ""  # why there is no run in float64 to compare
    rounding: float | None = (
        None  # how far runs in PyTorch part whose parameters are moved by their rounding at each step
    )
    passes: bool = False  # steps are backward passes

    @property
    def fault(self) -> bool:
        """Whether an engine is wrong (or raised): the float64 runs part too, by more than rounding."""
        if self.error or self.parting64 is not None:
            return True
        return bool(self.without64) and self.parting is not None and not self._as_rounding(self.parting)

    @property
    def agree(self) -> bool:
        return not self.fault and self.parting is None

    def _as_rounding(self, parting: Parting) -> bool:
        return self.rounding is not None and parting.difference <= ROUNDING * self.rounding

    def __str__(self) -> str:
        return self._found() + ("" if self.form == POSITIONS[0] else f" (Fused operations: {self.form}.)")

    def _found(self) -> str:
        steps = f"{self.steps} {'backward passes' if self.passes else 'steps'}"
        if self.error:
            return self.error
        if self.parting64 is not None:
            return f"A fault: in float64 too the engines part {self.parting64}."
        if self.parting is not None and self.without64:
            verdict = "Rounding" if not self.fault else "A fault"
            far = "as far" if not self.fault else f"to {self.rounding:.1e} only"
            return (
                f"{verdict}: the engines part {self.parting}. In float64 they cannot be compared ({self.without64}); but "
                f"runs in PyTorch whose parameters are moved by their rounding at each step part {far}."
            )
        if self.parting is not None:
            more = ""
            if self.rounding is not None:
                more = f", and no farther than PyTorch's own runs with rounding added, {self.rounding:.1e}"
            return (
                f"Rounding: the engines part {self.parting}. In float64 they stay together over all {steps} "
                f"(worst {self.worst64:.1e}{more}), so no engine is wrong: the program makes rounding grow."
            )
        in64 = f"in float64 {self.worst64:.1e}" if not self.without64 else f"not compared in float64: {self.without64}"
        return f"The engines agree over {steps}: worst difference {self.worst:.1e}, {in64}."


def compare_runs(program: Callable[[Any], Any], *, dtype: str = "float32", form: str = POSITIONS[0]) -> Comparison:
    """Run `program(torch)` in both engines and say where they first part, and whether that is rounding or a fault.

    program: trains with optimizers from `torch.optim`, with one of its own, or by hand after backward passes. Every run
    starts from the same random numbers; generators of its own it must seed itself. It is run four times: in each engine
    with `dtype` as the default type, and with float64, which it gets where it names float32, too. A few more runs, with
    rounding added, tell what rounding makes of it where the engines part.
    form: of minigrad's fused operations, as `minigrad.use_kernels` takes it: "fastest", "definition", "numpy", "compiled".
    Errors: ValueError if it makes neither a step nor a backward pass, or if two runs in one engine differ (random parts that
    are not seeded).
    """
    require_function(program, "parity.compare_runs", "a function of one argument, the engine, that trains")
    if dtype not in APART:
        raise ValueError(f"dtype must be float32 or float64, got {dtype!r}")
    with MINIGRAD.module.use_kernels(form):
        return replace(_compare(program, dtype), form=form)


def _compare(program: Callable[[Any], Any], dtype: str) -> Comparison:
    ours, theirs = [_run(e, program, dtype) for e in (MINIGRAD, TORCH)]
    if ours.error is not None or theirs.error is not None:
        return _raised(dtype, ours, theirs)
    if not theirs.steps:
        raise ValueError(
            "the program makes no optimizer step and no backward pass: call optimizer.step() of an optimizer of torch.optim, "
            "or loss.backward()"
        )
    parting, worst = first_difference(ours, theirs, APART[dtype])
    found = Comparison(len(theirs.steps), parting, None, worst, np.inf, passes=theirs.by_backward)
    if parting is not None:
        _check_seeds(program, dtype, theirs)
    seen = Seen()
    mine64, other64, parting64, found.worst64 = _in_double(program, seen, False)
    if mine64.error or other64.error or parting64 is not None:  # does it name float32?
        mine64, other64, parting64, found.worst64 = _in_double(program, seen, True)
    for engine, record in ((MINIGRAD, mine64), (TORCH, other64)):
        if record.error is not None:
            found.without64 = f"{engine.name} raises {type(record.error).__name__}: {_line(record.error)}"
    if found.without64:
        if parting is not None:
            found.rounding = _rounding(program, dtype, theirs, parting, None)
        return found
    if parting64 is not None:
        _check_seeds(program, "float64", other64)
        found.rounding = _rounding(program, "float64", other64, parting64, seen)
        if parting64.difference > ROUNDING * found.rounding:
            found.parting64 = parting64
        elif found.parting is None:
            found.parting = parting64
    return found


def _run(engine: Any, program: Callable[[Any], Any], dtype: str, seen: Seen | None = None, nudge: Any = None) -> Record:
    """One run. seen: in float64, though the program names float32."""
    with ExitStack() as stack:
        stack.enter_context(default_dtype(dtype))
        if dtype == "float64":
            stack.enter_context(lifted(engine, seen, watch=seen is not None))
        return Watch(engine, nudge).run(program)


def _in_double(program: Callable[[Any], Any], seen: Seen, watch: bool) -> tuple[Record, Record, Parting | None, float]:
    ours, theirs = [_run(e, program, "float64", seen if watch else None) for e in (MINIGRAD, TORCH)]
    if ours.error is not None or theirs.error is not None:
        return ours, theirs, None, np.inf
    return ours, theirs, *first_difference(ours, theirs, APART["float64"])


def _check_seeds(program: Callable[[Any], Any], dtype: str, before: Record) -> None:
    again = _run(TORCH, program, dtype, Seen() if dtype == "float64" else None)
    if again.error is None and first_difference(again, before, 1e-12)[0] is not None:
        raise ValueError(
            "two runs in PyTorch differ: the program has random parts that are not seeded. Call torch.manual_seed(...) "
            "(of the engine that it is given), or numpy.random.default_rng(seed), at its beginning"
        )


def _rounding(program: Callable[[Any], Any], dtype: str, plain: Record, parting: Parting, seen: Seen | None) -> float:
    """How far PyTorch's runs part, up to the parting, when each parameter is moved by its rounding at each step."""
    single = dtype == "float32" or (seen is not None and seen.left)
    eps = float(np.finfo("float32" if single else "float64").eps)
    worst = eps
    for k in range(NUDGES):
        rng = np.random.default_rng(k)

        def nudge(array: np.ndarray, rng: np.random.Generator = rng) -> None:
            if array.dtype.kind == "f":
                array *= 1 + eps * rng.choice([-1.0, 1.0], size=array.shape)

        moved = _run(TORCH, program, dtype, Seen() if dtype == "float64" else None, nudge)
        a, b = (replace(r, steps=r.steps[: parting.step + 1], error=None) for r in (moved, plain))
        found = first_difference(a, b, np.inf)[1]
        worst = max(worst, found if np.isfinite(found) else 0.0)
    return worst


def _line(error: Exception) -> str:
    return (str(error).strip().splitlines() or [""])[0]


def _raised(kind: str, ours: Record, theirs: Record) -> Comparison:
    told = []
    for name, record in (("minigrad", ours), ("PyTorch", theirs)):
        if record.error is None:
            told.append(f"{name} runs to the end ({counted(len(record.steps), 'step')})")
        else:
            told.append(
                f"{name} raises {type(record.error).__name__} after {counted(len(record.steps), 'step')}: {record.error}"
            )
    text = f"In {kind}: " + "; ".join(told)
    return Comparison(min(len(ours.steps), len(theirs.steps)), None, None, np.inf, np.inf, text)


def first_difference(ours: Record, theirs: Record, apart: float) -> tuple[Parting | None, float]:
    """Where the runs first differ by more than `apart`, and the worst difference up to there."""
    worst = 0.0
    pairs = [(-1, ours.start, theirs.start)]
    pairs += [(i, a.tensors, b.tensors) for i, (a, b) in enumerate(zip(ours.steps, theirs.steps, strict=False))]
    for step, mine, other in pairs:
        largest: dict[str, float] = {}
        for name, expected in other.items():
            finite = np.abs(expected[np.isfinite(expected)]).max(initial=0.0)
            largest[_kind(name)] = max(largest.get(_kind(name), 1e-30), float(finite))
        for name, expected in other.items():
            got = mine.get(name)
            if got is None or got.shape != expected.shape:
                shape = "missing" if got is None else f"of shape {got.shape}"
                return Parting(
                    step,
                    f"{name} ({shape} in minigrad, of shape {expected.shape} in PyTorch)",
                    (),
                    np.nan,
                    np.nan,
                    np.inf,
                ), np.inf
            gap, index = _gap(got, expected, largest[_kind(name)])
            worst = max(worst, gap)
            if gap > apart:
                return Parting(step, name, index, float(got[index]), float(expected[index]), gap), worst
    if len(ours.steps) != len(theirs.steps):
        text = f"the number of steps ({len(ours.steps)} in minigrad, {len(theirs.steps)} in PyTorch)"
        return Parting(
            min(len(ours.steps), len(theirs.steps)), text, (), len(ours.steps), len(theirs.steps), np.inf
        ), worst
    return None, worst


def _kind(name: str) -> str:
    """Of what kind a tensor of this name is: they are measured against the largest of their kind in the step.

    A gradient that is 0 but for rounding (a bias before a batch norm) has no size of its own to be measured against.
    """
    return "gradient" if name.startswith("the gradient") else "output" if name.startswith("the output") else "parameter"


def _gap(got: np.ndarray, expected: np.ndarray, scale: float) -> tuple[float, tuple[int, ...]]:
    """The largest difference over the scale, and where it is."""
    if not expected.size:
        return 0.0, ()
    a, b = got.astype(np.float64), expected.astype(np.float64)
    same = (a == b) | (np.isnan(a) & np.isnan(b))
    with np.errstate(invalid="ignore"):
        gap = np.where(same, 0.0, np.abs(a - b))
    gap = np.where(np.isnan(gap), np.inf, gap)
    place = np.unravel_index(int(np.argmax(gap)), gap.shape)
    return float(gap[place] / scale), tuple(map(int, place))


# -- watching
