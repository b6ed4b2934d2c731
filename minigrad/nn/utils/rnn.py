"""Sequences of different lengths. PyTorch: torch.nn.utils.rnn."""

from __future__ import annotations

from typing import Any

import numpy as np

from ...autograd.variable import wrap
from ...missing import error as _missing
from ...ops.join import cat, stack


def pad_sequence(
    sequences: Any, batch_first: bool = False, padding_value: float = 0.0, padding_side: str = "right"
) -> Any:
    """Sequences (L_i, *) of different lengths in one tensor (L, N, *), or (N, L, *) with batch_first, the rest filled up."""
    if padding_side not in ("left", "right"):
        raise RuntimeError(f"expected padding_side to be one of 'left' or 'right' but got '{padding_side}'")
    sequences = list(sequences)
    longest = max(x.shape[0] for x in sequences)
    padded = []
    for x in sequences:
        rest = wrap(np.full((longest - x.shape[0], *x.array.shape[1:]), padding_value, x.array.dtype))
        padded.append(cat([x, rest] if padding_side == "right" else [rest, x], 0))
    return stack(padded, 0 if batch_first else 1)


def __getattr__(name: str) -> object:
    raise _missing(__name__, name, globals())
