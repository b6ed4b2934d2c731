"""Random programs of views and in-place changes in both engines; and that a fault in following them is found."""

import pytest
from hypothesis import settings

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
