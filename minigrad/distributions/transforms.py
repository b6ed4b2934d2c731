"""Invertible maps of variables, and by how much they stretch. PyTorch: torch.distributions.transforms."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence, Sized
from typing import Any

import numpy as np

from .. import dtypes
from ..errors import InvalidObject
from ..foreign import refuse, said
from ..nn.functional import pad, softplus
from ..ops import clamp, cumprod, exp, expm1, log, log1p, sigmoid, tanh
from ..signature import add_kind
from ..size import Size, has_parts
from ..tensor import Tensor
from . import constraints
from .independent import sum_rightmost
from .utils import broadcast_all, broadcast_shapes, require_value

__all__ = [
    "AbsTransform", "AffineTransform", "ComposeTransform", "ExpTransform", "IndependentTransform", "PowerTransform",
    "ReshapeTransform", "SigmoidTransform", "SoftmaxTransform", "SoftplusTransform", "StickBreakingTransform", "TanhTransform",
    "Transform", "identity_transform",
]  # fmt: skip


def _broadcast(*shapes: Any) -> Size:
    """The shape in which values of these shapes meet; an int is one of a single dimension, None is none.

    Errors: ValueError for a negative size.
    """
    shapes = tuple((shape,) if isinstance(shape, int) else shape for shape in shapes if shape is not None)
    for shape in shapes:
        if isinstance(shape, str) or (isinstance(shape, tuple | list) and not all(isinstance(n, int) for n in shape)):
            raise TypeError(f"a shape is of ints, got {shape!r}")
        if not isinstance(shape, tuple | list):
            raise RuntimeError(
                f"Input shapes should be of type ints, a tuple of ints, or a list of ints, got {shape!r}"
            )
    if any(n < 0 for shape in shapes for n in shape):
        raise ValueError(f"Attempting to broadcast a dimension with negative length: {list(map(tuple, shapes))}")
    return Size(broadcast_shapes(*shapes))


def at_least(dims: int, shape: Any) -> None:
    """Errors: TypeError for what has no length, ValueError for a shape of fewer dimensions."""
    if not (isinstance(shape, Sized) and has_parts(shape)):
        raise TypeError(f"argument 'shape' must be a tuple of ints, not {said(shape)}")
    if len(shape) < dims:
        raise ValueError(f"Too few dimensions on input: argument 'shape' has {len(shape)}, {dims} are wanted")


def last_sizes(count: int, shape: Any, *more: type) -> Any:
    """The last sizes of a shape with which a map computes. more: what counts as a number besides those of Python and NumPy.

    Errors: TypeError, ValueError as `at_least`; InvalidObject for what is no tuple, or holds no numbers there.
    """
    at_least(count, shape)
    sizes = shape[-count:] if isinstance(shape, tuple | np.ndarray) else ()
    if not len(sizes) or not all(isinstance(n, (int, float, np.generic, *more)) for n in sizes):
        raise InvalidObject(f"argument 'shape' must be a tuple of ints, not {shape!r}")
    return sizes


class Transform:
    """y = f(x), its inverse, and ln |det df/dx|. A subclass gives `_call`, `_inverse` and `log_abs_det_jacobian`.

    domain and codomain: the regions of x and y. bijective: whether each y comes from one x. sign: of a rising or falling f.
    cache_size=1 keeps the last pair, so that the inverse of what was just computed is exact. PyTorch: the same name.
    """

    bijective: Any = False
    domain: Any
    codomain: Any
    _of_numbers = False  # whether the inverse is arithmetic that takes a number for a tensor

    def __init__(self, cache_size: int = 0) -> None:
        if (isinstance(cache_size, np.ndarray) and cache_size.size != 1) or cache_size not in (0, 1):
            raise ValueError(f"{type(self).__name__}(): argument 'cache_size' must be 0 or 1, not {cache_size!r}")
        self._cache_size = cache_size
        self._pair: tuple[Any, Any] = (None, None)
        self._inv: Transform | None = None

    @property
    def event_dim(self) -> int:
        if self.domain.event_dim != self.codomain.event_dim:
            raise ValueError("Please use either .domain.event_dim or .codomain.event_dim")
        return self.domain.event_dim

    @property
    def inv(self) -> Transform:
        """The inverse map."""
        if self._inv is None:
            self._inv = _InverseTransform(self)
        return self._inv

    @property
    def sign(self) -> Any:
        raise NotImplementedError

    def with_cache(self, cache_size: int = 1) -> Transform:
        """The same map with such a cache."""
        if self._cache_size == cache_size:
            return self
        if type(self).__init__ is Transform.__init__:
            return type(self)(cache_size=cache_size)
        raise NotImplementedError(f"{type(self)}.with_cache is not implemented")

    def __call__(self, x: Tensor) -> Tensor:
        if self._cache_size and x is self._pair[0]:
            return self._pair[1]
        y = self._call(x)
        if self._cache_size:
            self._pair = x, y
        return y

    def _inv_call(self, y: Tensor) -> Tensor:
        name = f"the inverse of {type(self).__name__}"
        if self._of_numbers:
            require_value(y, name, "y")
        elif not isinstance(y, Tensor):
            raise InvalidObject(f"{name}: its argument must be Tensor, not {said(y)}")
        if self._cache_size and y is self._pair[1]:
            return self._pair[0]
        x = self._inverse(y)
        if self._cache_size:
            self._pair = x, y
        return x

    def _call(self, x: Tensor) -> Tensor:
        raise NotImplementedError

    def _inverse(self, y: Tensor) -> Tensor:
        raise NotImplementedError

    def log_abs_det_jacobian(self, x: Any, y: Any) -> Tensor:
        """ln |det dy/dx|, of the shape of a batch of x. Maps where it follows from x alone take any y, as PyTorch's do."""
        raise NotImplementedError

    def forward_shape(self, shape: Any) -> Any:
        """The shape of y for x of this shape."""
        return shape

    def inverse_shape(self, shape: Any) -> Any:
        """The shape of x for y of this shape."""
        return shape

    def __eq__(self, other: object) -> bool:
        return self is other

    __hash__ = object.__hash__

    def __repr__(self) -> str:
        return f"{type(self).__name__}()"


add_kind(Transform)


class _InverseTransform(Transform):
    """f⁻¹."""

    def __init__(self, transform: Transform) -> None:
        super().__init__(cache_size=transform._cache_size)
        self._inv = transform

    @property
    def _of(self) -> Transform:
        assert self._inv is not None
        return self._inv

    domain = property(lambda self: self._of.codomain)  # type: ignore[assignment]
    codomain = property(lambda self: self._of.domain)  # type: ignore[assignment]
    bijective = property(lambda self: self._of.bijective)  # type: ignore[assignment]

    @property
    def sign(self) -> Any:
        return self._of.sign

    def with_cache(self, cache_size: int = 1) -> Transform:
        return self._of.with_cache(cache_size).inv

    def __eq__(self, other: object) -> bool:
        return isinstance(other, _InverseTransform) and self._of == other._of

    __hash__ = object.__hash__

    def __call__(self, x: Tensor) -> Tensor:
        return self._of._inv_call(x)

    def _inv_call(self, y: Tensor) -> Tensor:
        return self._of(y)

    def log_abs_det_jacobian(self, x: Tensor, y: Tensor) -> Tensor:
        return -self._of.log_abs_det_jacobian(y, x)

    def forward_shape(self, shape: Any) -> Any:
        return self._of.inverse_shape(shape)

    def inverse_shape(self, shape: Any) -> Any:
        return self._of.forward_shape(shape)

    def __repr__(self) -> str:
        return f"_InverseTransform({self._of!r})"


class ComposeTransform(Transform):
    """Several maps, one after the other."""

    def __init__(self, parts: Sequence[Transform], cache_size: int = 0) -> None:
        super().__init__(cache_size)
        if cache_size and not (
            isinstance(parts, Iterable) and has_parts(parts) and all(isinstance(part, Transform) for part in parts)
        ):
            raise InvalidObject(f"ComposeTransform(): argument 'parts' must be a list of Transforms, not {said(parts)}")
        self.parts = (
            [part.with_cache(cache_size) for part in parts] if cache_size else parts
        )  # the list itself, as in PyTorch

    def _dims(self) -> tuple[int, int]:
        """How many dimensions belong to a value before and after."""
        before = self.parts[-1].codomain.event_dim
        for part in reversed(self.parts):
            before = max(before + part.domain.event_dim - part.codomain.event_dim, part.domain.event_dim)
        after = self.parts[0].domain.event_dim
        for part in self.parts:
            after = max(after + part.codomain.event_dim - part.domain.event_dim, part.codomain.event_dim)
        return before, after

    @property
    def domain(self) -> Any:  # type: ignore[override]
        if not self.parts:
            return constraints.real
        domain, n = self.parts[0].domain, self._dims()[0]
        return constraints.independent(domain, n - domain.event_dim) if n > domain.event_dim else domain

    @property
    def codomain(self) -> Any:  # type: ignore[override]
        if not self.parts:
            return constraints.real
        codomain, n = self.parts[-1].codomain, self._dims()[1]
        return constraints.independent(codomain, n - codomain.event_dim) if n > codomain.event_dim else codomain

    @property
    def bijective(self) -> bool:  # type: ignore[override]
        return all(part.bijective for part in self.parts)

    @property
    def sign(self) -> Any:
        sign: Any = 1
        for part in self.parts:
            sign = sign * part.sign
        return sign

    @property
    def inv(self) -> Transform:
        if self._inv is None:
            self._inv = ComposeTransform([part.inv for part in reversed(self.parts)])
            self._inv._inv = self
        return self._inv

    def with_cache(self, cache_size: int = 1) -> Transform:
        return self if self._cache_size == cache_size else ComposeTransform(self.parts, cache_size)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, ComposeTransform) and self.parts == other.parts

    __hash__ = object.__hash__

    def __call__(self, x: Tensor) -> Tensor:
        for part in self.parts:
            x = part(x)
        return x

    def _inv_call(self, y: Tensor) -> Tensor:
        return self.inv(y)

    def log_abs_det_jacobian(self, x: Tensor, y: Any) -> Any:
        if not self.parts:
            return x * 0
        values = [x]
        for part in self.parts[:-1]:
            values.append(part(values[-1]))
        values.append(y)
        total: Any = 0
        dims = self.domain.event_dim
        for part, a, b in zip(self.parts, values[:-1], values[1:], strict=True):
            total = total + sum_rightmost(part.log_abs_det_jacobian(a, b), dims - part.domain.event_dim)
            dims += part.codomain.event_dim - part.domain.event_dim
        return total

    def forward_shape(self, shape: Any) -> Any:
        for part in self.parts:
            shape = part.forward_shape(shape)
        return shape

    def inverse_shape(self, shape: Any) -> Any:
        for part in reversed(self.parts):
            shape = part.inverse_shape(shape)
        return shape

    def __repr__(self) -> str:
        return "ComposeTransform(\n    " + ",\n    ".join(repr(p) for p in self.parts) + "\n)"


identity_transform = ComposeTransform([])


class IndependentTransform(Transform):
    """A map whose stretch is summed over further dimensions."""

    def __init__(self, base_transform: Transform, reinterpreted_batch_ndims: int, cache_size: Any = 0) -> None:
        super().__init__(cache_size)
        self.base_transform = base_transform.with_cache(cache_size)
        self.reinterpreted_batch_ndims = reinterpreted_batch_ndims

    def with_cache(self, cache_size: int = 1) -> Transform:
        if self._cache_size == cache_size:
            return self
        return IndependentTransform(self.base_transform, self.reinterpreted_batch_ndims, cache_size)

    domain = property(lambda self: constraints.independent(self.base_transform.domain, self.reinterpreted_batch_ndims))  # type: ignore[assignment]
    codomain = property(
        lambda self: constraints.independent(self.base_transform.codomain, self.reinterpreted_batch_ndims)
    )  # type: ignore[assignment]
    bijective = property(lambda self: self.base_transform.bijective)  # type: ignore[assignment]

    @property
    def sign(self) -> Any:
        return self.base_transform.sign

    def _call(self, x: Tensor) -> Tensor:
        if x.dim() < self.domain.event_dim:
            raise ValueError("Too few dimensions on input")
        return self.base_transform(x)

    def _inverse(self, y: Tensor) -> Tensor:
        if y.dim() < self.codomain.event_dim:
            raise ValueError("Too few dimensions on input")
        return self.base_transform.inv(y)

    def log_abs_det_jacobian(self, x: Tensor, y: Any) -> Tensor:
        return sum_rightmost(self.base_transform.log_abs_det_jacobian(x, y), self.reinterpreted_batch_ndims)

    def __repr__(self) -> str:
        return f"IndependentTransform({self.base_transform!r}, {self.reinterpreted_batch_ndims})"


class ReshapeTransform(Transform):
    """The last dimensions in another shape."""

    bijective = True

    def __init__(self, in_shape: Any, out_shape: Any, cache_size: int = 0) -> None:
        self.in_shape, self.out_shape = Size(in_shape), Size(out_shape)
        if self.in_shape.numel() != self.out_shape.numel():
            raise ValueError("in_shape, out_shape have different numbers of elements")
        super().__init__(cache_size)

    domain = property(lambda self: constraints.independent(constraints.real, len(self.in_shape)))  # type: ignore[assignment]
    codomain = property(lambda self: constraints.independent(constraints.real, len(self.out_shape)))  # type: ignore[assignment]

    def with_cache(self, cache_size: int = 1) -> Transform:
        return self if self._cache_size == cache_size else ReshapeTransform(self.in_shape, self.out_shape, cache_size)

    def _batch(self, shape: Any, inner: Size) -> Any:
        """What stands before the dimensions `inner` of a shape; ValueError unless it ends with them, and is a tuple."""
        at_least(len(inner), shape)
        n = len(shape) - len(inner)
        if not isinstance(shape, tuple) or shape[n:] != inner:
            raise ValueError(f"Shape mismatch: expected {shape[n:]} but got {inner}")
        return shape[:n]

    # Of tensors the sizes are not looked at: whether the elements fit is for `reshape` to say.

    def _call(self, x: Tensor) -> Tensor:
        return x.reshape((*x.shape[: x.dim() - len(self.in_shape)], *self.out_shape))

    def _inverse(self, y: Tensor) -> Tensor:
        return y.reshape((*y.shape[: y.dim() - len(self.out_shape)], *self.in_shape))

    def log_abs_det_jacobian(self, x: Tensor, y: Any) -> Tensor:
        return x.new_zeros(x.shape[: x.dim() - len(self.in_shape)])

    def forward_shape(self, shape: Any) -> Any:
        return Size((*self._batch(shape, self.in_shape), *self.out_shape))

    def inverse_shape(self, shape: Any) -> Any:
        return Size((*self._batch(shape, self.out_shape), *self.in_shape))


class _OfOneNumber(Transform):
    """A rising map of single numbers."""

    domain = constraints.real
    bijective = True
    sign = 1  # type: ignore[assignment]

    def __eq__(self, other: object) -> bool:
        return type(other) is type(self)

    __hash__ = object.__hash__


class ExpTransform(_OfOneNumber):
    """y = eˣ."""

    codomain = constraints.positive

    def _call(self, x: Tensor) -> Tensor:
        return exp(x)

    def _inverse(self, y: Tensor) -> Tensor:
        return log(y)

    def log_abs_det_jacobian(self, x: Tensor, y: Any) -> Tensor:
        return x


class PowerTransform(Transform):
    """y = x^exponent of positive numbers."""

    domain = codomain = constraints.positive
    bijective = True

    def __init__(self, exponent: Any, cache_size: int = 0) -> None:
        super().__init__(cache_size)
        (self.exponent,) = broadcast_all(exponent)

    @property
    def sign(self) -> Any:
        return self.exponent.sign() if isinstance(self.exponent, Tensor) else math.copysign(1, self.exponent)

    def with_cache(self, cache_size: int = 1) -> Transform:
        return self if self._cache_size == cache_size else PowerTransform(self.exponent, cache_size)

    def forward_shape(self, shape: Any) -> Any:
        return _broadcast(shape, getattr(self.exponent, "shape", ()))

    inverse_shape = forward_shape

    def _call(self, x: Tensor) -> Tensor:
        return x.pow(self.exponent)

    def _inverse(self, y: Tensor) -> Tensor:
        return y.pow(1 / self.exponent)

    def log_abs_det_jacobian(self, x: Tensor, y: Tensor) -> Tensor:
        return log((self.exponent * y / x).abs())


class SigmoidTransform(_OfOneNumber):
    """y = 1 / (1 + e⁻ˣ)."""

    codomain = constraints.unit_interval

    def _call(self, x: Tensor) -> Tensor:
        return _clamped_sigmoid(x)

    def _inverse(self, y: Tensor) -> Tensor:
        info = dtypes.finfo(y.dtype)
        y = clamp(y, min=info.tiny, max=1.0 - info.eps)
        return log(y) - log1p(-y)

    def log_abs_det_jacobian(self, x: Tensor, y: Any) -> Tensor:
        return -softplus(-x) - softplus(x)


class SoftplusTransform(_OfOneNumber):
    """y = ln(1 + eˣ)."""

    codomain = constraints.positive

    def _call(self, x: Tensor) -> Tensor:
        return softplus(x)

    def _inverse(self, y: Tensor) -> Tensor:
        return log(-expm1(-y)) + y

    def log_abs_det_jacobian(self, x: Tensor, y: Any) -> Tensor:
        return -softplus(-x)


class TanhTransform(_OfOneNumber):
    """y = tanh x."""

    codomain = constraints.interval(-1.0, 1.0)

    def _call(self, x: Tensor) -> Tensor:
        return tanh(x)

    def _inverse(self, y: Tensor) -> Tensor:
        return y.atanh()

    def log_abs_det_jacobian(self, x: Tensor, y: Any) -> Tensor:
        return 2.0 * (math.log(2.0) - x - softplus(-2.0 * x))


class AbsTransform(Transform):
    """y = |x|, which has no inverse: x = y is taken."""

    _of_numbers = True
    domain = constraints.real
    codomain = constraints.positive

    def _call(self, x: Tensor) -> Tensor:
        return x.abs()

    def _inverse(self, y: Tensor) -> Tensor:
        return y

    def __eq__(self, other: object) -> bool:
        return isinstance(other, AbsTransform)

    __hash__ = object.__hash__


class AffineTransform(Transform):
    """y = loc + scale · x. event_dim: how many dimensions belong to a value."""

    bijective = True
    _of_numbers = True

    def __init__(self, loc: Any, scale: Any, event_dim: int = 0, cache_size: int = 0) -> None:
        super().__init__(cache_size)
        refuse("AffineTransform", {"loc": loc, "scale": scale})
        self.loc, self.scale, self._event_dim = loc, scale, event_dim

    @property
    def event_dim(self) -> int:
        return self._event_dim

    @property
    def domain(self) -> Any:  # type: ignore[override]
        return constraints.independent(constraints.real, self._event_dim) if self._event_dim else constraints.real

    codomain = domain  # type: ignore[assignment]

    @property
    def sign(self) -> Any:
        return self.scale.sign() if isinstance(self.scale, Tensor) else (self.scale > 0) - (self.scale < 0)

    def with_cache(self, cache_size: int = 1) -> Transform:
        if self._cache_size == cache_size:
            return self
        return AffineTransform(self.loc, self.scale, self._event_dim, cache_size)

    def forward_shape(self, shape: Any) -> Any:
        return _broadcast(shape, getattr(self.loc, "shape", ()), getattr(self.scale, "shape", ()))

    inverse_shape = forward_shape

    def _call(self, x: Tensor) -> Tensor:
        return self.loc + self.scale * x

    def _inverse(self, y: Tensor) -> Tensor:
        return (y - self.loc) / self.scale

    def log_abs_det_jacobian(self, x: Tensor, y: Any) -> Tensor:
        if isinstance(self.scale, Tensor):
            result = log(self.scale.abs())
        else:
            result = x.new_full(x.shape, math.log(abs(self.scale)))
        kept = x.shape
        if self._event_dim:
            result = result.reshape((*result.shape[: max(result.dim() - self._event_dim, 0)], -1)).sum(-1)
            kept = kept[: -self._event_dim]
        return result.expand(kept)


class SoftmaxTransform(Transform):
    """y = softmax x, which has no inverse: x = ln y is taken."""

    domain = constraints.real_vector
    codomain = constraints.simplex

    def _call(self, x: Tensor) -> Tensor:
        e = exp(x - x.max(-1, True).values)
        return e / e.sum(-1, True)

    def _inverse(self, y: Tensor) -> Tensor:
        return log(y)

    def forward_shape(self, shape: Any) -> Any:
        at_least(1, shape)
        return shape

    inverse_shape = forward_shape

    def __eq__(self, other: object) -> bool:
        return isinstance(other, SoftmaxTransform)

    __hash__ = object.__hash__


class StickBreakingTransform(Transform):
    """Vectors of n numbers to points of the simplex of n + 1: each takes its part of what the ones before have left."""

    domain = constraints.real_vector
    codomain = constraints.simplex
    bijective = True

    def _offset(self, n: int, x: Tensor) -> Tensor:
        left = x.new_ones((n,)).cumsum(-1)
        return log(n + 1 - left)

    def _call(self, x: Tensor) -> Tensor:
        z = _clamped_sigmoid(x - self._offset(x.shape[-1], x))
        return pad(z, [0, 1], value=1) * pad(cumprod(1 - z, -1), [1, 0], value=1)

    def _inverse(self, y: Tensor) -> Tensor:
        n = y.shape[-1] - 1
        head = y[..., :-1]
        left = clamp(1 - head.cumsum(-1), min=dtypes.finfo(y.dtype).tiny)
        return log(head) - log(left) + self._offset(n, y)

    def log_abs_det_jacobian(self, x: Tensor, y: Tensor) -> Tensor:
        x = x - self._offset(x.shape[-1], x)
        return (-x - softplus(-x) + log(y[..., :-1])).sum(-1)

    def forward_shape(self, shape: Any) -> Any:
        (n,) = last_sizes(1, shape, Tensor)
        return shape[:-1] + (n + 1,)  # noqa: RUF005  of a list Python says so

    def inverse_shape(self, shape: Any) -> Any:
        (n,) = last_sizes(1, shape, Tensor)
        return shape[:-1] + (n - 1,)  # noqa: RUF005  of a list Python says so

    def __eq__(self, other: object) -> bool:
        return isinstance(other, StickBreakingTransform)

    __hash__ = object.__hash__


def _clamped_sigmoid(x: Tensor) -> Tensor:
    info = dtypes.finfo(x.dtype)
    return clamp(sigmoid(x), min=info.tiny, max=1.0 - info.eps)
