"""Attention layers and the transformer encoder. Vaswani et al. 2017, "Attention Is All You Need"."""

from __future__ import annotations

import copy
import math
from collections.abc import Callable
from typing import Any

import numpy as np

from .. import creation
from ..autograd import wrap
from . import functional as F
from . import init
from .containers import ModuleList
from .dropout import Dropout
from .linear import Linear
from .module import Module
from .norm import LayerNorm
from .parameter import Parameter


class NonDynamicallyQuantizableLinear(Linear):
    """A `Linear` under the name that PyTorch's tree shows inside attention."""


class MultiheadAttention(Module):
    """Attention by several heads, each with its own projections of queries, keys and values. PyTorch: torch.nn.MultiheadAttention.

    The three input projections are one matrix in_proj_weight (3 E, E). Shapes: (L, N, E), or (N, L, E) with batch_first.
    """

    def __init__(
        self, embed_dim: int, num_heads: int, dropout: float = 0.0, bias: bool = True, add_bias_kv: bool = False,
        add_zero_attn: bool = False, kdim: int | None = None, vdim: int | None = None, batch_first: bool = False,
        device: Any = None, dtype: Any = None,
    ) -> None:  # fmt: skip
        super().__init__()
        if embed_dim <= 0 or num_heads <= 0:
            raise ValueError(
                f"embed_dim and num_heads must be greater than 0, got embed_dim={embed_dim} and num_heads={num_heads} instead"
            )
        for name, value in (("add_bias_kv", add_bias_kv), ("add_zero_attn", add_zero_attn)):
            if value:
                raise NotImplementedError(f"MultiheadAttention: {name}=True is not supported by minigrad; leave it out")
        for name, size in (("kdim", kdim), ("vdim", vdim)):
            if size not in (None, embed_dim):
                raise NotImplementedError(
                    f"MultiheadAttention: {name}={size} other than embed_dim is not supported by minigrad"
                )
        if embed_dim % num_heads:
            raise AssertionError("embed_dim must be divisible by num_heads")
        self.embed_dim, self.num_heads, self.dropout, self.batch_first = embed_dim, num_heads, dropout, batch_first
        self.head_dim = embed_dim // num_heads
        self.in_proj_weight = Parameter(creation.empty(3 * embed_dim, embed_dim, dtype=dtype))
        if bias:
            self.in_proj_bias = Parameter(creation.empty(3 * embed_dim, dtype=dtype))
        else:
            self.register_parameter("in_proj_bias", None)
        self.out_proj = NonDynamicallyQuantizableLinear(embed_dim, embed_dim, bias=bias, dtype=dtype)
        init.xavier_uniform_(self.in_proj_weight)
        if bias:
            init.constant_(self.in_proj_bias, 0.0)
            init.constant_(self.out_proj.bias, 0.0)

    def forward(
        self, query: Any, key: Any, value: Any, key_padding_mask: Any = None, need_weights: bool = True, attn_mask: Any = None,
        average_attn_weights: bool = True, is_causal: bool = False,
    ) -> tuple[Any, Any]:  # fmt: skip
        """The attended values and, if need_weights, the weights (N, L, S) (or (N, heads, L, S), not averaged).

        Masks: boolean, True where attention is forbidden, or floats that are added. key_padding_mask (N, S),
        attn_mask (L, S) or (N · heads, L, S).
        """
        if is_causal and attn_mask is None:
            raise RuntimeError("Need attn_mask if specifying the is_causal hint.")
        single = query.dim() == 2
        if single:
            query, key, value = (x.unsqueeze(0 if self.batch_first else 1) for x in (query, key, value))
            key_padding_mask = None if key_padding_mask is None else key_padding_mask.unsqueeze(0)
        same = query is key and key is value
        if not self.batch_first:
            query = query.transpose(0, 1)
            key, value = (query, query) if same else (key.transpose(0, 1), value.transpose(0, 1))
        n, length, width = query.shape  # (N, L, E)
        if width != self.embed_dim:
            raise AssertionError(f"was expecting embedding dimension of {self.embed_dim}, but got {width}")
        source = key.shape[1]
        w, b = self.in_proj_weight, self.in_proj_bias
        if same:
            q, k, v = F.linear(query, w, b).chunk(3, -1)
        else:
            biases = (None,) * 3 if b is None else b.chunk(3)
            q, k, v = (F.linear(x, wi, bi) for x, wi, bi in zip((query, key, value), w.chunk(3), biases, strict=True))

        def heads(x: Any, size: int) -> Any:
            return x.reshape(n, size, self.num_heads, self.head_dim).transpose(1, 2)  # (N, nh, L, hs)

        q, k, v = heads(q, length), heads(k, source), heads(v, source)
        mask = _merged_mask(attn_mask, key_padding_mask, q.array.dtype, (n, self.num_heads, length, source))
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
            out = F.scaled_dot_product_attention(q, k, v, attn_mask=mask, dropout_p=drop)
        # (L, N, E) in memory, also for batch_first, as in PyTorch: a dropout that follows draws in the order of memory.
        out = self.out_proj(out.permute(2, 0, 1, 3).reshape(length, n, width))
        if self.batch_first:
            out = out.transpose(0, 1)
        if single:
            out = out.squeeze(0 if self.batch_first else 1)
            weights = None if weights is None else weights.squeeze(0)
        return out, weights


def _as_float_mask(mask: Any, d: np.dtype) -> Any:
    """-inf where a boolean mask forbids, 0 elsewhere; float masks as they are."""
    if mask is None or mask.array.dtype.kind == "f":
        return mask
    return wrap(np.where(mask.array, -np.inf, 0.0).astype(d))


def _merged_mask(attn_mask: Any, key_padding_mask: Any, d: np.dtype, shape: tuple[int, int, int, int]) -> Any:
    n, heads, length, source = shape
    merged = _as_float_mask(attn_mask, d)
    if merged is not None and merged.dim() == 3:
        if tuple(merged.shape) != (n * heads, length, source):
            raise RuntimeError(
                f"The shape of the 3D attn_mask is {tuple(merged.shape)}, but should be {(n * heads, length, source)}."
            )
        merged = merged.reshape(shape)
    elif merged is not None and tuple(merged.shape) != (length, source):
        raise RuntimeError(f"The shape of the 2D attn_mask is {tuple(merged.shape)}, but should be {(length, source)}.")
    padding = _as_float_mask(key_padding_mask, d)
    if padding is not None:
        if tuple(padding.shape) != (n, source):
            raise AssertionError(f"expecting key_padding_mask shape of {(n, source)}, but got {tuple(padding.shape)}")
        padding = padding.reshape(n, 1, 1, source)
        merged = padding if merged is None else merged + padding
    return merged


def _activation(activation: Any) -> Callable:
    if activation == "relu":
        return F.relu
    if activation == "gelu":
        return F.gelu
    if callable(activation):
        return activation
    raise RuntimeError(f"activation should be relu/gelu, not {activation}")


class TransformerEncoderLayer(Module):
    """Self-attention, then a network of two layers, each with a residual connection and a layer norm (before it: norm_first)."""

    def __init__(
        self, d_model: int, nhead: int, dim_feedforward: int = 2048, dropout: float = 0.1, activation: Any = F.relu,
        layer_norm_eps: float = 1e-5, batch_first: bool = False, norm_first: bool = False, bias: bool = True,
        device: Any = None, dtype: Any = None,
    ) -> None:  # fmt: skip
        super().__init__()
        self.self_attn = MultiheadAttention(d_model, nhead, dropout, bias, batch_first=batch_first, dtype=dtype)
        self.linear1 = Linear(d_model, dim_feedforward, bias, dtype=dtype)
        self.dropout = Dropout(dropout)
        self.linear2 = Linear(dim_feedforward, d_model, bias, dtype=dtype)
        self.norm_first = norm_first
        self.norm1 = LayerNorm(d_model, layer_norm_eps, bias=bias, dtype=dtype)
        self.norm2 = LayerNorm(d_model, layer_norm_eps, bias=bias, dtype=dtype)
        self.dropout1, self.dropout2 = Dropout(dropout), Dropout(dropout)
        self.activation = _activation(activation)

    def forward(self, src: Any, src_mask: Any = None, src_key_padding_mask: Any = None, is_causal: bool = False) -> Any:
        def attend(x: Any) -> Any:
            out, _ = self.self_attn(x, x, x, src_key_padding_mask, False, src_mask)
            return self.dropout1(out)

        def feed(x: Any) -> Any:
            return self.dropout2(self.linear2(self.dropout(self.activation(self.linear1(x)))))

        x = src
        if self.norm_first:
            x = x + attend(self.norm1(x))
            return x + feed(self.norm2(x))
        x = self.norm1(x + attend(x))
        return self.norm2(x + feed(x))


class TransformerEncoder(Module):
    """Copies of one encoder layer, one after the other."""

    def __init__(
        self,
        encoder_layer: Module,
        num_layers: int,
        norm: Any = None,
        enable_nested_tensor: bool = True,
        mask_check: bool = True,
    ) -> None:
        super().__init__()
        self.layers = ModuleList([copy.deepcopy(encoder_layer) for _ in range(num_layers)])
        self.num_layers = num_layers
        self.norm = norm

    def forward(
        self, src: Any, mask: Any = None, src_key_padding_mask: Any = None, is_causal: bool | None = None
    ) -> Any:
        for layer in self.layers:
            src = layer(src, src_mask=mask, src_key_padding_mask=src_key_padding_mask)
        return src if self.norm is None else self.norm(src)


class Transformer(Module):
    """minigrad has the encoder; PyTorch's encoder-decoder `Transformer` raises here and names it."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        raise NotImplementedError(
            "minigrad has no nn.Transformer (encoder and decoder); the nearest is nn.TransformerEncoder"
        )

    @staticmethod
    def generate_square_subsequent_mask(sz: int, device: Any = None, dtype: Any = None) -> Any:
        """-inf above the diagonal, 0 on and below: no position sees a later one."""
        from ..dtypes import default_numpy, to_numpy

        d = default_numpy() if dtype is None else to_numpy(dtype)
        return wrap(np.triu(np.full((sz, sz), -np.inf), 1).astype(d))
