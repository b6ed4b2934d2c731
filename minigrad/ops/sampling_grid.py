"""Images read at places that a grid names: spatial transformers.

    affine_grid   a matrix for each image -> the place of the input from which each place of the output comes
    grid_sample   those places -> the output, read between the elements

Places run from -1 to 1 over the image, x (along the last dimension) first.
Source: Jaderberg et al. 2015, "Spatial Transformer Networks".
"""

from __future__ import annotations

import itertools
import math
import warnings
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from ..autograd.fused import Fused, at_hand, size
from ..autograd.graph import Operation
from ..autograd.variable import Array, wrap
from ..equal_steps import equal_steps, wide
from ..public import public
from .along import index_select
from .choice import clamp, where
from .interpolate import cubic
from .matrix import matmul

if TYPE_CHECKING:
    from ..tensor import Tensor

_MODES = ("bilinear", "nearest", "bicubic")
_PADDINGS = ("zeros", "border", "reflection")


def _warn_corners(name: str) -> None:
    warnings.warn(
        "Default grid_sample and affine_grid behavior has changed to align_corners=False since 1.3.0. Please specify "
        f"align_corners=True if the old behavior is desired. See the documentation of {name} for details.",
        stacklevel=4,
    )


@public("functional")
def affine_grid(theta: Tensor, size: Sequence[int], align_corners: bool | None = None) -> Tensor:
    """theta (N, 2, 3) and size (N, C, H, W): the grid (N, H, W, 2) of the places theta @ (x, y, 1); in three dimensions
    theta (N, 3, 4), size (N, C, D, H, W), grid (N, D, H, W, 3).

    align_corners: -1 and 1 are the middles of the outermost elements; else the edges. PyTorch: torch.nn.functional.affine_grid.
    """
    sizes = tuple(int(n) for n in size)
    if theta.array.dtype == np.float16:
        raise NotImplementedError(
            "affine_grid: \"tensor_cpu\" not implemented for 'Half'; convert theta with .float() first"
        )
    if theta.array.dtype.kind != "f":
        raise ValueError(f"Expected theta to have floating point type, but got {theta.dtype}")
    rank = len(sizes) - 2
    if rank not in (2, 3):
        raise NotImplementedError(
            "affine_grid only supports 4D and 5D sizes, for 2D and 3D affine transforms, respectively. Got size "
            + str(size)
        )
    if theta.array.shape[1:] != (rank, rank + 1) or theta.ndim != 3:
        raise ValueError(
            f"Expected a batch of {rank}D affine matrices of shape Nx{rank}x{rank + 1} for size {sizes}. Got {list(theta.shape)}."
        )
    if theta.shape[0] != sizes[0]:
        raise RuntimeError(
            f"Expected as many matrices as images: size {sizes} says {sizes[0]}, theta has {theta.shape[0]}"
        )
    if min(sizes) <= 0:
        raise ValueError(f"Expected non-zero, positive output size. Got {sizes}")
    if align_corners is None:
        _warn_corners("affine_grid")
    spatial, real = sizes[2:], theta.array.dtype
    base = np.ones((*spatial, rank + 1), real)
    for d, n in enumerate(spatial):
        places = equal_steps(-1, 1, n, real) if n > 1 else np.zeros(1, real)
        places = places if align_corners else places * real.type(n - 1) / real.type(n)
        base[..., rank - 1 - d] = places.reshape(-1, *(1,) * (rank - 1 - d))
    points = matmul(wrap(base.reshape(1, -1, rank + 1)), theta.transpose(1, 2))
    return points.reshape(theta.shape[0], *spatial, rank)


class Elements(Operation):
    """out = (x + 1) · scale - offset: from -1 ... 1 to places counted in elements.  dx = grad · scale

    Rounded once after the product, as in PyTorch: an identity's places lie on the elements, where the slope jumps, so the last
    bit decides from which side it is taken.
    """

    @staticmethod
    def forward(ctx: Any, x: Array, scale: float, offset: float) -> Array:
        ctx.scale = scale
        return ((x + 1).astype(wide(x.dtype)) * scale - offset).astype(x.dtype)

    @staticmethod
    def backward(ctx: Any, grad: Any) -> Any:
        return grad * ctx.scale, None, None


def _elements(place: Any, n: int, align_corners: bool) -> Any:
    """From -1 ... 1 to 0 ... n - 1, counted in elements."""
    return Elements.apply(place, (n - 1) / 2, 0.0) if align_corners else Elements.apply(place, n / 2, 0.5)


def _clipped(place: Any, n: int) -> Any:
    """Places inside the image: 0 to n - 1. The gradient ends at the edge."""
    inside = wrap((place.array > 0) & (place.array < n - 1))
    return where(inside, place, clamp(place.detach().nan_to_num(0.0), 0, n - 1))


def _reflected(place: Any, low: float, span: float) -> Any:
    """Places between low and low + span, mirrored at both as often as it takes."""
    if span == 0:
        return place * 0
    values = place.array - low
    sign = np.where(values < 0, -1, 1).astype(values.dtype)
    with np.errstate(invalid="ignore"):
        turns = np.floor(np.abs(values) / span)
        whole = np.where(np.isfinite(turns), turns, 0)
    rest = (place - low) * wrap(sign) - wrap((whole * span).astype(values.dtype))
    return where(wrap(whole % 2 == 0), rest + low, span - rest + low)


def _padded(place: Any, n: int, padding_mode: str, align_corners: bool) -> Any:
    """Places outside led back inside, unless zeros stand there."""
    if padding_mode == "reflection":
        place = _reflected(place, 0.0, n - 1.0) if align_corners else _reflected(place, -0.5, float(n))
    return place if padding_mode == "zeros" else _clipped(place, n)


def _read(rows: Any, places: Sequence[Array], spatial: Sequence[int]) -> Any:
    """The rows (one for each element of each image, of its channels) at places (N, P) of each dimension; 0 outside. (N · P, C)"""
    index: Any = np.arange(places[0].shape[0])[:, None]
    inside: Any = True
    for place, n in zip(places, spatial, strict=True):
        inside = inside & (place >= 0) & (place < n)
        index = index * n + place
    read = index_select(rows, 0, wrap(np.where(inside, index, 0).reshape(-1)))
    return read if inside.all() else where(wrap(inside.reshape(-1, 1)), read, 0.0)


def _whole(place: Array, n: int) -> Array:
    """Rounded places as integers; what is no number, or far out, lies outside."""
    return np.where(np.isfinite(place), place, -2).clip(-2, n + 1).astype(np.int64)


def _check(input: Tensor, grid: Tensor, mode: str, padding_mode: str) -> int:
    if mode not in _MODES:
        raise ValueError(
            f"nn.functional.grid_sample(): expected mode to be 'bilinear', 'nearest' or 'bicubic', but got: '{mode}'"
        )
    if padding_mode not in _PADDINGS:
        raise ValueError(
            "nn.functional.grid_sample(): expected padding_mode to be 'zeros', 'border', or 'reflection', but got: "
            f"'{padding_mode}'"
        )
    x, g = input.array, grid.array
    if x.dtype != g.dtype:
        raise RuntimeError(
            f"grid_sampler(): expected input and grid to have same dtype, but input has {input.dtype} and grid has {grid.dtype}"
        )
    if x.dtype.kind != "f":
        raise NotImplementedError(
            f"grid_sampler(): not implemented for {input.dtype}; convert the input to a float type"
        )
    if x.ndim not in (4, 5) or g.ndim != x.ndim:
        raise RuntimeError(
            "grid_sampler(): expected 4D or 5D input and grid with same number of dimensions, but got input with sizes "
            f"{list(x.shape)} and grid with sizes {list(g.shape)}"
        )
    rank = x.ndim - 2
    if x.shape[0] != g.shape[0]:
        raise RuntimeError(
            "grid_sampler(): expected grid and input to have same batch size, but got input with sizes "
            f"{list(x.shape)} and grid with sizes {list(g.shape)}"
        )
    if g.shape[-1] != rank:
        raise RuntimeError(
            f"grid_sampler(): expected grid to have size {rank} in last dimension, but got grid with sizes {list(g.shape)}"
        )
    if 0 in x.shape[2:]:
        raise RuntimeError(
            f"grid_sampler(): expected input to have non-empty spatial dimensions, but input has sizes {list(x.shape)}"
        )
    if mode == "bicubic" and rank == 3:
        raise RuntimeError("grid_sampler(): bicubic interpolation only supports 4D input")
    return rank


@public("functional")
def grid_sample(
    input: Tensor, grid: Tensor, mode: str = "bilinear", padding_mode: str = "zeros", align_corners: bool | None = None
) -> Tensor:
    """input (N, C, H, W) read at grid (N, H', W', 2): (N, C, H', W'); or in three dimensions (N, C, D, H, W) and (.., 3).

    mode: "bilinear", "nearest" or "bicubic" (images only). padding_mode: what stands outside: "zeros", the "border" or the
    "reflection". align_corners: as in `affine_grid`. PyTorch: torch.nn.functional.grid_sample.
    """
    rank = _check(input, grid, mode, padding_mode)
    if align_corners is None:
        _warn_corners("grid_sample")
    if rank == 2 and mode == "bilinear" and padding_mode != "reflection" and input.array.size and grid.array.size:
        return Bilinear.apply(input, grid, padding_mode, bool(align_corners))
    return _composed(input, grid, mode, padding_mode, bool(align_corners))


def _composed(input: Any, grid: Any, mode: str, padding_mode: str, corners: bool) -> Any:
    """`grid_sample`, of other operations."""
    spatial = input.shape[2:]
    rank = len(spatial)
    points = grid.reshape(grid.shape[0], math.prod(grid.shape[1:-1]), rank)
    rows = input.flatten(2).transpose(1, 2).flatten(0, 1)  # (N · elements, C)
    places = [_elements(points[..., rank - 1 - d], n, corners) for d, n in enumerate(spatial)]  # (N, P) by dimension
    if mode != "bicubic":
        places = [_padded(p, n, padding_mode, corners) for p, n in zip(places, spatial, strict=True)]
    if mode == "nearest":
        read = _read(rows, [_whole(np.rint(p.array), n) for p, n in zip(places, spatial, strict=True)], spatial)
        if grid.requires_grad:  # its gradient is 0, not None
            nowhere = wrap(np.zeros((read.shape[0], 1), bool))
            read = read + where(nowhere, points.sum(-1).reshape(-1, 1), 0.0)
        return _image(read, input.shape[1], grid.shape)
    lows = [np.floor(p.array) for p in places]
    shares = [p - wrap(low) for p, low in zip(places, lows, strict=True)]
    # By dimension: the neighbours that are read, and the weight of each
    neighbours: list[list[tuple[Array, Any]]] = []
    for low, share, n in zip(lows, shares, spatial, strict=True):
        if mode == "bilinear":
            low = _whole(low, n)
            neighbours.append([(low, 1 - share), (low + 1, share)])
            continue
        weights = [
            cubic(share + 1, -0.75)[1],
            cubic(share, -0.75)[0],
            cubic(1 - share, -0.75)[0],
            cubic(2 - share, -0.75)[1],
        ]
        around = [_padded(wrap(low + k), n, padding_mode, corners).array for k in (-1, 0, 1, 2)]
        neighbours.append([(_whole(np.rint(a), n), w) for a, w in zip(around, weights, strict=True)])
    total: Any = None
    for corner in itertools.product(*neighbours):
        weight = math.prod((w for _, w in corner[1:]), start=corner[0][1])
        part = _read(rows, [place for place, _ in corner], spatial) * weight.reshape(-1, 1)
        total = part if total is None else total + part
    return _image(total, input.shape[1], grid.shape)


def _image(rows: Any, channels: int, grid: Sequence[int]) -> Any:
    """Rows (N · P, C) as images (N, C, *spatial), spatial that of the grid."""
    return rows.reshape(*grid[:-1], channels).movedim(-1, 1).contiguous()


def places_of(grid: Array, x: Array, padding_mode: str, corners: bool) -> tuple[Array, Array]:
    """The grid's places counted in elements, (N, P, 2), across and down, and how fast they move with the grid; see `_elements`."""
    sides = np.array(x.shape[:1:-1])
    scale = ((sides - 1) if corners else sides) / 2
    points = grid.reshape(len(grid), -1, 2)
    places = ((points + 1).astype(wide(x.dtype)) * scale - (0.0 if corners else 0.5)).astype(x.dtype)
    slopes = np.broadcast_to(scale.astype(x.dtype), places.shape)
    if padding_mode == "border":
        inside = (places > 0) & (places < sides - 1)
        places = np.where(inside, places, np.nan_to_num(places, nan=0.0).clip(0, sides - 1)).astype(x.dtype)
        slopes = np.where(inside, slopes, 0)
    return places, slopes


def _around(places: Array, shape: Sequence[int]) -> Iterator[tuple[Array, Array, Array, Array, Array]]:
    """The four elements around places (N, P, 2): where each lies in the flat image, whether inside, its weight, and ∂weight/∂u, ∂v."""
    height, width = shape[2:]
    low = np.floor(places)
    u, v = np.moveaxis(places - low, -1, 0)
    left, top = _whole(low[..., 0], width), _whole(low[..., 1], height)
    for down, by_v, w_v in ((0, -1, 1 - v), (1, 1, v)):
        for right, by_u, w_u in ((0, -1, 1 - u), (1, 1, u)):
            j, i = left + right, top + down
            inside = (j >= 0) & (j < width) & (i >= 0) & (i < height)
            yield np.where(inside, i * width + j, 0), inside, w_u * w_v, by_u * w_v, by_v * w_u


class Bilinear(Fused):
    """out[c, p] = Σ over the four elements around place p of weight · x[c, element], images (N, C, H, W) and a grid (N, H', W', 2).

    With u, v the shares of a place between its elements, the weights are (1-u)(1-v), u(1-v), (1-v)u and uv:
    dx[c, element] = Σ weight · grad[c, p],  du = Σ grad[c, p] · ∂weight/∂u · x[c, element], times the slope of u by the grid.
    """

    grad_fn_name = "GridSampler2DBackward0"
    compiled = "grid.Bilinear"

    @staticmethod
    def work(x: Array, grid: Array, *rest: Any) -> int:
        return size(x) and grid.size // 2 * x.shape[1] * (64 if at_hand() else 4)

    @staticmethod
    def definition(x: Any, grid: Any, padding_mode: str, corners: bool) -> Any:
        return _composed(x, grid, "bilinear", padding_mode, corners)

    @staticmethod
    def forward(ctx: Any, x: Array, grid: Array, padding_mode: str, corners: bool) -> Array:
        ctx.save_for_backward(x, grid)
        ctx.padding_mode, ctx.corners = padding_mode, corners
        rows = x.reshape(*x.shape[:2], -1).swapaxes(1, 2)  # (N, elements, C)
        out: Any = 0.0
        for at, inside, weight, _, _ in _around(places_of(grid, x, padding_mode, corners)[0], x.shape):
            out = out + np.where(inside[..., None], np.take_along_axis(rows, at[..., None], 1), 0) * weight[..., None]
        return np.ascontiguousarray(out.swapaxes(1, 2)).reshape(*x.shape[:2], *grid.shape[1:3])

    @staticmethod
    def backward(ctx: Any, grad: Array) -> Any:
        x, grid = ctx.saved_tensors
        places, slopes = places_of(grid, x, ctx.padding_mode, ctx.corners)
        rows = x.reshape(*x.shape[:2], -1).swapaxes(1, 2)
        given = grad.reshape(*grad.shape[:2], -1).swapaxes(1, 2)  # (N, P, C)
        dx, dplaces = np.zeros(rows.shape, x.dtype), np.zeros((*given.shape[:2], 2), x.dtype)
        image = np.arange(len(x))[:, None]
        for at, inside, weight, by_u, by_v in _around(places, x.shape):
            np.add.at(dx, (image, at), np.where(inside[..., None], given * weight[..., None], 0))
            along = (np.where(inside[..., None], np.take_along_axis(rows, at[..., None], 1), 0) * given).sum(-1)
            dplaces += np.stack([along * by_u, along * by_v], -1)
        dx = np.ascontiguousarray(dx.swapaxes(1, 2)).reshape(x.shape)
        return dx, (dplaces * slopes).reshape(grid.shape), None, None
