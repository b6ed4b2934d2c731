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

TAPS = {"bilinear": 2, "nearest": 1, "bicubic": 4}  # elements that are read along each dimension
PADDINGS = ("zeros", "border", "reflection")


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


def _read(rows: Any, places: Sequence[Array], spatial: Sequence[int], weight: Any) -> Any:
    """weight · the rows (one for each element of each image, of its channels) at places (N, P) of each dimension: (N · P, C).

    Outside stand zeros. Of an image they are multiplied by the weight too, which may be nan; of a volume not: as in PyTorch.
    """
    index: Any = np.arange(places[0].shape[0])[:, None]
    inside: Any = True
    for place, n in zip(places, spatial, strict=True):
        inside = inside & (place >= 0) & (place < n)
        index = index * n + place
    read = index_select(rows, 0, wrap(np.where(inside, index, 0).reshape(-1)))
    if inside.all():
        return read * weight
    within = wrap(inside.reshape(-1, 1))
    return where(within, read * weight, 0.0) if len(spatial) == 3 else where(within, read, 0.0) * weight


def _whole(place: Array, n: int) -> Array:
    """Rounded places as integers; what is no number, or far out, lies outside."""
    return np.where(np.isfinite(place), place, -2).clip(-2, n + 1).astype(np.int64)


def _check(input: Tensor, grid: Tensor, mode: str, padding_mode: str) -> int:
    if mode not in TAPS:
        raise ValueError(
            f"nn.functional.grid_sample(): expected mode to be 'bilinear', 'nearest' or 'bicubic', but got: '{mode}'"
        )
    if padding_mode not in PADDINGS:
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
    if not input.array.size or not grid.array.size:
        return _composed(input, grid, mode, padding_mode, bool(align_corners))
    return (Sample2D if rank == 2 else Sample3D).apply(input, grid, mode, padding_mode, bool(align_corners))


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
        read = _read(rows, [_whole(np.rint(p.array), n) for p, n in zip(places, spatial, strict=True)], spatial, 1)
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
        part = _read(rows, [place for place, _ in corner], spatial, weight.reshape(-1, 1))
        total = part if total is None else total + part
    return _image(total, input.shape[1], grid.shape)


def _image(rows: Any, channels: int, grid: Sequence[int]) -> Any:
    """Rows (N · P, C) as images (N, C, *spatial), spatial that of the grid."""
    return rows.reshape(*grid[:-1], channels).movedim(-1, 1).contiguous()


# -- in one node


def _led_inside(place: Array, n: int, padding_mode: str, corners: bool) -> tuple[Array, Any]:
    """`_padded` of an array, and how that moves with the place: 1, -1 where it is mirrored, 0 beyond the edge."""
    if padding_mode == "zeros":
        return place, 1
    real, turn = place.dtype.type, np.ones_like(place)
    if padding_mode == "reflection":
        low, span = (real(0), real(n - 1)) if corners else (real(-0.5), real(n))
        if span == 0:
            place, turn = place * 0, np.zeros_like(place)
        else:
            turn = np.where(place - low < 0, real(-1), real(1))
            turns = np.floor(np.abs(place - low) / span)
            turns = np.where(np.isfinite(turns), turns, real(0))
            rest = (place - low) * turn - turns * span
            even = turns % 2 == 0
            place, turn = np.where(even, rest + low, span - rest + low), np.where(even, turn, -turn)
    within = (place > 0) & (place < n - 1)
    return np.where(within, place, np.nan_to_num(place, nan=0.0).clip(0, n - 1)), np.where(within, turn, real(0))


def _along(
    points: Array, n: int, mode: str, padding_mode: str, corners: bool
) -> list[tuple[Array, Array | float, Array | float]]:
    """Points (N, P) from -1 to 1 along a side of n elements: the elements that each reads, their weights, ∂weight/∂point."""
    scale = ((n - 1) if corners else n) / 2
    place = ((points + 1).astype(wide(points.dtype)) * scale - (0.0 if corners else 0.5)).astype(points.dtype)
    if mode == "bicubic":
        low = np.floor(place)
        u = place - low
        found: list[tuple[Array, Any, Any]] = []
        for k, distance, sign in ((-1, u + 1, 1), (0, u, 1), (1, 1 - u, -1), (2, 2 - u, -1)):
            i = 0 if k in (0, 1) else 1  # near or far
            at = _whole(np.rint(_led_inside(low + k, n, padding_mode, corners)[0]), n)
            found.append((at, cubic(distance, -0.75)[i], _cubic_slope(distance, -0.75)[i] * (sign * scale)))
        return found
    place, turn = _led_inside(place, n, padding_mode, corners)
    if mode == "nearest":
        return [(_whole(np.rint(place), n), 1.0, 0.0)]
    low, slope = np.floor(place), turn * place.dtype.type(scale)
    at, u = _whole(low, n), place - low
    return [(at, 1 - u, -slope), (at + 1, u, slope)]


def _cubic_slope(x: Array, a: float) -> tuple[Array, Array]:
    """The derivatives of `cubic`."""
    return (3 * (a + 2) * x - 2 * (a + 3)) * x, ((3 * x - 10) * x + 8) * a


def _read_by(
    grid: Array, x: Array, mode: str, padding_mode: str, corners: bool
) -> Iterator[tuple[Array, Array, Any, list[Any]]]:
    """Each of the elements that places (N, P) read: where in the flat image, whether inside, weight, ∂weight by each coordinate."""
    spatial = x.shape[2:]
    rank = len(spatial)
    points = grid.reshape(len(grid), -1, rank)
    sides = [_along(points[..., rank - 1 - d], n, mode, padding_mode, corners) for d, n in enumerate(spatial)]
    for chosen in itertools.product(*sides):
        at: Any = 0
        inside: Any = True
        for (place, _, _), n in zip(chosen, spatial, strict=True):
            at, inside = at * n + place, inside & (place >= 0) & (place < n)
        weights = [weight for _, weight, _ in chosen]
        slopes = [math.prod([*weights[:d], slope, *weights[d + 1 :]]) for d, (_, _, slope) in enumerate(chosen)]
        weight = math.prod(weights)
        if rank == 3:  # of an image PyTorch multiplies what is outside, 0, by the weight, which may be nan
            weight, slopes = np.where(inside, weight, 0.0), [np.where(inside, slope, 0.0) for slope in slopes]
        yield np.where(inside, at, 0), inside, weight, slopes[::-1]


class Sample2D(Fused):
    """out[c, p] = Σ over the elements around place p of weight · x[c, element]: images (N, C, H, W), a grid (N, H', W', 2).

    The weights are products of one for each dimension; u being the share of a place between its elements, 1 - u and u
    ("bilinear"), or four of Keys's cubic ("bicubic"); "nearest" reads one element.
    dx[c, element] = Σ weight · grad[c, p],  dgrid = Σ ∂weight · Σ over c of grad[c, p] · x[c, element]
    """

    grad_fn_name = "GridSampler2DBackward0"
    compiled = "grid.Sample2D"

    @staticmethod
    def work(x: Array, grid: Array, mode: str, *rest: Any) -> int:
        rank = grid.shape[-1]
        if math.prod(x.shape[2:]) >= 1 << 31:  # the loop counts the elements of an image in 32 bits
            return 0
        return size(x) and grid.size // rank * x.shape[1] * TAPS[mode] ** rank * (32 if at_hand() else 1)

    @staticmethod
    def definition(x: Any, grid: Any, mode: str, padding_mode: str, corners: bool) -> Any:
        return _composed(x, grid, mode, padding_mode, corners)

    @staticmethod
    def forward(ctx: Any, x: Array, grid: Array, mode: str, padding_mode: str, corners: bool) -> Array:
        ctx.save_for_backward(x, grid)
        ctx.setting = mode, padding_mode, corners
        rows = x.reshape(*x.shape[:2], -1).swapaxes(1, 2)  # (N, elements, C)
        out: Any = 0.0
        for at, inside, weight, _ in _read_by(grid, x, *ctx.setting):
            read = np.where(inside[..., None], np.take_along_axis(rows, at[..., None], 1), 0)
            out = out + read * np.asarray(weight, x.dtype)[..., None]
        return np.ascontiguousarray(out.swapaxes(1, 2)).reshape(*x.shape[:2], *grid.shape[1:-1])

    @staticmethod
    def backward(ctx: Any, grad: Array) -> Any:
        x, grid = ctx.saved_tensors
        by_x, by_grid = ctx.needs_input_grad[:2]
        rows = x.reshape(*x.shape[:2], -1).swapaxes(1, 2)
        given = grad.reshape(*grad.shape[:2], -1).swapaxes(1, 2)  # (N, P, C)
        dx, dgrid = np.zeros(rows.shape, x.dtype), np.zeros(given.shape[:2] + grid.shape[-1:], x.dtype)
        image = np.arange(len(x))[:, None]
        for at, inside, weight, slopes in _read_by(grid, x, *ctx.setting):
            if by_x:
                amount = given * np.asarray(weight, x.dtype)[..., None]
                np.add.at(dx, (image, at), np.where(inside[..., None], amount, 0))
            if by_grid and ctx.setting[0] != "nearest":
                along = (np.where(inside[..., None], np.take_along_axis(rows, at[..., None], 1), 0) * given).sum(-1)
                along = np.where(inside, along, 0) if len(slopes) == 3 else along
                dgrid += np.stack([along * slope for slope in slopes], -1)
        dx = np.ascontiguousarray(dx.swapaxes(1, 2)).reshape(x.shape)
        return dx if by_x else None, dgrid.reshape(grid.shape) if by_grid else None, None, None, None


class Sample3D(Sample2D):
    """As `Sample2D`: volumes (N, C, D, H, W), a grid (N, D', H', W', 3)."""

    grad_fn_name = "GridSampler3DBackward0"
    compiled = "grid.Sample3D"
