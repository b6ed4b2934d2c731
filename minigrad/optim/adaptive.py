"""Optimizers that scale each parameter's step by the history of its gradients, and averaged SGD."""

from __future__ import annotations

from typing import Any

import numpy as np

from .. import dtypes
from ..autograd.variable import Array, wrap
from ..missing import refuse
from .adam import decay
from .optimizer import Optimizer, check_range, count_step, lerp, scalar_state


class Adagrad(Optimizer):
    """p ← p - lr / (1 + (t - 1) lr_decay) · g / (√s + eps),  s ← s + g²: the more a parameter moved, the smaller its steps.

    Duchi et al. 2011, "Adaptive Subgradient Methods". PyTorch: torch.optim.Adagrad.
    """

    _step_numbers = ("step",)

    def __init__(
        self, params: Any, lr: Any = 1e-2, lr_decay: float = 0, weight_decay: float = 0,
        initial_accumulator_value: float = 0, eps: float = 1e-10, foreach: bool | None = None, *, maximize: bool = False,
        differentiable: bool = False, fused: bool | None = None,
    ) -> None:  # fmt: skip
        check_range("learning rate", lr)
        check_range("lr_decay value", lr_decay)
        check_range("weight_decay value", weight_decay)
        check_range("initial_accumulator_value value", initial_accumulator_value)
        check_range("epsilon value", eps)
        defaults = {
            "lr": lr, "lr_decay": lr_decay, "eps": eps, "weight_decay": weight_decay,
            "initial_accumulator_value": initial_accumulator_value, "foreach": foreach, "maximize": maximize,
            "differentiable": differentiable, "fused": fused,
        }  # fmt: skip
        super().__init__(params, defaults)
        for group in self.param_groups:
            for p in group["params"]:
                self.state[p] = {
                    "step": scalar_state(0.0),
                    "sum": wrap(np.full_like(p.array, group["initial_accumulator_value"])),
                }

    def update(self, p: Array, grad: Array, state: dict[str, Any], group: dict[str, Any]) -> None:
        if not state:
            state["step"] = scalar_state(0.0)
            state["sum"] = wrap(np.full_like(p, group["initial_accumulator_value"]))
        t = count_step(state)
        grad = decay(p, grad, group, False)
        s = state["sum"].array
        s += grad * grad
        p -= group["lr"] / (1 + (t - 1) * group["lr_decay"]) * (grad / (np.sqrt(s) + group["eps"]))


class RMSprop(Optimizer):
    """p ← p - lr · g / (√v + eps),  v ← α v + (1 - α) g²; with centered, v less the square of the running mean.

    With momentum, b ← momentum · b + g / (√v + eps) and p ← p - lr · b. Hinton 2012, lecture 6. PyTorch: torch.optim.RMSprop.
    """

    _step_numbers = ("step",)

    def __init__(
        self, params: Any, lr: Any = 1e-2, alpha: float = 0.99, eps: float = 1e-8, weight_decay: float = 0,
        momentum: float = 0, centered: bool = False, capturable: bool = False, foreach: bool | None = None,
        maximize: bool = False, differentiable: bool = False,
    ) -> None:  # fmt: skip
        check_range("learning rate", lr)
        check_range("epsilon value", eps)
        check_range("momentum value", momentum)
        check_range("weight_decay value", weight_decay)
        check_range("alpha value", alpha)
        refuse("RMSprop", capturable=capturable)
        defaults = {
            "lr": lr, "momentum": momentum, "alpha": alpha, "eps": eps, "centered": centered,
            "weight_decay": weight_decay, "capturable": capturable, "foreach": foreach, "maximize": maximize,
            "differentiable": differentiable,
        }  # fmt: skip
        super().__init__(params, defaults)

    def update(self, p: Array, grad: Array, state: dict[str, Any], group: dict[str, Any]) -> None:
        if not state:
            state["step"], state["square_avg"] = scalar_state(0.0), wrap(np.zeros_like(p))
            if group["momentum"] > 0:
                state["momentum_buffer"] = wrap(np.zeros_like(p))
            if group["centered"]:
                state["grad_avg"] = wrap(np.zeros_like(p))
        count_step(state)
        grad = decay(p, grad, group, False)
        v = state["square_avg"].array
        v *= group["alpha"]
        v += grad * grad * (1 - group["alpha"])
        if group["centered"]:
            mean = state["grad_avg"].array
            lerp(mean, grad, 1 - group["alpha"])
            scale = np.sqrt(v - mean * mean)
        else:
            scale = np.sqrt(v)
        scale += group["eps"]
        if group["momentum"] > 0:
            b = state["momentum_buffer"].array
            b *= group["momentum"]
            b += grad / scale
            p -= group["lr"] * b
        else:
            p -= group["lr"] * (grad / scale)


class Adadelta(Optimizer):
    """p ← p - lr · d,  d = √(a + eps) / √(v + eps) · g: the step has the unit of the parameter, so no learning rate is needed.

    v and a are running means of g² and d². Zeiler 2012, "ADADELTA". PyTorch: torch.optim.Adadelta.
    """

    _step_numbers = ("step",)

    def __init__(
        self, params: Any, lr: Any = 1.0, rho: float = 0.9, eps: float = 1e-6, weight_decay: float = 0,
        foreach: bool | None = None, *, capturable: bool = False, maximize: bool = False, differentiable: bool = False,
    ) -> None:  # fmt: skip
        check_range("learning rate", lr)
        if not 0.0 <= rho <= 1.0:
            raise ValueError(f"Invalid rho value: {rho}")
        check_range("epsilon value", eps)
        check_range("weight_decay value", weight_decay)
        refuse("Adadelta", capturable=capturable)
        defaults = {
            "lr": lr, "rho": rho, "eps": eps, "weight_decay": weight_decay, "maximize": maximize,
            "capturable": capturable, "foreach": foreach, "differentiable": differentiable,
        }  # fmt: skip
        super().__init__(params, defaults)

    def update(self, p: Array, grad: Array, state: dict[str, Any], group: dict[str, Any]) -> None:
        if not state:
            state["step"] = scalar_state(0.0)
            state["square_avg"], state["acc_delta"] = wrap(np.zeros_like(p)), wrap(np.zeros_like(p))
        count_step(state)
        grad = decay(p, grad, group, False)
        rho, eps = group["rho"], group["eps"]
        v, a = state["square_avg"].array, state["acc_delta"].array
        v *= rho
        v += grad * grad * (1 - rho)
        delta = np.sqrt(a + eps) / np.sqrt(v + eps) * grad
        a *= rho
        a += delta * delta * (1 - rho)
        p -= group["lr"] * delta


class Rprop(Optimizer):
    """Steps by the sign of the gradient alone; each parameter's step size grows while the sign stays and shrinks when it flips.

    For full batches. Riedmiller & Braun 1993. PyTorch: torch.optim.Rprop.
    """

    _step_numbers = ("step",)

    def __init__(
        self, params: Any, lr: Any = 1e-2, etas: tuple[float, float] = (0.5, 1.2),
        step_sizes: tuple[float, float] = (1e-6, 50), *, capturable: bool = False, foreach: bool | None = None,
        maximize: bool = False, differentiable: bool = False,
    ) -> None:  # fmt: skip
        check_range("learning rate", lr)
        if not 0.0 < etas[0] < 1.0 < etas[1]:
            raise ValueError(f"Invalid eta values: {etas[0]}, {etas[1]}")
        refuse("Rprop", capturable=capturable)
        defaults = {
            "lr": lr, "etas": etas, "step_sizes": step_sizes, "foreach": foreach, "maximize": maximize,
            "differentiable": differentiable, "capturable": capturable,
        }  # fmt: skip
        super().__init__(params, defaults)

    def update(self, p: Array, grad: Array, state: dict[str, Any], group: dict[str, Any]) -> None:
        if not state:
            state["step"], state["prev"] = scalar_state(0.0), wrap(np.zeros_like(p))
            state["step_size"] = wrap(np.full_like(p, group["lr"]))
        count_step(state)
        if group["maximize"]:
            grad = -grad
        shrink, grow = group["etas"]
        previous, size = state["prev"].array, state["step_size"].array
        agreement = np.sign(grad * previous)
        factor = np.where(agreement > 0, grow, np.where(agreement < 0, shrink, 1.0)).astype(p.dtype)
        size *= factor
        np.clip(size, *group["step_sizes"], out=size)
        grad = np.where(agreement < 0, 0, grad).astype(p.dtype)  # after a flip: wait one step
        p -= np.sign(grad) * size
        previous[...] = grad


class ASGD(Optimizer):
    """SGD with a falling rate η, and in the state `ax`, the average of the parameters after step t0.

    Polyak & Juditsky 1992. PyTorch: torch.optim.ASGD.
    """

    _step_numbers = ("step", "eta", "mu")

    def __init__(
        self, params: Any, lr: Any = 1e-2, lambd: float = 1e-4, alpha: float = 0.75, t0: float = 1e6,
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

    def update(self, p: Array, grad: Array, state: dict[str, Any], group: dict[str, Any]) -> None:
        lr, lambd = group["lr"], group["lambd"]
        if not state:
            state["step"], state["eta"], state["mu"] = scalar_state(0.0), scalar_state(lr), scalar_state(1.0)
            state["ax"] = wrap(np.zeros_like(p))
        t = count_step(state)
        grad = decay(p, grad, group, False)
        eta, mu, ax = (state[name].array for name in ("eta", "mu", "ax"))
        p *= 1 - lambd * float(eta)
        p -= grad * float(eta)
        if float(mu) == 1:
            ax[...] = p
        else:
            ax += (p - ax) * float(mu)
        number = dtypes.default_numpy().type  # kept in the default type, also where a loaded state has it in another
        eta[...] = number(lr / ((1 + lambd * lr * t) ** group["alpha"]))
        mu[...] = number(1 / max(1, t - group["t0"]))
