"""Dropout on a CPU without the wait for its draws.

PyTorch draws each element of a mask by a generator that runs in one thread. A layer of DistilBERT drops 8 x 12 x 512 x 512
attention weights: of a step on two cores an eighth was spent so. Here a mask's bits come from one of NumPy's generators, four
elements from a word of 64 bits, seeded from PyTorch's: so a step's masks depend on its seed alone, as before, and gradient
checkpointing, which puts PyTorch's generator back, draws the same mask twice.

Srivastava et al., Dropout: A Simple Way to Prevent Neural Networks from Overfitting, JMLR 2014; of the weights of attention:
Vaswani et al., Attention Is All You Need, 2017, section 5.4.
"""

from __future__ import annotations

import contextlib
import math
from collections.abc import Callable, Iterable, Iterator

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor

LEVELS = 1 << 16  # an element is dropped by 16 bits
WORTH = 1 << 14  # elements from which on a mask is drawn here


@contextlib.contextmanager
def fast(device: torch.device, compiled: bool = False) -> Iterator[None]:
    """Within it dropout on a CPU draws fast, whatever model asks `nn.functional` for it.

    It is to reach over the backward pass too, where checkpointing computes layers again: so it takes the functions' place
    (a `TorchFunctionMode` is left where `backward` begins). compiled: by torch.compile, which writes draws of its own.
    """
    if device.type != "cpu" or compiled:
        yield
        return
    for name, ours, _ in _FUNCTIONS:
        setattr(F, name, ours)
    try:
        yield
    finally:
        for name, _, theirs in _FUNCTIONS:
            setattr(F, name, theirs)


def _levels(p: float, elements: int) -> int:
    """How many of the 65,536 levels keep an element; 0 where PyTorch's own draw is to serve."""
    kept = round((1 - p) * LEVELS)
    return kept if elements >= WORTH and 0 < kept < LEVELS else 0


def _kept(shape: Iterable[int], levels: int) -> Tensor:
    """Which elements are kept: bool, of this shape, each with probability levels / LEVELS."""
    shape = tuple(shape)
    count = math.prod(shape)
    seed = int(torch.randint(2**63 - 1, ()))
    drawn = np.random.SFC64(seed).random_raw(-(-count // 4)).view(np.uint16)[:count]
    return torch.from_numpy(drawn < levels).view(shape)


def _dropout(input: Tensor, p: float = 0.5, training: bool = True, inplace: bool = False) -> Tensor:
    """`nn.functional.dropout`: input / (1 - p) where it is kept, else 0."""
    levels = 0 if inplace or not training or input.device.type != "cpu" else _levels(p, input.numel())
    if not levels:
        return _DROPOUT(input, p, training, inplace)
    return torch.where(_kept(input.shape, levels), input * (LEVELS / levels), 0)


def _attention(
    query: Tensor, key: Tensor, value: Tensor, attn_mask: Tensor | None = None, dropout_p: float = 0.0,
    is_causal: bool = False, scale: float | None = None, enable_gqa: bool = False,
) -> Tensor:  # fmt: skip
    """`nn.functional.scaled_dot_product_attention` with dropout, for which PyTorch has no fused form on a CPU.

    drop(softmax(query key^T scale + mask)) value, in the types that autocast gives query, key and value.
    """
    plain = query.device.type == "cpu" and not is_causal and not enable_gqa
    levels = _levels(dropout_p, math.prod(query.shape[:-1]) * key.shape[-2]) if plain else 0
    if levels and attn_mask is not None:
        closed = ~attn_mask if attn_mask.dtype is torch.bool else attn_mask == -math.inf
        levels *= not bool(closed.all(-1).any())  # (a query without a key gets 0 from PyTorch, and nan from a softmax)
    if not levels:
        return _ATTENTION(query, key, value, attn_mask, dropout_p, is_causal, scale=scale, enable_gqa=enable_gqa)
    if torch.is_autocast_enabled("cpu"):
        dtype = torch.get_autocast_dtype("cpu")
        query, key, value = query.to(dtype), key.to(dtype), value.to(dtype)
    with torch.autocast("cpu", enabled=False):
        scores = (query * (query.shape[-1] ** -0.5 if scale is None else scale)) @ key.mT  # (B, nh, T, T)
        if attn_mask is not None:
            of_truths = attn_mask.dtype is torch.bool
            scores = scores.masked_fill(closed, -math.inf) if of_truths else scores + attn_mask.to(scores.dtype)
        weights = torch.where(_kept(scores.shape, levels), scores.softmax(-1), 0)
        return weights @ (value * (LEVELS / levels))  # scaled where there is less to scale: (B, nh, T, hs)


_DROPOUT, _ATTENTION = F.dropout, F.scaled_dot_product_attention
_FUNCTIONS: list[tuple[str, Callable[..., Tensor], Callable[..., Tensor]]] = [
    ("dropout", _dropout, _DROPOUT),
    ("scaled_dot_product_attention", _attention, _ATTENTION),
]
