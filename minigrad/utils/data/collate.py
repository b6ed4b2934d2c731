"""Samples into batches."""

from __future__ import annotations

import collections.abc
from typing import Any

import numpy as np

from ... import creation, dtypes
from ...autograd.variable import Variable
from ...foreign import said
from ...ops.join import stack


def default_convert(data: Any) -> Any:
    """Arrays and NumPy's numbers as tensors, also inside lists, tuples and dicts."""
    if isinstance(data, np.ndarray | np.generic) and data.dtype.kind not in "SUO":
        return creation.as_tensor(data)
    return _inside(data, default_convert) if isinstance(data, collections.abc.Mapping | list | tuple) else data


def _inside(data: Any, function: Any) -> Any:
    if isinstance(data, collections.abc.Mapping):
        return {key: function(value) for key, value in data.items()}
    if hasattr(data, "_fields"):
        return type(data)(*(function(value) for value in data))
    return type(data)(function(value) for value in data)


def default_collate(batch: Any) -> Any:
    """Samples in one batch: tensors stacked, numbers as a tensor, tuples and dicts entry by entry."""
    if isinstance(batch, Variable | np.generic | str | bytes) or not hasattr(batch, "__getitem__"):
        raise TypeError(f"default_collate(): argument 'batch' must be a list of samples, not {type(batch).__name__}")
    first = batch[0]
    if isinstance(first, Variable):
        return stack(list(batch), 0)
    if isinstance(first, np.ndarray) and first.dtype.kind not in "SUO":
        return default_collate([creation.as_tensor(x) for x in batch])
    if isinstance(first, np.generic) and first.dtype.kind not in "SU":
        return creation.as_tensor(np.array(batch))
    if isinstance(first, float):
        return creation.tensor(batch, dtype=dtypes.float64)
    if isinstance(first, int):
        return creation.tensor(batch)
    if isinstance(first, str | bytes):
        return batch
    if isinstance(first, collections.abc.Mapping):
        return {key: default_collate([sample[key] for sample in batch]) for key in first}
    if isinstance(first, tuple | list):
        if any(len(sample) != len(first) for sample in batch):
            raise RuntimeError("each element in list of batch should be of equal size")
        columns = [default_collate(list(column)) for column in zip(*batch, strict=True)]
        return type(first)(*columns) if hasattr(first, "_fields") else columns
    raise TypeError(
        f"default_collate: batch must contain tensors, numpy arrays, numbers, dicts or lists; found {said(first)}"
    )
