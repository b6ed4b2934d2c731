"""Averaged SGD."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from .. import dtypes
from ..autograd.variable import Array, Variable, wrap
from ..missing import refuse
from .adam import decay
from .optimizer import Optimizer, check_range, count_step, scalar_state

if TYPE_CHECKING:
    from ..tensor import Tensor


class ASGD(Optimizer):
    """SGD with a falling rate η, and in the state `ax`, the average of the parameters after step t0.

    Polyak & Juditsky 1992. PyTorch: torch.optim.ASGD.
    """

    _step_numbers = ("step", "eta", "mu")

    scales = ("weight_decay",)

    def __init__(
        self, params: Any, lr: Tensor | float = 1e-2, lambd: float = 1e-4, alpha: float = 0.75, t0: float = 1e6,
        weight_decay: float = 0, foreach: bool | None = None, maximize: bool = False, differentiable: bool = False,
        capturable: bool = False,
    ) -> None:  # fmt: skip
        check_range("learning rate", lr)
        check_range("weight_decay value", weight_decay)
        refuse("ASGD", capturable=capturable)
        defaults = {
            "lr": lr, "lambd": lambd, "alpha": alpha, "t0": t0, "weight_decay": weight_decay, "foreach": foreach,
            "maximize": maximize, "differentiable": differentiable, "capturable": capturable,
        }  # fmt: skip
        super().__init__(params, defaults)

    def prepare(self, group: dict[str, Any]) -> dict[str, Any]:
        """The rate is kept in the default type, or in that of a rate that is a tensor of floats."""
        lr = group["lr"]
        floats = isinstance(lr, Variable) and lr.array.dtype.kind == "f"
        kind = lr.array.dtype if floats else dtypes.default_numpy()
        return {**super().prepare(group), "kind of eta": kind}

    def update(self, p: Array, grad: Array, state: dict[str, Any], group: dict[str, Any]) -> None:
        lambd = group["lambd"]
        if not state:
            state["step"], state["eta"], state["mu"] = scalar_state(0.0), scalar_state(group["lr"]), scalar_state(1.0)
            state["ax"] = wrap(np.zeros_like(p))
        t = count_step(state)
        grad = decay(p, grad, group, False)
        eta, mu, ax = (state[name].array for name in ("eta", "mu", "ax"))
        rate = dtypes.element(float(eta), p.dtype)
        p *= 1 - lambd * rate
        p -= grad * rate
        if float(mu) == 1:
            ax[...] = p
        else:
            ax += (p - ax) * float(mu)
        # Both are rounded to these types, also where a loaded state has them in another.
        eta[...] = group["kind of eta"].type(_rate(state["step"].array[()] if group["foreach"] else t, group))
        mu[...] = dtypes.default_numpy().type(1 / max(1, t - group["t0"]))


def _rate(t: Any, group: dict[str, Any]) -> Any:
    """lr / (1 + lambd · lr · t)^alpha, the rate after step t.

    PyTorch computes it in float64, but with foreach=True in the type of the count itself, float32: t then is such a number.
    """
    lr = group["lr"]
    slowing = (1 + group["lambd"] * lr * t) ** group["alpha"]
    return lr * (1 / slowing) if group["foreach"] else lr / slowing
