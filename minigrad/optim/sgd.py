"""Stochastic gradient descent."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from .. import storage
from ..autograd.fused import compiled_form, size
from ..autograd.variable import Array, wrap
from ..dtypes import element
from .optimizer import Optimizer, check_range, in_one_line

if TYPE_CHECKING:
    from ..tensor import Tensor


class SGD(Optimizer):
    """p ← p - lr · d, where d is the gradient, or with momentum the running sum b of gradients.

        g = grad + weight_decay · p            (-grad with maximize)
        b ← momentum · b + (1 - dampening) · g (b = g at the first step)
        d = g + momentum · b with nesterov, else b

    Sutskever et al. 2013, "On the importance of initialization and momentum in deep learning". PyTorch: torch.optim.SGD.
    Compiled form, of the steps with momentum: kernels/optimizer.py.
    """

    def __init__(
        self, params: Any, lr: Tensor | float = 1e-3, momentum: float = 0, dampening: float = 0, weight_decay: float = 0,
        nesterov: bool = False, *, maximize: bool = False, foreach: bool | None = None, differentiable: bool = False,
        fused: bool | None = None,
    ) -> None:  # fmt: skip
        check_range("learning rate", lr)
        check_range("momentum value", momentum)
        check_range("weight_decay value", weight_decay)
        if nesterov and (momentum <= 0 or dampening != 0):
            raise ValueError("Nesterov momentum requires a momentum and zero dampening")
        defaults = {
            "lr": lr, "momentum": momentum, "dampening": dampening, "weight_decay": weight_decay, "nesterov": nesterov,
            "maximize": maximize, "foreach": foreach, "differentiable": differentiable, "fused": fused,
        }  # fmt: skip
        super().__init__(params, defaults)

    def update_all(self, params: list[Any], group: dict[str, Any]) -> None:
        if not group["momentum"]:  # then nothing is kept
            for p in params:
                self.update(p.array, p._grad.array, {}, group)
                storage.mark_written(p.array)
        elif len({id(p) for p in params}) == len(params):
            super().update_all(params, group)
        else:  # one that is given twice: both of its first steps begin without a buffer, as in PyTorch
            states = [dict(self.state[p]) for p in params]
            for p, state in zip(params, states, strict=True):
                self.update(p.array, p._grad.array, state, group)
                storage.mark_written(p.array)
                self.state[p].update(state)

    def update(self, p: Array, grad: Array, state: dict[str, Any], group: dict[str, Any]) -> None:
        if group["maximize"]:
            grad = np.asarray(-grad)  # NumPy makes a scalar of an array without dimensions
        if group["weight_decay"]:
            decayed = np.multiply(p, group["weight_decay"], out=self.scratch(p, 1))
            grad = np.add(decayed, grad, out=decayed)
        if momentum := group["momentum"]:
            buffer = state.get("momentum_buffer")
            if buffer is None:
                state["momentum_buffer"] = wrap(np.array(grad))
                b = state["momentum_buffer"].array
            else:
                b = buffer.array
                if group["dampening"]:
                    element(1 - group["dampening"], p.dtype)  # RuntimeError for what the parameter's type does not hold
                compiled = compiled_form("optimizer.momentum", size(p))
                if compiled is not None and in_one_line(p, grad, b):
                    compiled(p, grad, b, momentum, group["dampening"], group["lr"], group["nesterov"])
                    return
                b *= momentum
                b += grad if group["dampening"] == 0 else grad * (1 - group["dampening"])
            grad = grad + momentum * b if group["nesterov"] else b
        p -= np.multiply(grad, group["lr"], out=self.scratch(p))
