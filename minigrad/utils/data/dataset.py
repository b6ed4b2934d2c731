"""Data sets: things that give a sample for an index."""

from __future__ import annotations

import bisect
import itertools
import math
from collections.abc import Iterable, Iterator, Sequence
from typing import Any

import numpy as np

from ... import sampling
from ...autograd.variable import Variable
from ...foreign import refuse, said
from ...ops.checks import require_tensor
from ...random import Generator
from ...warn import warn
from .sampler import as_generator, each, part, size_of


class Dataset:
    """A map from index to sample: subclasses give `__getitem__` and, usually, `__len__`."""

    def __getitem__(self, index: Any) -> Any:
        raise NotImplementedError("Subclasses of Dataset should implement __getitem__.")

    def __add__(self, other: Dataset) -> ConcatDataset:
        return ConcatDataset([self, other])

    def __class_getitem__(cls, item: Any) -> Any:
        return cls


class IterableDataset(Dataset):
    """A stream of samples: subclasses give `__iter__`."""

    def __iter__(self) -> Iterator[Any]:
        raise NotImplementedError("Subclasses of IterableDataset should implement __iter__.")

    def __add__(self, other: Dataset) -> Any:
        return ChainDataset([self, other])


class TensorDataset(Dataset):
    """Tensors of equal first dimension: sample i is the tuple of their rows i."""

    def __init__(self, *tensors: Any) -> None:
        for x in tensors:
            require_tensor(x, "TensorDataset", "tensors")
            if isinstance(x, np.ndarray):
                raise TypeError("TensorDataset(): argument 'tensors' must be Tensors, not ndarray: torch.from_numpy(x)")
            if not x.array.ndim:
                raise IndexError(
                    "TensorDataset: the first dimension counts the samples, but one of the tensors has none"
                )
        if not all(tensors[0].shape[0] == t.shape[0] for t in tensors):
            raise AssertionError(f"Size mismatch between tensors: first dimensions are {[t.shape[0] for t in tensors]}")
        self.tensors = tensors

    def __getitem__(self, index: Any) -> tuple[Any, ...]:
        return tuple(t[index] for t in self.tensors)

    def __len__(self) -> int:
        return self.tensors[0].shape[0]


class StackDataset(Dataset):
    """Several data sets side by side: sample i is the tuple (or dict) of their samples i."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        refuse("StackDataset", {**dict(enumerate(args, 1)), **kwargs})
        if bool(args) == bool(kwargs):
            raise ValueError(
                "Supported either ``tuple``- (via ``args``) or``dict``- (via ``kwargs``) like input/output types."
            )
        self.datasets: Any = args or kwargs
        named: Any = kwargs.items() if kwargs else enumerate(args, 1)
        sizes = {size_of(d, "StackDataset", str(name)) for name, d in named}
        if len(sizes) > 1:
            raise ValueError("Size mismatch between datasets")
        self._length = sizes.pop()

    def __getitem__(self, index: Any) -> Any:
        if isinstance(self.datasets, dict):
            return {name: part(d, index, "StackDataset", name) for name, d in self.datasets.items()}
        return tuple(part(d, index, "StackDataset", "args") for d in self.datasets)

    def __len__(self) -> int:
        return self._length


class ConcatDataset(Dataset):
    """Data sets one after the other."""

    def __init__(self, datasets: Iterable[Dataset]) -> None:
        self.datasets: list[Any] = list(each(datasets, "ConcatDataset", "datasets"))
        if not self.datasets:
            raise AssertionError("datasets should not be an empty iterable")
        if any(isinstance(d, IterableDataset) for d in self.datasets):
            raise AssertionError("ConcatDataset does not support IterableDataset")
        self.cumulative_sizes = list(
            itertools.accumulate(size_of(d, "ConcatDataset", "datasets") for d in self.datasets)
        )

    def __len__(self) -> int:
        return self.cumulative_sizes[-1]

    def __getitem__(self, index: int) -> Any:
        if not isinstance(index, int | float | np.generic | Variable):
            raise TypeError(f"ConcatDataset: an index must be int, not {said(index)}")
        if index >= len(self):
            raise IndexError(f"ConcatDataset: index {index} is out of range for {len(self)} samples")
        if index < 0:
            if -index > len(self):
                raise ValueError("absolute value of index should not exceed dataset length")
            index += len(self)
        which = bisect.bisect_right(self.cumulative_sizes, index)
        start = self.cumulative_sizes[which - 1] if which else 0
        return part(self.datasets[which], index - start, "ConcatDataset", "datasets")


class ChainDataset(IterableDataset):
    """Streams one after the other."""

    def __init__(self, datasets: Iterable[Dataset]) -> None:
        self.datasets: list[Any] = list(each(datasets, "ChainDataset", "datasets"))

    def __iter__(self) -> Iterator[Any]:
        return itertools.chain.from_iterable(self.datasets)

    def __len__(self) -> int:
        return sum(size_of(d, "ChainDataset", "datasets") for d in self.datasets)


class Subset(Dataset):
    """The samples of a data set at given indices."""

    def __init__(self, dataset: Any, indices: Sequence[int]) -> None:
        self.dataset, self.indices = dataset, indices

    def __getitem__(self, index: Any) -> Any:
        places = [self._place(i) for i in index] if isinstance(index, list) else self._place(index)
        return part(self.dataset, places, "Subset", "dataset")

    def _place(self, index: Any) -> Any:
        return part(self.indices, index, "Subset", "indices")

    def __getitems__(self, indices: Sequence[int]) -> list[Any]:
        """A batch's samples, in one call where the data set has it so."""
        places = [self._place(i) for i in indices]
        together = getattr(self.dataset, "__getitems__", None)
        return together(places) if callable(together) else [part(self.dataset, i, "Subset", "dataset") for i in places]

    def __len__(self) -> int:
        return size_of(self.indices, "Subset", "indices")


def random_split(dataset: Any, lengths: Sequence[Any], generator: Generator | None = None) -> list[Subset]:
    """Disjoint random subsets of the given lengths (or of fractions that add up to 1)."""
    parts = list(each(lengths, "random_split", "lengths"))
    for share in parts:
        if not isinstance(share, int | float | np.generic | Variable):
            raise TypeError(f"random_split(): in argument 'lengths' there must be numbers, not {said(share)}")
    n = size_of(dataset, "random_split", "dataset")
    if math.isclose(sum(parts), 1) and sum(parts) <= 1:
        for i, fraction in enumerate(parts):
            if not 0 <= fraction <= 1:
                raise ValueError(f"Fraction at index {i} is not between 0 and 1")
        parts = [math.floor(n * fraction) for fraction in parts]
        for i in range(n - sum(parts)):  # what rounding left over, one each
            parts[i % len(parts)] += 1
        for i, length in enumerate(parts):
            if length == 0:
                warn(f"Length of split at index {i} is 0. This might result in an empty dataset.")
    if sum(parts) != n:
        raise ValueError(f"Sum of input lengths does not equal the length of the input dataset! {sum(parts)} and {n}")
    order = sampling.randperm(n, generator=as_generator(generator, "randperm")).tolist()
    ends = list(itertools.accumulate(parts))
    return [Subset(dataset, order[end - length : end]) for end, length in zip(ends, parts, strict=True)]
