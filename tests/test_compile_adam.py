"""Adam's step over all parameters as one loop: it sees every change of settings and state, at whatever call it comes."""

import numpy as np
import pytest

import minigrad as mg
from minigrad import nn

CHANGES = {
    "nothing": lambda o: None,
    "rate": lambda o: o.param_groups[0].update(lr=0.05),
    "betas": lambda o: o.param_groups[0].update(betas=(0.8, 0.9)),
    "eps": lambda o: o.param_groups[0].update(eps=1e-3),
    "decay": lambda o: o.param_groups[0].update(weight_decay=0.1),
    "maximize": lambda o: o.param_groups[0].update(maximize=True),
    "state dict": lambda o: o.load_state_dict(o.state_dict()),
    "state": lambda o: o.state[o.param_groups[0]["params"][0]].update(exp_avg=mg.ones(3, 2)),
    "count": lambda o: o.state[o.param_groups[0]["params"][1]]["step"].add_(5),
    "gradient held": lambda o: HELD.append(o.param_groups[0]["params"][0].grad),
    "parameter's memory": lambda o: setattr(o.param_groups[0]["params"][0], "data", mg.full((3, 2), 0.5)),
}
HELD = []


@pytest.mark.parametrize("kind", ["Adam", "AdamW"])
@pytest.mark.parametrize("change", CHANGES)
def test_a_change_is_seen_at_the_next_call(kind, change):
    def run(compiled):
        mg.manual_seed(0)
        model = nn.Sequential(nn.Linear(2, 3), nn.Tanh(), nn.Linear(3, 1))
        optimizer = getattr(mg.optim, kind)(model.parameters(), lr=0.01)
        x = mg.randn(6, 2)

        def step():
            optimizer.zero_grad()
            loss = (model(x) ** 2).mean()
            loss.backward()
            optimizer.step()
            return loss

        call = mg.compile(step) if compiled else step
        for k in range(12):
            call()
            if k == 6:
                CHANGES[change](optimizer)
        if compiled and change not in ("state dict",):
            assert max((r.calls for r in call._ready if r.program), default=0) >= 4, call.explain()
        return [p.numpy(force=True).copy() for p in model.parameters()]

    for a, b in zip(run(False), run(True), strict=True):
        np.testing.assert_allclose(a, b, rtol=2e-5, atol=1e-6)
