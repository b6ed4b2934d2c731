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

Nothing is changed in the program. While it runs, every optimizer's step and every module's call are watched: a step's
record holds, in the order in which they happened, the modules' outputs, then the gradients and the parameters by name.
The first tensor of the first step that differs by more than rounding is where the engines part. Whether that is a fault or
rounding that grew, a run in float64 decides: rounding all but vanishes there, a fault does not.
"""

from __future__ import annotations

import contextlib
import warnings
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np

from .engines import MINIGRAD, POSITIONS, TORCH, Engine, default_dtype

APART = {
    "float32": 1e-5,
    "float64": 1e-9,
}  # relative to the largest element of its kind: more than a step's own rounding


@dataclass
class Step:
    """What one optimizer step saw: names and values in the order in which they came about."""

    tensors: dict[str, np.ndarray] = field(default_factory=dict)


@dataclass
class Record:
    """A program's run in one engine."""

    steps: list[Step] = field(default_factory=list)
    start: dict[str, np.ndarray] = field(default_factory=dict)  # the parameters before the first step
    error: Exception | None = None


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

    @property
    def fault(self) -> bool:
        """Whether an engine is wrong (or raised): the float64 runs part too."""
        return bool(self.error) or self.parting64 is not None

    @property
    def agree(self) -> bool:
        return not self.fault and self.parting is None

    def __str__(self) -> str:
        return self._found() + ("" if self.form == POSITIONS[0] else f" (Fused operations: {self.form}.)")

    def _found(self) -> str:
        if self.error:
            return self.error
        if self.parting64 is not None:
            return f"A fault: in float64 too the engines part {self.parting64}."
        if self.parting is not None:
            return (
                f"Rounding: the engines part {self.parting}. In float64 they stay together over all {self.steps} steps "
                f"(worst {self.worst64:.1e}), so no engine is wrong: the program makes rounding grow."
            )
        return f"The engines agree over {self.steps} steps: worst difference {self.worst:.1e}, in float64 {self.worst64:.1e}."


def compare_runs(program: Callable[[Any], Any], *, dtype: str = "float32", form: str = POSITIONS[0]) -> Comparison:
    """Run `program(torch)` in both engines and say where they first part, and whether that is rounding or a fault.

    program: trains with optimizers from `torch.optim`; it must seed its random numbers itself (`torch.manual_seed`). It is
    run four times: in each engine with `dtype` as the default type, and with float64.
    form: of minigrad's fused operations, as `minigrad.use_kernels` takes it: "fastest", "definition", "numpy", "compiled".
    Errors: ValueError if it makes no optimizer step, or if two runs in one engine differ (random parts that are not seeded).
    """
    if dtype not in APART:
        raise ValueError(f"dtype must be float32 or float64, got {dtype!r}")
    records = {}
    for kind in dict.fromkeys((dtype, "float64")):
        with default_dtype(kind), MINIGRAD.module.use_kernels(form):
            records[kind] = [_watch(engine, program) for engine in (MINIGRAD, TORCH)]
    found = {}
    for kind, (ours, theirs) in records.items():
        if ours.error is not None or theirs.error is not None:
            return replace(_raised(kind, ours, theirs), form=form)
        if not theirs.steps:
            raise ValueError(
                "the program makes no optimizer step: call optimizer.step() of an optimizer of torch.optim"
            )
        found[kind] = first_difference(ours, theirs, APART[kind])
    ours, theirs = records[dtype]
    if found["float64"][0] is not None:
        with default_dtype("float64"):
            again = _watch(TORCH, program)
        if first_difference(again, theirs if dtype == "float64" else records["float64"][1], 0.0)[0] is not None:
            raise ValueError(
                "two runs in PyTorch differ: the program has random parts that are not seeded. Call torch.manual_seed(...) "
                "(of the engine that it is given), or numpy.random.default_rng(seed), at its beginning"
            )
    return Comparison(
        len(theirs.steps), found[dtype][0], found["float64"][0], found[dtype][1], found["float64"][1], form=form
    )


def _raised(kind: str, ours: Record, theirs: Record) -> Comparison:
    told = []
    for name, record in (("minigrad", ours), ("PyTorch", theirs)):
        if record.error is None:
            told.append(f"{name} runs to the end ({len(record.steps)} steps)")
        else:
            told.append(f"{name} raises {type(record.error).__name__} after {len(record.steps)} steps: {record.error}")
    return Comparison(
        min(len(ours.steps), len(theirs.steps)), None, None, np.inf, np.inf, f"In {kind}: " + "; ".join(told)
    )


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


def _watch(engine: Engine, program: Callable[[Any], Any]) -> Record:
    """Run the program with its modules' calls and optimizers' steps recorded."""
    record = Record()
    current = Step()
    torch = engine.module
    names: dict[int, str] = {}
    keep: list[Any] = []  # what was named: an id must not be used again

    def name_all(module: Any) -> None:
        for path, part in module.named_modules():
            names.setdefault(id(part), path or type(part).__name__)
            keep.append(part)
        for path, p in module.named_parameters():
            names.setdefault(id(p), path)
            keep.append(p)

    def called(module: Any, output: Any, entered: bool) -> None:
        if entered:  # the outermost module is entered first, and names those inside
            if id(module) not in names:
                name_all(module)
            return
        _note(engine, current.tensors, f"the output of {names[id(module)]} ({type(module).__name__})", output)

    def stepped(optimizer: Any, after: bool) -> None:
        nonlocal current
        for g, group in enumerate(optimizer.param_groups):
            for i, p in enumerate(group["params"]):
                if id(p) not in names:
                    names[id(p)] = f"parameter {i} of group {g}"
                    keep.append(p)
                if after:
                    _note(engine, current.tensors, f"{names[id(p)]} after the step", p)
                else:
                    if not record.steps:
                        _note(engine, record.start, names[id(p)], p)
                    if p.grad is not None:
                        _note(engine, current.tensors, f"the gradient of {names[id(p)]}", p.grad)
        if after:
            record.steps.append(current)
            current = Step()

    with warnings.catch_warnings(), _hooked(torch, called, stepped):
        warnings.simplefilter("ignore")
        try:
            program(torch)
        except Exception as error:
            record.error = error
    return record


def _note(engine: Engine, into: dict[str, np.ndarray], name: str, value: Any) -> None:
    """Copy a tensor (or those of a tuple) under a name that is not taken yet."""
    if isinstance(value, tuple | list):
        for i, part in enumerate(value):
            _note(engine, into, f"{name}[{i}]", part)
        return
    if not isinstance(value, engine.Tensor):
        return
    unique, k = name, 2
    while unique in into:
        unique, k = f"{name}, call {k}", k + 1
    into[unique] = np.array(engine.array(value.detach()), copy=True)


@contextlib.contextmanager
def _hooked(torch: Any, called: Callable[..., None], stepped: Callable[..., None]) -> Iterator[None]:
    """Every module's call and every optimizer's step are reported, until the end."""
    Module, Optimizer = torch.nn.Module, torch.optim.Optimizer
    call = Module.__call__
    initialize = Optimizer.__init__

    def reporting_call(self: Any, *args: Any, **kwargs: Any) -> Any:
        called(self, None, True)
        output = call(self, *args, **kwargs)
        called(self, output, False)
        return output

    def reporting_init(self: Any, *args: Any, **kwargs: Any) -> None:
        initialize(self, *args, **kwargs)
        self.register_step_pre_hook(lambda optimizer, *_: stepped(optimizer, False))
        self.register_step_post_hook(lambda optimizer, *_: stepped(optimizer, True))

    Module.__call__, Optimizer.__init__ = reporting_call, reporting_init
    try:
        yield
    finally:
        Module.__call__, Optimizer.__init__ = call, initialize
