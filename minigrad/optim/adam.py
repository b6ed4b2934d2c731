"""Adam and its relatives: running means of the gradient and of its square (or its largest magnitude)."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from .. import dtypes, storage
from ..autograd.fused import compiled_form, size
from ..autograd.variable import Array, Variable, wrap
from ..dtypes import constant
from ..missing import refuse
from .optimizer import Optimizer, check_betas, check_range, count_step, in_one_line, lerp, scalar_state

if TYPE_CHECKING:
    from ..tensor import Tensor


def decay(p: Array, grad: Array, group: dict[str, Any], decoupled: bool) -> Array:
    """The gradient after weight decay: added to it (L2), or, decoupled, taken from the parameter at once."""
    if group["maximize"]:
        grad = np.asarray(-grad)
    if not group["weight_decay"]:
        return grad
    if decoupled:
        p *= 1 - group["lr"] * group["weight_decay"]
        return grad
    return grad + p * group["weight_decay"]


def check_arguments(
    optimizer: Optimizer, lr: Any, betas: tuple[float, float], eps: float, weight_decay: float, **unsupported: bool
) -> None:
    check_range("learning rate", lr)
    check_range("epsilon value", eps)
    check_betas(betas)
    check_range("weight_decay value", weight_decay)
    refuse(type(optimizer).__name__, **unsupported)


_SMALL = 4096  # elements up to which a parameter's update is all overhead


class _Pack(NamedTuple):
    """The state of several parameters in one vector each."""

    m: Array
    v: Array
    grad: Array
    step: Array  # what is taken from the parameters
    pieces: list[Array]  # and each parameter's part of it
    counts: Array  # the number of steps, one of each parameter
    owners: list[tuple[Any, Any]]  # the tensors in the parameters' states: as long as they are there, all is in step


class Adam(Optimizer):
    """p ← p - lr · m̂ / (√v̂ + eps): a step of about lr in each direction, whatever the gradient's scale.

        m ← m + (1 - β₁)(g - m)        the running mean of gradients, m̂ = m / (1 - β₁ᵗ)
        v ← β₂ v + (1 - β₂) g²         and of their squares,          v̂ = v / (1 - β₂ᵗ)

    m and v start at 0; dividing by 1 - βᵗ undoes that. amsgrad uses the largest v so far. weight_decay is added to the
    gradient (in `AdamW` it shrinks the parameter instead). Kingma & Ba 2015, "Adam: A Method for Stochastic
    Optimization"; Reddi et al. 2018 (amsgrad). PyTorch: torch.optim.Adam.
    """

    _decoupled = False
    _step_numbers = ("step",)

    def __init__(
        self, params: Any, lr: Tensor | float = 1e-3, betas: tuple[float, float] = (0.9, 0.999), eps: float = 1e-8,
        weight_decay: float = 0, amsgrad: bool = False, *, foreach: bool | None = None, maximize: bool = False,
        capturable: bool = False, differentiable: bool = False, fused: bool | None = None,
        decoupled_weight_decay: bool = False,
    ) -> None:  # fmt: skip
        if foreach and isinstance(lr, Variable):
            raise ValueError("lr as a Tensor is not supported for capturable=False and foreach=True")
        check_arguments(self, lr, betas, eps, weight_decay, capturable=capturable)
        if not (all(isinstance(b, float) for b in betas) or all(isinstance(b, Variable) for b in betas)):
            raise ValueError("betas must be either both floats or both Tensors")
        betas = tuple(b.array.item() if isinstance(b, Variable) else b for b in betas)  # type: ignore[assignment]
        defaults = {
            "lr": lr, "betas": betas, "eps": eps, "weight_decay": weight_decay, "amsgrad": amsgrad, "maximize": maximize,
            "foreach": foreach, "capturable": capturable, "differentiable": differentiable, "fused": fused,
            "decoupled_weight_decay": decoupled_weight_decay or self._decoupled,
        }  # fmt: skip
        super().__init__(params, defaults)
        self._packs: dict[tuple[int, ...], _Pack] = {}
        self._apart = False  # whether a small parameter has stepped by itself

    def __setstate__(self, state: dict[str, Any]) -> None:
        super().__setstate__(state)
        self._packs, self._apart = {}, False
        for group in self.param_groups if self._decoupled else ():
            group["decoupled_weight_decay"] = True

    def update(self, p: Array, grad: Array, state: dict[str, Any], group: dict[str, Any]) -> None:
        if not state:
            state["step"] = scalar_state(0.0)
            state["exp_avg"] = wrap(np.zeros_like(p))
            state["exp_avg_sq"] = wrap(np.zeros_like(p))
            if group["amsgrad"]:
                state["max_exp_avg_sq"] = wrap(np.zeros_like(p))
        if p.size <= _SMALL:
            self._apart = True
        t = count_step(state)
        grad = decay(p, grad, group, group["decoupled_weight_decay"])
        m, v = state["exp_avg"].array, state["exp_avg_sq"].array
        largest = state["max_exp_avg_sq"].array if group["amsgrad"] else None
        compiled = compiled_form("optimizer.adam", size(p)) if largest is None else None
        if compiled is not None and in_one_line(p, grad, m, v):
            compiled(p, grad, m, v, group["betas"], group["eps"], group["lr"], t)
            return
        work = self.scratch(grad)
        self._step(grad, m, v, largest, t, group, work)
        p -= work

    def _step(
        self, grad: Array, m: Array, v: Array, largest: Array | None, t: float, group: dict[str, Any], work: Array
    ) -> None:
        """Into work, what to take from the parameter; m and v (and largest, the largest v so far) are brought up to date.

        Compiled form, where there is no `largest`: kernels/optimizer.py.
        """
        beta1, beta2 = group["betas"]
        d = work.dtype
        np.subtract(grad, m, work)
        if 1 - beta1 < 0.5:
            np.multiply(work, constant(1 - beta1, d), work)
            np.add(m, work, m)
        else:  # from the nearer end, see `lerp`
            np.multiply(work, constant(1 - (1 - beta1), d), work)
            np.subtract(grad, work, m)

        np.multiply(v, constant(beta2, d), v)
        np.multiply(grad, grad, work)
        np.multiply(work, constant(1 - beta2, d), work)
        np.add(v, work, v)

        if largest is not None:
            v = np.maximum(largest, v, out=largest)  # (by position NumPy warns, of this function alone)
        root = math.sqrt(1 - beta2**t)  # √v̂ = √v / root; both sides of the fraction times root: a pass less
        np.sqrt(v, work)
        np.add(work, np.array(group["eps"] * root, d), work)
        np.divide(m, work, work)
        np.multiply(work, np.array(group["lr"] * root / (1 - beta1**t), d), work)

    def update_all(self, params: list[Any], group: dict[str, Any]) -> None:
        """Small parameters are updated together, as one vector: the arithmetic is the same, its calls are fewer."""
        small: list[Any] = []
        if not (group["amsgrad"] or group["maximize"] or group["weight_decay"]):
            small = [p for p in params if p.array.size <= _SMALL and p.array.dtype == params[0].array.dtype]
        pack = self._pack(small, params) if len(small) > 1 else None
        if pack is None:
            super().update_all(params, group)
            return
        np.add(pack.counts, constant(1, pack.counts.dtype), pack.counts)
        np.concatenate([p._grad.array.ravel() for p in small], out=pack.grad)
        self._step(pack.grad, pack.m, pack.v, None, float(pack.counts[0]), group, pack.step)
        arrays = [p.array for p in small]
        try:
            for array, piece in zip(arrays, pack.pieces):  # noqa: B905  they are of one length
                np.subtract(array, piece, array)
        finally:  # also after an interrupt, when some of them have been written
            storage.mark_all_written(arrays)
        if len(small) < len(params):
            together = {id(p) for p in small}
            super().update_all([p for p in params if id(p) not in together], group)

    def _pack(self, params: list[Any], together: list[Any]) -> _Pack | None:
        """One vector for the state of all params, into which their own states look; None if they have stepped unequally."""
        if self._apart:  # packs of which some have stepped more often than others are packs no longer
            self._packs = {k: p for k, p in self._packs.items() if (p.counts == p.counts[0]).all()}
            self._apart = False
        pack = self._packs.get(tuple(map(id, params)))
        if pack is not None:
            for p, (m, n) in zip(params, pack.owners):  # noqa: B905  they are of one length
                state = self.state[p]
                if state.get("exp_avg") is not m or state["step"] is not n:
                    break
            else:
                return pack
        if len({id(p) for p in params}) < len(params):  # each time that one is given is a step
            return None
        for p in together:  # states stand in the order of the parameters
            self.state[p]
        states = [self.state[p] for p in params]
        counts = np.array([float(s["step"].array) if s else 0.0 for s in states], dtypes.default_numpy())
        if (counts != counts[0]).any():
            return None
        ends = np.cumsum([p.array.size for p in params]).tolist()
        places = list(zip([0, *ends[:-1]], ends, strict=True))
        m, v, grad, step = (np.zeros(ends[-1], params[0].array.dtype) for _ in range(4))
        pieces, owners = [], []
        for i, (p, state, (start, end)) in enumerate(zip(params, states, places, strict=True)):
            state["step"] = wrap(counts[i : i + 1].reshape(()))
            for name, flat in (("exp_avg", m), ("exp_avg_sq", v)):
                place = flat[start:end].reshape(p.array.shape)
                if name in state:
                    place[...] = state[name].array
                state[name] = wrap(place)
            pieces.append(step[start:end].reshape(p.array.shape))
            owners.append((state["exp_avg"], state["step"]))
        pack = self._packs[tuple(map(id, params))] = _Pack(m, v, grad, step, pieces, counts, owners)
        return pack


class Moments(Optimizer):
    """What Adamax, NAdam and RAdam share: arguments, state, and the running means."""

    _step_numbers = ("step", "mu_product")

    def __init__(
        self, params: Any, lr: Tensor | float, betas: tuple[float, float], eps: float, weight_decay: float, **more: Any
    ) -> None:
        check_arguments(self, lr, betas, eps, weight_decay, capturable=more["capturable"])
        super().__init__(params, {"lr": lr, "betas": betas, "eps": eps, "weight_decay": weight_decay, **more})

    def moments(self, grad: Array, state: dict[str, Any], group: dict[str, Any]) -> tuple[Array, Array]:
        beta1, beta2 = group["betas"]
        m, v = state["exp_avg"].array, state["exp_avg_sq"].array
        lerp(m, grad, 1 - beta1)
        v *= beta2
        v += grad * grad * (1 - beta2)
        return m, v
