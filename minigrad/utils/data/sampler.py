"""Samplers: the order in which samples are read."""

from __future__ import annotations

import itertools
import sys
from collections.abc import Iterable, Iterator, Sequence, Sized
from typing import Any

import numpy as np

from ... import creation, dtypes, sampling
from ...foreign import said
from ...ops.checks import require_room
from ...random import Generator, default_generator
from ...size import has_parts


def as_generator(generator: Any, function: str) -> Generator | None:
    """The generator, or None for the default one. Errors: TypeError where it is something else."""
    if generator is not None and not isinstance(generator, Generator):
        raise TypeError(
            f"{function}(): argument 'generator' must be minigrad.Generator, not {type(generator).__name__}"
        )
    return generator


def size_of(x: Any, function: str, argument: str) -> int:
    """How many samples x has: whatever has a length is a data set. Errors: TypeError for the rest."""
    if not (isinstance(x, Sized) and has_parts(x)):
        raise TypeError(f"{function}(): argument '{argument}' must be something with a length, not {said(x)}")
    return len(x)


def each(x: Any, function: str, argument: str) -> Iterator[Any]:
    """The parts of x, one after the other. Errors: TypeError for what has none."""
    if (
        not (hasattr(type(x), "__iter__") or hasattr(type(x), "__getitem__"))
        or not has_parts(x)
        or isinstance(x, np.generic)
    ):
        raise TypeError(f"{function}(): argument '{argument}' must be iterable, not {said(x)}")
    return iter(x)


def part(x: Any, index: Any, function: str, argument: str) -> Any:
    """x[index]. Errors: TypeError for what is not indexed; what x itself says of the index."""
    if not hasattr(type(x), "__getitem__"):
        raise TypeError(f"{function}(): argument '{argument}' must be something that is indexed, not {said(x)}")
    return x[index]


def draw_seed(generator: Any = None) -> int:
    """A seed taken from the stream, as PyTorch's samplers and loaders take theirs."""
    return int((as_generator(generator, "random_") or default_generator).random((), np.dtype(np.int64)))


class Sampler:
    """The base of samplers: subclasses give `__iter__`."""

    def __init__(self, data_source: Any = None) -> None:
        pass

    def __iter__(self) -> Iterator[Any]:
        raise NotImplementedError

    def __class_getitem__(cls, item: Any) -> Any:
        return cls


class SequentialSampler(Sampler):
    """0, 1, 2, ..."""

    def __init__(self, data_source: Any) -> None:
        self.data_source = data_source

    def __iter__(self) -> Iterator[int]:
        return iter(range(len(self)))

    def __len__(self) -> int:
        return size_of(self.data_source, "SequentialSampler", "data_source")


class RandomSampler(Sampler):
    """All indices in random order, or num_samples of them with replacement."""

    def __init__(
        self, data_source: Any, replacement: bool = False, num_samples: int | None = None, generator: Any = None
    ) -> None:
        if not isinstance(replacement, bool):
            raise TypeError(f"replacement should be a boolean value, but got replacement={replacement}")
        self.data_source, self.generator = data_source, generator
        self.replacement, self._num_samples = replacement, num_samples
        if not isinstance(self.num_samples, int) or self.num_samples <= 0:
            raise ValueError(f"num_samples should be a positive integer value, but got num_samples={self.num_samples}")

    @property
    def num_samples(self) -> int:
        return self._count() if self._num_samples is None else self._num_samples

    def _count(self) -> int:
        return size_of(self.data_source, "RandomSampler", "data_source")

    def __iter__(self) -> Iterator[int]:
        n = self._count()
        generator = as_generator(self.generator, "randperm")
        if generator is None:
            generator = Generator().manual_seed(draw_seed())
        if self.replacement:
            for _ in range(self.num_samples // 32):
                yield from sampling.randint(high=n, size=(32,), generator=generator).tolist()
            yield from sampling.randint(high=n, size=(self.num_samples % 32,), generator=generator).tolist()
            return
        for _ in range(self.num_samples // n):
            yield from sampling.randperm(n, generator=generator).tolist()
        yield from sampling.randperm(n, generator=generator).tolist()[: self.num_samples % n]

    def __len__(self) -> int:
        return self.num_samples


class SubsetRandomSampler(Sampler):
    """Given indices in random order."""

    def __init__(self, indices: Sequence[int], generator: Any = None) -> None:
        self.indices, self.generator = indices, generator

    def __iter__(self) -> Iterator[int]:
        for i in sampling.randperm(len(self), generator=as_generator(self.generator, "randperm")).tolist():
            yield part(self.indices, i, "SubsetRandomSampler", "indices")

    def __len__(self) -> int:
        return size_of(self.indices, "SubsetRandomSampler", "indices")


class WeightedRandomSampler(Sampler):
    """num_samples indices, each drawn by its weight."""

    def __init__(
        self, weights: Sequence[float], num_samples: int, replacement: bool = True, generator: Any = None
    ) -> None:
        if not isinstance(num_samples, int) or isinstance(num_samples, bool) or num_samples <= 0:
            raise ValueError(f"num_samples should be a positive integer value, but got num_samples={num_samples}")
        if not isinstance(replacement, bool):
            raise ValueError(f"replacement should be a boolean value, but got replacement={replacement}")
        self.weights = creation.as_tensor(weights, dtype=dtypes.float64)
        if self.weights.dim() != 1:
            raise ValueError(
                f"weights should be a 1d sequence but given weights have shape {tuple(self.weights.shape)}"
            )
        self.num_samples, self.replacement, self.generator = num_samples, replacement, generator

    def __iter__(self) -> Iterator[int]:
        generator = as_generator(self.generator, "multinomial")
        if self.num_samples >= 2**63:
            raise ValueError(f"Overflow when unpacking long long: num_samples={self.num_samples} does not fit 64 bits")
        if self.replacement:
            require_room((self.num_samples,), 8)
        drawn = sampling.multinomial(self.weights, self.num_samples, self.replacement, generator=generator)
        return iter(drawn.tolist())

    def __len__(self) -> int:
        return self.num_samples


class BatchSampler(Sampler):
    """The indices of another sampler in lists of batch_size."""

    def __init__(self, sampler: Iterable[int], batch_size: int, drop_last: bool) -> None:
        if not isinstance(batch_size, int) or isinstance(batch_size, bool) or batch_size <= 0:
            raise ValueError(f"batch_size should be a positive integer value, but got batch_size={batch_size}")
        if not isinstance(drop_last, bool):
            raise ValueError(f"drop_last should be a boolean value, but got drop_last={drop_last}")
        self.sampler, self.batch_size, self.drop_last = sampler, batch_size, drop_last

    def __iter__(self) -> Iterator[list[int]]:
        source = each(self.sampler, "BatchSampler", "sampler")
        if self.batch_size > sys.maxsize:
            raise ValueError(
                f"BatchSampler(): argument 'batch_size' must be at most {sys.maxsize}, not {self.batch_size}"
            )
        while batch := list(itertools.islice(source, self.batch_size)):
            if len(batch) == self.batch_size or not self.drop_last:
                yield batch

    def __len__(self) -> int:
        n = size_of(self.sampler, "BatchSampler", "sampler")
        return n // self.batch_size if self.drop_last else -(-n // self.batch_size)
