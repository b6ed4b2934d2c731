"""Where a derivative does not exist, an engine chooses one: the table of PyTorch's choices.

Each entry is an expression, the point, and the gradient that PyTorch gives there. Both engines are compared with it
exactly; a new choice of PyTorch's would show here first.

At which of the points that a case plants its derivative jumps, `measured` finds out, for they are planted for other reasons too.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from .agreement import inputs_of, mapped, run_form
from .case import Call, Case
from .engines import MINIGRAD
from .inputs import Draw, Input, Seeded, lay_out

inf, nan = math.inf, math.nan


@dataclass(frozen=True)
class Kink:
    fn: Callable[..., Any]  # fn(torch, x, ...): a tensor, which is summed
    at: tuple[Any, ...]  # one list a input
    gradient: tuple[Any, ...]


KINKS: dict[str, Kink] = {}


def kink(name: str, fn: Callable[..., Any], at: Any, gradient: Any) -> None:
    many = isinstance(at, tuple)
    KINKS[name] = Kink(fn, at if many else (at,), gradient if many else (gradient,))


def F(name: str, *args: Any, **kwargs: Any) -> Callable[..., Any]:
    return lambda torch, *x: getattr(torch.nn.functional, name)(*x, *args, **kwargs)


kink("relu(0)", F("relu"), [0.0, -0.0], [0.0, 0.0])
kink("leaky_relu(0)", F("leaky_relu", 0.1), [0.0], [0.1])
kink("elu(0)", F("elu"), [0.0], [1.0])
kink("selu(0)", F("selu"), [0.0], [1.0507009873554804934193349852946 * 1.6732632423543772848170429916717])
kink("celu(0)", F("celu", 0.5), [0.0], [1.0])
kink("hardtanh at its bounds", F("hardtanh"), [-1.0, 1.0], [0.0, 0.0])
kink("relu6 at its bounds", F("relu6"), [0.0, 6.0], [0.0, 0.0])
kink("hardsigmoid at its bounds", F("hardsigmoid"), [-3.0, 3.0], [0.0, 0.0])
kink("hardswish at its bounds", F("hardswish"), [-3.0, 3.0], [0.0, 1.0])
kink("softshrink at its bounds", F("softshrink", 0.5), [-0.5, 0.5], [0.0, 0.0])
kink("hardshrink at its bounds", F("hardshrink", 0.5), [-0.5, 0.5], [0.0, 0.0])
kink("threshold at it", F("threshold", 0.5, 9.0), [0.5], [0.0])
kink("abs(0)", lambda torch, x: torch.abs(x), [0.0, -0.0], [0.0, 0.0])
kink(
    "sign, floor, round",
    lambda torch, x: torch.sign(x) + torch.floor(x) + torch.round(x),
    [0.0, 0.5, 1.0],
    [0.0, 0.0, 0.0],
)
kink("clamp at its bounds", lambda torch, x: torch.clamp(x, -1, 1), [-1.0, 1.0], [1.0, 1.0])
kink("clamp(min=0) at 0", lambda torch, x: torch.clamp(x, min=0), [0.0], [1.0])
kink("maximum, equal", lambda torch, x, y: torch.maximum(x, y), ([1.0], [1.0]), ([0.5], [0.5]))
kink("minimum, equal", lambda torch, x, y: torch.minimum(x, y), ([1.0], [1.0]), ([0.5], [0.5]))
kink("maximum(x, 0) at 0", lambda torch, x: torch.maximum(x, torch.zeros_like(x)), [0.0], [0.5])
kink("max(), two equal", lambda torch, x: x.max(), [1.0, 3.0, 3.0], [0.0, 0.5, 0.5])
kink("min(), three equal", lambda torch, x: x.min(), [1.0, 1.0, 1.0], [1 / 3, 1 / 3, 1 / 3])
kink("amax, two equal", lambda torch, x: x.amax(0), [1.0, 3.0, 3.0], [0.0, 0.5, 0.5])
kink("max(dim), two equal", lambda torch, x: x.max(0).values, [1.0, 3.0, 3.0], [0.0, 1.0, 0.0])
kink("min(dim), two equal", lambda torch, x: x.min(0).values, [1.0, 3.0, 1.0], [1.0, 0.0, 0.0])
kink("cummax, equal", lambda torch, x: x.cummax(0).values, [1.0, 1.0], [1.0, 1.0])
kink(
    "max_pool1d, equal",
    lambda torch, x: torch.nn.functional.max_pool1d(x.reshape(1, 1, -1), 2),
    [2.0, 2.0, 1.0, 1.0],
    [1.0, 0.0, 1.0, 0.0],
)
kink("sqrt(0)", lambda torch, x: torch.sqrt(x), [0.0], [inf])
kink("norm of zeros", lambda torch, x: x.norm(), [0.0, 0.0], [0.0, 0.0])
kink("norm(p=1) at 0", lambda torch, x: x.norm(p=1), [0.0, -2.0], [0.0, -1.0])
kink("norm(inf), equal", lambda torch, x: x.norm(p=inf), [2.0, -2.0], [0.5, -0.5])
kink("prod with one 0", lambda torch, x: x.prod(), [0.0, 2.0, 3.0], [6.0, 0.0, 0.0])
kink("prod with two 0", lambda torch, x: x.prod(), [0.0, 0.0, 3.0], [0.0, 0.0, 0.0])
kink("cumprod with a 0", lambda torch, x: x.cumprod(0), [2.0, 0.0, 3.0], [1.0, 8.0, 0.0])
kink("x ** 0 at 0", lambda torch, x: x**0, [0.0], [0.0])
kink("x ** 0.5 at 0", lambda torch, x: x**0.5, [0.0], [inf])
kink("x ** 1 at 0", lambda torch, x: x**1, [0.0], [1.0])
kink("x ** y at 0 ** 0", lambda torch, x, y: x**y, ([0.0], [0.0]), ([0.0], [0.0]))
kink("0 ** y at 2", lambda torch, x, y: x**y, ([0.0], [2.0]), ([0.0], [0.0]))
kink(
    "where hides a nan, not its gradient",
    lambda torch, x: torch.where(x > 0, x.log(), torch.zeros_like(x)),
    [0.0],
    [nan],
)
kink("log(0)", lambda torch, x: torch.log(x), [0.0], [inf])
kink("std of equal elements", lambda torch, x: x.std(), [2.0, 2.0], [0.0, 0.0])
kink("std of one element", lambda torch, x: x.std(), [2.0], [nan])
kink("logsumexp of -inf alone", lambda torch, x: x.logsumexp(0), [-inf, -inf], [nan, nan])
kink("l1_loss at 0", lambda torch, x: torch.nn.functional.l1_loss(x, torch.ones_like(x)), [1.0], [0.0])
kink(
    "smooth_l1_loss at 1",
    lambda torch, x: torch.nn.functional.smooth_l1_loss(x, torch.zeros_like(x), reduction="sum"),
    [1.0, -1.0, 0.0],
    [1.0, -1.0, 0.0],
)
kink(
    "huber_loss at delta",
    lambda torch, x: torch.nn.functional.huber_loss(x, torch.zeros_like(x), reduction="sum", delta=2.0),
    [2.0, -2.0],
    [2.0, -2.0],
)
kink(
    "binary_cross_entropy at 0 and 1",
    lambda torch, x: torch.nn.functional.binary_cross_entropy(x, torch.ones_like(x), reduction="sum"),
    [1.0, 0.0],
    [0.0, -1 / float(np.float32(1e-12))],
)
kink(
    "margin_ranking_loss at the margin",
    lambda torch, x: torch.nn.functional.margin_ranking_loss(x, torch.zeros_like(x), torch.ones_like(x)),
    [0.0],
    [-1.0],
)
kink(
    "hinge_embedding_loss at the margin",
    lambda torch, x: torch.nn.functional.hinge_embedding_loss(x, -torch.ones_like(x)),
    [1.0],
    [-1.0],
)
kink(
    "sort, equal: stable",
    lambda torch, x: x.sort(stable=True).values * torch.tensor([1.0, 2.0], dtype=x.dtype),
    [1.0, 1.0],
    [1.0, 2.0],
)


JUMP, UNBOUNDED, SMOOTH = "jumps", "unbounded", "smooth"
_BESIDE = (1e-4, 1e-6)  # a jump is as large from near as from far; a smooth slope's change shrinks with the distance


def measured(case: Case, draws: int = 8) -> dict[float, str]:
    """What the derivative does at each point in `case.kinks`: JUMP, UNBOUNDED or SMOOTH, in any of some drawn calls.

    All floating inputs are filled with the point, and one of them is moved a little to either side.
    """
    found = dict.fromkeys(case.kinks, SMOOTH)
    for seed in range(draws):
        draw = Draw(Seeded(seed), layouts=False)
        form = draw.choice(case.forms)
        drawn = case.draw(draw)
        for point in case.kinks:
            for moved in (x for x in inputs_of(drawn) if x.grad and x.array.size):
                told = _told_at(case, form, drawn, moved, point)
                if told == JUMP or (told == UNBOUNDED and found[point] == SMOOTH):
                    found[point] = told
    return found


def _told_at(case: Case, form: Any, drawn: Call, moved: Input, point: float) -> str:
    changes, sizes = [], []
    for distance in _BESIDE:
        above, below = (_gradient(case, form, drawn, moved, point, step) for step in (distance, -distance))
        if above is None or below is None or not above.size:
            return SMOOTH
        with np.errstate(all="ignore"):
            changes.append(float(np.abs(above - below).max()))
        sizes.append(max(float(np.abs(g).max()) for g in (above, below)))
    far, near = changes
    if not np.isfinite(near) or near > 3 * far > 0 or sizes[1] > 3 * sizes[0] > 0:
        return UNBOUNDED
    return JUMP if near > 0.5 * far and near > 1e-5 * sizes[1] else SMOOTH


def _gradient(case: Case, form: Any, drawn: Call, moved: Input, point: float, step: float) -> np.ndarray | None:
    """minigrad's gradients by all inputs, in a row, with one filled beside the point; None if the call is refused there."""

    def fill(x: Any) -> Any:
        if not isinstance(x, Input) or x.dtype.kind != "f":
            return x
        return lay_out(np.full(x.shape, point + step * (x is moved)), "C", x.grad)

    call = Call(mapped(drawn.args, fill), mapped(drawn.kwargs, fill))
    run = run_form(MINIGRAD, case, form, call)
    outputs = [y for _, y in run.outputs if isinstance(y, MINIGRAD.Tensor) and y.requires_grad]
    wanted = [x for x in run.inputs if x.requires_grad]
    if run.error is not None or not outputs:
        return None
    weights = [
        MINIGRAD.tensor(Input.of(1.0 + np.arange(math.prod(y.shape)).reshape(y.shape) % 7, False)) for y in outputs
    ]
    try:
        found = MINIGRAD.module.autograd.grad(outputs, wanted, weights, allow_unused=True)
    except Exception:  # a type that the weights have not
        return None
    return np.concatenate([MINIGRAD.array(g).ravel() for g in found if g is not None] or [np.zeros(0)])
