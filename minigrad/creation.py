"""Making tensors: from data, of one value, in sequence, at random."""

from __future__ import annotations

from typing import Any

import numpy as np

from . import dtypes
from .autograd import wrap
from .tensor import Tensor


def tensor(data: Any, *, dtype: Any = None, device: Any = None, requires_grad: bool = False) -> Tensor:
    array = np.array(data)
    if dtype is not None:
        array = array.astype(dtypes.to_numpy(dtype))
    elif array.dtype == np.float64 and not isinstance(data, np.ndarray | np.generic):
        array = array.astype(dtypes.default_numpy())
    return wrap(array).requires_grad_(requires_grad)
