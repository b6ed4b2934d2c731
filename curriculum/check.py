"""Checks a lesson's exercises by its file in checks/, which says what the mistake probably is.

A file in checks/ holds `CHECKS = {"the slope of a quotient": function, ...}`, an entry for each exercise in the order of the file;
function(solution) raises Wrong with a hint or returns. It may name in `BY_HAND` what an exercise asks to write and therefore must
not be called: `BY_HAND = {"the slope of a quotient": ("grad", "backward")}`, or a tuple of names for all. (A file with one exercise
may hold `check(solution)` alone.)
"""

import runpy
import sys
import traceback
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np

from .catalog import HERE, Lesson

AUTOGRAD = (
    "backward",
    "grad",
    "vjp",
    "jacrev",
    "jacobian",
    "grad_and_value",
)  # for BY_HAND, where slopes are asked for


class Wrong(Exception):
    """The exercise is not solved; the text is a hint."""


# -- what checks are written with


def tensor(found: Any, what: str, shape: tuple[int, ...] | None = None, hint: str = "") -> Any:
    """`found`, if it is a tensor of the engine, of that shape; Wrong says what it is instead."""
    from .engine import engine, torch

    kind = f"{type(found).__module__.split('.')[0]}.{type(found).__name__}"
    if isinstance(found, np.ndarray | np.generic):
        raise Wrong(
            f"{what} is of NumPy ({kind}), wanted is a tensor: stay with the tensor's own operations, without .numpy()."
        )
    if not isinstance(found, torch.Tensor):
        other = f": `from curriculum.engine import torch` gives {engine}" if kind.endswith(".Tensor") else ""
        raise Wrong(f"{what} is a {kind.removeprefix('builtins.')}, wanted is a tensor{other}.")
    if shape is not None and tuple(found.shape) != shape:
        raise Wrong(f"{what} has the shape {tuple(found.shape)}, wanted is {shape}{': ' if hint else '.'}{hint}")
    return found


def near(found: Any, wanted: Any, tolerance: float = 1e-4) -> bool:
    """Whether both have one shape and the same numbers; NaN is never near."""
    a, b = (np.asarray(v.detach().numpy() if hasattr(v, "detach") else v, dtype=np.float64) for v in (found, wanted))
    with np.errstate(invalid="ignore"):
        return a.shape == b.shape and bool(np.all((np.abs(a - b) <= tolerance) | (a == b)))


def number(found: Any, what: str) -> float:
    """`found`, if it is a plain number (of Python, or a scalar of NumPy's)."""
    if isinstance(found, bool | np.bool_) or not isinstance(found, int | float | np.integer | np.floating):
        raise Wrong(
            f"{what} is a {type(found).__name__}, wanted is a number: of a tensor of one number, .item() is that."
        )
    if not np.isfinite(found):
        raise Wrong(f"{what} is {found}.")
    return float(found)


def parts(found: Any, what: str, names: str) -> Any:
    """`found`, if it is a tuple (or list) of as many things as `names`, "w, b", has."""
    count = len(names.split(","))
    if not isinstance(found, tuple | list) or len(found) != count:
        raise Wrong(f"{what} must return {count} things: {names}.")
    return found


def ask(function: Callable[..., Any], *arguments: Any, changes: tuple[int, ...] = (), **options: Any) -> Any:
    """What the learner's function answers. Wrong where it answers nothing, or changes an argument (but those in `changes`)."""
    before = [np.array(a.detach().numpy()) if hasattr(a, "detach") else None for a in arguments]
    found = function(*arguments, **options)
    name = getattr(function, "__name__", "the function")
    for place, (argument, old) in enumerate(zip(arguments, before, strict=True)):
        if (
            old is not None
            and place not in changes
            and not np.array_equal(argument.detach().numpy(), old, equal_nan=True)
        ):
            raise Wrong(
                f"{name} changes what it was given (argument {place + 1}) in place: `x -= ...` writes into x, "
                "`x - ...` makes a new tensor."
            )
    if found is None:
        raise Wrong(f"{name} returns nothing (None): is a `return` missing?")
    return found


@contextmanager
def _refused(names: tuple[str, ...], path: Path) -> Iterator[None]:
    """While it lasts, the functions called `names` are Wrong where the learner's file calls them, directly or not."""
    from .engine import torch

    def guard(name: str, original: Any) -> Callable[..., Any]:
        def guarded(*arguments: Any, **options: Any) -> Any:
            frame = sys._getframe(1)
            while frame is not None:
                if frame.f_code.co_filename == str(path):
                    raise Wrong(f"`{name}` is not to be called here: write it yourself, from simpler operations.")
                frame = frame.f_back  # type: ignore[assignment]
            return original(*arguments, **options)

        return guarded

    owners = [torch, torch.Tensor, torch.nn.functional, torch.nn.init, torch.optim, torch.autograd]
    owners += [getattr(torch, part) for part in ("special", "func") if hasattr(torch, part)]
    owners += [torch.autograd.functional] if hasattr(torch.autograd, "functional") else []
    patched = []
    try:
        for owner in owners:
            for name in names:
                # Tensor.grad is where gradients lie, no function
                if callable(original := getattr(owner, name, None)) and not isinstance(original, type(sys)):
                    patched.append((owner, name, vars(owner).get(name)))
                    setattr(owner, name, guard(name, original))
        yield
    finally:
        for owner, name, own in reversed(patched):
            if own is None:
                delattr(owner, name)  # it was inherited
            else:
                setattr(owner, name, own)


# -- the check itself


class _Solution(dict[str, Any]):
    def __missing__(self, name: str) -> Any:
        raise Wrong(f"{name!r} was not found. Keep the names that the exercise gives.")


def check(lesson: Lesson, path: Path | None = None) -> tuple[bool, str]:
    """Whether the lesson's exercises are all solved, and what is to be said: a hint for each that is not."""
    path = path or HERE / "exercises" / lesson.path.name
    if not path.is_file():
        raise SystemExit(f"There is no file {path}.")
    checker = runpy.run_path(str(HERE / "checks" / lesson.path.name))
    checks = checker.get("CHECKS") or {"": checker["check"]}
    by_hand = checker.get("BY_HAND", ())
    answers: dict[str, str | None] = {}
    for name, function in checks.items():
        refused = by_hand.get(name, ()) if isinstance(by_hand, dict) else by_hand
        answers[name] = _answer(function, path, refused)
    open_ = {name: text for name, text in answers.items() if text is not None}
    if not open_:
        return True, f"Exercise {lesson.number}: solved."
    if len(answers) == 1 or (
        len(open_) == len(answers) and len(set(open_.values())) == 1
    ):  # a file that Python cannot read
        return False, f"Exercise {lesson.number}: {next(iter(open_.values()))}"
    lines = [f"{name}: {'solved' if text is None else text}" for name, text in answers.items()]
    return False, f"Exercise {lesson.number}: {len(answers) - len(open_)} of {len(answers)} solved.\n" + "\n".join(
        lines
    )


def _answer(function: Callable[[Any], None], path: Path, refused: tuple[str, ...]) -> str | None:
    """What is wrong with the exercise; None if nothing is."""
    try:
        with _refused(refused, path):
            function(_Solution(runpy.run_path(str(path))))
    except Wrong as hint:
        return f"not yet. {hint}"
    except NotImplementedError as error:
        return f"nothing written yet in {path} ({error})."
    except SyntaxError as error:
        line = f", line {error.lineno}: {(error.text or '').strip()}"
        return f"Python does not understand {path.name}{line}\n{error.msg}"
    except Exception as error:
        own = [frame for frame in traceback.extract_tb(error.__traceback__) if frame.filename == str(path)]
        where = f", line {own[-1].lineno}: {own[-1].line}" if own else ""
        advice = _hint(error) if own else ASTRAY
        return f"{type(error).__name__} in {path.name}{where}\n{error}{advice}"
    return None


ASTRAY = (
    "\nThe check cannot go on with what it got: keep the parameters that the exercise gives, and return what its text says, "
    "of that kind and shape."
)


def _hint(error: Exception) -> str:
    if "leaf" in str(error) and "in-place" in str(error):
        return "\nThe update is no part of the formula: write it inside `with torch.no_grad():`."
    if isinstance(error, TypeError) and "NoneType" in str(error):
        return "\nA gradient is None: it appears with backward(), and assigning w = w - ... makes a new tensor without one."
    return ""
