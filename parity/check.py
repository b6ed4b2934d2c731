"""Is the gradient of my function right? `parity.check(fn, *inputs)` answers in words.

    def my_softplus(x):
        return (1 + x.exp()).log()

    print(parity.check(my_softplus, np.linspace(-2, 2, 5)))

`fn` may be a function, a Function's `apply` or a module, written for one engine or for either. One whose first parameter is
called `torch` gets the engine there. Inputs are arrays, tensors of either engine, or anything else, which is passed on.

Where `fn` runs in both engines, values and gradients are compared; where it runs in one, or brings a backward of its own, its
gradients are held against central differences of its own values. In both cases under random cotangents, in float64, with double backward if it applies.
"""

from __future__ import annotations

import copy
import inspect
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from .agreement import Difference, differ
from .case import REDUCED
from .engines import ENGINES, MINIGRAD, TORCH, Engine
from .inputs import Input
from .script import script

ENGINE_PARAMETERS = ("torch", "engine", "minigrad")
DIFFERENCES = 1e-6  # what central differences in float64 are good for
STEP = 1e-5


@dataclass
class Report:
    """The answer. It is true if the gradient is right; printed, it says what was found."""

    ok: bool
    against: str
    lines: list[str] = field(default_factory=list)
    wrong: tuple[int, tuple[int, ...]] | None = None  # the first input whose gradient is wrong, and the element
    script: str = ""  # shows it without parity

    def __bool__(self) -> bool:
        return self.ok

    def __str__(self) -> str:
        head = f"The gradient is {'right' if self.ok else 'WRONG'}, held against {self.against}."
        script = ["", "The same in a script without parity:", "", self.script] if self.script else []
        return "\n".join([head, *(f"  {line}" for line in self.lines), *script])

    __repr__ = __str__


class Unanswerable(ValueError):
    """What was given has no gradient to check; the message says why and what to do."""


def check(fn: Callable[..., Any], *inputs: Any, second: bool = True, seed: int = 0) -> Report:
    """Check the gradients of `fn` at `inputs`; see the module's text.

    second: check double backward too. Raises Unanswerable if `fn` gives no floating tensor, is not deterministic, does not
    depend on its floating inputs, or runs in neither engine.
    """
    rng = np.random.default_rng(seed)
    if isinstance(fn, MINIGRAD.module.nn.Module | TORCH.module.nn.Module):
        fn = copy.deepcopy(fn).double()  # its parameters in the type in which gradients can be told apart
    arrays = [_to_input(x) for x in inputs]
    if not any(isinstance(x, Input) and x.grad for x in arrays):
        raise Unanswerable("none of the inputs is a floating array or tensor, so there is nothing to differentiate by")
    runs: dict[str, _Traced | Exception] = {}
    for engine in ENGINES:
        try:
            runs[engine.name] = _Traced(engine, fn, arrays)
        except Unanswerable:
            raise
        except Exception as error:
            runs[engine.name] = error
    ours, theirs = runs[MINIGRAD.name], runs[TORCH.name]
    if isinstance(ours, _Traced) and isinstance(theirs, _Traced):
        report = _against_torch(ours, theirs, rng, second)
        return _with_script(report, fn, (ours, theirs), arrays)
    for run, other in ((ours, theirs), (theirs, ours)):
        if isinstance(run, _Traced):
            report = _against_differences(run, rng, second)
            name = TORCH.name if run.engine is MINIGRAD else MINIGRAD.name
            report.lines.append(
                f"(It does not run in {name}: {type(other).__name__}: {str(other).splitlines()[0] if str(other) else ''})"
            )
            return _with_script(report, fn, (run,), arrays)
    raise Unanswerable(
        "the function runs in neither engine.\n"
        + "\n".join(f"  {name}: {type(error).__name__}: {error}" for name, error in runs.items())
        + "\nIf it needs the engine's module, let its first parameter be called `torch`."
    )


def _with_script(report: Report, fn: Callable[..., Any], runs: tuple[_Traced, ...], arrays: list) -> Report:
    if report.wrong is not None and not isinstance(fn, MINIGRAD.module.nn.Module | TORCH.module.nn.Module):
        inputs = [x.array if isinstance(x, Input) else x for x in arrays]
        engines = [run.engine.module.__name__ for run in runs]
        places = [place for place in runs[0].places if isinstance(place, int)]
        report.script = script(fn, engines, _takes_engine(fn), inputs, places, runs[0].cotangents, *report.wrong)
    return report


def _to_input(x: Any) -> Any:
    for engine in ENGINES:
        if isinstance(x, engine.Tensor):
            x = engine.array(x)
    if isinstance(x, np.ndarray | np.floating):
        array = np.asarray(x)
        return Input.of(array.astype(np.float64) if array.dtype.kind == "f" else array)
    return x


class _Traced:
    """One run of the function in one engine."""

    def __init__(self, engine: Engine, fn: Callable[..., Any], arrays: list) -> None:
        self.engine = engine
        self.fn = fn
        self.tensors = [engine.tensor(x) if isinstance(x, Input) else x for x in arrays]
        self.wanted = [t for t, x in zip(self.tensors, arrays, strict=True) if isinstance(x, Input) and x.grad]
        self.places: list[int | str] = [i for i, x in enumerate(arrays) if isinstance(x, Input) and x.grad]
        self.cotangents: list[np.ndarray] = []
        if isinstance(fn, engine.module.nn.Module):
            named = [(name, p) for name, p in fn.named_parameters() if p.requires_grad]
            self.wanted += [p for _, p in named]
            self.places += [name for name, _ in named]
        self.outputs = self.run(self.tensors)
        again = self.run(self.tensors)
        for a, b in zip(self.outputs, again, strict=True):
            if not np.array_equal(engine.array(a), engine.array(b), equal_nan=True):
                raise Unanswerable(
                    "two runs on the same inputs gave different values: draw random numbers outside the function, or seed inside it"
                )
        if not any(y.requires_grad for y in self.outputs):
            raise Unanswerable(
                f"in {engine.name} the result does not depend on the inputs in a way that autograd recorded: is there a "
                "detach(), numpy(), item(), no_grad, or a comparison on the way?"
            )

    def run(self, tensors: list) -> list:
        module = self.engine.module
        args = [module, *tensors] if _takes_engine(self.fn) else tensors
        result = self.fn(*args)
        result = result if isinstance(result, tuple | list) else [result]
        outputs = [y for y in result if isinstance(y, self.engine.Tensor) and y.is_floating_point()]
        if not outputs:
            kinds = ", ".join(
                f"a tensor of {y.dtype}" if hasattr(y, "dtype") and hasattr(y, "dim") else type(y).__name__
                for y in result
            )
            wanted = "a floating tensor, or a tuple with some"
            if any(isinstance(y, self.engine.Tensor) for y in result):
                raise Unanswerable(
                    f"the function returned {kinds}, which has no gradient; wanted: {wanted}. Comparisons, argmax and "
                    "conversions to whole numbers end differentiation"
                )
            if any(isinstance(y, other.Tensor) for y in result for other in ENGINES):
                raise TypeError(f"the function returned {kinds}, wanted: {wanted} of {self.engine.name}")
            raise Unanswerable(f"the function returned {kinds}; wanted: {wanted}")
        return outputs

    def gradients(self, cotangents: list[np.ndarray], create_graph: bool = False) -> list:
        roots = [
            (y, self.engine.tensor(Input.of(c, False)))
            for y, c in zip(self.outputs, cotangents, strict=True)
            if y.requires_grad
        ]
        return list(
            self.engine.module.autograd.grad(
                [y for y, _ in roots],
                self.wanted,
                [c for _, c in roots],
                retain_graph=True,
                create_graph=create_graph,
                allow_unused=True,
            )
        )

    def second(self, cotangents: list[np.ndarray], weights: list[np.ndarray]) -> list | None:
        """Gradients of sum(weights · gradients); None if the gradients do not depend on the inputs."""
        gradients = self.gradients(cotangents, create_graph=True)
        pairs = [
            (g, self.engine.tensor(Input.of(w, False)))
            for g, w in zip(gradients, weights, strict=True)
            if g is not None and g.requires_grad
        ]
        if not pairs:
            return None
        return list(
            self.engine.module.autograd.grad(
                [g for g, _ in pairs], self.wanted, [w for _, w in pairs], allow_unused=True
            )
        )

    def array(self, gradient: Any, i: int) -> np.ndarray:
        if gradient is None:
            return np.zeros(tuple(self.wanted[i].shape))
        return self.engine.array(gradient)


def _takes_engine(fn: Callable[..., Any]) -> bool:
    try:
        parameters = list(inspect.signature(fn).parameters)
    except (TypeError, ValueError):
        return False
    return bool(parameters) and parameters[0] in ENGINE_PARAMETERS


def _cotangents(run: _Traced, rng: np.random.Generator) -> list[np.ndarray]:
    run.cotangents = [rng.normal(size=tuple(y.shape)) for y in run.outputs]
    return run.cotangents


def _by(place: int | str) -> str:
    return f"input {place}" if isinstance(place, int) else f"parameter {place}"


def _compare(
    report: Report, what: str, place: int | str, got: np.ndarray, expected: np.ndarray, allowed: float
) -> bool:
    """Add a sentence on the derivative by one input or parameter; whether the two agree."""
    if _tell(report.lines, f"{what} by {_by(place)}", got, expected, allowed):
        return True
    if report.wrong is None and isinstance(place, int) and what == "gradient" and got.shape == expected.shape:
        index = differ(got.astype(float), expected.astype(float), per_element=False, floor=1e-3).index
        report.wrong = place, index
    return False


def _tell(lines: list[str], what: str, got: np.ndarray, expected: np.ndarray, allowed: float) -> bool:
    """Add a sentence; whether the two agree."""
    if got.shape != expected.shape:
        lines.append(f"{what}: has shape {list(got.shape)}, expected {list(expected.shape)}")
        return False
    d: Difference = differ(got.astype(float), expected.astype(float), per_element=False, floor=1e-3)
    if d.relative <= allowed:
        lines.append(f"{what}: agrees to {d.relative:.1g}")
        return True
    place = f" at {list(d.index)}" if d.index else ""
    wrong = int((~np.isclose(got, expected, rtol=1e-5, atol=1e-8, equal_nan=True)).sum())
    lines.append(
        f"{what}: wrong{place}: got {got[d.index]:.10g}, expected {expected[d.index]:.10g} "
        f"({max(wrong, 1)} of {got.size} elements differ)"
    )
    if got.size:
        lines.append(f"    {_hint(got, expected)}")
    return False


def _hint(got: np.ndarray, expected: np.ndarray) -> str:
    """What the two have to do with each other, if that is simple."""
    with np.errstate(all="ignore"):
        ratio = got / expected
    finite = ratio[np.isfinite(ratio)]
    if not np.isfinite(got).all() and np.isfinite(expected).all():
        return "it is infinite or nan where it should be finite: a division by zero, or 0 · inf, in the backward"
    if not got.any():
        return "it is zero everywhere: the gradient is lost on the way"
    if finite.size and np.ptp(finite) < 1e-6 * abs(finite[0]):
        return f"it is {finite[0]:.6g} times what it should be"
    return "its difference has no constant ratio"


def _against_torch(ours: _Traced, theirs: _Traced, rng: np.random.Generator, second: bool) -> Report:
    report = Report(True, "PyTorch running the same function")
    lines = report.lines
    if len(ours.outputs) != len(theirs.outputs):
        return Report(
            False, report.against, [f"minigrad gives {len(ours.outputs)} outputs, PyTorch {len(theirs.outputs)}"]
        )
    good = True
    for i, (a, b) in enumerate(zip(ours.outputs, theirs.outputs, strict=True)):
        good &= _tell(lines, f"value of output {i}", MINIGRAD.array(a), TORCH.array(b), REDUCED.relative)
    if good:
        cotangents = _cotangents(ours, rng)
        pairs = [("gradient", ours.gradients(cotangents), theirs.gradients(cotangents))]
        if second:
            weights = [rng.normal(size=tuple(w.shape)) for w in ours.wanted]
            a2, b2 = ours.second(cotangents, weights), theirs.second(cotangents, weights)
            none: list = [None] * len(weights)
            pairs.append(("second derivative", a2 or none, b2 or none))
        for what, mine, other in pairs:
            for i, place in enumerate(ours.places):
                good &= _compare(
                    report, what, place, ours.array(mine[i], i), theirs.array(other[i], i), REDUCED.relative
                )
    report.ok = bool(good)
    if good and _has_function(ours):
        # One backward, written by hand, runs in both engines: that they agree proves nothing.
        numeric = _against_differences(ours, rng, second=False)
        numeric.against = "central differences of its own values: its backward is its own in both engines"
        return numeric
    if not good:
        # Which of the two is wrong? The values' own differences tell.
        for run in (ours, theirs):
            numeric = _against_differences(run, rng, second=False)
            lines.append(
                f"{run.engine.name}'s gradient against differences of its own values: {'right' if numeric.ok else 'wrong'}"
            )
    return report


def _has_function(run: _Traced) -> bool:
    """Whether an autograd.Function of the user's is in minigrad's graph."""
    nodes = [y.grad_fn for y in run.outputs if y.grad_fn is not None]
    seen: set[int] = set()
    while nodes:
        node = nodes.pop()
        if id(node) in seen:
            continue
        seen.add(id(node))
        if isinstance(node, MINIGRAD.module.autograd.Function):
            return True
        nodes += [before for before, _ in node.next_functions if before is not None]
    return False


def _against_differences(run: _Traced, rng: np.random.Generator, second: bool) -> Report:
    report = Report(True, f"central differences of its own values in {run.engine.name}")
    cotangents = _cotangents(run, rng)
    gradients = run.gradients(cotangents)

    def value() -> float:
        return sum(
            float((run.engine.array(y) * c).sum()) for y, c in zip(run.run(run.tensors), cotangents, strict=True)
        )

    good = True
    for i, place in enumerate(run.places):
        expected = _central(run, i, value)
        good &= _compare(report, "gradient", place, run.array(gradients[i], i), expected, DIFFERENCES)
    if second and good:
        weights = [rng.normal(size=tuple(w.shape)) for w in run.wanted]
        try:
            found = run.second(cotangents, weights)
        except (RuntimeError, NotImplementedError) as error:
            report.lines.append(f"double backward does not apply: {str(error).splitlines()[0]}")
            found = None
        if found is not None:

            def slope() -> float:
                run.outputs = run.run(run.tensors)
                gs = run.gradients(cotangents)
                return sum(float((run.array(g, j) * w).sum()) for j, (g, w) in enumerate(zip(gs, weights, strict=True)))

            for i, place in enumerate(run.places):
                expected = _central(run, i, slope)
                good &= _compare(report, "second derivative", place, run.array(found[i], i), expected, DIFFERENCES)
    report.ok = bool(good)
    return report


def _central(run: _Traced, i: int, value: Callable[[], float]) -> np.ndarray:
    """(8 (f(x+h) - f(x-h)) - (f(x+2h) - f(x-2h))) / 12h for each element: fourth order, so h may be large."""
    tensor = run.wanted[i]
    memory = run.engine.array(tensor.detach())
    result = np.zeros(memory.shape)
    for index in np.ndindex(memory.shape):
        x = float(memory[index])
        h = STEP * 30 * max(1.0, abs(x))
        f = []
        for step in (h, -h, 2 * h, -2 * h):
            memory[index] = x + step
            f.append(value())
        memory[index] = x
        result[index] = (8 * (f[0] - f[1]) - (f[2] - f[3])) / (12 * h)
    return result
