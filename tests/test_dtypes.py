"""The table of types: each of its names is the one that PyTorch, or the safetensors package, uses."""

import json
import struct

import numpy as np
import pytest
import safetensors.torch
import torch

import minigrad
from minigrad import dtypes


@pytest.mark.filterwarnings("ignore:TypedStorage is deprecated")
@pytest.mark.parametrize("d", dtypes.ALL, ids=str)
def test_names(d):
    theirs = getattr(torch, d.name)
    x = torch.ones(2, dtype=theirs)
    assert x.type() == f"torch.{d.cxx_name}Tensor"
    assert getattr(torch, f"{d.cxx_name}Storage").dtype == theirs
    data = safetensors.torch.save({"x": x})
    (length,) = struct.unpack("<Q", data[:8])
    assert json.loads(data[8 : 8 + length])["x"]["dtype"] == d.safetensors
    assert (d.itemsize, d.is_floating_point, d.is_signed) == (
        theirs.itemsize, theirs.is_floating_point, theirs.is_signed
    )  # fmt: skip
    if d.numpy is not None:
        mine = minigrad.ones(2, dtype=d)
        assert mine.type() == f"minigrad.{d.cxx_name}Tensor"
        assert dtypes.cxx_name(mine.array.dtype) == d.cxx_name
        assert d.numpy == x.numpy().dtype


@pytest.mark.parametrize("given", [np.float32, np.dtype("float64"), "float64", 3, complex, None])
def test_what_is_no_type(given):
    with pytest.raises(TypeError, match=r"minigrad\.float32"):
        dtypes.to_numpy(given)


@pytest.mark.parametrize("name", ["float16", "bfloat16", "float32", "float64"])
def test_the_limits_of_floating_types_are_pytorchs(name):
    ours, theirs = minigrad.finfo(getattr(minigrad, name)), torch.finfo(getattr(torch, name))
    for field in ("bits", "eps", "max", "min", "tiny", "smallest_normal", "resolution", "dtype"):
        assert getattr(ours, field) == getattr(theirs, field), field
