"""PyTorch's random stream: the same seed gives the same numbers.

A `Generator` is the Mersenne Twister MT19937, which puts out whole 32-bit numbers r0, r1, r2, ... Every draw is
arithmetic on the next few of them, taken in order, so two engines that agree on *how many* each draw takes, and on
what it does with them, stay in step through a whole training run: initial weights, shuffled batches, dropout masks.
Here is the whole stream. Two uniform numbers are the base of all the rest:

    u24 = (r & (2^24 - 1)) * 2^-24                                     one output,  a float32 in [0, 1)
    u53 = (w & (2^53 - 1)) * 2^-53,  w = r0 * 2^32 + r1                two outputs, a float64 in [0, 1)

    draw                          outputs taken, for n elements        an element's value
    ----------------------------  -----------------------------------  ---------------------------------------------
    uniform, float32 and float16  n                                    u24 * (high - low) + low
    uniform, float64              2n                                   u53 * (high - low) + low
    normal, n < 16                4 a pair; the second of a pair       r = sqrt(-2 log(1 - u53')), t = 2 pi u53:
                                  waits for the next such draw         r cos t, then r sin t; computed in float64
    normal, n >= 16               n u24 (float64: u53), and 16 more    in each group of 16, a = 1 - u[:8], b = u[8:]:
                                  if n % 16: they redo the last 16     sqrt(-2 log a) * (cos 2 pi b, sin 2 pi b)
    normal, float16, n >= 16      n rounded up to a multiple of 16     as float32, then rounded
    random, at most 2^28 - 1 int  n                                    low + r % (high - low)
    random, more integers         2n                                   low + w % (high - low)
    random without bounds         n; int64, float64: 2n                r or w % (largest number of the dtype + 1)
    randperm(n)                   n - 1                                for i = 0, 1, ...: swap i and i + r % (n - i)
    bernoulli, a number p         2n                                   u53 < p
    bernoulli, an array p         n; p in float64: 2n                  u24 < p; u53 < p
    dropout_mask(p)               2n; none if p is 0 or 1              (u53 < 1 - p) / (1 - p)
    exponential                   2n                                   -log(1 - u53) / rate
    geometric                     2n                                   ceil(log(u53) / log(1 - p))
    cauchy                        2n                                   median + sigma tan(pi (u53 - 1/2))
    log_normal                    as normal with n < 16, for every n   exp(normal)
    multinomial, one sample, or   as exponential of p's shape          the largest of p / exponential
      without replacement
    multinomial, with replacement 2 a sample, row by row               first category with cumulative p >= u53

`random_split` takes one `randperm`. Each epoch of `DataLoader(shuffle=True)` takes two `random((), int64)`, the loader's
seed and the sampler's, whose own generator then makes the `randperm`. Given a generator, it takes from that one the
loader's seed, the `randperm`, and at the end of the epoch a second `randperm` of which nothing is used.

To the bit means to the rounding: PyTorch computes `x * scale + shift` with one rounding (the CPU's fused multiply-add),
and the float32 logarithm, sine and cosine behind `randn` by polynomials of its own. Both are reproduced below. The
reference is PyTorch 2.13 on an x86 CPU with AVX2, which nearly all have; on others PyTorch itself differs from that in
the last bits, while the outputs taken are the same. Older releases differ in a few draws: they take one output for each element
for up to 2^32 integers, fill float16 otherwise, and draw `bernoulli` with a number p through Intel's MKL on Intel CPUs.

Everything here works on NumPy arrays. `minigrad/sampling.py` makes tensors of them.

Source: M. Matsumoto and T. Nishimura, "Mersenne Twister" (ACM TOMACS, 1998); G. E. P. Box and M. E. Muller, "A note on
the generation of random normal deviates" (1958); PyTorch: torch.Generator, torch.Tensor.random_ and its neighbours.
"""

from __future__ import annotations

import functools
import math
import os
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import numpy as np

from . import memory_order
from .device import device as _device
from .quiet import quiet
from .selection import first_of_order

__all__ = ["Generator", "default_generator", "fork_rng", "initial_seed", "manual_seed", "seed"]

_BLOCK = 1 << 15  # elements worked on at a time, so that temporaries stay in the cache; a multiple of 16

# The bytes of `get_state()`, PyTorch's own: a state saved by one engine can be loaded by the other.
_STATE = np.dtype(
    [
        ("initial_seed", "<u8"),
        ("left", "<i4"),  # outputs until `key` is renewed, plus 1
        ("seeded", "<i4"),
        ("next", "<u8"),  # index in `key` of the next output
        ("key", "<u8", 624),  # 32-bit words, for historical reasons stored in 64 bits each
        ("normal_x", "<f8"),  # not used
        ("normal_y", "<f8"),  # the second number of a pair of normal ones, waiting
        ("normal_rho", "<f8"),  # not used
        ("normal_is_valid", "<i4"),  # is there one waiting?
        ("padding", "V4"),
        ("float_normal", "<f4"),  # as normal_y, for other devices
        ("float_normal_is_valid", "u1"),
        ("padding2", "V3"),
    ]
)


class Generator:
    """A source of random numbers with a state of its own. PyTorch: torch.Generator.

    `device` can only be the CPU. A new generator is seeded with PyTorch's default seed, 67280421310721.
    The methods without counterpart in PyTorch draw arrays; the module's docstring tabulates them.
    """

    def __init__(self, device: Any = "cpu") -> None:
        if str(device).partition(":")[0] != "cpu":
            raise RuntimeError(
                f"minigrad draws random numbers on the CPU only: Generator(device='cpu'), got '{device}'"
            )
        self._initial_seed = 67280421310721
        self._fresh = True  # nothing drawn yet: PyTorch's state says `next = 0` then, but 624 whenever `key` is used up
        self._next_normal: float | None = None

    # Made when first used: importing numpy.random takes long, and many programs draw nothing.
    @functools.cached_property
    def _engine(self) -> Any:
        engine = np.random.MT19937(0)
        np.random.RandomState(engine).seed(self._initial_seed % 2**32)
        return engine

    @functools.cached_property
    def _seeder(self) -> Any:
        """Seeds the engine as PyTorch does."""
        return np.random.RandomState(self._engine)

    @property
    def device(self) -> Any:
        """`device(type='cpu')`."""
        return _device("cpu")

    # Seed and state

    def manual_seed(self, seed: int) -> Generator:
        """Start the stream of `seed`, an integer in [-2^63, 2^64). Negative ones mean `seed + 2^64`.

        Only the low 32 bits choose the stream: seeds 0 and 2^32 give the same numbers, in PyTorch too.
        """
        if type(seed) is not int:
            raise RuntimeError(f"manual_seed expected a long, but got {type(seed).__name__}; give it int(seed)")
        if not -(2**63) <= seed < 2**64:
            raise ValueError(f"Overflow when unpacking long long: manual_seed wants -2**63 <= seed < 2**64, got {seed}")
        self._initial_seed = seed % 2**64
        if "_engine" in self.__dict__:
            self._seeder.seed(self._initial_seed % 2**32)
        self._fresh = True
        self._next_normal = None
        return self

    def seed(self) -> int:
        """Seed with a number from the operating system, and return it."""
        seed = int.from_bytes(os.urandom(8), "little")
        self.manual_seed(seed)
        return seed

    def initial_seed(self) -> int:
        """The seed that the stream was last started with, in [0, 2^64)."""
        return self._initial_seed

    def get_state(self) -> np.ndarray:
        """The state as 5056 uint8, in PyTorch's layout: `set_state` of either engine takes it."""
        engine: Any = self._engine.state["state"]
        state = np.zeros((), _STATE)
        state["initial_seed"] = self._initial_seed
        state["left"] = 625 - engine["pos"]
        state["seeded"] = 1
        state["next"] = 0 if self._fresh else engine["pos"]
        state["key"] = engine["key"]
        if self._next_normal is not None:
            state["normal_y"], state["normal_is_valid"] = self._next_normal, 1
        return np.frombuffer(state.tobytes(), np.uint8).copy()

    def set_state(self, new_state: Any) -> None:
        """Go on where the generator stood that `new_state`, 5056 uint8, was taken from."""
        array = np.asarray(new_state)
        if array.dtype != np.uint8:
            kind = type(new_state).__name__
            raise TypeError(
                f"RNG state must be a torch.ByteTensor, the result of get_state(); got {kind} of {array.dtype}"
            )
        if array.size != _STATE.itemsize:
            raise RuntimeError(
                f"Expected a CPUGeneratorImplState of size {_STATE.itemsize} but found the input RNG state size to be "
                f"{array.size}; give it the result of get_state()"
            )
        state = np.frombuffer(array.tobytes(), _STATE)[0]
        left, position = int(state["left"]), int(state["next"])
        if not (state["seeded"] == 1 and 1 <= left <= 624 and position <= 624):
            raise RuntimeError("Invalid mt19937 state: not the result of a get_state()")
        key = state["key"].astype(np.uint32)
        self._engine.state = {"bit_generator": "MT19937", "state": {"key": key, "pos": 624 if left == 1 else position}}
        self._initial_seed = int(state["initial_seed"])
        self._fresh = position == 0
        self._next_normal = float(state["normal_y"]) if state["normal_is_valid"] else None

    def clone_state(self) -> Generator:
        """A second generator in the same state."""
        other = Generator()
        other.set_state(self.get_state())
        return other

    def __getstate__(self) -> np.ndarray:  # copy and pickle
        return self.get_state()

    def __setstate__(self, state: np.ndarray) -> None:
        Generator.__init__(self)
        self.set_state(state)

    # The two uniform numbers

    def _raw32(self, n: int) -> np.ndarray:
        """The next n outputs of the engine, as uint64."""
        if n:
            self._fresh = False
        return self._engine.random_raw(n)

    def _raw64(self, n: int) -> np.ndarray:
        """n 64-bit numbers of two outputs each, the high half first."""
        raw = self._raw32(2 * n)
        high = raw[0::2]
        high <<= 32
        return high | raw[1::2]

    def _u24(self, n: int) -> np.ndarray:
        raw = self._raw32(n)
        raw &= 2**24 - 1
        return raw.astype(np.float32) * np.float32(2.0**-24)

    def _u53(self, n: int) -> np.ndarray:
        raw = self._raw64(n)
        raw &= 2**53 - 1
        return raw * 2.0**-53

    @staticmethod
    def _fill(shape: Sequence[int], dtype: Any, draw: Callable[[int], np.ndarray]) -> np.ndarray:
        """A new array of draws: `draw(k)` gives the next k elements."""
        out = np.empty(shape, dtype)
        flat = out.reshape(-1)
        for start in range(0, flat.size, _BLOCK):
            block = flat[start : start + _BLOCK]
            block[...] = draw(block.size)
        return out

    # Floating-point draws

    @quiet
    def uniform(self, shape: Sequence[int], dtype: Any, low: float = 0.0, high: float = 1.0) -> np.ndarray:
        """Uniform in [low, high). PyTorch: torch.rand, torch.Tensor.uniform_."""
        dtype = _float_dtype("uniform", dtype)
        limit = float(np.finfo(dtype).max)
        for name, bound in (("from", low), ("to", high)):
            if not -limit <= bound <= limit:
                raise RuntimeError(
                    f"{name} is out of bounds for {dtype}: uniform wants finite bounds, got {name}={bound:g}"
                )
        if low > high:
            raise RuntimeError(
                f"uniform_ expects to return a [from, to) range, but found from={low:g} > to={high:g}; swap them"
            )
        if high - low > limit:
            raise RuntimeError(
                f"uniform_ expects to-from <= {limit:g}, the largest {dtype}, but found to={high:g} and from={low:g}"
            )
        double = dtype == np.float64
        work = np.float64 if double else np.float32
        draw = self._u53 if double else self._u24
        shift = work(low)
        scale = work(high) - shift
        first, end = dtype.type(low), dtype.type(high)

        def values(n: int) -> np.ndarray:
            value = _scale_shift(draw(n), scale, shift).astype(dtype, copy=False)
            value[value == end] = first  # rounding can reach `high`, which is outside
            return value

        return self._fill(shape, dtype, values)

    @quiet
    def normal(
        self, shape: Sequence[int], dtype: Any, mean: float = 0.0, std: float = 1.0, in_pairs: bool = False
    ) -> np.ndarray:
        """Normally distributed. PyTorch: torch.randn, torch.Tensor.normal_.

        in_pairs: one pair after the other, as PyTorch fills a tensor whose memory has another order than its indices.
        """
        dtype = _float_dtype("normal", dtype)
        if not std >= 0:
            raise RuntimeError(f"normal expects std >= 0.0, but found std {std:g}")
        n = math.prod(shape)
        if n < 16 or in_pairs:
            return _narrow(_scale_shift(self._paired_normals(n), std, mean), dtype).reshape(shape)

        double = dtype == np.float64
        work = np.float64 if double else np.float32
        draw, transform = (self._u53, _box_muller_64) if double else (self._u24, _box_muller_32)
        scale, shift = work(std), work(mean)

        def values(count: int) -> np.ndarray:  # count % 16 == 0
            u = draw(count).reshape(-1, 2, 8)
            pairs = transform if double else fast_pairs(count) or transform
            return _scale_shift(pairs(1 - u[:, 0], u[:, 1]).reshape(-1), scale, shift)

        out = np.empty(n, dtype)
        rest = n % 16
        out[: n - rest] = self._fill((n - rest,), dtype, values)
        if rest:
            if dtype != np.float16:
                draw(rest)  # PyTorch draws for all elements before it redoes the last 16
            out[-16:] = values(16)
        return out.reshape(shape)

    def _paired_normals(self, n: int) -> np.ndarray:
        """n standard normal float64, made in pairs. The second of the last pair waits for the next call."""
        waiting = [] if self._next_normal is None or n == 0 else [self._next_normal]
        missing = n - len(waiting)
        u = self._u53(missing + missing % 2).reshape(-1, 2)
        pairs = _polar(_libm(math.log1p, -u[:, 1]), u[:, 0], axis=1).reshape(-1)
        if n:
            self._next_normal = float(pairs[-1]) if missing % 2 else None
        return np.concatenate([waiting, pairs[:missing]])

    @quiet
    def log_normal(self, shape: Sequence[int], dtype: Any, mean: float = 1.0, std: float = 2.0) -> np.ndarray:
        """exp of a normally distributed number. PyTorch: torch.Tensor.log_normal_."""
        dtype = _float_dtype("log_normal", dtype)
        if not std > 0:
            raise RuntimeError(f"log_normal_ expects std > 0.0, but found std={std:g}")

        def values(n: int) -> np.ndarray:
            return _narrow(_libm(_exp, _scale_shift(self._paired_normals(n), std, mean)), dtype)

        return self._fill(shape, dtype, values)

    @quiet
    def exponential(self, shape: Sequence[int], dtype: Any, rate: float = 1.0) -> np.ndarray:
        """Density rate * exp(-rate x). PyTorch: torch.Tensor.exponential_ (there `rate` is `lambd`)."""
        dtype = _float_dtype("exponential", dtype)
        if not rate > 0:
            raise RuntimeError(f"exponential_ expects lambda > 0.0, but found lambda={rate:g}")
        return self._fill(shape, dtype, lambda n: _narrow(-1.0 / rate * _libm(math.log1p, -self._u53(n)), dtype))

    @quiet
    def cauchy(self, shape: Sequence[int], dtype: Any, median: float = 0.0, sigma: float = 1.0) -> np.ndarray:
        """Density 1 / (pi sigma (1 + ((x - median) / sigma)^2)). PyTorch: torch.Tensor.cauchy_."""
        dtype = _float_dtype("cauchy", dtype)
        if not sigma > 0:
            raise RuntimeError(f"cauchy_ expects sigma > 0.0, but found sigma={sigma:g}")

        def values(n: int) -> np.ndarray:
            return _narrow(_scale_shift(_libm(math.tan, math.pi * (self._u53(n) - 0.5)), sigma, median), dtype)

        return self._fill(shape, dtype, values)

    # Integer and yes-or-no draws

    @quiet
    def random(self, shape: Sequence[int], dtype: Any, low: int | None = None, high: int | None = None) -> np.ndarray:
        """Whole numbers, all equally likely. PyTorch: torch.randint, torch.Tensor.random_.

        `random(shape, dtype, low, high)` lie in [low, high); without `high` they go up to the largest the dtype
        holds; without both, from 0 up to that. For a float dtype that is 2^digits, beyond which it has gaps.
        """
        dtype = np.dtype(dtype)
        if dtype == np.bool_:
            least, largest = 0, 1
        elif dtype.kind == "f":
            largest = 2 ** (np.finfo(dtype).nmant + 1)
            least = -largest
        else:
            least, largest = int(np.iinfo(dtype).min), int(np.iinfo(dtype).max)

        if low is None and high is None:
            wide = dtype in (np.int64, np.float64)
            low, count = 0, largest + 1
        else:
            low = 0 if low is None else low
            end = largest + 1 if high is None else high
            if low >= end:
                raise RuntimeError(
                    f"random_ expects 'from' to be less than 'to', but got from={low} >= to={end}; the upper bound is "
                    "excluded"
                )
            for name, bound in (("from", low), ("to - 1", end - 1)):
                if not least <= bound <= largest:
                    raise RuntimeError(
                        f"{name} is out of bounds for {dtype}: random wants whole numbers in [{least}, {largest}] for it, "
                        f"got {name}={bound}; choose a wider dtype"
                    )
            count = end - low
            wide = count >= 2**28  # fewer: the 2^32 outputs fall on the numbers evenly enough
        draw = self._raw64 if wide else self._raw32
        # uint64 arithmetic wraps, so it serves negative numbers as well. All 2^64 numbers are taken as they come.
        base = np.uint64(low % 2**64 if count < 2**64 else 0)

        def values(n: int) -> np.ndarray:
            raw = draw(n)
            if count < 2**64:
                raw %= np.uint64(count)
            raw += base
            return raw.view(np.int64)

        return self._fill(shape, dtype, values)

    def randperm(self, n: int, dtype: Any = np.int64) -> np.ndarray:
        """The numbers 0 ... n - 1 in random order, by Fisher and Yates's shuffle. PyTorch: torch.randperm."""
        dtype = np.dtype(dtype)
        if dtype == np.bool_:
            raise NotImplementedError("\"randperm\" not implemented for 'Bool'; choose an integer dtype")
        largest = 2 ** (np.finfo(dtype).nmant + 1) if dtype.kind == "f" else int(np.iinfo(dtype).max)
        if n < 0:
            raise RuntimeError(f"Trying to create tensor with negative dimension {n}: randperm wants n >= 0")
        if n - 1 > largest:
            raise RuntimeError(
                f"n cannot be greater than {largest + 1} for {dtype}, which does not hold all numbers below {n}; "
                "choose a wider dtype"
            )
        if n >= (2**32 - 1) // 20:  # PyTorch takes another algorithm there
            raise NotImplementedError(f"randperm of {n} numbers: minigrad shuffles at most {(2**32 - 1) // 20 - 1}")
        if n < 2:
            return np.arange(n, dtype=dtype)
        return (fast_swaps(n) or swapped)(self._raw32(n - 1)).astype(dtype, copy=False)

    @quiet
    def bernoulli(self, shape: Sequence[int], dtype: Any, p: float | np.ndarray = 0.5) -> np.ndarray:
        """1 with probability p, else 0. PyTorch: torch.bernoulli, torch.Tensor.bernoulli_.

        An array `p` is broadcast to `shape`, and takes other numbers from the stream than a number: in PyTorch too,
        `x.bernoulli_(0.5)` and `x.bernoulli_(torch.full_like(x, 0.5))` differ.
        """
        if not isinstance(p, np.ndarray):
            if not 0 <= p <= 1:
                raise RuntimeError(f"bernoulli_ expects p to be in [0, 1], but got p={p:g}")
            return self._fill(shape, dtype, lambda n: self._u53(n) < p)

        if p.dtype.kind != "f":
            raise NotImplementedError(f"bernoulli wants probabilities of a float dtype, got an array of {p.dtype}")
        if not ((p >= 0) & (p <= 1)).all():
            raise RuntimeError("bernoulli expects all p to be in [0, 1], but got p < 0, p > 1 or nan among them")
        u = (self._u53 if p.dtype == np.float64 else self._u24)(math.prod(shape))
        return (u.reshape(shape) < p).astype(dtype)

    def dropout_mask(self, shape: Sequence[int], dtype: Any, p: float = 0.5) -> np.ndarray:
        """What dropout multiplies its input by: 0 with probability p, else 1 / (1 - p).

        PyTorch: the mask of torch.nn.functional.dropout. It draws nothing where there is nothing to decide.
        """
        dtype = _float_dtype("dropout", dtype)
        if not 0 <= p <= 1:
            raise ValueError(f"dropout probability has to be between 0 and 1, but got {p}")
        if p in (0, 1):
            return np.full(shape, 1 - p, dtype)
        keep = dtype.type(1 - p)
        return self._fill(shape, dtype, lambda n: (self._u53(n) < 1 - p) / keep)

    @quiet
    def geometric(self, shape: Sequence[int], dtype: Any, p: float) -> np.ndarray:
        """The number of the first success, each try succeeding with probability p. PyTorch: torch.Tensor.geometric_."""
        if np.dtype(dtype) == np.bool_:
            raise NotImplementedError("\"geometric\" not implemented for 'Bool'; choose an integer or float dtype")
        if not 0 < p < 1:
            raise RuntimeError(f"geometric_ expects p to be in (0, 1), but got p={p:g}")

        def values(n: int) -> np.ndarray:
            return np.ceil(_libm(_log, self._u53(n)) / math.log1p(-p))

        return self._fill(shape, dtype, values)

    @quiet
    def multinomial(self, p: np.ndarray, num_samples: int, replacement: bool = False) -> np.ndarray:
        """Categories drawn with probability proportional to `p` (..., categories), as int64 (..., num_samples).

        Without replacement, `p / q` with exponential q is largest at category i with probability p_i / sum p
        (the Gumbel-max trick, without its logarithm); the next largest are the further samples. Equal ratios, which are
        common in float16 and where p is 0, PyTorch's `topk` leaves in no order that it would promise; here the first
        comes first.

        PyTorch: torch.multinomial.
        """
        if p.ndim not in (1, 2):
            raise RuntimeError(f"prob_dist must be 1 or 2 dim, got shape {p.shape}")
        if p.dtype.kind != "f":
            raise RuntimeError(f"multinomial only supports floating-point dtypes for input, got: {p.dtype}")
        if num_samples <= 0:
            raise RuntimeError(f"cannot sample n_sample <= 0 samples, got {num_samples}")
        if not replacement and num_samples > p.shape[-1]:
            raise RuntimeError(
                "cannot sample n_sample > prob_dist.size(-1) samples without replacement: "
                f"{num_samples} samples of {p.shape[-1]} categories; pass replacement=True"
            )
        if p.shape[-1] > 2**24:
            raise RuntimeError(f"number of categories cannot exceed 2^24, got {p.shape[-1]}")
        if not ((p >= 0) & (p < np.inf)).all():
            raise RuntimeError("probability tensor contains either `inf`, `nan` or element < 0")
        if not (p.sum(-1) > 0).all():
            raise RuntimeError("invalid multinomial distribution (sum of probabilities <= 0)")
        if p.size == 0:
            return np.empty((*p.shape[:-1], num_samples), np.int64)

        if num_samples == 1 or not replacement:
            # PyTorch draws in the order in which p lies in memory
            turned = p.ndim == 2 and 0 < p.strides[0] < p.strides[1]
            q = self.exponential(p.shape[::-1], p.dtype).T if turned else self.exponential(p.shape, p.dtype)
            ratio = p / q
            if num_samples == 1:
                return ratio.argmax(-1, keepdims=True)
            rows = ratio.reshape(-1, p.shape[-1])
            return first_of_order(rows, num_samples, True).reshape(*p.shape[:-1], num_samples)

        cumulative = np.cumsum(p, axis=-1, dtype=np.promote_types(p.dtype, np.float32))
        cumulative /= cumulative[..., -1:]
        u = self._u53(math.prod(p.shape[:-1]) * num_samples).reshape(-1, num_samples)
        rows = cumulative.astype(np.float64).reshape(-1, p.shape[-1])
        found = [np.searchsorted(row, x, side="left") for row, x in zip(rows, u, strict=True)]
        return np.array(found, np.int64).reshape(*p.shape[:-1], num_samples)


# Arithmetic with PyTorch's rounding


def _float_dtype(draw: str, dtype: Any) -> np.dtype:
    dtype = np.dtype(dtype)
    if dtype.kind != "f":
        raise NotImplementedError(f'"{draw}" not implemented for {dtype}: it draws floating-point numbers; use float32')
    return dtype


def _narrow(x: np.ndarray, dtype: np.dtype) -> np.ndarray:
    """float64 to `dtype`; float16 by way of float32, as PyTorch converts."""
    return x.astype(np.float32).astype(dtype) if dtype == np.float16 else x.astype(dtype, copy=False)


def _libm(function: Callable[[float], float], x: np.ndarray) -> np.ndarray:
    """`function` of `math` on float64: the C library's value, which PyTorch takes and NumPy's can miss by an ulp."""
    return np.frompyfunc(function, 1, 1)(x).astype(np.float64)


def _log(x: float) -> float:
    return math.log(x) if x > 0 else -math.inf


def _exp(x: float) -> float:
    return math.inf if x >= 709.78 else math.exp(x)  # (nan is below nothing)


def _scale_shift(x: np.ndarray, scale: Any, shift: Any) -> np.ndarray:
    """x * scale + shift, rounded once (a fused multiply-add). `scale` and `shift` are of x's dtype."""
    if shift == 0:
        return x * scale + shift  # the product is the only one to be rounded (the sum may still turn -0 into +0)
    if x.dtype == np.float32:
        return _scale_shift_32(x, scale, shift)
    return _scale_shift_64(x, scale, shift)


def _two_sum(a: Any, b: Any) -> tuple[Any, Any]:
    """a + b as rounded, and the rounding error, exactly. Source: D. Knuth, TAOCP vol. 2, 4.2.2."""
    total = a + b
    virtual_b = total - a
    return total, (a - (total - virtual_b)) + (b - virtual_b)


def _scale_shift_32(x: np.ndarray, scale: float, shift: float) -> np.ndarray:
    """In float64 the product is exact and the sum nearly so; then comes the rounding to float32.

    Only a sum that float64 has rounded *onto* the middle between two float32 could be led astray by being rounded
    twice. It is moved off the middle, to the side where the exact sum lies.
    """
    product = x.astype(np.float64) * float(scale)
    total = product + float(shift)
    (middle,) = ((total.view(np.uint64) & (2**29 - 1)) == 2**28).nonzero()
    if middle.size:
        rounded, error = _two_sum(product[middle], float(shift))
        total[middle] = np.where(error == 0, rounded, np.nextafter(rounded, np.copysign(np.inf, error)))
    return total.astype(np.float32)


def _scale_shift_64(x: np.ndarray, scale: float, shift: float) -> np.ndarray:
    """The product as a sum of two float64, added to `shift` with the errors kept, and all of it rounded at last.

    Exact as long as no product's error falls below the smallest float64, about 1e-308.

    Source: S. Boldo and G. Melquiond, "Emulation of a FMA and correctly rounded sums: proved algorithms using rounding
    to odd" (IEEE Transactions on Computers, 2008).
    """
    scale, shift = float(scale), float(shift)
    if abs(scale) > 2.0**900 or not abs(shift) < 2.0**900:  # the splitting and the sums below would overflow
        return x * scale + shift
    split = 2.0**27 + 1
    x_high = split * x - (split * x - x)  # the upper 26 bits
    scale_high = split * scale - (split * scale - scale)
    x_low, scale_low = x - x_high, scale - scale_high
    product = x * scale
    product_error = ((x_high * scale_high - product) + x_high * scale_low + x_low * scale_high) + x_low * scale_low

    low, lowest = _two_sum(product_error, shift)
    high, middle = _two_sum(product, low)
    tail, error = _two_sum(middle, lowest)
    # Round the tail to odd: where it is not exact and its last bit is 0, take the neighbour on the exact side instead.
    inexact = (error != 0) & (tail.view(np.uint64) & 1 == 0)
    tail = np.where(inexact, np.nextafter(tail, np.copysign(np.inf, error)), tail)
    return high + tail


def _polar(log: np.ndarray, turn: np.ndarray, axis: int) -> np.ndarray:
    """Box and Muller's pairs, (r cos t, r sin t) with r = sqrt(-2 log) and t = 2 pi turn, stacked along `axis`."""
    radius = np.sqrt(-2.0 * log)
    angle = 2.0 * math.pi * turn
    return np.stack([radius * _libm(math.cos, angle), radius * _libm(math.sin, angle)], axis)


def _box_muller_64(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    """Standard normal numbers (k, 2, 8) of uniform ones a in (0, 1] and b in [0, 1), both (k, 8)."""
    return _polar(_libm(math.log, a), b, axis=1)


def _box_muller_32(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    """As `_box_muller_64`, in float32 with PyTorch's vectorized logarithm, sine and cosine."""
    radius = np.sqrt(np.float32(-2) * _log_32(a))
    sine, cosine = _sincos_32(np.float32(2 * math.pi) * b)
    return np.stack([radius * cosine, radius * sine], axis=1)


# The float32 polynomials of S. Moshier's Cephes library (logf, sinf, cosf), evaluated as PyTorch's AVX2 code does it: each
# `y * x + c` a fused multiply-add. `_fused` could round twice where that rounds once; for the 2^24 numbers that u24 can be,
# all tried, `randn` is PyTorch's to the bit.


def _fused(y: Any, x: np.ndarray, c: Any) -> np.ndarray:
    """y * x + c in float64, rounded to float32. `x` is float64 that holds float32 numbers."""
    total = y * x
    total += c
    return total.astype(np.float32)


def _float32(*numbers: float) -> tuple[float, ...]:
    return tuple(float(np.float32(x)) for x in numbers)


_SQRT_HALF, _LN2_HIGH, _LN2_LOW, _FOUR_OVER_PI = _float32(math.sqrt(0.5), 0.693359375, -2.12194440e-4, 4 / math.pi)
_LOG = _float32(
    7.0376836292e-2, -1.1514610310e-1, 1.1676998740e-1, -1.2420140846e-1, 1.4249322787e-1,
    -1.6668057665e-1, 2.0000714765e-1, -2.4999993993e-1, 3.3333331174e-1,
)  # fmt: skip
_PI_OVER_4 = _float32(0.78515625, 2.4187564849853515625e-4, 3.77489497744594108e-8)  # in three parts
_SIN = _float32(-1.9515295891e-4, 8.3321608736e-3, -1.6666654611e-1)
_COS = _float32(2.443315711809948e-5, -1.388731625493765e-3, 4.166664568298827e-2)


def _log_32(x: np.ndarray) -> np.ndarray:
    """Natural logarithm: x = (1 + f) 2^e with sqrt(1/2) <= 1 + f < sqrt(2), log x = e log 2 + f - f^2/2 + f^3 P(f)."""
    mantissa, exponent = np.frexp(x)  # mantissa in [1/2, 1)
    small = mantissa < np.float32(_SQRT_HALF)
    f = np.where(small, mantissa + mantissa, mantissa) - np.float32(1)
    e = (exponent - small).astype(np.float32)
    wide = f.astype(np.float64)
    square = f * f
    y: Any = _LOG[0]
    for c in _LOG[1:]:
        y = _fused(y, wide, c)
    y = _fused(y * f, square.astype(np.float64), e * np.float32(_LN2_LOW))
    y -= np.float32(0.5) * square
    return _fused(_LN2_HIGH, e.astype(np.float64), f + y)


def _sincos_32(x: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Sine and cosine for x >= 0: x = j pi/4 + d with even j and |d| <= pi/4, then a polynomial in d for each."""
    octant = (x * np.float32(_FOUR_OVER_PI)).astype(np.int32)
    j = (octant + 1) & ~1
    d = x
    for part in _PI_OVER_4:
        d = _fused(-part, j.astype(np.float64), d)
    square = d * d
    wide = square.astype(np.float64)

    sine = _fused(_fused(_SIN[0], wide, _SIN[1]), wide, _SIN[2]) * square
    sine = _fused(sine, d.astype(np.float64), d)
    cosine = _fused(_fused(_COS[0], wide, _COS[1]), wide, _COS[2]) * square
    cosine = _fused(cosine, wide, np.float32(-0.5) * square) + np.float32(1)

    swap = (j & 2) != 0  # j = 2 or 6: a quarter turn on, sine and cosine change places
    sine, cosine = np.where(swap, cosine, sine), np.where(swap, sine, cosine)
    return np.where(j & 4, -sine, sine), np.where((j + 2) & 4, -cosine, cosine)


# The shuffle's swaps, which depend on one another


def swapped(drawn: np.ndarray) -> np.ndarray:
    """The numbers 0 to n - 1 after n - 1 swaps: for i = 0, 1, ..., of the elements at i and i + drawn[i] % (n - i)."""
    n = len(drawn) + 1
    order = list(range(n))  # a list: its elements are swapped faster than an array's
    for i, z in enumerate((drawn % np.arange(n, 1, -1, dtype=np.uint64)).tolist()):
        order[i], order[i + z] = order[i + z], order[i]
    return np.array(order)


# What gives a compiled form of `swapped`, and of `_box_muller_32`, for so many numbers, or None: sampling.py, which knows of
# kernels, sets it.
fast_swaps: Callable[[int], Callable[[np.ndarray], np.ndarray] | None] = lambda n: None  # noqa: E731
fast_pairs: Callable[[int], Callable[[np.ndarray, np.ndarray], np.ndarray] | None] = lambda n: None  # noqa: E731


# The generator behind every draw that names none


def in_order_of(array: np.ndarray, draw: Callable[[tuple[int, ...]], np.ndarray]) -> np.ndarray:
    """`draw(shape)` in the shape of `array`, the numbers following one another as array's elements do in memory.

    So dropout of x.t() drops other places than dropout of x.t().contiguous().
    """
    if not array.flags.c_contiguous:
        slow_to_fast = memory_order.dimensions(array)
        return draw(tuple(array.shape[i] for i in slow_to_fast)).transpose(np.argsort(slow_to_fast))
    return draw(array.shape)


default_generator = Generator()
default_generator._initial_seed = int.from_bytes(os.urandom(8), "little")  # `seed()`, without making the engine


def manual_seed(seed: Any) -> Generator:
    """Start the default generator's stream of `seed`, and return that generator. PyTorch: torch.manual_seed."""
    try:
        number = int(seed)
    except (TypeError, ValueError, OverflowError) as error:
        raise type(error)(f"manual_seed(): argument 'seed' must be int, not {type(seed).__name__}") from None
    return default_generator.manual_seed(number)


def seed() -> int:
    """Seed the default generator with a number from the operating system, and return it. PyTorch: torch.seed."""
    return default_generator.seed()


def initial_seed() -> int:
    """The seed of the default generator. PyTorch: torch.initial_seed."""
    return default_generator.initial_seed()


@contextmanager
def fork_rng(devices: Any = None, enabled: bool = True) -> Iterator[None]:
    """Put the default generator back where it was when the block ends. PyTorch: torch.random.fork_rng.

    `devices` names CUDA devices in PyTorch; here there are none to save.
    """
    if not enabled:
        yield
        return
    state = default_generator.get_state()
    try:
        yield
    finally:
        default_generator.set_state(state)
