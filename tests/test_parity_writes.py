"""Random programs of views and in-place changes in both engines; and that a fault in following them is found."""

import numpy as np
import pytest
import torch
from hypothesis import settings

import minigrad
from minigrad.autograd import views
from parity import writes
from parity.agreement import Mismatch
from parity.inputs import Seeded

EXAMPLES = 6_000 if settings().max_examples >= 1000 else 300


@pytest.mark.parametrize("part", range(4))  # for the tests' processes to share
def test_random_programs_of_views_and_writes(part):
    found = writes.run(EXAMPLES // 4, seed=part)
    assert not found["failures"], found["failures"][0]
    assert found["answered"] >= 0.97 * found["pytorch_answers"]
    assert found["pytorch_answers"] > 0.6 * found["examples"]
    assert found["explained"] <= 0.02 * found["examples"]
    assert found["raising_lines"] > 0.1 * found["examples"]


def test_programs_are_of_every_kind():
    text = "\n".join(writes.draw(Seeded(i)).script() for i in range(300))
    for part in (
        ".t()", ".view(", ".unsqueeze(", ".squeeze", ".diagonal(", ".permute(", ".movedim(", ".narrow(", ".select(", ".expand(",
        ".unfold(", ".split(", ".chunk(", ".unbind(", ".as_strided(", ".detach()", ".flatten(", "no_grad(): v", "no_grad():\n",
        ".copy_(", ".fill_(", ".masked_fill_(", ".index_put_(", ".scatter_(", "for e in", "] = ", "] += ", "[None", "[torch.tensor(",
        ".retain_grad()", ".register_hook(", ".transpose_(", "...", "::2",
    ):  # fmt: skip
        assert part in text, part


@pytest.mark.parametrize(
    ("name", "fault"),
    [
        ("renew", lambda view: None),  # views keep the history that they had
        ("before_change", lambda view: view),  # hooks of the view are called on the way
    ],
)
def test_a_fault_is_found(name, fault, monkeypatch):
    import minigrad.inplace

    monkeypatch.setattr(views, name, fault)
    if name == "renew":
        monkeypatch.setattr(minigrad.Tensor, "_renew", fault)
    else:
        monkeypatch.setattr(minigrad.inplace, name, fault)
    with pytest.raises(Mismatch):
        for seed in range(400):
            writes.compare(writes.draw(Seeded(seed)))


@pytest.mark.parametrize(
    ("lines", "expected"),
    [
        (["v = a.diagonal(1)", "v.grad_fn; v.register_hook(lambda g: g * 1.5)", "v.sin_()"], True),
        (["v = a[0]", "v.grad_fn; v.register_hook(lambda g: g * 1.5)", "v[1] = b[0]"], True),
        (["v = a[0]", "v.grad_fn; v.register_hook(lambda g: g * 1.5)", "v *= b"], True),
        (["v = a.softmax(0)", "v.grad_fn; v.register_hook(lambda g: g * 1.5)"], True),
        (["v = a[0]", "v.sin_()", "v.grad_fn; v.register_hook(lambda g: g * 1.5)", "w = v.sin()"], False),
        (["v = a[0]", "v.grad_fn; v.register_hook(lambda g: g * 1.5)", "w = v[0] == v", "a.sin_()"], False),
    ],
)
def test_second_derivatives_are_left_out_only_where_a_hook_is_passed_by(lines, expected):
    assert writes._a_hook_is_passed_by(lines) is expected


def test_a_hook_on_a_view_that_is_written_is_seen_by_the_second_derivative_in_pytorch_alone():
    """The one difference that is left out above; first derivatives are the same, and the second but for the hook."""
    found = {}
    for engine in (torch, minigrad):
        for hooked in (False, True):
            a = engine.tensor([0.3, -0.7], dtype=engine.float64, requires_grad=True)
            v = a.clone()[:1]
            if hooked:
                v.register_hook(lambda g: g * 1.5)
            v.sin_()
            (first,) = engine.autograd.grad(v.sum(), a, create_graph=True)
            (second,) = engine.autograd.grad(first.sum(), a)
            found[engine.__name__, hooked] = np.array([first.detach().tolist(), second.tolist()])
    plain = found["torch", False]
    np.testing.assert_allclose(found["minigrad", False], plain, rtol=1e-12)
    np.testing.assert_allclose(found["minigrad", True], plain, rtol=1e-12)
    np.testing.assert_allclose(found["torch", True], plain * [[1.0], [1.5]], rtol=1e-12)
