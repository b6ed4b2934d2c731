"""parity.page gives every node its counterpart in PyTorch's graph, and the right one."""

import json

import pytest

import minigrad
import parity
from minigrad.autograd.fused import Fused
from minigrad.viz.record import walked
from parity.page import compared


def pictures(torch):
    nn = torch.nn
    parts = nn.Conv2d(3, 4, 3, padding=1), nn.BatchNorm2d(4), nn.ReLU(), nn.AvgPool2d(2), nn.Flatten(), nn.Linear(64, 5)
    return nn.functional.cross_entropy(nn.Sequential(*parts)(torch.randn(2, 3, 8, 8)), torch.tensor([1, 2]))


def encoder(torch):
    layer = torch.nn.TransformerEncoderLayer(16, 4, 32, dropout=0.0, batch_first=True)
    return layer(torch.randn(3, 5, 16)).pow(3).mean()


def cancelling(torch):
    """The mean square of what a normalization gives is always 1: all that goes back is rounding, which is no difference."""
    layer = torch.nn.TransformerEncoderLayer(16, 4, 32, dropout=0.0, batch_first=True)
    return layer(torch.randn(3, 5, 16)).pow(2).mean()


def head(torch):
    nn = torch.nn
    embed, q, k = nn.Embedding(7, 6), nn.Linear(6, 6, bias=False), nn.Linear(6, 6, bias=False)
    x = embed(torch.arange(7))
    return nn.functional.scaled_dot_product_attention(q(x), k(x), x).square().mean()


def chunks(torch):
    layer, x = torch.nn.Linear(6, 18), torch.randn(4, 6)
    q, k, v = layer(x).chunk(3, dim=-1)  # three outputs of one node
    scores = (q @ k.transpose(-2, -1)).masked_fill(torch.triu(torch.ones(4, 4), 1) == 1, float("-inf"))
    return (torch.softmax(scores, -1) @ v).square().sum()


def by_hand(torch):
    x = torch.randn(8, 5)
    w, gamma = torch.randn(4, 5, requires_grad=True), torch.randn(4, requires_grad=True)
    z = x @ w.T
    mean = z.mean(dim=0, keepdim=True)
    centred = z - mean
    normal = centred * ((centred**2).mean(dim=0, keepdim=True) + 1e-5) ** -0.5
    h = torch.tanh(gamma * normal)
    return -torch.log_softmax(h, 1)[torch.arange(8), torch.tensor([0, 1, 2, 3, 0, 1, 2, 3])].mean()


def views(torch):
    x = torch.randn(4, 6, requires_grad=True)
    a, b, c = x.view(2, 12), x.t().contiguous(), torch.relu(x.abs() + 1)
    both = torch.cat([c, x], 0).chunk(2, 0)
    return (a * a).sum() + (b**3).sum() + (both[0] * both[1]).sum() + x[1:3].prod()


PROGRAMS = [pictures, encoder, cancelling, head, chunks, by_hand, views]


@pytest.mark.parametrize("program", PROGRAMS, ids=lambda p: p.__name__)
def test_every_node_has_its_counterpart(program, tmp_path):
    found = parity.page(program, tmp_path / "page.html")
    assert found.equal, str(found)
    assert found.compared == found.nodes


def faults():
    """Each operation of the programs, once."""
    found = {}
    for program in PROGRAMS:
        if program is not cancelling:
            for item in walked(program(minigrad)).order:
                if item.kind == "op" and any(s is not None for s in item.sent):
                    found.setdefault(item.op, (program, type(item.node)))
    return found


FAULTS = faults()


@pytest.mark.parametrize("op", FAULTS)
def test_a_wrong_backward_is_found(op, monkeypatch):
    program, cls = FAULTS[op]
    base = next(c for c in cls.__mro__ if "backward" in c.__dict__)
    right = base.__dict__["backward"].__func__

    def wrong(ctx, *grads):
        sent = right(ctx, *grads)
        if isinstance(sent, tuple):
            return tuple(None if g is None else g * 1.5 for g in sent)
        return sent * 1.5

    monkeypatch.setattr(base, "backward", staticmethod(wrong))
    if issubclass(cls, Fused):
        monkeypatch.setattr(cls, "kernel", None, raising=False)
    _, found = compared(program)
    assert any(wrong for _, _, wrong in found.values())


def test_variables_and_modules_have_their_names(tmp_path):
    def program(torch):
        net = torch.nn.Sequential(torch.nn.Linear(2, 3), torch.nn.Tanh())
        hidden = net(torch.ones(1, 2))
        scale = torch.tensor(2.0, requires_grad=True)
        return (hidden * scale).sum()

    found = parity.page(program, tmp_path / "page.html")
    assert found.equal
    text = (tmp_path / "page.html").read_text(encoding="utf-8")
    data = json.loads(text.partition('type="application/json">')[2].partition("</script>")[0])
    names = {node["name"] for node in data["nodes"]}
    assert {"hidden", "scale", "0.weight", "0.bias", "program"} <= names
    assert "net" in {box["name"] for box in data["boxes"]}
