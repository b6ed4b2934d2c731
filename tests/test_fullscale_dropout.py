"""Full scale's dropout on a CPU draws what PyTorch's draws in distribution, and computes what PyTorch's computes."""

import math

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from test_fullscale_train import plain_settings
from torch import nn
from torch.utils.checkpoint import checkpoint

from curriculum.fullscale import dropout, loop

CPU = torch.device("cpu")


@pytest.fixture
def drawn(monkeypatch):
    """The masks that were drawn here."""
    masks = []
    real = dropout._kept

    def kept(shape, levels):
        masks.append(real(shape, levels))
        return masks[-1]

    monkeypatch.setattr(dropout, "_kept", kept)
    return masks


@pytest.mark.parametrize("p", [0.1, 0.5, 0.9, 1e-3, 1.0])
def test_values_and_gradients_are_dropouts(drawn, p):
    x = torch.randn(300, 1000, dtype=torch.float64, requires_grad=True)
    cotangent = torch.randn(300, 1000, dtype=torch.float64)
    with dropout.fast(CPU):
        y = nn.Dropout(p)(x)
        y.backward(cotangent)
    (kept,) = drawn or [torch.zeros(300, 1000, dtype=torch.bool)]  # (p=1 leaves nothing to draw)
    spread = 5 * math.sqrt(p * (1 - p) / x.numel())
    assert abs(kept.double().mean().item() - (1 - p)) <= spread + 1 / dropout.LEVELS
    factor = 1 / (1 - p) if p < 1 else 0.0
    torch.testing.assert_close(y, x * kept * factor, rtol=1e-4, atol=0)
    torch.testing.assert_close(x.grad, cotangent * kept * factor, rtol=1e-4, atol=0)
    assert y.dtype is torch.float64


def test_the_mean_stays(drawn):
    """What is kept is scaled by the share that is really kept, to 65,536ths."""
    with dropout.fast(CPU):
        y = F.dropout(torch.ones(4000, 1000), 0.1234567)
    assert abs(y.double().mean().item() - 1) < 5 * math.sqrt(0.1234567 / 0.8765433 / y.numel())


def test_elements_and_draws_are_independent(drawn):
    with dropout.fast(CPU):
        for _ in range(2):
            F.dropout(torch.ones(1 << 20), 0.5)
    a, b = (mask.double() - 0.5 for mask in drawn)
    few = 5 * 0.25 / math.sqrt(len(a))
    assert abs((a * b).mean()) < few
    for lag in (1, 2, 3, 4, 64):
        assert abs((a[lag:] * a[:-lag]).mean()) < few


def test_a_seed_gives_the_same_masks():
    def run(seed):
        torch.manual_seed(seed)
        with dropout.fast(CPU):
            return F.dropout(torch.ones(1 << 16), 0.5), torch.rand(3)

    (a, after_a), (b, after_b), (c, _) = run(1), run(1), run(2)
    assert torch.equal(a, b)
    assert torch.equal(after_a, after_b)
    assert not torch.equal(a, c)


@pytest.mark.parametrize("mask", [None, "bool", "float", "one row"])
@pytest.mark.parametrize("scale", [None, 0.3])
@pytest.mark.parametrize("dtype", [torch.float64, torch.float32, torch.bfloat16])
def test_attention_is_pytorchs_but_for_what_is_dropped(monkeypatch, mask, scale, dtype):
    """With all weights kept it is PyTorch's own attention, scaled."""
    monkeypatch.setattr(dropout, "_kept", lambda shape, levels: torch.ones(shape, dtype=torch.bool))
    q, k, v = (torch.randn(2, 3, 64, 16, dtype=dtype, requires_grad=True) for _ in range(3))
    closed = torch.rand(2, 1, 64, 64) < 0.3
    closed[..., 0] = False
    given = {
        None: None, "bool": ~closed, "float": torch.zeros(2, 1, 64, 64, dtype=dtype).masked_fill(closed, -math.inf),
        "one row": ~closed[:, :, :1],
    }[mask]  # fmt: skip
    cotangent = torch.randn(2, 3, 64, 16, dtype=dtype)

    def run(fast, p):
        with dropout.fast(CPU, compiled=not fast):
            y = F.scaled_dot_product_attention(q, k, v, given, p, scale=scale)
        return y, *torch.autograd.grad(y, (q, k, v), cotangent)

    bound = {torch.float64: 1e-12, torch.float32: 1e-4, torch.bfloat16: 0.1}[dtype]
    for ours, theirs in zip(run(True, 0.5), run(False, 0.0), strict=True):
        assert ours.dtype is theirs.dtype
        torch.testing.assert_close(ours / 2, theirs, rtol=bound, atol=bound)


def test_attention_drops_its_weights(drawn):
    q, k, v = (torch.randn(2, 3, 64, 16, dtype=torch.float64) for _ in range(3))
    with dropout.fast(CPU):
        y = F.scaled_dot_product_attention(q, k, v, dropout_p=0.25)
    weights = (q @ k.mT / 4).softmax(-1) * drawn[0] / 0.75
    torch.testing.assert_close(y, weights @ v)
    assert abs(drawn[0].double().mean() - 0.75) < 0.02


def test_attention_under_autocast_is_of_its_type(drawn):
    q, k, v = (torch.randn(2, 3, 64, 16) for _ in range(3))
    with dropout.fast(CPU), torch.autocast("cpu", torch.bfloat16):
        assert F.scaled_dot_product_attention(q, k, v, dropout_p=0.25).dtype is torch.bfloat16
    assert len(drawn) == 1


def test_what_gains_nothing_or_is_asked_otherwise_is_pytorchs(drawn):
    x, small = torch.ones(1 << 16), torch.ones(8)
    q = torch.randn(2, 3, 64, 16)
    with dropout.fast(CPU):
        nn.Dropout(0.5).eval()(x)
        F.dropout(x, 0.0)
        F.dropout(small, 0.5)
        F.dropout(x.clone(), 0.5, inplace=True)
        F.scaled_dot_product_attention(q, q, q)
        F.scaled_dot_product_attention(q, q, q, dropout_p=0.5, is_causal=True)
        for closed in (torch.zeros(64, 64, dtype=torch.bool), torch.full((64, 64), -math.inf)):
            assert F.scaled_dot_product_attention(q, q, q, closed, 0.5).eq(0).all()  # queries without a key
        with pytest.raises(ValueError, match="between 0 and 1"):
            F.dropout(x, 1.5)
    with dropout.fast(CPU, compiled=True):
        F.dropout(x, 0.5)
    F.dropout(x, 0.5)
    assert drawn == []


class Layers(nn.Module):
    def __init__(self, checkpointing):
        super().__init__()
        self.layers = nn.ModuleList(nn.Linear(64, 64) for _ in range(2))
        self.checkpointing = checkpointing

    def forward(self, x):
        for layer in self.layers:

            def one(x, layer=layer):
                return F.dropout(F.scaled_dot_product_attention(*[layer(x)] * 3, dropout_p=0.5), 0.5, self.training)

            x = checkpoint(one, x, use_reentrant=False) if self.checkpointing else one(x)
        return x


def test_layers_that_are_computed_again_drop_the_same():
    """The backward pass of checkpointing goes through the same draws, or its gradients would be another function's."""
    gradients = []
    for checkpointing in (False, True):
        torch.manual_seed(0)
        model = Layers(checkpointing)
        x = torch.randn(4, 128, 64)
        torch.manual_seed(1)
        with dropout.fast(CPU):
            model(x).square().sum().backward()
        gradients.append([p.grad for p in model.parameters()])
    for a, b in zip(*gradients, strict=True):
        assert torch.equal(a, b)


def test_a_training_draws_so_forward_and_again_in_the_backward_pass(drawn, tmp_path):
    model = nn.Sequential(nn.Linear(64, 512), Again(nn.Dropout(0.5)), nn.Linear(512, 2))
    job = loop.Job(
        model, torch.optim.SGD(model.parameters(), lr=0.1), 64,
        lambda chosen, part, _: (torch.ones(len(chosen[part]), 64), torch.zeros(len(chosen[part]), dtype=torch.int64)),
        lambda model, made: F.cross_entropy(model(made[0]), made[1], reduction="sum"), lambda model: {},
    )  # fmt: skip
    state = {"micro": 1}
    loop._step(
        job,
        model,
        model,
        torch.amp.GradScaler("cpu", enabled=False),
        np.arange(64),
        0,
        state,
        plain_settings(tmp_path),
        0,
        1,
    )
    assert len(drawn) == 2
    assert torch.equal(*drawn)


class Again(nn.Module):
    """Computed again in the backward pass."""

    def __init__(self, inner):
        super().__init__()
        self.inner = inner

    def forward(self, x):
        return checkpoint(self.inner, x, use_reentrant=False)
