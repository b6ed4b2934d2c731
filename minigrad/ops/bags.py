"""Bags of rows: `embedding` and a sum, mean or maximum over each bag in one."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from ..autograd.variable import Array, wrap
from ..public import public
from .along import gather, index_select
from .checks import type_name
from .choice import where
from .index import AddRows
from .tables import refuse_sparse_counts, shared_gradient, shorten_rows

if TYPE_CHECKING:
    from ..tensor import Tensor


def _bags(input: Tensor, offsets: Tensor | None, include_last_offset: bool) -> Array:
    """Where each bag starts in the flattened input, and where the last ends: (bags + 1,)."""
    shape = input.array.shape
    if input.ndim == 2:
        if offsets is not None:
            raise ValueError(
                "if input is 2D, then offsets has to be None, as input is treated is a mini-batch of fixed length sequences. "
                f"However, found offsets of type {type(offsets)}"
            )
        if not shape[1]:
            raise RuntimeError("embedding_bag: bags of a 2D input must not be empty; give 1D input and offsets")
        return np.arange(shape[0] + 1) * shape[1]
    if input.ndim != 1:
        raise ValueError(f"input has to be 1D or 2D Tensor, but got Tensor of dimension {input.ndim}")
    if offsets is None:
        raise ValueError("offsets has to be a 1D Tensor but got None")
    if offsets.ndim != 1:
        raise ValueError("offsets has to be a 1D Tensor")
    starts, n = offsets.array, shape[0]
    if starts.dtype not in (np.int64, np.int32):
        raise RuntimeError(f"embedding_bag: offsets must be Long or Int, but got {type_name(offsets)}")
    if include_last_offset and not starts.size:
        raise RuntimeError("include_last_offset: number of offsets should be at least 1")
    if starts.size and starts[0] != 0:
        raise RuntimeError(
            "offsets[0] has to be 0, i.e., the first sequence in the mini-batch has to start from position 0. However, got "
            f"{starts[0]}"
        )
    if starts.size and starts[-1] > n:
        raise RuntimeError(
            f"offsets[-1] can not be greater than input's length {n} but got offsets[-1] of {starts[-1]}"
        )
    if (np.diff(starts) < 0).any():
        raise RuntimeError(f"embedding_bag: offsets must not decrease, got {starts.tolist()}")
    if include_last_offset and starts[-1] != n:
        raise RuntimeError(
            f"embedding_bag: with include_last_offset the last must be input's length {n}, got {starts[-1]}"
        )
    return starts if include_last_offset else np.append(starts, n)


def _largest(weight: Tensor, index: Array, count: Array) -> Any:
    """The largest of each bag's rows, column by column; 0 of an empty bag."""
    first = np.cumsum(count) - count
    places = first[:, None] + np.arange(max(int(count.max(initial=0)), 1))  # (bags, longest)
    inside = places < (first + count)[:, None]
    index = index if index.size else np.zeros(1, np.int64)
    rows = index[places.clip(max=index.size - 1)]
    best = np.where(inside[..., None], weight.array[rows], -np.inf).argmax(1)  # (bags, D)
    out = gather(weight, 0, wrap(np.take_along_axis(rows, best, 1)))
    return where(wrap((count > 0)[:, None]), out, 0.0)


@public("functional")
def embedding_bag(
    input: Tensor, weight: Tensor, offsets: Tensor | None = None, max_norm: float | None = None, norm_type: float = 2,
    scale_grad_by_freq: bool = False, mode: str = "mean", sparse: bool = False, per_sample_weights: Tensor | None = None,
    include_last_offset: bool = False, padding_idx: int | None = None,
) -> Tensor:  # fmt: skip
    """The "sum", "mean" or "max" of each bag's rows of weight (V, D): (bags, D), an empty bag 0.

    input (bags, length), or flat (n,) with `offsets`: where each bag starts (include_last_offset: and where the last ends).
    per_sample_weights: factors of the rows, for "sum". padding_idx: rows that are left out. max_norm, norm_type,
    scale_grad_by_freq, sparse: as in `embedding` (PyTorch 2.13 divides by counts of other rows). PyTorch:
    torch.nn.functional.embedding_bag.
    """
    if per_sample_weights is not None and input.shape != per_sample_weights.shape:
        raise ValueError(
            f"embedding_bag: If per_sample_weights ({per_sample_weights.shape}) is not None, then it must have the same shape as "
            f"the input ({input.shape})"
        )
    if weight.ndim != 2:
        raise ValueError(f"weight has to be a 2D Tensor, but got Tensor of dimension {weight.ndim}")
    bounds = _bags(input, offsets, include_last_offset)
    if mode not in ("sum", "mean", "max"):
        raise ValueError("mode has to be one of sum, mean or max")
    if mode == "max" and scale_grad_by_freq:
        raise ValueError("max mode does not support scaling the gradient by the frequency")
    if mode == "max" and sparse:
        raise ValueError("max mode does not support sparse weights")
    if per_sample_weights is not None and mode != "sum":
        raise NotImplementedError(
            "embedding_bag: per_sample_weights was not None. per_sample_weights is only supported for mode='sum' (got "
            f"mode='{mode}')."
        )
    refuse_sparse_counts(scale_grad_by_freq, sparse)
    index, n = input.array.reshape(-1), weight.array.shape[0]
    if index.dtype not in (np.int64, np.int32):
        raise RuntimeError(f"embedding_bag: indices must be Long or Int, but got {type_name(input)}")
    if per_sample_weights is not None and per_sample_weights.array.dtype != weight.array.dtype:
        raise RuntimeError(
            f"expected per_sample_weights of type {type_name(weight)}, the weight's, but got {type_name(per_sample_weights)}"
        )
    if index.size and (index.min() < 0 or index.max() >= n):
        wrong = index[(index < 0) | (index >= n)][0]
        raise RuntimeError(f"embedding_bag: Expected idx >= 0 && idx < num_embeddings but found idx to be {wrong}")
    if weight.array.dtype.kind != "f":
        raise RuntimeError(f"embedding_bag: weight must be of a float type, but got {type_name(weight)}")
    if padding_idx is not None and not -n <= padding_idx < n:
        raise RuntimeError(
            f"padding_idx must be within the number of embeddings, {-n} through {n - 1}, but got {padding_idx}"
        )
    if max_norm is not None:
        shorten_rows(weight, index, max_norm, norm_type)
    bag = np.repeat(np.arange(len(bounds) - 1), np.diff(bounds))
    kept = np.arange(index.size) if padding_idx is None else np.flatnonzero(index != padding_idx % n)
    index, bag = index[kept].astype(np.int64), bag[kept]
    count = np.bincount(bag, minlength=len(bounds) - 1)
    if mode == "max":
        return _largest(weight, index, count)
    rows = index_select(weight, 0, wrap(index))
    if scale_grad_by_freq and rows.requires_grad:
        rows = shared_gradient(rows, index, n)
    if per_sample_weights is not None:
        rows = rows * index_select(per_sample_weights.reshape(-1), 0, wrap(kept)).unsqueeze(-1)
    out = AddRows.apply(rows, bag, len(count))
    return out / wrap(np.maximum(count, 1)[:, None].astype(weight.array.dtype)) if mode == "mean" else out
