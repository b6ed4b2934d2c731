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
from typing import Any

import numpy as np

from minigrad.counted import counted

from .answers import Answer, Report
from .differences import Slopes, held
from .engines import ENGINES, TORCH, Engine, require_function
from .inputs import Input
from .lifted import Seen, as_type, lifted
from .script import script
from .trace import Refused, Traced, Unanswerable, prepared, takes_engine, to_input, told
from .words import close, only_second, report_on

__all__ = ["Report", "Unanswerable", "check"]

SINGLE = 1e-3  # relative: what float32 may be off, beside what neighbouring inputs show of its rounding


def check(fn: Callable[..., Any], *inputs: Any, second: bool = True, seed: int = 0) -> Report:
    """Check the gradients of `fn` at `inputs`; see the module's text.

    second: check double backward too. Raises Unanswerable if `fn` gives no floating tensor, is not deterministic, does not
    depend on its floating inputs, or runs in neither engine.
    """
    require_function(fn, "parity.check", "a function or a module, and the inputs after it")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return _check(fn, inputs, second, seed)


def _check(fn: Callable[..., Any], inputs: tuple, second: bool, seed: int) -> Report:
    arrays = [to_input(x) for x in inputs]
    fn, holds = prepared(fn)
    asked = [e for e in ENGINES if isinstance(fn, e.module.nn.Module)] or ENGINES  # a module runs in its own engine
    answers: dict[str, Answer | Exception] = {}
    for dtype in ("float64", "float32"):
        for engine in asked:
            try:
                answers[engine.name] = _answer(engine, fn, arrays, holds, dtype, second, seed)
            except Exception as raised:
                answers[engine.name] = raised
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
            f"the {'function runs in neither engine' if len(asked) > 1 else 'module does not run'}.\n"
            + "\n".join(f"  {e.name}: {told(errors[e.name], e)}" for e in asked)  # type: ignore[arg-type]
            + "\nIf it needs the engine's module, let its first parameter be called `torch`." * (len(asked) > 1)
        )
    report = report_on(runs, dtype)
    for engine in asked:
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
                    f"{traced.names[i]} has {counted(int((~np.isfinite(value)).sum()), 'element')} that are nan or infinite: left out"
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
    tried = traced.by_backward
    try:
        answer.gradients = traced.gradients(cotangents)
    except Refused as error:
        if traced.by_backward and not tried:
            answer.twice = str(error)
            return _derive(answer, False, seed)
        if _not_written(error):
            raise Unanswerable(f"in {answer.name} it has no derivative: {error}") from error
        answer.refused = str(error)
        return
    answer.handwritten = traced.handwritten()
    answer.spread = traced.spread(lambda: traced.gradients(cotangents), answer.gradients)
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
        answer.spread2 = traced.spread(lambda: traced.second(cotangents, weights)[0], answer.second)
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
        if a.shape != b.shape or not close(a, b, SINGLE * 10):
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


# -- the script


def _add_script(report: Report, fn: Callable[..., Any], runs: list[Answer], arrays: list) -> None:
    place, index = report.wrong or ("", ())
    if report.ok or not isinstance(place, int):
        return
    if any(isinstance(fn, e.module.nn.Module) for e in ENGINES):
        return
    inputs = [x.array if isinstance(x, Input) else x for x in arrays]
    if any(isinstance(x, list | tuple | dict) for x in inputs):
        return
    first = runs[0]
    places = [x.place for x in first.traced.leaves if isinstance(x.place, int)]
    report.script = script(
        fn, [r.engine.module.__name__ for r in runs], takes_engine(fn), inputs, places, first.cotangents, place, index,
        second=only_second(runs),
    )  # fmt: skip
