"""Random tensors, drawn from PyTorch's stream (`random.py`): the same seed gives the same numbers."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any, Unpack

import numpy as np

from . import dtypes, inplace, memory_order, random
from .autograd.fused import at_hand, compiled_form
from .autograd.variable import Variable, wrap
from .ops.operands import Flat, undifferentiable
from .random import Generator
from .tensor_options import NOT_GIVEN, FormatOptions, TensorOptions, leaf, read, read_pattern, read_size, whole

if TYPE_CHECKING:
    from .tensor import Tensor

__all__ = [
    "bernoulli", "get_rng_state", "multinomial", "normal", "rand", "rand_like", "randint", "randint_like", "randn",
    "randn_like", "randperm", "set_rng_state",
]  # fmt: skip


def _fast_swaps(n: int) -> Callable[[np.ndarray], np.ndarray] | None:
    """The compiled form of random.swapped. A swap in Python costs as much as some eight elements in a pass of NumPy's, and
    where compiled loops are at hand already, nothing is to be loaded for a short one."""
    return compiled_form("swaps.swapped", n * (1 << 10 if at_hand() else 8), 64 * n)


def _fast_pairs(n: int) -> Callable[[np.ndarray, np.ndarray], np.ndarray] | None:
    """The compiled form of Box and Muller's pairs: in NumPy some forty passes, whose calls alone take longer than 1,000 numbers."""
    return compiled_form("pairs.box_muller", n * (1 << 12 if at_hand() else 2), 4 * n)


random.fast_swaps = _fast_swaps
random.fast_pairs = _fast_pairs


def _stream(generator: Generator | None) -> Generator:
    return random.default_generator if generator is None else generator


def _floating(name: str, d: np.dtype) -> np.dtype:
    if d.kind != "f":
        raise NotImplementedError(f"\"{name}\" not implemented for '{dtypes.cxx_name(d)}'; give a floating dtype")
    return d


def get_rng_state() -> Tensor:
    """The state of the default generator as bytes. PyTorch: torch.get_rng_state."""
    return wrap(random.default_generator.get_state())


def set_rng_state(new_state: Any) -> None:
    """Put the default generator into a state that `get_rng_state` gave, in either engine. PyTorch: torch.set_rng_state."""
    random.default_generator.set_state(new_state.array if isinstance(new_state, Variable) else new_state)


# -- new tensors


def rand(
    *sizes: Any, size: Any = NOT_GIVEN, generator: Generator | None = None, **options: Unpack[TensorOptions]
) -> Tensor:
    """Uniform in [0, 1). PyTorch: torch.rand."""
    d, requires_grad = read("rand", options, dtypes.default_numpy())
    return leaf(_uniform(read_size("rand", sizes, size), d, generator), requires_grad)


def randn(
    *sizes: Any, size: Any = NOT_GIVEN, generator: Generator | None = None, **options: Unpack[TensorOptions]
) -> Tensor:
    """Standard normal. PyTorch: torch.randn."""
    d, requires_grad = read("randn", options, dtypes.default_numpy())
    return leaf(_normal(read_size("randn", sizes, size), d, generator), requires_grad)


def rand_like(input: Tensor, *, generator: Generator | None = None, **options: Unpack[FormatOptions]) -> Tensor:
    """Uniform in [0, 1), in the shape and type of input. PyTorch: torch.rand_like."""
    pattern, requires_grad = read_pattern("rand_like", input, options)
    return leaf(random.in_order_of(pattern, lambda shape: _uniform(shape, pattern.dtype, generator)), requires_grad)


def randn_like(input: Tensor, *, generator: Generator | None = None, **options: Unpack[FormatOptions]) -> Tensor:
    """Standard normal, in the shape and type of input. PyTorch: torch.randn_like."""
    pattern, requires_grad = read_pattern("randn_like", input, options)
    if not pattern.flags.c_contiguous:  # the result lies as dense as it can, in the order of input's dimensions
        pattern = memory_order.empty_like(pattern, pattern.dtype)
    return leaf(
        random.in_order_of(pattern, lambda shape: _normal(shape, pattern.dtype, generator, like=pattern)), requires_grad
    )


def _uniform(
    shape: tuple[int, ...], d: np.dtype, generator: Generator | None, low: Any = 0.0, high: Any = 1.0
) -> np.ndarray:
    return _stream(generator).uniform(shape, _floating("check_uniform_bounds", d), low, high)


def _normal(
    shape: tuple[int, ...], d: np.dtype, generator: Generator | None, mean: Any = 0.0, std: Any = 1.0,
    like: np.ndarray | None = None,
) -> np.ndarray:  # fmt: skip
    """like: the array that the numbers are for, where its memory may have another order than its indices."""
    in_pairs = like is not None and not like.flags.c_contiguous
    return _stream(generator).normal(shape, _floating("normal_kernel_cpu", d), mean, std, in_pairs)


def _integers(low: Any, high: Any, shape: tuple[int, ...], d: np.dtype, generator: Generator | None) -> np.ndarray:
    if low >= high:
        raise RuntimeError(f"random_ expects 'from' to be less than 'to', but got from={low} >= to={high}")
    return _stream(generator).random(shape, d, int(low), int(high))


def randint(
    low: int = 0, high: int | Sequence[int] | None = None, size: Sequence[int] | None = None, *, generator: Generator | None = None,
    **options: Unpack[TensorOptions],
) -> Tensor:  # fmt: skip
    """Integers in [low, high), int64 unless a dtype is given; `randint(high, size)` starts at 0. PyTorch: torch.randint."""
    d, requires_grad = read("randint", options, np.dtype(np.int64))
    if size is None:  # randint(high, size)
        low, high, size = 0, low, high  # type: ignore[assignment]  # checked below
    elif high is None:
        low, high = 0, low
    if isinstance(size, int) or size is None:
        raise TypeError(f"randint(): argument 'size' must be tuple of ints, not {type(size).__name__}")
    if not isinstance(high, int):
        raise TypeError(f"randint(): argument 'high' must be int, not {type(high).__name__}")
    return leaf(_integers(low, high, read_size("randint", (), size), d, generator), requires_grad)


_UNGIVEN: Any = object()  # in the place of a number that None would not stand for


def randint_like(
    input: Tensor, low: int = _UNGIVEN, high: int = _UNGIVEN, *, generator: Generator | None = None,
    **options: Unpack[FormatOptions],
) -> Tensor:  # fmt: skip
    """Integers in [low, high), or with one number in [0, it), in the shape and type of input. PyTorch: torch.randint_like."""
    if low is _UNGIVEN and high is _UNGIVEN:
        raise TypeError('randint_like() missing 1 required positional arguments: "high"')
    pattern, requires_grad = read_pattern("randint_like", input, options)
    if high is _UNGIVEN or low is _UNGIVEN:
        low, high = 0, low if high is _UNGIVEN else high
    return leaf(
        random.in_order_of(pattern, lambda shape: _integers(low, high, shape, pattern.dtype, generator)), requires_grad
    )


def randperm(n: int, *, generator: Generator | None = None, **options: Unpack[TensorOptions]) -> Tensor:
    """The numbers 0 to n - 1 in random order. PyTorch: torch.randperm."""
    d, requires_grad = read("randperm", options, np.dtype(np.int64))
    if n < 0:
        raise RuntimeError(f"n must be non-negative, got {n}")
    return leaf(_stream(generator).randperm(n, d), requires_grad)


class Normal(Flat):
    """out = the numbers that were drawn.  d mean = d std = 0"""


class Bernoulli(Flat):
    """out = the numbers that were drawn.  dp = 0"""


def normal(
    mean: Tensor | float,
    std: Tensor | float = 1.0,
    size: Sequence[int] | None = None,
    *,
    generator: Generator | None = None,
    **options: Unpack[TensorOptions],
) -> Tensor:
    """Normal with mean and std: numbers, with a size and options, or tensors, element by element. PyTorch: torch.normal."""
    if not isinstance(mean, Variable) and not isinstance(std, Variable):
        d, requires_grad = read("normal", options, dtypes.default_numpy())
        if size is None:
            raise TypeError("normal(): with numbers for mean and std, a size is needed: normal(mean, std, size)")
        return leaf(_normal(read_size("normal", (), size), d, generator, mean, std), requires_grad)
    if size is not None or options:
        given = "size" if size is not None else next(iter(options))
        raise TypeError(f"normal(): with a tensor for mean or std, '{given}' is as in the tensor; leave it out")
    means: Any = getattr(mean, "array", mean)
    stds: Any = getattr(std, "array", std)
    kind = means if isinstance(mean, Variable) else stds  # of which type the numbers are
    if kind.dtype.kind != "f":
        raise NotImplementedError(
            f"\"normal_kernel_cpu\" not implemented for '{dtypes.cxx_name(kind.dtype)}'; give floats"
        )
    if np.any(np.asarray(stds) < 0):
        raise RuntimeError("normal expects all elements of std >= 0.0")
    if isinstance(mean, Variable) and not isinstance(std, Variable):
        drawn = np.asarray(_normal(means.shape, means.dtype, generator) * means.dtype.type(stds) + means)
        return Normal.apply(drawn, mean)
    shape = np.broadcast_shapes(np.shape(means), np.shape(stds))
    drawn = np.asarray(_normal(shape, kind.dtype, generator) * stds + means).astype(kind.dtype)
    return Normal.apply(drawn, *(x for x in (mean, std) if isinstance(x, Variable)))


def bernoulli(input: Tensor, p: float | None = None, *, generator: Generator | None = None) -> Tensor:
    """1 with the probability given by each element of input (or p), else 0. PyTorch: torch.bernoulli."""
    if p is None:
        _floating("bernoulli_tensor_cpu_p_", input.array.dtype)
        probabilities = input.array
        if probabilities.size and not ((probabilities >= 0) & (probabilities <= 1)).all():
            raise RuntimeError(
                "Expected p_in >= 0 && p_in <= 1 to be true, but got false: probabilities lie between 0 and 1"
            )
        return Bernoulli.apply(
            _stream(generator).bernoulli(probabilities.shape, probabilities.dtype, probabilities), input
        )
    return undifferentiable("bernoulli", _stream(generator).bernoulli(input.array.shape, input.array.dtype, p), input)


def multinomial(
    input: Tensor, num_samples: int, replacement: bool = False, *, generator: Generator | None = None
) -> Tensor:
    """num_samples categories for each row of weights, with or without putting them back. PyTorch: torch.multinomial."""
    return wrap(_stream(generator).multinomial(input.array, num_samples, replacement))


# -- in place (methods of a tensor)


def _fill(self: Tensor, name: str, draw: Callable[[tuple[int, ...]], np.ndarray]) -> Tensor:
    """Set the elements to `draw(shape)`, in the order in which they lie in memory."""
    return inplace.overwrite(self, lambda: random.in_order_of(self.array, draw), name + "Backward0")


def uniform_(self: Tensor, from_: float = 0, /, to: float = 1, *, generator: Generator | None = None) -> Tensor:
    """Fill with uniform numbers in [from, to). PyTorch: torch.Tensor.uniform_."""
    return _fill(self, "Uniform", lambda shape: _uniform(shape, self.array.dtype, generator, from_, to))


def normal_(self: Tensor, mean: float = 0, std: float = 1, *, generator: Generator | None = None) -> Tensor:
    """Fill with normal numbers. PyTorch: torch.Tensor.normal_."""
    return _fill(self, "Normal", lambda shape: _normal(shape, self.array.dtype, generator, mean, std, like=self.array))


def bernoulli_(self: Tensor, p: float | Tensor = 0.5, *, generator: Generator | None = None) -> Tensor:
    """Fill with 1 with probability p, else 0. PyTorch: torch.Tensor.bernoulli_."""
    if not isinstance(p, Variable):
        return _fill(self, "Bernoulli", lambda shape: _stream(generator).bernoulli(shape, self.array.dtype, p))
    try:
        chance = np.broadcast_to(p.array, self.array.shape)
    except ValueError:
        raise RuntimeError(
            f"bernoulli_(): p of shape {list(p.array.shape)} does not expand to {list(self.array.shape)}"
        ) from None
    order = memory_order.dimensions(self.array)
    return _fill(
        self, "Bernoulli", lambda shape: _stream(generator).bernoulli(shape, self.array.dtype, chance.transpose(order))
    )


def random_(self: Tensor, *bounds: Any, generator: Generator | None = None) -> Tensor:
    """Fill with integers: `random_()`, `random_(high)`, `random_(low, high)`. PyTorch: torch.Tensor.random_."""
    if len(bounds) > 2:
        raise TypeError(f"random_() takes 2 positional arguments but {len(bounds)} were given")
    if any(whole(bound) is None for bound in bounds):
        raise TypeError(f"random_(): its bounds must be ints, not {', '.join(type(b).__name__ for b in bounds)}")
    numbers = tuple(map(whole, bounds))
    low, high = (None, None) if not numbers else (0, numbers[0]) if len(numbers) == 1 else numbers
    return _fill(self, "Random", lambda shape: _stream(generator).random(shape, self.array.dtype, low, high))


def exponential_(self: Tensor, lambd: float = 1, *, generator: Generator | None = None) -> Tensor:
    """Fill with exponentially distributed numbers. PyTorch: torch.Tensor.exponential_."""
    return _fill(self, "Exponential", lambda shape: _stream(generator).exponential(shape, self.array.dtype, lambd))


def cauchy_(self: Tensor, median: float = 0, sigma: float = 1, *, generator: Generator | None = None) -> Tensor:
    """Fill with Cauchy distributed numbers. PyTorch: torch.Tensor.cauchy_."""
    return _fill(self, "Cauchy", lambda shape: _stream(generator).cauchy(shape, self.array.dtype, median, sigma))


def log_normal_(self: Tensor, mean: float = 1, std: float = 2, *, generator: Generator | None = None) -> Tensor:
    """Fill with the exponentials of normal numbers. PyTorch: torch.Tensor.log_normal_."""
    return _fill(self, "LogNormal", lambda shape: _stream(generator).log_normal(shape, self.array.dtype, mean, std))


def geometric_(self: Tensor, p: float, *, generator: Generator | None = None) -> Tensor:
    """Fill with geometrically distributed numbers. PyTorch: torch.Tensor.geometric_."""
    return _fill(self, "Geometric", lambda shape: _stream(generator).geometric(shape, self.array.dtype, p))
