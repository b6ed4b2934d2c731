"""The linear layer, x @ Wᵀ + b, and its relative of two inputs."""

from __future__ import annotations

import functools
import math
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from ..autograd.graph import Operation
from ..autograd.variable import Array, Operand, Variable
from ..foreign import said
from ..public import public
from ..sums import total
from .arithmetic import add
from .contraction import einsum
from .matrix import TRUTHS, matmul, require_same_dtype
from .operands import broadcast_into
from .shape import transpose

if TYPE_CHECKING:
    from ..tensor import Tensor


class Linear(Operation):
    """out = x @ Wᵀ + b: x (*, in), W (out, in), b (out,).  dx = grad @ W, dW = gradᵀ @ x, db = Σ grad

    The leading dimensions of x are one long batch, so that each product is one call of BLAS.
    """

    grad_fn_name = "AddmmBackward0"
    order_of_inputs = (1, 2, 0)  # bias + input @ weight.T
    saved_turned: Sequence[int] = (1,)

    @staticmethod
    def forward(ctx: Any, x: Array, weight: Array, bias: Array | None) -> Array:
        dx, dw, _ = ctx.needs_input_grad
        ctx.save_for_backward(x if dw else None, weight if dx else None)
        ctx.shape = x.shape
        if x.ndim != 2:
            ctx.saved_turned = (0, 1)
        if x.ndim <= 2:
            out = np.dot(x, weight.T)
        else:
            out = np.dot(x.reshape(math.prod(x.shape[:-1]), x.shape[-1]), weight.T).reshape(
                *x.shape[:-1], weight.shape[0]
            )
        if bias is not None:
            _add_to_rows(out, bias)
        return out

    @staticmethod
    def backward(ctx: Any, grad: Any) -> Any:
        x, weight = ctx.saved_tensors
        dx, dw, db = ctx.needs_input_grad
        gx = gw = gb = None
        product = np.dot if isinstance(grad, Array) else matmul  # of small matrices, the quicker one
        shape = ctx.shape
        if len(shape) != 2:
            batch = math.prod(shape[:-1])
            x = x.reshape((batch, shape[-1])) if dw else None
            grad = grad.reshape((batch, grad.shape[-1]))
        if dx:
            gx = product(grad, weight)
            gx = gx if len(shape) == 2 else gx.reshape(shape)
        if dw:
            gw = product(grad.swapaxes(0, 1), x)
        if db:
            gb = sum_rows(grad)
        return gx, gw, gb


@public("functional")
def linear(input: Tensor, weight: Tensor, bias: Tensor | None = None) -> Tensor:
    """input (*, in) times weight (out, in) transposed, plus bias (out,): (*, out). PyTorch: torch.nn.functional.linear."""
    if not isinstance(input, Variable):
        raise TypeError(f"linear(): argument 'input' (position 1) must be Tensor, not {said(input)}")
    x, w = input.array, weight.array
    if (
        w.ndim == 2
        and x.ndim
        and x.shape[-1] == w.shape[1]
        and x.dtype is w.dtype is not TRUTHS
        and (bias is None or (bias.array.shape == (w.shape[0],) and bias.array.dtype is w.dtype))
    ):
        return Linear.apply(input, weight, bias)
    require_same_dtype(x, w)
    if bias is not None:
        require_same_dtype(x, bias.array)
    if w.ndim == 1:
        if bias is not None:
            raise RuntimeError(
                "linear(): a weight of one dimension takes no bias (mat2 must be a matrix, got 1-D tensor)"
            )
        out = matmul(input, weight)
        return out if bias is None else add(out, bias)
    if x.ndim == 0 or x.shape[-1] != w.shape[-1]:
        rows = math.prod(x.shape[:-1]) if x.ndim else 1
        raise RuntimeError(
            f"mat1 and mat2 shapes cannot be multiplied ({rows}x{x.shape[-1] if x.ndim else 1} and {w.shape[1]}x{w.shape[0]}): input "
            f"{list(x.shape)} needs {w.shape[1]} features in its last dimension"
        )
    if bias is not None:
        if x.ndim == 1 and bias.array.ndim == 2 and bias.array.shape[0] == 1:
            bias = bias.reshape((-1,))  # a vector is a matrix of one row to PyTorch, and so is its bias
        broadcast_into((*x.shape[:-1], w.shape[0]), bias.array.shape)
    out = matmul(input, transpose(weight, 0, 1))
    return out if bias is None else add(out, bias)


def _add_to_rows(out: Array, row: Array) -> None:
    """out += row. Short rows are taken 16 at a time: starting NumPy's inner loop costs more than their few sums."""
    rows, n = out.size // row.size if row.size else 0, row.size
    if not 1 < n <= 16 or rows < 64 or rows % 16:
        out += row
        return
    repeated = np.empty((16, n), out.dtype)
    repeated[...] = row
    blocks = out.reshape(rows // 16, 16 * n)  # out is fresh and contiguous: a view
    blocks += repeated.reshape(16 * n)


def sum_rows(x: Operand) -> Any:
    """The sum over the first of two dimensions; up to 4,096 rows as a product with ones, which BLAS makes quicker."""
    if isinstance(x, np.ndarray):
        return np.dot(_ones(x.shape[0], x.dtype), x) if x.shape[0] <= 4096 else total(x, (0,))
    return x.sum(0)


@functools.lru_cache(maxsize=8)
def _ones(n: int, d: np.dtype) -> Array:
    return np.ones(n, d)


@public("minigrad", "functional", same="input1 input2 weight bias")
def bilinear(input1: Tensor, input2: Tensor, weight: Tensor, bias: Tensor | None = None) -> Tensor:
    """out[k] = x1ᵀ W[k] x2 + b[k]: input1 (*, n), input2 (*, m), weight (out, n, m). PyTorch: torch.nn.functional.bilinear."""
    if weight.array.ndim != 3 or not input1.array.ndim or input1.array.shape[:-1] != input2.array.shape[:-1]:
        raise RuntimeError(
            f"bilinear(): input dimensions do not match: got input1 {list(input1.array.shape)}, input2 "
            f"{list(input2.array.shape)} and weight {list(weight.array.shape)}"
        )
    if bias is not None and bias.array.shape != weight.array.shape[:1]:
        raise RuntimeError(
            f"bilinear(): bias size does not match weight size: got {list(bias.array.shape)} but expected "
            f"[{weight.array.shape[0]}]"
        )
    if input1.array.shape[-1] != weight.array.shape[1] or input2.array.shape[-1] != weight.array.shape[2]:
        raise RuntimeError(
            f"bilinear(): input1 {list(input1.array.shape)} and input2 {list(input2.array.shape)} do not fit weight "
            f"{list(weight.array.shape)}"
        )
    k, n, m = weight.array.shape
    if not n or not m:
        raise RuntimeError(f"bilinear(): there are no features to multiply: weight has the shape {[k, n, m]}")
    if n * m <= 1024:  # one product of matrices, if what x1 ⊗ x2 takes in memory is not worth mentioning
        out = matmul((input1.unsqueeze(-1) * input2.unsqueeze(-2)).flatten(-2), weight.reshape(k, n * m).mT)
    else:
        out = einsum("...n,knm,...m->...k", input1, weight, input2)
    return out if bias is None else out + bias
