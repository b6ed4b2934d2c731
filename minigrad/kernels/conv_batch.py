"""Convolution of a batch: each vector holds one element of as many images as it has lanes.

Then nothing that a convolution does to an image concerns the vectors. What is left are *places* (row and column) and
lists of who meets whom, made once for a geometry: with filter element (tap) t, place p of the output meets place
q = step · p + taps[t] of the input, unless q lies outside of the image.

    forward                 out[p, o] = Σ_(t, q met by p)  Σ_c  w[o, c, t] · x[q, c]          x[q, c]: a vector of images
    gradient by input       dx[q, c]  = Σ_(t, p that met q)  Σ_o  w[o, c, t] · grad[p, o]
    gradient by weight      dw[c, t, o] = Σ_(p, q met under t)  Σ_n  x[q, c, n] · grad[p, n, o]     vectors over o here

Strides, dilations and margins are all in the lists: zeros around an image are never multiplied (nearly a third of
what a 3x3 filter meets on a 4x4 image), nothing is gathered, and every vector is aligned. The price is one transposition
of what is read and of what is written, which is little beside hundreds of multiplications of each element:

    (N, C, places)  ──▶  (N / lanes, places, C, lanes)      for dw's grad:  (N / lanes, places, lanes, O)

The two places of a tile (gemm.py) need not be neighbours: places of the same taps go together. Where one has a tap that
the other lacks, the other meets the place after the last, which holds zeros.
"""

from __future__ import annotations

import functools
import math
from typing import Any

import numpy as np

from ..autograd.variable import Array
from . import split
from .compiled import inline, kernel
from .gemm import PAIRED_ROWS, PROCESSOR, VECTOR_BYTES, move, paired_tile, transpose

Pair = tuple[int, int]
Places = tuple[tuple[int, ...], ...]

DEPTH = 288  # products of a sum that are taken together: the filters' elements for them stay in the first cache
CHUNK = 64  # places whose sums are kept beside them
SUMMED = 256  # products that the gradient by the weight sums before it adds them to the others
_FEWEST = 16  # channels and filters from which tiles are filled well enough
_WASTE = 0.125  # the share of lanes that may be without an image
_LARGEST = 1 << 14  # places: lists of more would not stay in the cache
# Up to as many channels or filters the other road is quicker on Intel's processors, which have whole vectors twice in each
# cycle and lose little by those that begin anywhere in memory: there the transpositions count for more.
_FEW = 0 if PROCESSOR.startswith("znver") else 64


def suits(x: Array, w_shape: tuple[int, ...], grid: Pair, groups: int, scattered: bool = False) -> bool:
    """Whether a convolution of (or to) x is to be computed here: a batch that fills the lanes, channels that fill tiles.

    scattered: it is a gradient by the input of one with strides, which the other road takes class by class.
    """
    lanes, images, places = VECTOR_BYTES // x.itemsize, len(x), grid[0] * grid[1]
    full = -(-images // lanes) * lanes
    taps = math.prod(w_shape[2:])
    if _FEW and (taps == 1 or (min(w_shape[:2]) <= _FEW and not scattered)):
        return False
    return (
        groups == 1
        and min(w_shape[:2]) >= _FEWEST and lanes // 4 <= places <= _LARGEST
        and full - images <= _WASTE * full
    )  # fmt: skip


def choice() -> str:
    """What `suits` goes by on this processor, for show_config."""
    return f"from {_FEW + 1 if _FEW else _FEWEST} channels and filters"


def _meetings(grid: Pair, size: Pair, step: Pair, taps: Array) -> Array:
    """(places of grid, taps): the place of size that is met, or -1."""
    row, column = np.divmod(np.arange(grid[0] * grid[1])[:, None], grid[1])
    y, x = row * step[0] + taps[0], column * step[1] + taps[1]
    return np.where((y >= 0) & (y < size[0]) & (x >= 0) & (x < size[1]), y * size[1] + x, -1)


@functools.lru_cache(maxsize=256)
def _by_place(grid: Pair, size: Pair, step: Pair, taps: Places, backward: bool) -> tuple[Array, Array, Array]:
    """For each tile its runs (tap, place met by the first, by the second), where they end, and its two slots in a chunk.

    backward: the tiles are of places of `size`, and meet those of `grid`.
    """
    met = _meetings(grid, size, step, np.array(taps))
    if backward:
        p, t = np.nonzero(met >= 0)
        turned = np.full((size[0] * size[1], met.shape[1]), -1)
        turned[met[p, t], t] = p
        met, nowhere = turned, len(met)
    else:
        nowhere = size[0] * size[1]
    runs, counts, slots = [], [], []
    for first in range(0, len(met), CHUNK):
        part = met[first : first + CHUNK]
        order = np.lexsort(np.flipud((part >= 0).T))  # places of the same taps follow each other
        odd = len(order) % 2
        pairs = np.append(order, order[len(order) - odd :]).reshape(-1, 2)
        slot = pairs.copy()
        if odd:
            slot[-1, 1] = CHUNK  # a place too many: its sums go where nobody reads
        tile, tap = np.nonzero((part[pairs] >= 0).any(1))
        places = part[pairs[tile], tap[:, None]]
        runs.append(np.column_stack((tap, np.where(places < 0, nowhere, places))))
        counts.append(np.bincount(tile, minlength=len(pairs)))
        slots.append(slot)
    ends = np.concatenate(([0], np.cumsum(np.concatenate(counts))))
    return np.concatenate(runs), ends, np.concatenate(slots)


@functools.lru_cache(maxsize=256)
def _by_tap(grid: Pair, size: Pair, step: Pair, taps: Places, at_once: int) -> tuple[Array, Array]:
    """For each chunk of at_once places and each tap: runs (place of size, place of grid, the same), and where they end."""
    met = _meetings(grid, size, step, np.array(taps))
    runs, counts = [], []
    for first in range(0, len(met), at_once):
        part = met[first : first + at_once].T
        tap, p = np.nonzero(part >= 0)
        runs.append(np.column_stack((part[tap, p], first + p, first + p)))
        counts.append(np.bincount(tap, minlength=len(part)))
    return np.concatenate(runs), np.concatenate(([0], np.cumsum(np.concatenate(counts))))


@kernel
def _images_last(x: Array, out: Array, start: int, stop: int) -> None:
    """out[block, p, c, lane] = x[block · lanes + lane, c, p], for (block, c) from start to stop."""
    images, channels, places = x.shape
    lanes = out.shape[3]
    flat, result = x.ravel(), out.ravel()
    for i in range(start, stop):
        block, c = divmod(i, channels)
        n = block * lanes
        source, to = (n * channels + c) * places, block * out.shape[1] * channels * lanes + c * lanes
        for p in range(0, places, lanes):
            transpose(
                flat, source + p, channels * places, min(lanes, images - n), min(lanes, places - p),
                result, to + p * channels * lanes, channels * lanes,
            )  # fmt: skip
        out[block, places, c] = 0


@kernel
def _channels_last(x: Array, out: Array, start: int, stop: int) -> None:
    """out[block, p, lane, c] = x[block · lanes + lane, c, p], for images from start to stop."""
    _, channels, places = x.shape
    lanes, width = out.shape[2], out.shape[3]
    flat, result = x.ravel(), out.ravel()
    for n in range(start, stop):
        block, lane = divmod(n, lanes)
        to = (block * places * lanes + lane) * width
        for p in range(0, places, lanes):
            for c in range(0, channels, lanes):
                transpose(
                    flat, (n * channels + c) * places + p, places, min(lanes, channels - c), min(lanes, places - p),
                    result, to + p * lanes * width + c, lanes * width,
                )  # fmt: skip


@inline
def _copy_pieces(w: Any, source: Any, step: Any, pieces: Any, length: Any, to: Any, pitch: Any) -> None:
    for i in range(pieces):
        move(w, source + i * step, 0, length, to, i * pitch, length, w.dtype.type(0))


@kernel
def _convolve(
    x: Array, w: Array, swapped: bool, bias: Array, runs: Array, ends: Array, slots: Array, out: Array, start: int, stop: int
) -> None:  # fmt: skip
    """Of the sums over channels and taps the items start to stop, each a chunk of places by PAIRED_ROWS filters.

    x: (blocks, places, channels, lanes). w: (filters, channels, taps), or with `swapped` (channels, filters, taps).
    """
    channels, lanes, n_taps = x.shape[2], x.shape[3], w.shape[2]
    images, filters, places = out.shape
    tiles, chunks = (filters + PAIRED_ROWS - 1) // PAIRED_ROWS, (places + CHUNK - 1) // CHUNK
    at_once = min(channels, max(1, DEPTH // n_taps))
    part = np.zeros(PAIRED_ROWS * at_once * n_taps, x.dtype)  # of w, without what lies between
    pitch = (PAIRED_ROWS if swapped else at_once) * n_taps
    row, along = (n_taps, pitch) if swapped else (pitch, n_taps)
    sums = np.zeros((CHUNK + 1, PAIRED_ROWS, lanes), x.dtype)
    flat_x, flat_w, flat_sums, result = x.ravel(), w.ravel(), sums.ravel(), out.ravel()
    for item in range(start, stop):
        rest, tile = divmod(item, tiles)
        block, chunk = divmod(rest, chunks)
        o, p = tile * PAIRED_ROWS, chunk * CHUNK
        rows, count = min(PAIRED_ROWS, filters - o), min(CHUNK, places - p)
        for i in range(rows):
            sums[:count, i] = bias[o + i] if bias.size else x.dtype.type(0)
        for first in range(0, channels, at_once):
            depth = min(at_once, channels - first)
            if swapped:
                source = (first * filters + o) * n_taps
                _copy_pieces(flat_w, source, filters * n_taps, depth, rows * n_taps, part, pitch)
            else:
                source = (o * channels + first) * n_taps
                _copy_pieces(flat_w, source, channels * n_taps, rows, depth * n_taps, part, pitch)
            x_at = (block * x.shape[1] * channels + first) * lanes
            for m in range((p + 1) // 2, (p + count + 1) // 2):
                paired_tile(
                    part, (0, 1, row, along), flat_x, (x_at, x_at, channels * lanes, lanes), runs, ends[m], ends[m + 1],
                    depth, flat_sums, (slots[m, 0] * PAIRED_ROWS * lanes, slots[m, 1] * PAIRED_ROWS * lanes, lanes),
                )  # fmt: skip
        n = block * lanes
        for i in range(rows):
            for q in range(0, count, lanes):
                transpose(
                    flat_sums, (q * PAIRED_ROWS + i) * lanes, PAIRED_ROWS * lanes, min(lanes, count - q),
                    min(lanes, images - n), result, (n * filters + o + i) * places + p + q, filters * places,
                )  # fmt: skip


@kernel
def _gradient_by_weight(
    x: Array, grad: Array, runs: Array, ends: Array, n_taps: int, sums: Array, start: int, stop: int
) -> None:
    """sums[c, t, o], for (PAIRED_ROWS channels, t) from start to stop. x: images last, grad: (blocks, places, lanes, o)."""
    blocks, _, channels, lanes = x.shape
    width = grad.shape[3]
    flat_x, flat_grad, result = x.ravel(), grad.ravel(), sums.ravel()
    for block in range(blocks):
        x_at, g = block * x.shape[1] * channels * lanes, block * grad.shape[1] * lanes * width
        for chunk in range(0, len(ends) - 1, n_taps):
            for item in range(start, stop):
                tile, t = divmod(item, n_taps)
                c = tile * PAIRED_ROWS
                for o in range(0, width, 2 * lanes):
                    to = (c * n_taps + t) * width + o
                    paired_tile(
                        flat_x, (x_at + c * lanes, channels * lanes, lanes, 1),
                        flat_grad, (g + o, g + o + lanes, lanes * width, width), runs, ends[chunk + t], ends[chunk + t + 1],
                        lanes, result, (to, to + lanes, n_taps * width),
                    )  # fmt: skip


@kernel
def _turn(sums: Array, dw: Array, start: int, stop: int) -> None:
    """dw[o, k] = sums[k, o], for k from start to stop."""
    lanes = VECTOR_BYTES // dw.itemsize
    width, (filters, depth) = sums.shape[1], dw.shape
    flat, result = sums.ravel(), dw.ravel()
    for k in range(start, stop, lanes):
        for o in range(0, filters, lanes):
            transpose(
                flat, k * width + o, width, min(lanes, stop - k), min(lanes, filters - o), result, o * depth + k, depth
            )  # fmt: skip


def _with_images_last(x: Array) -> Array:
    """(N, C, places) as (N / lanes, places + 1, C, lanes), the last place of zeros."""
    lanes = VECTOR_BYTES // x.itemsize
    blocks = -(-len(x) // lanes)
    out = (np.zeros if len(x) % lanes else np.empty)((blocks, x.shape[2] + 1, x.shape[1], lanes), x.dtype)
    split(blocks * x.shape[1], x.size, lambda a, b: _images_last(x, out, a, b))
    return out


def convolve(
    x: Array, w: Array, bias: Array | None, out: Array, grid: Pair, size: Pair, step: Pair, taps: Array, backward: bool
) -> None:
    """Forward: x (N, C, places of size), w (O, C, taps), out (N, O, places of grid). Backward: from grad to dx, by the same w."""
    runs, ends, slots = _by_place(grid, size, step, _places(taps), backward)
    turned = _with_images_last(x)
    b = np.empty(0, x.dtype) if bias is None else np.ascontiguousarray(bias)
    items = len(turned) * -(-out.shape[2] // CHUNK) * -(-out.shape[1] // PAIRED_ROWS)
    work = x.size * out.shape[1] * taps.shape[1]
    split(items, work, lambda i, j: _convolve(turned, w, backward, b, runs, ends, slots, out, i, j))


def gradient_by_weight(x: Array, grad: Array, grid: Pair, size: Pair, step: Pair, taps: Array) -> Array:
    """dw (O, C, taps) from x (N, C, places of size) and grad (N, O, places of grid)."""
    lanes, n_taps = VECTOR_BYTES // x.itemsize, taps.shape[1]
    runs, ends = _by_tap(grid, size, step, _places(taps), max(1, SUMMED // lanes))
    turned = _with_images_last(x)
    channels, filters = x.shape[1], grad.shape[1]
    width = -(-filters // (2 * lanes)) * 2 * lanes
    full = len(x) % lanes == 0 and width == filters
    turned_grad = (np.empty if full else np.zeros)((len(turned), grad.shape[2], lanes, width), x.dtype)
    split(len(x), grad.size, lambda a, b: _channels_last(grad, turned_grad, a, b))
    tiles = -(-channels // PAIRED_ROWS)
    sums = np.zeros((tiles * PAIRED_ROWS * n_taps, width), x.dtype)
    work = x.size * filters * n_taps
    split(tiles * n_taps, work, lambda i, j: _gradient_by_weight(turned, turned_grad, runs, ends, n_taps, sums, i, j))
    dw = np.empty((filters, channels * n_taps), x.dtype)
    split(channels * n_taps, dw.size, lambda i, j: _turn(sums, dw, i, j))
    return dw.reshape(filters, channels, n_taps)


def _places(taps: Array) -> Places:
    return tuple(map(tuple, taps.tolist()))
