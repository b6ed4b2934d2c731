"""torch.special: what PyTorch computes too roughly to be a measure, against 60 digits; where results lie in memory."""

import itertools

import mpmath
import numpy as np
import pytest
import torch

import minigrad
from minigrad.autograd.fused import use_kernels


def test_log_ndtr_in_both_tails():
    """Value, first and second derivative: PyTorch's second loses six digits at -30."""
    places = np.linspace(-30.0, 6.0, 181)
    x = minigrad.tensor(places, requires_grad=True)
    y = minigrad.special.log_ndtr(x)
    (first,) = minigrad.autograd.grad(y.sum(), x, create_graph=True)
    (second,) = minigrad.autograd.grad(first.sum(), x)
    with mpmath.workdps(60):
        exact = []
        for place in map(mpmath.mpf, places):
            area = mpmath.ncdf(place)
            slope = mpmath.npdf(place) / area
            exact.append([float(mpmath.log(area)), float(slope), float(-place * slope - slope**2)])
    for ours, truth in zip((y.detach(), first.detach(), second), np.array(exact).T, strict=True):
        np.testing.assert_allclose(ours.numpy(), truth, rtol=1e-13)


@pytest.mark.parametrize("form", ["definition", "numpy", "compiled"])
@pytest.mark.parametrize("name", ["softmax", "log_softmax"])
def test_softmax_and_its_gradient_lie_in_the_order_of_their_indices(name, form):
    """Whatever the input's order is; random numbers are drawn in that order."""

    def strides(e, order, dim):
        x = e.ones(2, 3, 4).permute(order).detach().requires_grad_()
        y = getattr(e.special, name)(x, dim)
        (gradient,) = e.autograd.grad(y, x, e.ones(2, 3, 4).permute(order))
        return y.stride(), gradient.stride()

    with use_kernels(form):
        for order, dim in itertools.product(itertools.permutations(range(3)), range(3)):
            assert strides(minigrad, order, dim) == strides(torch, order, dim)
