"""Checks exercise 20."""

import ast
import math
from collections.abc import Callable
from typing import Any

from curriculum.check import AUTOGRAD, Wrong, ask, near, tensor
from curriculum.engine import torch

BY_HAND = {"log_softmax_backward": AUTOGRAD}
OPERATIONS: dict[str, Callable[..., float]] = {
    "add": lambda a, b: a + b,
    "mul": lambda a, b: a * b,
    "tanh": math.tanh,
    "copy": lambda a: a,
}
Lines = list[tuple[str, str, tuple[str, ...]]]


def run(lines: Lines, given: dict[str, float]) -> dict[str, float]:
    """The value under every name after the program."""
    values = dict(given)
    for name, operation, inputs in lines:
        values[name] = OPERATIONS[operation](*(values[x] for x in inputs))
    return values


def shown(lines: Lines) -> str:
    return "; ".join(f"{name} = {operation}({', '.join(inputs)})" for name, operation, inputs in lines)


FORWARD: list[tuple[Lines, str]] = [
    ([("c", "mul", ("a", "b"))], "c"),
    ([("c", "add", ("a", "b")), ("d", "tanh", ("c",))], "d"),
    ([("s", "mul", ("a", "a"))], "s"),
    ([("s", "add", ("a", "a")), ("p", "mul", ("s", "b"))], "p"),
    ([("m", "add", ("a", "a")), ("n", "mul", ("m", "m")), ("f", "add", ("m", "n"))], "f"),
    ([("z", "mul", ("w", "x")), ("h", "tanh", ("z",)), ("y", "mul", ("h", "v")), ("r", "add", ("y", "x"))], "r"),
    ([("c", "mul", ("a", "b")), ("aside", "mul", ("c", "c")), ("e", "add", ("c", "a"))], "e"),
    ([("c", "mul", ("a", "b")), ("e", "add", ("c", "a"))], "c"),
]
GIVEN = {"a": 0.7, "b": -1.3, "w": 0.4, "x": 1.1, "v": -0.6}


def slopes(lines: Lines, result: str) -> dict[str, float]:
    """By differences: a name that is made is nudged when it is made."""
    found = {}
    hangs = {result}
    for name, _, inputs in reversed(lines):
        if name in hangs:
            hangs |= set(inputs)
    for name in hangs:
        sides = []
        for nudge in (1e-5, -1e-5):
            values = dict(GIVEN)
            if name in values:
                values[name] += nudge
            for made, operation, inputs in lines:
                values[made] = OPERATIONS[operation](*(values[x] for x in inputs)) + nudge * (made == name)
            sides.append(values[result])
        found[name] = (sides[0] - sides[1]) / 2e-5
    return found


def check_lines(solution: dict[str, Any]) -> None:
    for lines, result in FORWARD:
        told = shown(lines)
        found = ask(solution["backward_lines"], list(lines), result)
        if not isinstance(found, list | tuple) or not all(isinstance(line, str) for line in found):
            raise Wrong("backward_lines must return a list of lines, each a string.")
        values = run(lines, GIVEN)
        known = set(values)
        for line in found:
            try:
                node = ast.parse(line.strip()).body
            except SyntaxError:
                raise Wrong(f"Python does not understand the line {line!r}.") from None
            if len(node) != 1 or not isinstance(node[0], ast.Assign | ast.AugAssign):
                raise Wrong(f"{line!r} is no assignment.")
            if any(isinstance(part, ast.Call | ast.Div | ast.Pow) for part in ast.walk(node[0])):
                raise Wrong(
                    f"{line!r} needs more than names, numbers, + - and *: the slope of tanh is made of tanh itself."
                )
            try:
                exec(line.strip(), {}, values)
            except NameError as error:
                raise Wrong(f"For {told}: the line {line!r} reads something that is not there yet ({error}).") from None
            if changed := [name for name in known if values[name] != run(lines, GIVEN)[name]]:
                raise Wrong(f"For {told}: {line!r} changes {changed[0]}; the values of the forward pass must stay.")
        wanted = slopes(lines, result)
        for name, value in sorted(wanted.items()):
            got = values.get(f"d_{name}")
            if got is None:
                raise Wrong(f"For {told}: there is no d_{name}, and {result} was made of {name}.")
            if not abs(got - value) < 1e-6:
                more = " A name that is read twice gets the sum of two slopes." if _reads(lines, name) > 1 else ""
                raise Wrong(f"For {told}: d_{name} is {got:.4f}, wanted is {value:.4f}.{more}")
        if extra := sorted(set(values) - known - {f"d_{name}" for name in wanted}):
            raise Wrong(f"For {told} and the slopes of {result}: {extra[0]} is made, and serves no slope: a dead line.")


def _reads(lines: Lines, name: str) -> int:
    return sum(inputs.count(name) for _, _, inputs in lines)


def check_log_softmax(solution: dict[str, Any]) -> None:
    drawn = torch.Generator().manual_seed(20)
    for rows, classes in ((4, 3), (2, 6)):
        s = torch.randn(rows, classes, generator=drawn, dtype=torch.float64).requires_grad_()
        slope = torch.randn(rows, classes, generator=drawn, dtype=torch.float64)
        y = torch.log_softmax(s, dim=1)
        wanted = torch.autograd.grad(y, s, slope)[0]
        y = y.detach()
        found = ask(solution["log_softmax_backward"], slope, y)
        tensor(found, "The slope at s", (rows, classes), "that of y")
        if near(found, wanted, 1e-9):
            continue
        p = torch.exp(y)
        if near(found, p * (slope - (p * slope).sum(dim=1, keepdim=True)), 1e-9):
            raise Wrong(
                "That is the way back through softmax. Here y is its logarithm: begin with y = s - log sum exp(s)."
            )
        if near(found, slope - y * slope.sum(dim=1, keepdim=True), 1e-9):
            raise Wrong(
                "y is the logarithm of the probabilities; the slope of log sum exp(s) is the probabilities themselves."
            )
        if near(found, slope - p * slope, 1e-9):
            raise Wrong(
                "Every y of a row was made with the row's log sum exp(s): the slopes of all of them meet there."
            )
        if near(found, slope - p, 1e-9):
            raise Wrong("The slope at log sum exp(s) is not 1: it is what all y of the row send to it.")
        if not near(found.sum(dim=1), torch.zeros(rows), 1e-9):
            raise Wrong(
                "A shift of all scores of a row changes nothing, so a row's slopes must add up to 0; yours do not."
            )
        raise Wrong(f"The slope of the first score is {found[0, 0].item():.4f}, wanted is {wanted[0, 0].item():.4f}.")


PROGRAMS: list[tuple[Lines, int]] = [
    ([("c", "mul", ("a", "b")), ("d", "mul", ("a", "b"))], 1),
    ([("c", "mul", ("a", "b")), ("d", "add", ("a", "b")), ("e", "tanh", ("d",)), ("f", "tanh", ("d",)), ("g", "tanh", ("d",))], 2),
    ([("c", "mul", ("w", "x")), ("w", "add", ("w", "a")), ("d", "mul", ("w", "x"))], 0),
    ([("c", "mul", ("a", "b")), ("c", "add", ("c", "c")), ("d", "mul", ("a", "b"))], 0),
    ([("w", "add", ("w", "a")), ("w", "add", ("w", "a"))], 0),
    ([("c", "mul", ("a", "b")), ("a", "mul", ("a", "b")), ("d", "mul", ("a", "b"))], 1),
    ([("c", "mul", ("w", "x")), ("v", "add", ("v", "a")), ("d", "mul", ("w", "x"))], 1),
    ([("c", "mul", ("a", "b")), ("w", "mul", ("w", "w")), ("e", "mul", ("w", "w")), ("w", "add", ("w", "a")), ("d", "mul", ("a", "b"))], 1),
    ([("c", "tanh", ("a",)), ("d", "tanh", ("a",)), ("c", "add", ("b", "b")), ("e", "add", ("b", "b"))], 2),
    ([("c", "mul", ("a", "b")), ("d", "mul", ("a", "x")), ("a", "tanh", ("x",)), ("e", "mul", ("a", "x")), ("f", "mul", ("a", "b"))], 0),
]  # fmt: skip


def check_share(solution: dict[str, Any]) -> None:
    for lines, copies in PROGRAMS:
        told = shown(lines)
        found = ask(solution["share"], list(lines))
        if not isinstance(found, list | tuple) or any(not isinstance(line, tuple) or len(line) != 3 for line in found):
            raise Wrong("share must return a list of lines like the one that comes in: (name, operation, inputs).")
        if [line[0] for line in found] != [line[0] for line in lines]:
            raise Wrong(f"For {told}: the new program must make the same names in the same order.")
        try:
            got = run(list(found), GIVEN)
        except (KeyError, TypeError):
            raise Wrong(f"For {told}: your program, {shown(list(found))}, cannot be run.") from None
        for name, value in run(lines, GIVEN).items():
            if got[name] != value:
                raise Wrong(
                    f"For {told} your program is {shown(list(found))}: under {name} stands {got[name]:.4f} where {value:.4f} is "
                    "wanted. Is what was known still true after a name is made again?"
                )
        made = sum(operation == "copy" for _, operation, _ in found)
        if made < copies:
            raise Wrong(f"For {told}: {copies} lines can be copies, in your program {made} are.")


CHECKS = {
    "the lines back": check_lines,
    "back through log softmax": check_log_softmax,
    "equal computations once": check_share,
}
