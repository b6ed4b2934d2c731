"""Means, norms and normalizations of float16: their sums (of squares) do not fit where the results do, as in PyTorch."""

import numpy as np
import pytest
import torch

import minigrad

ENGINES = (torch, minigrad)
X = (np.random.default_rng(0).normal(size=40) * 60).astype(np.float16)
Y = (np.random.default_rng(1).normal(size=40) * 60).astype(np.float16)


def rows(x):
    return x.reshape(8, 5) * 100


CALLS = {
    "mean": lambda t, x, y: (x.abs() * 100).mean(),
    "mean by dim": lambda t, x, y: rows(x.abs()).mean(0),
    "mse_loss": lambda t, x, y: t.nn.functional.mse_loss(x, y),
    "l1_loss": lambda t, x, y: t.nn.functional.l1_loss(x * 100, y),
    "smooth_l1_loss": lambda t, x, y: t.nn.functional.smooth_l1_loss(x * 100, y),
    "huber_loss": lambda t, x, y: t.nn.functional.huber_loss(x * 100, y),
    "margin_ranking_loss": lambda t, x, y: t.nn.functional.margin_ranking_loss(x * 100, y * 100, y.sign()),
    "norm": lambda t, x, y: t.norm(x * 10),
    "norm by dim": lambda t, x, y: t.norm(rows(x), dim=0),
    "a norm of another power": lambda t, x, y: t.norm(x, 3.0),
    "vector_norm": lambda t, x, y: t.linalg.vector_norm(x * 100),
    "dist": lambda t, x, y: t.dist(x * 100, y),
    "pairwise_distance": lambda t, x, y: t.nn.functional.pairwise_distance(rows(x), y.reshape(8, 5)),
    "normalize": lambda t, x, y: t.nn.functional.normalize(rows(x)),
    "layer_norm": lambda t, x, y: t.nn.functional.layer_norm(rows(x), (5,)),
    "layer_norm with weights": lambda t, x, y: t.nn.functional.layer_norm(rows(x), (5,), y[:5], y[5:10]),
    "batch_norm": lambda t, x, y: t.nn.functional.batch_norm(rows(x), None, None, training=True),
    "instance_norm": lambda t, x, y: t.nn.functional.instance_norm(rows(x).reshape(2, 4, 5)),
    "group_norm": lambda t, x, y: t.nn.functional.group_norm(x.reshape(4, 10) * 100, 2),
    "rms_norm": lambda t, x, y: t.nn.functional.rms_norm(rows(x), (5,)),
    "avg_pool1d": lambda t, x, y: t.nn.functional.avg_pool1d(x.reshape(1, 1, 40) * 200, 8),
    "adaptive_avg_pool1d": lambda t, x, y: t.nn.functional.adaptive_avg_pool1d(x.reshape(1, 1, 40).abs() * 200, 3),
    "area": lambda t, x, y: t.nn.functional.interpolate(x.reshape(1, 1, 40).abs() * 200, 2, mode="area"),
    "many": lambda t, x, y: x.repeat(2000).mean(),
    "a loss of many": lambda t, x, y: t.nn.functional.l1_loss(x.repeat(2000), y.repeat(2000)),
}


@pytest.mark.parametrize("name", CALLS)
def test_what_fits_is_finite(name):
    found = []
    for t in ENGINES:
        x = t.from_numpy(X.copy()).requires_grad_()
        out = CALLS[name](t, x, t.from_numpy(Y.copy()))
        weights = t.from_numpy(np.random.default_rng(2).normal(size=tuple(out.shape)).astype(np.float32))
        (out.float() * weights).sum().backward()
        found.append([a.detach().float().numpy() for a in (out, x.grad)])
        assert out.dtype == x.grad.dtype == t.float16
    for theirs, ours in zip(*found, strict=True):
        assert np.isfinite(theirs).all()
        np.testing.assert_allclose(ours, theirs, rtol=2e-2, atol=2e-2 * np.abs(theirs).max())


def test_running_statistics_in_half_move_as_in_pytorch():
    found = []
    for t in ENGINES:
        mean, var = t.zeros(5).half(), t.ones(5).half()
        t.nn.functional.batch_norm(t.from_numpy(X.reshape(8, 5)), mean, var, training=True)
        found.append([mean.float().numpy(), var.float().numpy()])
    for theirs, ours in zip(*found, strict=True):
        np.testing.assert_allclose(ours, theirs, rtol=2e-2, atol=2e-2)
