"""Samples into batches."""

from __future__ import annotations

import copy
from collections.abc import Mapping, MutableMapping, MutableSequence, Sequence
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
    if isinstance(data, Mapping):
        return _mapping_like(data, {key: default_convert(data[key]) for key in data})
    if isinstance(data, Sequence) and not isinstance(data, str | bytes):
        return _sequence_like(data, [default_convert(value) for value in data])
    return data


def _mapping_like(model: Any, values: dict[Any, Any]) -> Any:
    """The values in a mapping of the model's class, with what else it holds; in a dict where it cannot be made so."""
    try:
        if not isinstance(model, MutableMapping):
            return type(model)(values)  # type: ignore[call-arg]
        clone = copy.copy(model)
        clone.update(values)
        return clone
    except TypeError:
        return values


def _sequence_like(model: Any, values: list[Any]) -> Any:
    """The values in a sequence of the model's class; in a list where that is a tuple without names, or cannot be made so."""
    if isinstance(model, tuple):
        return type(model)(*values) if hasattr(model, "_fields") else values
    try:
        if not isinstance(model, MutableSequence):
            return type(model)(values)
        clone = copy.copy(model)
        for i, value in enumerate(values):
            clone[i] = value
        return clone
    except TypeError:
        return values


def default_collate(batch: Any) -> Any:
    """Samples in one batch: tensors stacked, numbers as a tensor, tuples and dicts entry by entry."""
    if isinstance(batch, Variable | np.generic | str | bytes) or not hasattr(batch, "__getitem__"):
        raise TypeError(f"default_collate(): argument 'batch' must be a list of samples, not {type(batch).__name__}")
    if isinstance(batch, Sequence) and not batch:
        raise IndexError("default_collate(): argument 'batch' holds no sample")
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
    if isinstance(first, Mapping):
        return _mapping_like(first, {key: default_collate([sample[key] for sample in batch]) for key in first})
    if isinstance(first, Sequence):
        if any(len(sample) != len(first) for sample in batch):
            raise RuntimeError("each element in list of batch should be of equal size")
        return _sequence_like(first, [default_collate(list(column)) for column in zip(*batch, strict=True)])
    raise TypeError(
        f"default_collate: batch must contain tensors, numpy arrays, numbers, dicts or lists; found {said(first)}"
    )
