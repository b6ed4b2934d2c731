"""Is the gradient of my function right? `parity.check(fn, *inputs)` answers in words.

    def my_softplus(x):
        return (1 + x.exp()).log()

    print(parity.check(my_softplus, np.linspace(-2, 2, 5)))

`fn` may be a function, a Function's `apply` or a module, written for one engine or for either. One whose first parameter is
called `torch` gets the engine there. Inputs are arrays, tensors of either engine, or anything else, which is passed on. By the
floating ones is differentiated, by a module's parameters, and by what else `fn` holds on to that requires grad.

What is held against what, under random slopes from above (cotangents):

    gradients, and gradients of gradients, against central differences (slopes.py), in each engine in which `fn` runs
    those of the two engines against each other, where it runs in both
    gradients in float32, which may be computed by other code, against those in float64

The first two in float64, which a function that names float32 or holds on to it gets too, for a while (lifted.py). Where it cannot
be run so, everything is done in float32, and agrees to fewer digits. A function of the engines' own operations is right where
they agree; one with a backward written by hand, or that runs in one engine only, where differences of its values say so.
"""

from __future__ import annotations

import contextlib
import warnings
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from .agreement import differ
from .case import REDUCED
from .differences import Numeric, Slopes, Target, held
from .engines import ENGINES, MINIGRAD, TORCH, Engine
from .inputs import Input
from .lifted import Seen, as_type, lifted
from .script import script
from .trace import Refused, Traced, Unanswerable, prepared, takes_engine, to_input, told

__all__ = ["Report", "Unanswerable", "check"]

SINGLE = 1e-3  # relative: what float32 may be off, beside what neighbouring inputs show of its rounding


@dataclass
class Report:
    """The answer. It is true if the gradient is right at these inputs; printed, it says what was compared and found."""

    ok: bool
    against: str
    lines: list[str] = field(default_factory=list)
    wrong: tuple[int | str, tuple[int, ...]] | None = None  # the first input whose derivative is wrong, and the element
    script: str = ""  # shows it without parity
    refused: bool = False  # there is no gradient: the backward pass raises

    def __bool__(self) -> bool:
        return self.ok

    def __str__(self) -> str:
        head = f"The gradient is right at these inputs, held against {self.against}."
        if not self.ok:
            head = f"The gradient is WRONG, held against {self.against}."
        if self.refused:
            head = "The gradient is WRONG: there is none, as the backward pass raises an error."
        shown = ["", "The same in a script without parity:", "", self.script] if self.script else []
        return "\n".join([head, *(f"  {line}" for line in self.lines), *shown])

    __repr__ = __str__


@dataclass
class Answer:
    """What one engine's run came to."""

    engine: Engine
    traced: Traced
    cotangents: list[np.ndarray]
    values: list[np.ndarray]
    gradients: list[np.ndarray] = field(default_factory=list)
    second: list[np.ndarray] | None = None
    first: Numeric | None = None
    numeric2: Numeric | None = None
    handwritten: bool = False
    refused: str = ""  # by the backward pass
    twice: str = ""  # why there is no second derivative to compare
    unrecorded: bool = False  # the gradients do not depend on anything that autograd recorded
    notes: list[str] = field(default_factory=list)
    single: list[str] = field(default_factory=list)  # what is wrong in float32
    single_told: str = ""

    @property
    def name(self) -> str:
        return self.engine.name

    @property
    def right(self) -> bool:
        """By differences."""
        return all(n is None or n.right for n in (self.first, self.numeric2)) and not self.refused


def check(fn: Callable[..., Any], *inputs: Any, second: bool = True, seed: int = 0) -> Report:
    """Check the gradients of `fn` at `inputs`; see the module's text.

    second: check double backward too. Raises Unanswerable if `fn` gives no floating tensor, is not deterministic, does not
    depend on its floating inputs, or runs in neither engine.
    """
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return _check(fn, inputs, second, seed)


def _check(fn: Callable[..., Any], inputs: tuple, second: bool, seed: int) -> Report:
    arrays = [to_input(x) for x in inputs]
    fn, holds = prepared(fn)
    answers: dict[str, Answer | Exception] = {}
    for dtype in ("float64", "float32"):
        for engine in ENGINES:
            try:
                answers[engine.name] = _answer(engine, fn, arrays, holds, dtype, second, seed)
            except Exception as error:
                answers[engine.name] = error
        runs = [a for a in answers.values() if isinstance(a, Answer)]
        unanswerable = [e for e in answers.values() if isinstance(e, Unanswerable)]
        if runs:
            break
        if unanswerable:
            raise unanswerable[0]
        if dtype == "float64":
            errors = dict(answers)
    else:
        raise Unanswerable(
            "the function runs in neither engine.\n"
            + "\n".join(f"  {e.name}: {told(errors[e.name], e)}" for e in ENGINES)  # type: ignore[arg-type]
            + "\nIf it needs the engine's module, let its first parameter be called `torch`."
        )
    report = _report(runs, dtype)
    for engine in ENGINES:
        error = answers[engine.name]
        if isinstance(error, Exception):
            report.lines.append(f"(It does not run in {engine.name}: {told(error, engine)})")
    if dtype == "float32":
        report.lines.append(
            f"(Compared in float32, to two or three digits: in float64 it does not run: {told(errors[runs[0].name], runs[0].engine)})"  # type: ignore[arg-type]
        )
    _add_script(report, fn, runs, arrays)
    return report


# -- one engine


@contextlib.contextmanager
def _world(engine: Engine, fn: Any, arrays: list, holds: dict[str, Any], dtype: str) -> Iterator[Seen]:
    """Everything in `dtype` while it lasts. What it met of float32 is seen in a first run."""
    with as_type(holds.values(), dtype):
        if dtype == "float32":
            yield Seen()
            return
        seen = Seen()
        with lifted(engine, seen):
            if engine is TORCH:
                Traced(engine, fn, arrays, holds, dtype)
        with lifted(engine, seen, watch=seen.named):
            yield seen


def _answer(
    engine: Engine, fn: Any, arrays: list, holds: dict[str, Any], dtype: str, second: bool, seed: int
) -> Answer:
    converted = _converted(engine, holds, dtype)
    with _world(engine, fn, arrays, holds, dtype) as seen:
        traced = Traced(engine, fn, arrays, holds, dtype)
        cotangents = []
        for i in traced.recorded:  # the same in both engines
            drawn = np.random.default_rng((seed, i)).normal(size=traced.shapes[i])
            cotangents.append(np.where(np.isfinite(traced.values[i]), drawn, 0.0))
        answer = Answer(engine, traced, cotangents, traced.values)
        if traced.copies:
            answer.notes.append("it changes its inputs in place, so each run got copies of them")
        for i, value in enumerate(traced.values):
            if i not in traced.recorded:
                answer.notes.append(f"{traced.names[i]} does not require grad: its derivative was not compared")
            elif not np.isfinite(value).all():
                answer.notes.append(
                    f"{traced.names[i]} has {int((~np.isfinite(value)).sum())} elements that are nan or infinite: left out"
                )
        if seen.named or converted:
            what = "float32 that it names" if seen.named else "what it holds on to in float32"
            answer.notes.append(f"{what} was taken as float64 for the comparison")
        _derive(answer, second, seed)
    if dtype == "float64" and not answer.refused:
        _single(answer, fn, arrays, holds)
    return answer


def _converted(engine: Engine, holds: dict[str, Any], dtype: str) -> bool:
    return any(isinstance(t, engine.Tensor) and str(t.dtype).endswith("float32") for t in holds.values()) and (
        dtype == "float64"
    )


def _derive(answer: Answer, second: bool, seed: int) -> None:
    traced, cotangents = answer.traced, answer.cotangents
    try:
        answer.gradients = traced.gradients(cotangents)
    except Refused as error:
        if _not_written(error):
            raise Unanswerable(f"in {answer.name} it has no derivative: {error}") from error
        answer.refused = str(error)
        return
    answer.handwritten = traced.handwritten()
    rng = np.random.default_rng((seed, 1000))
    answer.first = held(Slopes(traced, cotangents, None, rng))
    if not second:
        return
    if answer.first.directions and not answer.first.right:
        answer.notes.append("second derivatives were not looked at, as the gradient is wrong")
        return
    weights = [
        np.where(np.isfinite(g), np.random.default_rng((seed, 2000, i)).normal(size=g.shape), 0.0)
        for i, g in enumerate(answer.gradients)
    ]
    try:
        answer.second, recorded = traced.second(cotangents, weights)
        answer.unrecorded = not recorded
        answer.numeric2 = held(Slopes(traced, cotangents, weights, rng))
    except Refused as error:
        answer.twice = str(error)
    traced.move()


def _not_written(error: Exception) -> bool:
    return isinstance(error.__cause__, NotImplementedError) or "is not implemented" in str(error)


# -- float32


def _single(answer: Answer, fn: Any, arrays: list, holds: dict[str, Any]) -> None:
    """The gradients in float32, by whatever code runs then, against those in float64 at the same numbers."""
    engine = answer.engine
    rounded = [_rounded(x) for x in arrays]
    bad: list[str] | None = None
    try:
        for attempt in range(3):
            moved = rounded if attempt == 0 else [_nudged(x, np.random.default_rng(attempt), 1e-2) for x in rounded]
            found = _single_at(engine, fn, moved, holds, answer)
            if not found:
                answer.single_told = "gradients in float32 agree with those in float64"
                return
            bad = found if bad is None else bad
    except Unanswerable:
        return
    except Exception as error:
        answer.single_told = f"not run in float32: {told(error, engine)}"
        return
    answer.single = bad or []


def _single_at(engine: Engine, fn: Any, arrays: list, holds: dict[str, Any], answer: Answer) -> list[str]:
    """What differs in float32 at these inputs by more than its rounding."""
    with as_type(holds.values(), "float64"), lifted(engine):
        traced = Traced(engine, fn, arrays, holds, "float64", answer.traced.copies)
        values = [traced.values[i] for i in traced.recorded]
        exact = traced.gradients(answer.cotangents)
    with as_type(holds.values(), "float32"):
        traced = Traced(engine, fn, arrays, holds, "float32", answer.traced.copies)
        got = traced.gradients(answer.cotangents)
        near_values = [traced.values[i] for i in traced.recorded]
        spread = [np.zeros(()) for _ in got]
        for k in range(4):
            near = Traced(
                engine,
                fn,
                [_nudged(x, np.random.default_rng(k), 1e-7) for x in arrays],
                holds,
                "float32",
                answer.traced.copies,
            )
            spread = [
                np.maximum(s, np.abs(a - b))
                for s, a, b in zip(spread, near.gradients(answer.cotangents), got, strict=True)
            ]
    for a, b in zip(near_values, values, strict=True):
        if a.shape != b.shape or not _close(a, b, SINGLE * 10):
            return []  # it is another number already: what its gradient should be cannot be told
    lines = []
    for leaf, a, b, s in zip(traced.leaves, got, exact, spread, strict=True):
        scale = float(np.abs(b[np.isfinite(b)]).max(initial=0.0))
        with np.errstate(all="ignore"):
            far = np.abs(a - b) - 20 * np.max(np.nan_to_num(s, posinf=0.0), initial=0.0)
        far = np.where((a == b) | (np.isnan(a) & np.isnan(b)) | ~np.isfinite(b), 0.0, np.nan_to_num(far, nan=np.inf))
        if far.size and far.max() > SINGLE * scale:
            index = tuple(map(int, np.unravel_index(int(far.argmax()), far.shape)))
            place = f" at {list(index)}" if index else ""
            lines.append(
                f"gradient by {leaf.name} in float32: wrong{place}: got {a[index]:.7g}, expected {b[index]:.7g}, as in float64"
            )
    return lines


def _close(a: np.ndarray, b: np.ndarray, relative: float) -> bool:
    size = float(np.abs(b[np.isfinite(b)]).max(initial=0.0))
    return bool(np.allclose(a, b, rtol=0, atol=relative * size, equal_nan=True))


def _map(x: Any, change: Callable[[Input], Input]) -> Any:
    if isinstance(x, list | tuple):
        return type(x)(_map(v, change) for v in x)
    if isinstance(x, dict):
        return {k: _map(v, change) for k, v in x.items()}
    return change(x) if isinstance(x, Input) and x.dtype.kind == "f" else x


def _rounded(x: Any) -> Any:
    return _map(x, lambda i: _with(i, i.buffer.astype(np.float32).astype(np.float64)))


def _nudged(x: Any, rng: np.random.Generator, size: float) -> Any:
    """The inputs a little beside, in numbers that float32 has."""

    def change(i: Input) -> Input:
        moved = i.buffer * (1 + size * rng.normal(size=i.buffer.shape))
        return _with(i, moved.astype(np.float32).astype(np.float64))

    return _map(x, change)


def _with(x: Input, buffer: np.ndarray) -> Input:
    return Input(buffer, x.shape, x.strides, x.offset, x.grad, x.layout)


# -- the report


def _report(runs: list[Answer], dtype: str) -> Report:
    first = runs[0]
    both = len(runs) == 2
    numerical = f"central differences of its own values in {' and '.join(r.name for r in runs)}"
    if any(r.refused for r in runs):
        lines = [f"in {r.name}: {r.refused}" for r in runs if r.refused]
        lines += [f"    {hint}" for hint in {_refusal(r.refused) for r in runs if r.refused} if hint]
        lines += [f"in {r.name} it does not" for r in runs if not r.refused]
        return Report(False, numerical, lines, refused=True)
    if not both and first.first is not None and not first.first.told:
        raise Unanswerable(f"differences do not tell: {first.first.untold or _untold(first.first.targets)}")
    report = Report(True, numerical)
    trusted = both and not any(r.handwritten for r in runs)
    if both:
        report.against = "PyTorch running the same function" + (
            "" if trusted else ", and central differences of its own values: its backward is its own"
        )
        _between(report, runs[0], runs[1], 1e-3 if dtype == "float32" else REDUCED.relative, trusted)
    trusted = trusted and report.ok
    for run in runs:
        _by_differences(report, run, trusted, both)
    for run in runs:
        for line in run.single:
            report.ok = False
            report.lines.append(f"{line}{f' ({run.name})' if both else ''}")
    for line in dict.fromkeys(run.single_told for run in runs if run.single_told):
        names = [run.name for run in runs if run.single_told == line]
        report.lines.append(line + (f" ({' and '.join(names)})" if both else ""))
    report.lines += [f"note: {note}" for note in dict.fromkeys(n for run in runs for n in run.notes)]
    return report


def _refusal(text: str) -> str:
    if "inplace operation" in text:
        return "something that the backward pass needs was changed in place"
    if "shape" in text and ("gradient" in text or "Mismatch" in text):
        return "a backward gives for each input a gradient of that input's shape"
    if "number of gradients" in text:
        return "a backward gives as many gradients as forward takes inputs, None for those without"
    return ""


def _between(report: Report, ours: Answer, theirs: Answer, allowed: float, trusted: bool) -> None:
    """The two engines' values and derivatives held against each other."""
    a, b = ours.traced, theirs.traced
    if a.names != b.names:
        report.ok = False
        report.lines.append(f"minigrad gives {', '.join(a.names)}; PyTorch {', '.join(b.names)}")
        return
    same = True
    for name, x, y, types in zip(a.names, a.values, b.values, zip(a.dtypes, b.dtypes, strict=True), strict=True):
        rounding = 100 * (ours.first.targets and _noise(y)) if ours.first else 0.0
        same &= _tell(report.lines, f"value of {name}", x, y, allowed + rounding)
        if types[0] != types[1]:
            same = False
            report.lines.append(f"value of {name}: is {types[0]} in minigrad, {types[1]} in PyTorch")
    if a.recorded != b.recorded:
        same = False
        report.lines.append(
            f"autograd recorded in minigrad {', '.join(a.names[i] for i in a.recorded)}; in PyTorch "
            f"{', '.join(b.names[i] for i in b.recorded)}"
        )
    if not same:
        report.ok = False
        return
    names = [leaf.name for leaf in a.leaves]
    if names != [leaf.name for leaf in b.leaves]:
        return  # a module's parameters are in the engine that it was written for
    pairs = [("gradient", ours.gradients, theirs.gradients, ours.first, theirs.first)]
    if ours.second is not None and theirs.second is not None:
        pairs.append(("second derivative", ours.second, theirs.second, ours.numeric2, theirs.numeric2))
    for what, mine, other, mine_told, other_told in pairs:
        if not report.ok:
            return  # a wrong gradient's derivative says nothing
        for i, name in enumerate(names):
            lines: list[str] = []
            if _tell(lines, f"{what} by {name}", mine[i], other[i], allowed):
                report.lines += lines
                continue
            sides = [n.targets[i] for n in (mine_told, other_told) if n is not None]
            if sides and not any(t.wrong for t in sides):
                kinks = [t for t in sides if t.kinks]
                why = (
                    "has a kink there, and each takes a slope between its two sides" if kinks else "is ill-conditioned"
                )
                if kinks or _near(mine[i], other[i]):
                    report.lines.append(f"{what} by {name}: the engines choose differently: the function {why}")
                    continue
            report.ok = False
            if any(t.wrong for t in sides):
                continue  # what follows says which of the two
            report.lines += [*lines, "    differences do not tell which of the two is wrong"]
            _point(report, a.leaves[i].place, mine[i], other[i])


def _noise(x: np.ndarray) -> float:
    return float(np.finfo(np.float64).eps) * max(x.size, 1) ** 0.5


def _near(a: np.ndarray, b: np.ndarray) -> bool:
    return a.shape == b.shape and _close(a, b, 1e-6)


def _point(report: Report, place: int | str, got: np.ndarray, expected: np.ndarray) -> None:
    if report.wrong is None and got.shape == expected.shape:
        index = differ(got.astype(float), expected.astype(float), per_element=False, floor=1e-12).index
        report.wrong = place, index


def _by_differences(report: Report, run: Answer, trusted: bool, both: bool) -> None:
    """Sentences on what differences say. trusted: the engines' own operations only, and they agree: differences that do not
    are told, but are no fault, unless the gradient is not a number."""
    orders = [("gradient", run.first), ("second derivative", run.numeric2)]
    where = f" ({run.name})" if both else ""
    for what, numeric in orders:
        if numeric is None:
            continue
        nans = any(np.isnan(f.got) for t in numeric.targets for _, f in t.wrong)
        counts = not (trusted and not nans)
        if not numeric.right and not counts:
            target = next(t for t in numeric.targets if t.wrong)
            index, found = target.wrong[0]
            report.lines.append(
                f"note{where}: the {what} by {target.name} is not the derivative of the values (at {list(index)} {found.got:.6g}, "
                f"differences say {found.expected:.6g}): something on the way is not recorded (detach, no_grad, item, rounding) "
                "or changes gradients (a hook). Both engines do the same"
            )
            continue
        if numeric.directions and numeric.right:
            _directions(report, what, numeric, where)
        for target in numeric.targets:
            if target.wrong:
                report.ok = False
                _wrong(report, what, target, where, run)
            elif numeric.right and numeric.directions:
                _marked(report, what, target, where)
            elif not numeric.directions:
                if both and trusted:
                    continue
                if target.looked > len(target.untold) or not target.got.size:
                    report.lines.append(f"{what} by {target.name}: agrees to {target.worst:.1g}{where}")
                _marked(report, what, target, where)
        if both and trusted and not numeric.directions and numeric.right:
            worst = max((t.worst for t in numeric.targets), default=0.0)
            looked = sum(t.looked - len(t.untold) for t in numeric.targets)
            report.lines.append(f"{what}, against differences at {looked} elements: agrees to {worst:.1g}{where}")
            for target in numeric.targets:
                _marked(report, what, target, where)
    if run.twice:
        report.lines.append(f"double backward does not apply{where}: {run.twice}")


def _directions(report: Report, what: str, numeric: Numeric, where: str) -> None:
    if numeric.untold:
        report.lines.append(f"{what}: could not be told by differences{where}: {numeric.untold}")
        return
    beside = ", in blocks, beside these inputs, where it has kinks" if numeric.beside else ""
    report.lines.append(
        f"{what}: agrees to {numeric.worst:.1g} along {numeric.directions} random directions through all "
        f"{numeric.elements:,} elements{beside}, and at {sum(t.looked for t in numeric.targets)} of them one by one{where}"
    )


def _marked(report: Report, what: str, target: Target, where: str) -> None:
    """Kinks, and what could not be told."""
    if target.kinks:
        index, found = target.kinks[0]
        many = f" and at {len(target.kinks) - 1} others" if len(target.kinks) > 1 else ""
        place = f"at {list(index)}{many}" if index else "here"
        said = {
            "kink": f"the function has a kink {place}: {found.got:.6g} lies between the slopes of its two sides, "
            f"{found.low:.6g} and {found.high:.6g}, and any such is right",
            "jump": f"there is a jump {place}: {found.got:.6g} is the slope beside it",
            "infinite": f"it is infinite {place}, as the slope grows without bound",
        }
        report.lines.append(f"{what} by {target.name}: {said[found.kind]}{where}")
    if target.untold:
        report.lines.append(f"{what} by {target.name}: {_untold([target])}{where}")


def _untold(targets: list[Target]) -> str:
    some = [(index, found) for t in targets for index, found in t.untold]
    if not some:
        return "nothing was measured"
    index, found = some[0]
    why = {
        "infinite": "the slope grows without bound there",
        "undefined": "the function has no value on either side",
        "no second": "the gradient jumps or is infinite there",
        "noise": f"differences are good to {found.error:.1g} only there",
    }.get(found.kind, "differences do not settle there")
    place = f"at {list(index)}" if index else "here"
    more = f" and {len(some) - 1} others" if len(some) > 1 else ""
    return f"could not be told {place}{more}: {why}"


def _wrong(report: Report, what: str, target: Target, where: str, run: Answer) -> None:
    index, found = target.wrong[0]
    at = f" at {list(index)}" if index else ""
    report.lines.append(
        f"{what} by {target.name}: wrong{at}: got {found.got:.10g}, expected {_wanted(found)} "
        f"({max(target.bad, 1)} of {target.got.size} elements differ){where}"
    )
    if what == "second derivative" and run.unrecorded:
        report.lines.append(
            "    the gradient does not depend on it in a way that was recorded: the backward detaches, or uses what forward "
            "computed and did not save with save_for_backward"
        )
    elif hint := _hint(target.got, target.expected, found):
        report.lines.append(f"    {hint}")
    if not run.handwritten and what == "gradient" and not np.isnan(found.got):
        report.lines.append(
            "    all operations are the engine's own, so something on the way is not recorded: detach(), no_grad, item(), "
            "numpy() or rounding; or a hook changes the gradient"
        )
    if report.wrong is None:
        report.wrong = target.place, index


def _wanted(found: Any) -> str:
    if found.kind in ("kink", "jump") and found.high > found.low:
        return f"{found.low:.10g} to {found.high:.10g} (a kink)"
    return f"{found.expected:.10g}"


def _tell(lines: list[str], what: str, got: np.ndarray, expected: np.ndarray, allowed: float) -> bool:
    """Add a sentence; whether the two agree."""
    if got.shape != expected.shape:
        lines.append(f"{what}: has shape {list(got.shape)}, expected {list(expected.shape)}")
        return False
    size = float(np.abs(expected[np.isfinite(expected)]).max(initial=0.0)) if expected.size else 0.0
    d = differ(got.astype(float), expected.astype(float), per_element=False, floor=min(1e-3, size) or 1e-300)
    if d.relative <= allowed:
        lines.append(f"{what}: agrees to {d.relative:.1g}")
        return True
    place = f" at {list(d.index)}" if d.index else ""
    wrong = int((~np.isclose(got, expected, rtol=1e-5, atol=1e-8 * size, equal_nan=True)).sum())
    lines.append(
        f"{what}: wrong{place}: got {got[d.index]:.10g}, expected {expected[d.index]:.10g} "
        f"({max(wrong, 1)} of {got.size} elements differ)"
    )
    if hint := _hint(got, expected):
        lines.append(f"    {hint}")
    return False


def _hint(got: np.ndarray, expected: np.ndarray, found: Any = None) -> str:
    """What the two have to do with each other, if that is simple."""
    if not np.isfinite(got).all() and np.isfinite(expected).all():
        return "it is infinite or nan where it should be finite: a division by zero, or 0 · inf, in the backward"
    if found is not None and np.isnan(found.got):
        return "it is nan where the function has a value: a division by zero, or 0 · inf, in the backward"
    if not got.any():
        return "it is zero everywhere: the gradient is lost on the way"
    size = np.abs(expected[np.isfinite(expected)]).max(initial=0.0)
    differs = ~np.isclose(got, expected, rtol=1e-5, atol=1e-8 * size, equal_nan=True) & (np.abs(expected) > 1e-6 * size)
    with np.errstate(all="ignore"):
        ratio = (got / expected)[differs]
    if ratio.size and np.isfinite(ratio).all() and np.ptp(ratio) < 1e-5 * abs(ratio[0]):
        some = "" if ratio.size == got.size else ", where it differs"
        return f"it is {ratio[0]:.6g} times what it should be{some}"
    return "its difference has no constant ratio" if ratio.size > 1 else ""


def _add_script(report: Report, fn: Callable[..., Any], runs: list[Answer], arrays: list) -> None:
    if report.ok or report.wrong is None or not isinstance(report.wrong[0], int):
        return
    if any(isinstance(fn, e.module.nn.Module) for e in ENGINES):
        return
    inputs = [x.array if isinstance(x, Input) else x for x in arrays]
    if any(isinstance(x, list | tuple | dict) for x in inputs):
        return
    first = runs[0]
    places = [x.place for x in first.traced.leaves if isinstance(x.place, int)]
    in_first = any(t.wrong for r in runs if r.first for t in r.first.targets) or not any(
        t.wrong for r in runs if r.numeric2 for t in r.numeric2.targets
    )
    report.script = script(
        fn, [r.engine.module.__name__ for r in runs], takes_engine(fn), inputs, places, first.cotangents, *report.wrong,
        second=not in_first,
    )  # fmt: skip


# `MINIGRAD` first: where both engines run, it is the one that is held against the other.
assert ENGINES == (MINIGRAD, TORCH)
