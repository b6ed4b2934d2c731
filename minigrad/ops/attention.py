"""Scaled dot-product attention: every position asks all others, and takes a mean of their values by how well they answer.

What stands here holds all answers at once. The compiled form for large inputs (kernels/attention.py) goes block by block,
in memory linear in length.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import numpy as np

from ..autograd.fused import Fused, size
from ..autograd.variable import Array, Operand, wrap
from ..public import public
from ..random import default_generator
from .checks import require_tensor, type_name
from .dropout import check_probability
from .softmax import row_dot, softmax

if TYPE_CHECKING:
    from ..tensor import Tensor


def _after(q: Array, k: Array) -> Array:
    """Where a key comes after the query. Its score is replaced: to a nan -inf could be added in vain."""
    return np.arange(k.shape[-2]) > np.arange(q.shape[-2])[:, None]


class ScaledDotProductAttention(Fused):
    """out = P · v,  P = softmax(scale · q · kᵀ + mask) by rows;  q (..., L, E), k (..., S, E), v (..., S, Ev)

    With dP = grad · vᵀ and dS = P · (dP - Σ dP · P) (softmax, row by row):
    dq = scale · dS · k,  dk = scale · dSᵀ · q,  dv = Pᵀ · grad,  dmask = dS.
    mask: numbers to add, with -inf for what must not be seen; a row in which nothing may be seen, or all scores are -inf,
    gives 0.
    causal: query i sees the keys up to i. noise: dropout's factors for P, drawn before.

    Compiled form: kernels/attention.py, which has no gradient by the mask.
    """

    compiled = "attention.ScaledDotProductAttention"
    constants = (3,)

    @staticmethod
    def definition(
        q: Operand, k: Operand, v: Operand, mask: Operand, scale: float, noise: Array | None, causal: bool
    ) -> Operand:
        scores = (q * scale) @ k.transpose(-2, -1)  # (..., L, S)
        if causal:
            scores = scores.masked_fill(wrap(_after(q.array, k.array)), -math.inf)
        elif mask is not None:
            scores = scores + (wrap(mask) if isinstance(mask, Array) else mask)
        if scores.shape[-1]:  # Rows in which nothing may be seen, or all scores are -inf, give 0.
            blind = scores.detach().amax(-1, True) == -math.inf
            weights = softmax(scores.masked_fill(blind, 0.0), -1).masked_fill(blind, 0.0)
        else:
            weights = softmax(scores, -1)
        if noise is not None:
            weights = weights * wrap(noise)
        return weights @ v

    @staticmethod
    def work(q: Array, k: Array, v: Array, *setting: Any) -> int:
        return max(1, size(q) * k.shape[-2] // 128) if size(q) and k.size and v.size else 0

    @staticmethod
    def forward(
        ctx: Any, q: Array, k: Array, v: Array, mask: Array | None, scale: float, noise: Array | None, causal: bool
    ) -> Array:
        ctx.setting = scale, noise, causal
        weights = np.matmul(q * scale, k.swapaxes(-2, -1))
        if causal:
            np.copyto(weights, -math.inf, where=_after(q, k))
        elif mask is not None:
            weights += mask
        if weights.shape[-1]:
            largest = np.maximum.reduce(weights, -1, keepdims=True)
            largest[largest == -math.inf] = 0  # exp(-inf - 0) = 0, and not exp(-inf + inf)
            weights -= largest
            np.exp(weights, out=weights)
            sums = np.add.reduce(weights, -1, keepdims=True)
            sums[sums == 0] = 1
            weights /= sums
        ctx.save_for_backward(q, k, v, weights)
        return np.matmul(weights if noise is None else weights * noise, v)

    @staticmethod
    def backward(ctx: Any, grad: Any) -> Any:
        scale, noise, _ = ctx.setting
        to_q, to_k, to_v, to_mask, *_ = ctx.needs_input_grad
        q, k, v, weights = ctx.saved_tensors
        dq = dk = dv = ds = None
        if to_v:
            dv = np.matmul((weights if noise is None else weights * noise).swapaxes(-2, -1), grad)
        if to_q or to_k or to_mask:
            ds = np.matmul(grad, v.swapaxes(-2, -1))
            if noise is not None:
                ds *= noise
            ds -= row_dot(ds, weights, ds.ndim - 1)
            ds *= weights
            if to_q:
                dq = np.matmul(ds, k)
                dq *= scale
            if to_k:
                dk = np.matmul(ds.swapaxes(-2, -1), q)
                dk *= scale
        return dq, dk, dv, ds if to_mask else None, *(None,) * 3


@public("functional")
def scaled_dot_product_attention(
    query: Tensor, key: Tensor, value: Tensor, attn_mask: Tensor | None = None, dropout_p: float = 0.0, is_causal: bool = False, *,
    scale: float | None = None, enable_gqa: bool = False,
) -> Tensor:  # fmt: skip
    """softmax(scale · query · keyᵀ + mask) · value.

    query (..., L, E), key (..., S, E), value (..., S, Ev) give (..., L, Ev). attn_mask broadcasts to (..., L, S): True
    where a query may look, or floats to add. is_causal: query i sees the keys up to i. scale: 1/√E where None. enable_gqa:
    key and value have fewer heads (dimension -3), each serving several of query's. dropout_p is applied in any mode: pass 0
    when not training. PyTorch: torch.nn.functional.scaled_dot_product_attention. Source: Vaswani et al. 2017, "Attention Is
    All You Need".
    """
    name = "scaled_dot_product_attention"
    for position, (argument, x) in enumerate((("query", query), ("key", key), ("value", value)), 1):
        require_tensor(x, name, argument, position)
    q, k, v = query.array, key.array, value.array
    if min(q.ndim, k.ndim, v.ndim) < 2:
        raise RuntimeError(
            "Expected query, key, and value to all be  at least 2 dimensional, but got "
            f"query.dim: {q.ndim} key.dim: {k.ndim} and value.dim: {v.ndim} instead."
        )
    if not q.dtype == k.dtype == v.dtype:
        raise RuntimeError(
            "Expected query, key, and value to have the same dtype, but got "
            f"query.dtype: {query.dtype} key.dtype: {key.dtype} and value.dtype: {value.dtype} instead."
        )
    if q.dtype.kind != "f":
        raise RuntimeError(f"expected scalar type Float but found {type_name(q)}")
    if attn_mask is not None:
        require_tensor(attn_mask, name, "attn_mask", 4)
        if is_causal:
            raise RuntimeError(f"_{name}: Explicit attn_mask should not be set when is_causal=True")
        if q.ndim == 4 and attn_mask.array.ndim < 2:  # PyTorch reads the last two sizes of a mask of heads
            raise IndexError(
                f"{name}: an attn_mask of (N, heads, L, E) has at least the dimensions (L, S), but its shape is {list(attn_mask.shape)}"
            )
        if attn_mask.array.dtype not in (np.dtype(bool), q.dtype):
            raise RuntimeError(
                "Expected attn_mask dtype to be bool or float or to match query dtype, but got attn_mask.dtype: "
                f"{attn_mask.dtype} and  query.dtype: {query.dtype} instead."
            )
    check_probability(dropout_p)
    if enable_gqa and q.ndim > 2:
        heads = q.shape[-3]
        for array in (k, v):
            if array.ndim < 3 or array.shape[-3] == 0 or heads % array.shape[-3]:
                raise RuntimeError(
                    "Number of heads in key and value must divide the number of heads in query: "
                    f"{k.shape[-3:-2]} and {v.shape[-3:-2]} do not divide {heads}"
                )
        key, value = (
            x if x.array.shape[-3] == heads else x.repeat_interleave(heads // x.array.shape[-3], -3)
            for x in (key, value)
        )
        k, v = key.array, value.array
    rows, columns = q.shape[-2], k.shape[-2]
    if q.shape[-1] != k.shape[-1] or columns != v.shape[-2]:
        raise RuntimeError(
            f"{name}: query {list(q.shape)} and key {list(k.shape)} must agree in their last dimension, key and value "
            f"{list(v.shape)} in the one before it"
        )
    try:
        outer = np.broadcast_shapes(q.shape[:-2], k.shape[:-2], v.shape[:-2])
        shape = (*outer, rows, columns)
        if attn_mask is not None:
            np.broadcast_to(attn_mask.array, shape)
    except ValueError:
        given = "" if attn_mask is None else f" and attn_mask {list(attn_mask.shape)}"
        raise RuntimeError(
            f"{name}: the shapes of query {list(q.shape)}, key {list(k.shape)}, value {list(v.shape)}{given} do not broadcast"
        ) from None
    if scale is None:
        scale = 1 / math.sqrt(q.shape[-1]) if q.shape[-1] else 0.0
    query, key, value = (
        x if x.array.shape[:-2] == outer else x.expand((*outer, *x.array.shape[-2:])) for x in (query, key, value)
    )
    noise = default_generator.dropout_mask(shape, q.dtype, dropout_p) if dropout_p else None
    mask: Operand | None = attn_mask
    if attn_mask is not None and attn_mask.array.dtype.kind == "b":
        mask = numbers_to_add(attn_mask, q.dtype)
    return ScaledDotProductAttention.apply(query, key, value, mask, scale, noise, is_causal)


def numbers_to_add(mask: Operand, d: np.dtype) -> Operand:
    """A boolean mask as numbers to add to the scores: 0 where it is True, -inf elsewhere."""
    return wrap(np.where(mask.array, d.type(0), d.type(-math.inf)))
