"""L-BFGS: Newton's method, its second derivatives guessed from the last steps."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING, Any

import numpy as np

from .. import storage
from ..autograd.modes import enable_grad
from ..autograd.variable import Array, Variable, wrap
from ..dtypes import element
from ..quiet import quiet
from .optimizer import Optimizer, check_range
from .strong_wolfe import strong_wolfe

if TYPE_CHECKING:
    from ..tensor import Tensor

# Of the state: shares of the last two loops, the last direction and length, the history, the gradient and loss before.
_NAMES = ("al", "d", "t", "old_dirs", "old_stps", "ro", "H_diag", "prev_flat_grad", "prev_loss")


class LBFGS(Optimizer):
    """p ← p + t · d,  d = -H g: H is the inverse second derivative, as the last `history_size` steps s and changes y of the
    gradient tell it.

    `step(closure)` takes up to max_iter such steps; closure computes the loss and its gradients anew. t is lr (smaller at the
    very first step), or with line_search_fn="strong_wolfe" a length at which the loss has fallen enough and its slope too.
    All parameters are one vector: one group only. Two loops instead of a matrix: Nocedal & Wright 2006, "Numerical
    Optimization", algorithms 7.4 and 7.5. PyTorch: torch.optim.LBFGS.
    """

    def __init__(
        self, params: Any, lr: Tensor | float = 1, max_iter: int = 20, max_eval: int | None = None, tolerance_grad: float = 1e-7,
        tolerance_change: float = 1e-9, history_size: int = 100, line_search_fn: str | None = None,
    ) -> None:  # fmt: skip
        check_range("learning rate", lr)
        defaults = {
            "lr": lr, "max_iter": max_iter, "max_eval": max_iter * 5 // 4 if max_eval is None else max_eval,
            "tolerance_grad": tolerance_grad, "tolerance_change": tolerance_change, "history_size": history_size,
            "line_search_fn": line_search_fn,
        }  # fmt: skip
        super().__init__(params, defaults)
        if len(self.param_groups) != 1:
            raise ValueError("LBFGS doesn't support per-parameter options (parameter groups)")

    def step(self, closure: Callable) -> Any:  # type: ignore[override]
        """Up to max_iter steps; the loss before them."""
        if len(self.param_groups) != 1:
            raise AssertionError(f"Expected exactly one param_group, but got {len(self.param_groups)}")
        group = self.prepare(self.param_groups[0])
        lr, max_iter, max_eval = group["lr"], group["max_iter"], group["max_eval"]
        smallest_change = group["tolerance_change"]
        if group["line_search_fn"] not in (None, "strong_wolfe"):
            raise RuntimeError("only 'strong_wolfe' is supported")
        kept = self.state[group["params"][0]]
        kept.setdefault("func_evals", 0)
        kept.setdefault("n_iter", 0)
        state = {name: _plain(value) for name, value in kept.items()}

        with enable_grad():
            first_loss = closure()
        loss, evaluations = float(first_loss), 1
        state["func_evals"] += 1
        self._refuse_repeating()
        grad = self._gradient()
        if abs(grad).max() <= group["tolerance_grad"]:
            kept["func_evals"] = state["func_evals"]
            return first_loss

        for n in range(1, max_iter + 1):
            state["n_iter"] += 1
            d = self._direction(grad, state, group["history_size"])
            before, state["prev_loss"], state["prev_flat_grad"] = loss, loss, grad.copy()
            t: Any = self._first_length(grad, lr) if state["n_iter"] == 1 else lr
            state["d"], state["t"] = d, t
            slope = grad.dot(d)
            if slope > -smallest_change:
                break
            used = 0
            if group["line_search_fn"] is not None:
                loss, grad, t, used = strong_wolfe(
                    partial(self._at, closure, self._values(), d),
                    t, d, loss, grad, slope, max_evaluations=max_eval - evaluations,
                )  # fmt: skip
                state["t"] = t
                self._move(t, d)
            else:
                self._move(t, d)
                if n != max_iter:  # after the last step nobody asks
                    loss, grad, used = *self._evaluate(closure), 1
            evaluations += used
            state["func_evals"] += used
            if (
                n == max_iter or evaluations >= max_eval or abs(grad).max() <= group["tolerance_grad"]
                or abs(d * t).max() <= smallest_change or abs(loss - before) < smallest_change
            ):  # fmt: skip
                break
        for name in ("func_evals", "n_iter", *_NAMES):  # in PyTorch's order
            if name in state:
                kept[name] = _kept(state[name])
        return first_loss

    def _direction(self, grad: Array, state: dict[str, Any], history: int) -> Array:
        """-H g, after the last step has been added to the history: `old_dirs` the y, `old_stps` the s, `ro` 1 / (y · s)."""
        if state["n_iter"] == 1:
            state.update(old_dirs=[], old_stps=[], ro=[], H_diag=1)
            return -grad
        ys, steps, ro = state["old_dirs"], state["old_stps"], state["ro"]
        y, s = grad - state["prev_flat_grad"], state["d"] * state["t"]
        curvature = y.dot(s)
        if curvature > 1e-10:
            if history < 1:
                raise IndexError(f"LBFGS: history_size must be at least 1 for a step to be kept, not {history}")
            for values, value in ((ys, y), (steps, s), (ro, 1.0 / curvature)):
                if len(values) == history:
                    values.pop(0)
                values.append(value)
            state["H_diag"] = curvature / y.dot(y)
        share = state.setdefault("al", [None] * history)
        q = -grad
        for i in reversed(range(len(ys))):
            share[i] = steps[i].dot(q) * ro[i]
            q -= share[i] * ys[i]
        q *= state["H_diag"]
        for i in range(len(ys)):
            q += (share[i] - ys[i].dot(q) * ro[i]) * steps[i]
        return q

    # -- all parameters as one vector

    def _gradient(self) -> Array:
        params = self.param_groups[0]["params"]
        if any(p.array.dtype.kind != "f" for p in params):
            raise RuntimeError("LBFGS: only parameters of a floating type can take a step")
        parts = [np.zeros_like(p.array) if p._grad is None else p._grad.array for p in params]
        return np.concatenate([part.reshape(-1) for part in parts])

    @staticmethod
    @quiet
    def _first_length(grad: Array, lr: float) -> Any:
        return min(1.0, 1.0 / abs(grad).sum()) * lr

    def _values(self) -> list[Array]:
        return [p.array.copy() for p in self.param_groups[0]["params"]]

    @quiet
    def _move(self, t: Any, d: Array) -> None:
        start = 0
        for p in self.param_groups[0]["params"]:
            element(float(t), p.array.dtype)  # RuntimeError for a step that the parameter's type does not hold
            p.array[...] += t * d[start : start + p.array.size].reshape(p.array.shape)
            storage.mark_written(p.array)
            start += p.array.size

    def _evaluate(self, closure: Callable) -> tuple[float, Array]:
        with enable_grad():
            loss = float(closure())
        return loss, self._gradient()

    def _at(self, closure: Callable, start: list[Array], d: Array, t: Any) -> tuple[float, Array]:
        """Loss and gradient at the distance t along d; the parameters stay where they were."""
        self._move(t, d)
        result = self._evaluate(closure)
        for p, values in zip(self.param_groups[0]["params"], start, strict=True):
            p.array[...] = values
            storage.mark_written(p.array)
        return result


def _plain(value: Any) -> Any:
    """A state's tensors as arrays, those without dimensions as numbers of their type."""
    if isinstance(value, list):
        return [_plain(v) for v in value]
    return value.array[()] if isinstance(value, Variable) else value


def _kept(value: Any) -> Any:
    """And back."""
    if isinstance(value, list):
        return [_kept(v) for v in value]
    return wrap(np.asarray(value)) if isinstance(value, np.ndarray | np.generic) else value
