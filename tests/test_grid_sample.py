"""grid_sample in float32 at some size, in each form; and its forms beside each other where PyTorch has no answer."""

import itertools

import numpy as np
import pytest
import torch

import minigrad

SETTINGS = [
    (rank, mode, padding, corners)
    for rank, mode, padding, corners in itertools.product(
        (2, 3), ("bilinear", "nearest", "bicubic"), ("zeros", "border", "reflection"), (False, True)
    )
    if (rank, mode) != (3, "bicubic")
]


def arrays(rank, channels=5, side=9):
    """Several blocks of places in an image, some of them outside."""
    rng = np.random.default_rng(rank)
    x = rng.normal(size=(3, channels, *[side] * rank)).astype(np.float32)
    grid = rng.uniform(-1.6, 1.6, (3, *[17 if rank == 2 else 7] * rank, rank)).astype(np.float32)
    return x, grid, rng.normal(size=(3, channels, *grid.shape[1:-1])).astype(np.float32)


def computed(t, x, grid, slope, setting):
    x, grid = t.tensor(x, requires_grad=True), t.tensor(grid, requires_grad=True)
    out = t.nn.functional.grid_sample(x, grid, *setting[:2], align_corners=setting[2])
    return [y.detach().numpy() for y in (out, *t.autograd.grad(out, [x, grid], t.tensor(slope)))]


@pytest.mark.parametrize("form", ["numpy", "compiled"])
@pytest.mark.parametrize(("rank", "mode", "padding", "corners"), SETTINGS)
def test_as_in_pytorch(rank, mode, padding, corners, form):
    given, setting = arrays(rank), (mode, padding, corners)
    expected = computed(torch, *given, setting)
    with minigrad.use_kernels(form):
        for got, wanted in zip(computed(minigrad, *given, setting), expected, strict=True):
            np.testing.assert_allclose(got, wanted, rtol=1e-4, atol=1e-4 * max(1, np.abs(wanted).max()))


@pytest.mark.parametrize(("rank", "mode", "padding", "corners"), SETTINGS)
def test_forms_agree_on_places_that_are_no_numbers(rank, mode, padding, corners):
    """PyTorch reads outside of its memory there, and ends, where padding is "border" or "reflection"."""
    x, grid, slope = arrays(rank)
    grid[0, 0, ..., 0], grid[1, ..., 1], grid[2, 1], grid[2, 2] = np.nan, np.inf, -np.inf, 3e38
    with np.errstate(all="ignore"):
        with minigrad.use_kernels("numpy"):
            expected = computed(minigrad, x, grid, slope, (mode, padding, corners))
        with minigrad.use_kernels("compiled"):
            found = computed(minigrad, x, grid, slope, (mode, padding, corners))
    for got, wanted in zip(found, expected, strict=True):
        np.testing.assert_array_equal(np.isnan(got), np.isnan(wanted))
        np.testing.assert_allclose(got, wanted, rtol=1e-3, atol=1e-3)
