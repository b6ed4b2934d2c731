"""The largest and the smallest: their values, and where they are."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from ..autograd.graph import Operation
from ..autograd.variable import Array, Operand, Variable, wrap
from ..public import public
from .along import Gather, picked
from .axes import Dims, axes_of, kept_shape
from .checks import require_tensor
from .choice import maximum, minimum
from .dims import normalize_dim

if TYPE_CHECKING:
    from ..tensor import Tensor


class ValuesIndices(NamedTuple):
    """Values, and where they were found."""

    values: Any
    indices: Any


class MinMax(NamedTuple):
    """The smallest and the largest values."""

    min: Any
    max: Any


def of_scalar(input: Operand) -> ValuesIndices:
    """A tensor without dimensions is its own largest, smallest and middle value, at index 0."""
    return ValuesIndices(input.clone(), wrap(np.zeros((), np.int64)))


def _no_elements(name: str) -> str:
    return f"{name}(): Expected reduction dim to be specified for input.numel() == 0. Specify the reduction dim with the 'dim' argument."


def _need_elements(name: str, input: Operand, axes: tuple[int, ...], dim: Any = None) -> None:
    if dim == () and input.array.size == 0:
        raise RuntimeError(_no_elements(name))
    for a in axes:
        if input.array.shape[a] == 0:
            raise IndexError(f"{name}(): Expected reduction dim {a} to have non-zero size.")


class Extreme(Operation):
    """out = the largest (or smallest) x over `axes`.  grad is shared evenly by the elements that equal it"""

    grad_fn_name = "AmaxBackward0"

    @staticmethod
    def forward(
        ctx: Any, x: Array, axes: tuple[int, ...], keepdim: bool, largest: bool, nan_ties: bool = False
    ) -> Array:
        ufunc = np.maximum if largest else np.minimum
        ctx.nan_ties = nan_ties
        out = np.asarray(ufunc.reduce(x, axes, keepdims=keepdim))  # type: ignore[call-overload]  # its stubs know no bool
        ctx.save_for_backward(x, out)
        ctx.axes = axes
        return out

    @staticmethod
    def backward(ctx: Any, grad: Any) -> Any:
        x, out = ctx.saved_tensors
        shape, axes = tuple(x.shape), ctx.axes
        x, out = (getattr(value, "array", value) for value in (x, out))
        top = out.reshape(kept_shape(shape, axes))
        ties = np.asarray(x == top)
        if ctx.nan_ties:
            ties |= np.isnan(x) & np.isnan(top)
        # Nothing equals nan: 0 / 0 there, and the gradient is nan.
        share = (ties / np.add.reduce(ties, axes, keepdims=True)).astype(x.dtype)
        share = share if isinstance(grad, Array | np.generic) else wrap(share)
        return grad.reshape(kept_shape(shape, axes)) * share, *[None] * (len(ctx.needs_input_grad) - 1)


@public
def amax(input: Operand, dim: Dims = (), keepdim: bool = False) -> Tensor:
    """The largest value over dim; elements that tie share the gradient evenly. PyTorch: torch.amax."""
    require_tensor(input, "amax")
    if isinstance(input, Array):
        return np.maximum.reduce(input, axes_of(dim, input.ndim), keepdims=keepdim)  # type: ignore[call-overload]  # its stubs know no bool
    axes = axes_of(dim, input.array.ndim)
    _need_elements("amax", input, axes, dim)
    return Extreme.apply(input, axes, keepdim, True)


@public
def amin(input: Tensor, dim: Dims = (), keepdim: bool = False) -> Tensor:
    """The smallest value over dim; elements that tie share the gradient evenly. PyTorch: torch.amin."""
    require_tensor(input, "amin")
    axes = axes_of(dim, input.array.ndim)
    _need_elements("amin", input, axes, dim)
    return Extreme.apply(input, axes, keepdim, False)


@public
def aminmax(input: Tensor, *, dim: int | None = None, keepdim: bool = False) -> MinMax:
    """The smallest and the largest value. PyTorch: torch.aminmax."""
    chosen: Any = () if dim is None else dim
    return MinMax(amin(input, chosen, keepdim), amax(input, chosen, keepdim))


def pick(input: Operand, indices: Array, dim: int, keepdim: bool) -> Any:
    """The elements at `indices` (whose dimension `dim` has size 1) as values that carry a gradient."""
    if keepdim:
        return picked(input, indices, dim)
    rest = np.asarray(indices.squeeze(dim))
    grid = np.ogrid[tuple(slice(n) for n in rest.shape)] if rest.ndim else ()
    return Gather.apply(input, (*grid[:dim], rest, *grid[dim:]))


def place_of(x: Array, find: Any, dim: int | None, keepdim: bool) -> Array:
    """Where np.argmax or np.argmin, which `find` is, finds what it looks for."""
    return np.asarray(find(x, dim, keepdims=keepdim))


def _extreme_along(name: str, input: Operand, dim: int, keepdim: bool, find: Any) -> ValuesIndices:
    ndim = input.array.ndim
    dim = normalize_dim(dim, ndim)
    if ndim == 0:
        return of_scalar(input)
    _need_elements(name, input, (dim,))
    indices = place_of(input.array, find, dim, True)
    values = pick(input, indices, dim, keepdim)
    return ValuesIndices(values, wrap(indices if keepdim else np.asarray(indices.squeeze(dim))))


def _second(name: str, dim: Any, other: Any, keepdim: bool | None) -> Any:
    """What stands second: None, the dim, or a tensor to compare with. With `keepdim`, whichever it is, it is a dim.

    Errors: TypeError for both, and for a keepdim without a dim.
    """
    if dim is not None and other is not None:
        raise TypeError(f"{name}() received an invalid combination of arguments: 'dim' and 'other'; give one")
    if keepdim is None:
        return dim if other is None else other
    if isinstance(dim, Variable) and not dim.array.ndim and dim.array.dtype.kind in "iu":
        return int(dim.array)
    if dim is None or isinstance(dim, Variable):
        raise TypeError(f"{name}(): 'keepdim' needs a 'dim' to keep, which is an int")
    return dim


@public
def max(
    input: Tensor, dim: Tensor | int | None = None, keepdim: bool | None = None, *, other: Tensor | None = None
) -> Any:
    """The largest element; along dim, values and indices (of the first, which takes the gradient); with a tensor, `maximum`.

    PyTorch: torch.max.
    """
    require_tensor(input, "max")
    dim = _second("max", dim, other, keepdim)
    if isinstance(dim, Variable):
        return maximum(input, dim)
    if dim is None:
        if input.array.size == 0:
            raise RuntimeError(_no_elements("max"))
        return Extreme.apply(input, tuple(range(input.array.ndim)), False, True, True)
    return _extreme_along("max", input, dim, bool(keepdim), np.argmax)


@public
def min(
    input: Tensor, dim: Tensor | int | None = None, keepdim: bool | None = None, *, other: Tensor | None = None
) -> Any:
    """The smallest element; along dim, values and indices (of the first, which takes the gradient); with a tensor, `minimum`.

    PyTorch: torch.min.
    """
    require_tensor(input, "min")
    dim = _second("min", dim, other, keepdim)
    if isinstance(dim, Variable):
        return minimum(input, dim)
    if dim is None:
        if input.array.size == 0:
            raise RuntimeError(_no_elements("min"))
        return Extreme.apply(input, tuple(range(input.array.ndim)), False, False, True)
    return _extreme_along("min", input, dim, bool(keepdim), np.argmin)


def _arg(name: str, input: Operand, dim: Any, keepdim: bool, find: Any) -> Any:
    require_tensor(input, name)
    if input.array.dtype.kind == "b":
        raise RuntimeError(f"\"{name}_cpu\" not implemented for 'Bool'; convert with .int() first")
    if input.array.size == 0 and dim is None:
        raise IndexError(_no_elements(name))
    if dim is None:
        index = place_of(input.array, find, None, False)
        return wrap(index.reshape((1,) * input.array.ndim) if keepdim else index)
    dim = normalize_dim(dim, input.array.ndim)
    if input.array.ndim == 0:
        return wrap(np.zeros((), np.int64))
    _need_elements(name, input, (dim,))
    return wrap(place_of(input.array, find, dim, keepdim))


@public
def argmax(input: Tensor, dim: int | None = None, keepdim: bool = False) -> Tensor:
    """Where the largest element is: its index along dim, or, for None, in the flattened tensor. PyTorch: torch.argmax."""
    return _arg("argmax", input, dim, keepdim, np.argmax)


@public
def argmin(input: Tensor, dim: int | None = None, keepdim: bool = False) -> Tensor:
    """Where the smallest element is: its index along dim, or, for None, in the flattened tensor. PyTorch: torch.argmin."""
    return _arg("argmin", input, dim, keepdim, np.argmin)
