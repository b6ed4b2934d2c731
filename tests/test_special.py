"""torch.special: what PyTorch computes too roughly to be a measure, against 60 digits; where results lie in memory."""

import itertools
import math

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


# -- Bessel functions: PyTorch's J and Y are right to 2e-6, its incomplete gamma functions above a = 20 to 1e-9

PLACES = np.concatenate([np.geomspace(1e-3, 1e3, 200), np.linspace(0.5, 40.0, 300)])


@pytest.mark.parametrize("order", [0, 1])
def test_bessel_functions_are_their_integrals(order):
    """J(x) is the mean over a circle of cos(order t - x sin t), which 4,000 points give to the last digits."""
    t = np.arange(4000) * (2 * np.pi / 4000)
    expected = np.cos(order * t - PLACES[:, None] * np.sin(t)).mean(-1)
    found = getattr(minigrad.special, f"bessel_j{order}")(minigrad.tensor(PLACES)).numpy()
    np.testing.assert_allclose(found, expected, atol=2e-14)


def test_bessel_functions_of_both_kinds_belong_together():
    """J₁ Y₀ - J₀ Y₁ = 2/(πx), and I₀ K₁ + I₁ K₀ = 1/x (Abramowitz and Stegun 9.1.16 and 9.6.15)."""
    x, s = minigrad.tensor(PLACES), minigrad.special
    j0, j1, y0, y1 = (f(x).numpy() for f in (s.bessel_j0, s.bessel_j1, s.bessel_y0, s.bessel_y1))
    np.testing.assert_allclose((j1 * y0 - j0 * y1) * np.pi * PLACES / 2, 1, rtol=2e-13)
    i0, i1, k0, k1 = (f(x).numpy() for f in (s.i0e, s.i1e, s.scaled_modified_bessel_k0, s.scaled_modified_bessel_k1))
    np.testing.assert_allclose((i0 * k1 + i1 * k0) * PLACES, 1, rtol=5e-15)


SPECIAL = (math.nan, math.inf, -math.inf, 0.0, -0.0, -1.0, 1.0, 1e3, -1e3, 1e10)


@pytest.mark.parametrize("name", [
    "i0", "i0e", "i1", "i1e", "bessel_j0", "bessel_j1", "bessel_y0", "bessel_y1", "modified_bessel_i0", "modified_bessel_i1",
    "modified_bessel_k0", "modified_bessel_k1", "scaled_modified_bessel_k0", "scaled_modified_bessel_k1", "spherical_bessel_j0",
    "erfcx",
])  # fmt: skip
def test_at_the_edges_they_are_as_in_pytorch(name):
    theirs = getattr(torch.special, name)(torch.tensor(SPECIAL, dtype=torch.float64))
    ours = getattr(minigrad.special, name)(minigrad.tensor(SPECIAL, dtype=minigrad.float64))
    np.testing.assert_allclose(ours.numpy(), theirs.numpy(), rtol=1e-6)
    assert np.array_equal(np.signbit(ours.numpy()[3:]), np.signbit(theirs.numpy()[3:]))
    for integers in ([1, 2], [0]):
        assert str(getattr(minigrad.special, name)(minigrad.tensor(integers)).dtype) == "minigrad.float32"


@pytest.mark.parametrize("name", ["gammainc", "gammaincc", "zeta"])
def test_pairs_at_the_edges_are_as_in_pytorch(name):
    a, b = np.meshgrid(SPECIAL[1:], SPECIAL[1:], indexing="ij")
    theirs = getattr(torch.special, name)(torch.tensor(a), torch.tensor(b)).numpy()
    ours = getattr(minigrad.special, name)(minigrad.tensor(a), minigrad.tensor(b)).numpy()
    np.testing.assert_allclose(ours, theirs, rtol=1e-8)


def test_incomplete_gamma_functions_of_large_numbers():
    """P(a, x) - P(a + 1, x) = xᵃ e⁻ˣ / Γ(a + 1), over the border between the ways of computing too; and near PyTorch's."""
    a = np.geomspace(5.0, 1e5, 200)[:, None]
    x = a * (1 + np.linspace(-3, 3, 13) / np.sqrt(a))
    x, a = np.broadcast_arrays(np.maximum(x, 0.1), a)
    P = minigrad.special.gammainc
    first, second = (P(minigrad.tensor(v), minigrad.tensor(x)).numpy() for v in (a, a + 1))
    step = np.exp(a * np.log(x) - x - minigrad.lgamma(minigrad.tensor(a + 1)).numpy())
    np.testing.assert_allclose(first - second, step, atol=2e-12)
    np.testing.assert_allclose(first, torch.special.gammainc(torch.tensor(a), torch.tensor(x)).numpy(), atol=2e-9)
    both = first + minigrad.special.gammaincc(minigrad.tensor(a), minigrad.tensor(x)).numpy()
    np.testing.assert_allclose(both, 1, rtol=1e-14)


@pytest.mark.parametrize("name", ["igamma", "igammac", "special.zeta"])
def test_the_derivative_that_pytorch_has_not_is_refused(name):
    for engine in (torch, minigrad):
        function = engine.special.zeta if name == "special.zeta" else getattr(engine, name)
        a = engine.tensor([2.0, 3.0], requires_grad=True)
        with pytest.raises(NotImplementedError, match="not implemented"):
            function(a, engine.tensor([1.0, 2.0])).sum().backward()


def test_polynomials_of_high_degree():
    for name in ("hermite_polynomial_h", "hermite_polynomial_he", "laguerre_polynomial_l", "legendre_polynomial_p"):
        for degree in (40, 128, 129):
            x = [0.3, 0.9, -0.5]
            theirs = getattr(torch.special, name)(torch.tensor(x, dtype=torch.float64), degree).numpy()
            np.testing.assert_allclose(
                getattr(minigrad.special, name)(minigrad.tensor(x, dtype=minigrad.float64), degree).numpy(),
                theirs,
                rtol=1e-9,
            )
