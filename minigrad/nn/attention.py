"""Attention by several heads. Vaswani et al. 2017, "Attention Is All You Need"."""

from __future__ import annotations

import math
import warnings
from typing import Any

import numpy as np

from .. import creation
from ..autograd.variable import wrap
from ..ops.checks import require_argument
from ..ops.join import cat
from ..tensor_options import factory_options
from . import functional as F
from . import init
from .linear import Linear
from .module import Module
from .parameter import Parameter
from .sdp import SDPBackend as SDPBackend
from .sdp import sdpa_kernel as sdpa_kernel


class NonDynamicallyQuantizableLinear(Linear):
    """A `Linear` under the name that PyTorch's tree shows inside attention."""


class MultiheadAttention(Module):
    """Attention by several heads, each with its own projections of queries, keys and values. PyTorch: torch.nn.MultiheadAttention.

    The three input projections are one matrix in_proj_weight (3 E, E); if keys or values have another width (kdim, vdim),
    they are q_proj_weight, k_proj_weight and v_proj_weight. Shapes: (L, N, E), or (N, L, E) with batch_first, or (L, E).
    add_bias_kv: a learned key and value behind all others; add_zero_attn: one of zeros.
    """

    def __init__(
        self, embed_dim: int, num_heads: int, dropout: float = 0.0, bias: bool = True, add_bias_kv: bool = False,
        add_zero_attn: bool = False, kdim: int | None = None, vdim: int | None = None, batch_first: bool = False,
        device: Any = None, dtype: Any = None,
    ) -> None:  # fmt: skip
        super().__init__()
        options = factory_options(self, device, dtype)
        if embed_dim <= 0 or num_heads <= 0:
            raise ValueError(
                f"embed_dim and num_heads must be greater than 0, got embed_dim={embed_dim} and num_heads={num_heads} instead"
            )
        if embed_dim % num_heads:
            raise AssertionError("embed_dim must be divisible by num_heads")
        self.embed_dim, self.num_heads, self.dropout, self.batch_first = embed_dim, num_heads, dropout, batch_first
        self.kdim, self.vdim = (embed_dim if n is None else n for n in (kdim, vdim))
        self.head_dim = embed_dim // num_heads
        self._qkv_same_embed_dim = self.kdim == embed_dim and self.vdim == embed_dim
        packed, e = self._qkv_same_embed_dim, embed_dim
        shapes = {
            "q_proj_weight": None if packed else (e, e),
            "k_proj_weight": None if packed else (e, self.kdim),
            "v_proj_weight": None if packed else (e, self.vdim),
            "in_proj_weight": (3 * e, e) if packed else None,
            "in_proj_bias": (3 * e,) if bias else None,
        }
        for name, shape in shapes.items():
            self.register_parameter(name, None if shape is None else Parameter(creation.empty(shape, **options)))
        self.out_proj = NonDynamicallyQuantizableLinear(e, e, bias=bias, **options)
        for name in ("bias_k", "bias_v"):
            value = Parameter(creation.empty(1, 1, e, **options)) if add_bias_kv else None
            self.register_parameter(name, value)
        self.add_zero_attn = add_zero_attn
        self._reset_parameters()

    def _reset_parameters(self) -> None:
        for name in ("in_proj_weight", "q_proj_weight", "k_proj_weight", "v_proj_weight"):
            if (weight := self._parameters[name]) is not None:
                init.xavier_uniform_(weight)
        if self.in_proj_bias is not None:
            init.zeros_(self.in_proj_bias)
            init.zeros_(self.out_proj.bias)
        if self.bias_k is not None:
            init.xavier_normal_(self.bias_k)
            init.xavier_normal_(self.bias_v)

    def forward(
        self, query: Any, key: Any, value: Any, key_padding_mask: Any = None, need_weights: bool = True, attn_mask: Any = None,
        average_attn_weights: bool = True, is_causal: bool = False,
    ) -> tuple[Any, Any]:  # fmt: skip
        """The attended values and, if need_weights, the weights (N, L, S) (or (N, heads, L, S), not averaged).

        Masks: boolean, True where attention is forbidden, or floats that are added. key_padding_mask (N, S),
        attn_mask (L, S) or (N · heads, L, S). is_causal says that attn_mask is the causal one, which is then not looked at
        where neither weights nor a key_padding_mask are wanted.
        """
        for i, (name, x) in enumerate((("query", query), ("key", key), ("value", value)), 1):
            require_argument(x, "MultiheadAttention", name, i)
        single = query.dim() == 2
        _check_dims(query, key, value, key_padding_mask, attn_mask)
        if is_causal and attn_mask is None:
            raise RuntimeError(
                "Need attn_mask if specifying the is_causal hint. You may use the Transformer module method "
                "`generate_square_subsequent_mask` to create this mask."
            )
        compared = None if self._qkv_same_embed_dim else -1  # keys and values may have widths of their own
        if key.shape[:compared] != value.shape[:compared]:
            raise AssertionError(f"key shape {key.shape} does not match value shape {value.shape}")
        same = query is key and key is value
        if single or not self.batch_first:  # to (N, L, E)
            batch_first = (lambda x: x.unsqueeze(0)) if single else (lambda x: x.transpose(0, 1))
            query, key, value = (batch_first(query),) * 3 if same else map(batch_first, (query, key, value))
            if single and key_padding_mask is not None:
                key_padding_mask = key_padding_mask.unsqueeze(0)
        n, length, width = query.shape
        if width != self.embed_dim:
            raise AssertionError(f"was expecting embedding dimension of {self.embed_dim}, but got {width}")
        causal = is_causal and key_padding_mask is None and not need_weights
        if attn_mask is not None and attn_mask.array.dtype.kind not in "fb":  # also where it is not looked at
            raise AssertionError("only bool and floating types of attn_mask are supported")
        if causal and not isinstance(is_causal, bool):
            raise TypeError(f"MultiheadAttention(): argument 'is_causal' must be bool, not {type(is_causal).__name__}")
        mask = (
            None
            if causal
            else _merged_mask(attn_mask, key_padding_mask, query.array.dtype, (n, self.num_heads, length, key.shape[1]))
        )
        q, k, v = self._projected(query, key, value, same)
        if self.bias_k is not None:
            k, v = (cat([x, b.expand(n, 1, -1)], 1) for x, b in ((k, self.bias_k), (v, self.bias_v)))
        if self.add_zero_attn:
            zeros = creation.zeros(n, 1, self.embed_dim, dtype=k.dtype)
            k, v = cat([k, zeros], 1), cat([v, zeros], 1)
        source = k.shape[1]
        if mask is not None and source != key.shape[1]:  # what was added may be attended to
            mask = F.pad(mask, (0, source - key.shape[1]))

        def heads(x: Any, size: int) -> Any:
            return x.reshape(n, size, self.num_heads, self.head_dim).transpose(1, 2)  # (N, nh, L, hs)

        q, k, v = heads(q, length), heads(k, source), heads(v, source)
        drop = self.dropout if self.training else 0.0
        weights = None
        if need_weights:
            scores = (q * math.sqrt(1.0 / self.head_dim)) @ k.transpose(-2, -1)  # (N, nh, L, S)
            if mask is not None:
                scores = scores + mask
            weights = F.dropout(F.softmax(scores, -1), drop, self.training)
            out = weights @ v
            if average_attn_weights:
                weights = weights.mean(1)
        else:
            out = F.scaled_dot_product_attention(q, k, v, attn_mask=mask, dropout_p=drop, is_causal=causal)
        # (L, N, E) in memory, also for batch_first, as in PyTorch: a dropout that follows draws in the order of memory.
        out = self.out_proj(out.permute(2, 0, 1, 3).reshape(length, n, width))
        if single:
            return out.squeeze(1), None if weights is None else weights.squeeze(0)
        return (out.transpose(0, 1) if self.batch_first else out), weights

    def _projected(self, query: Any, key: Any, value: Any, same: bool) -> tuple[Any, Any, Any]:
        w, b = self.in_proj_weight, self.in_proj_bias
        if same and w is not None:
            q, k, v = F.linear(query, w, b).chunk(3, -1)
            return q, k, v
        w_q, w_k, w_v = (self.q_proj_weight, self.k_proj_weight, self.v_proj_weight) if w is None else w.chunk(3)
        b_q, b_k, b_v = (None,) * 3 if b is None else b.chunk(3)
        return F.linear(query, w_q, b_q), F.linear(key, w_k, b_k), F.linear(value, w_v, b_v)


def _check_dims(query: Any, key: Any, value: Any, key_padding_mask: Any, attn_mask: Any) -> None:
    n = query.dim()
    if n not in (2, 3):
        raise AssertionError(f"query should be unbatched 2D or batched 3D tensor but received {n}-D query tensor")
    kind = "batched (3-D)" if n == 3 else "unbatched (2-D)"
    if key.dim() != n or value.dim() != n:
        raise AssertionError(
            f"For {kind} `query`, expected `key` and `value` to be {n}-D but found {key.dim()}-D and {value.dim()}-D tensors "
            "respectively"
        )
    for mask, name in ((attn_mask, "attn_mask"), (key_padding_mask, "key_padding_mask")):
        if mask is not None:
            require_argument(mask, "MultiheadAttention", name)
    if key_padding_mask is not None and key_padding_mask.dim() != n - 1:
        raise AssertionError(
            f"For {kind} `query`, expected `key_padding_mask` to be `None` or {n - 1}-D but found {key_padding_mask.dim()}-D "
            "tensor instead"
        )
    if attn_mask is not None and attn_mask.dim() not in (2, 3):
        raise AssertionError(
            f"For {kind} `query`, expected `attn_mask` to be `None`, 2-D or 3-D but found {attn_mask.dim()}-D tensor instead"
        )


def float_masks(
    attn_mask: Any, key_padding_mask: Any, d: np.dtype, names: tuple[str, str] = ("attn_mask", "key_padding_mask")
) -> tuple[Any, Any]:
    """Both masks as floats: -inf where a boolean mask forbids, 0 elsewhere. Warns where one is boolean and the other is not."""
    given = [mask for mask in (attn_mask, key_padding_mask) if mask is not None]
    for mask, name in ((attn_mask, names[0]), (key_padding_mask, names[1])):
        if mask is not None:
            require_argument(mask, "attention", name)
    for mask, name in ((key_padding_mask, names[1]), (attn_mask, names[0])):
        if mask is not None and mask.array.dtype.kind not in "fb":
            raise AssertionError(f"only bool and floating types of {name} are supported")
    if len({mask.array.dtype for mask in given}) == 2:
        warnings.warn(
            f"Support for mismatched {names[1]} and {names[0]} is deprecated. Use same type for both instead.",
            stacklevel=4,
        )

    attn_mask, key_padding_mask = (
        mask if mask is None or mask.array.dtype.kind == "f" else as_floats(mask, d)
        for mask in (attn_mask, key_padding_mask)
    )
    return attn_mask, key_padding_mask


def as_floats(mask: Any, d: np.dtype) -> Any:
    """A boolean mask as floats: -inf where it forbids, 0 elsewhere."""
    return wrap(np.where(mask.array, -np.inf, 0.0).astype(d))


def _merged_mask(attn_mask: Any, key_padding_mask: Any, d: np.dtype, shape: tuple[int, int, int, int]) -> Any:
    """What is to be added to the scores, broadcast to `shape` = (N, nh, L, S); None for nothing."""
    n, heads, length, source = shape
    merged, padding = float_masks(attn_mask, key_padding_mask, d)
    if merged is not None and merged.dim() == 3:
        if tuple(merged.shape) != (n * heads, length, source):
            raise RuntimeError(
                f"The shape of the 3D attn_mask is {merged.shape}, but should be {(n * heads, length, source)}."
            )
        merged = merged.reshape(shape)
    elif merged is not None and tuple(merged.shape) != (length, source):
        raise RuntimeError(f"The shape of the 2D attn_mask is {merged.shape}, but should be {(length, source)}.")
    if padding is not None:
        for i, size in enumerate((n, source)):
            if padding.shape[i] != size:
                raise AssertionError(f"Expected key_padded_mask.shape[{i}] to be {size}, but got {padding.shape[i]}")
        padding = padding.reshape(n, 1, 1, source)
        merged = padding if merged is None else merged + padding
    return merged
