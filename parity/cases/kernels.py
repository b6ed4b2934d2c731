"""Sizes at which compiled loops turn to what smaller ones never reach: a batch in the lanes of a vector, a second block."""

from __future__ import annotations

from typing import Any

from ..case import REDUCED, Call, call, family, op
from ..inputs import Domain, Draw

family("compiled loops")

SLOW: dict[str, Any] = {"tolerance": REDUCED, "modes": ("normal",), "second": False}


def batch(d: Draw, transposed: bool) -> Call:
    """Images for 16 lanes (one may be missing), channels and filters that fill tiles, or leave one over."""
    images, channels, filters = d.choice((16, 15)), d.choice((16, 17)), d.choice((16, 18))
    kernel = d.choice(((2, 2), (1, 2), (1, 1), (3, 3)))
    shape = (channels, filters, *kernel) if transposed else (filters, channels, *kernel)
    bias = d.tensor((filters,)) if d.flag(0.7) else None
    x = d.tensor((images, channels, d.integer(3, 4), d.integer(3, 4)))
    return call(x, d.tensor(shape), bias, stride=d.choice((1, 2)), padding=d.choice((0, 1)) if min(kernel) > 1 else 0)


op(
    "conv2d.batch",
    lambda d: batch(d, False),
    lambda torch, *a, **k: torch.conv2d(*a, **k),
    **SLOW,
)
op(
    "conv_transpose2d.batch",
    lambda d: batch(d, True),
    lambda torch, *a, **k: torch.conv_transpose2d(*a, **k),
    **SLOW,
)


def blocks(d: Draw) -> Call:
    """More queries and keys than fit into one block."""
    small = Domain(large=8.0)
    queries, keys = d.choice((3, 140)), d.choice((130, 260))
    q, k, v = d.tensor((queries, 3), small), d.tensor((keys, 3), small), d.tensor((keys, 2))
    options: dict[str, Any] = {"is_causal": d.flag(0.4)}
    if not options["is_causal"] and d.flag():
        options["attn_mask"] = d.lay(d.rng.random((queries, keys)) < 0.6, False)
    return call(q, k, v, **options)


op(
    "scaled_dot_product_attention.blocks",
    blocks,
    lambda torch, *a, **k: torch.nn.functional.scaled_dot_product_attention(*a, **k),
    **SLOW,
)
