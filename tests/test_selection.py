"""What is found without sorting everything is what the stable order of everything gives: ties, nan, every dtype."""

import numpy as np
import pytest
import torch

import minigrad
from minigrad.random import swapped
from minigrad.selection import first_of_order, in_order, place_of_rank

DTYPES = ["float32", "float64", "int64", "int32", "uint8", "bool"]


def rows(dtype, kinds, shape, rng):
    x = rng.integers(0, kinds, shape).astype(dtype)
    if x.dtype.kind == "f":
        x[rng.random(shape) < 0.1] = -0.0
        if rng.random() < 0.3:
            x[rng.random(shape) < 0.1] = np.nan
        x[rng.random(shape) < 0.05] = rng.choice([np.inf, -np.inf])
    return x


@pytest.mark.parametrize("dtype", [*DTYPES, "float16", "int16", "int8"])
@pytest.mark.parametrize("kinds", [2, 100])
def test_the_whole_order(dtype, kinds):
    """As PyTorch's stable sort: by value, then by place, in both directions; of small arrays and large ones."""
    rng = np.random.default_rng(kinds)
    for shape in ((30,), (600,), (20, 50), (40, 7, 5), (600, 1)):
        x = rows(dtype, kinds, shape, rng)
        if x.dtype.kind == "i":
            x[rng.random(shape) < 0.1] = np.iinfo(x.dtype).min
            x[rng.random(shape) < 0.1] = np.iinfo(x.dtype).max
        for dim in range(len(shape)):
            for descending in (True, False):
                expected = torch.sort(torch.from_numpy(x), dim=dim, descending=descending, stable=True).indices
                np.testing.assert_array_equal(in_order(x, dim, descending), expected.numpy())


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("kinds", [2, 5, 1000])
def test_the_first_few_of_an_order(dtype, kinds):
    rng = np.random.default_rng(kinds)
    for shape in ((1, 70), (1, 3000), (5, 64), (40, 130), (3, 0), (0, 70)):
        for k in {0, 1, min(7, shape[1]), shape[1] // 5, shape[1]}:
            for descending in (True, False):
                x = rows(dtype, kinds, shape, rng)
                expected = in_order(x, 1, descending)[:, :k]
                np.testing.assert_array_equal(first_of_order(x, k, descending), expected)
                if 0 < k <= shape[1] and x.dtype.kind == "f":
                    compiled = pytest.importorskip("minigrad.kernels.first")
                    np.testing.assert_array_equal(compiled.first_of_order(x, k, descending), expected)


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("kinds", [2, 5, 1000])
def test_the_place_of_a_rank(dtype, kinds):
    rng = np.random.default_rng(kinds)
    for shape, dim in (((70,), 0), ((5, 90), 1), ((90, 3), 0), ((2, 65, 3), 1), ((70, 0), 0)):
        x = rows(dtype, kinds, shape, rng)
        for k in (0, 1, 30, shape[dim] - 1):
            rank = np.full([1 if i == dim else n for i, n in enumerate(shape)], k)
            expected = np.take_along_axis(np.argsort(x, dim, kind="stable"), rank, dim)
            np.testing.assert_array_equal(place_of_rank(x, rank, dim), expected)


@pytest.mark.parametrize("form", ["numpy", "compiled"])
@pytest.mark.parametrize("name", ["cummax", "cummin"])
def test_running_extremes(name, form):
    """Values, their signs, and places as in PyTorch: among equals the last, of nans the last, and none after one."""
    rng = np.random.default_rng(0)
    for dtype in DTYPES:
        for shape in ((9,), (4, 6), (3, 5, 2), (2, 0)):
            x = rows(dtype, 4, shape, rng)
            for dim in range(len(shape)):
                expected = getattr(torch, name)(torch.from_numpy(x.copy()), dim)
                with minigrad.use_kernels(form):
                    found = getattr(minigrad, name)(minigrad.tensor(x), dim)
                for a, b in zip(found, expected, strict=True):
                    assert a.numpy().dtype == b.numpy().dtype
                    assert a.numpy().tobytes() == b.numpy().tobytes() or np.isnan(x).any()
                    np.testing.assert_array_equal(a.numpy(), b.numpy())


@pytest.mark.parametrize("n", [2, 3, 1000, 5000])
def test_a_permutation_is_the_same_in_every_form(n):
    drawn = np.random.default_rng(n).integers(0, 2**32, n - 1, dtype=np.uint64)
    torch.manual_seed(n)
    expected = torch.randperm(n).numpy()
    for form in ("numpy", "compiled"):
        minigrad.manual_seed(n)
        with minigrad.use_kernels(form):
            np.testing.assert_array_equal(minigrad.randperm(n).numpy(), expected)
    kernels = pytest.importorskip("minigrad.kernels.swaps")
    np.testing.assert_array_equal(kernels.swapped(drawn), swapped(drawn))


def test_booleans_have_no_ranks():
    for function in (lambda t: t.topk(t.ones(3).bool(), 1), lambda t: t.kthvalue(t.ones(3).bool(), 1)):
        for engine in (torch, minigrad):
            with pytest.raises((RuntimeError, NotImplementedError), match=r"[Bb]ool"):
                function(engine)
