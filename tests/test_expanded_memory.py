"""Whatever writes into a tensor that was given looks whether its elements have places of their own in memory, as PyTorch does.

`expand` makes one element appear as many. A write to all of them would leave the last one everywhere: `load_state_dict` would put
2 in the place of (1, 2).
"""

import numpy as np
import pytest

from parity.engines import MINIGRAD, TORCH

SINGLE = "more than one element of .* refers to a single memory location"


def wide(T, *shape, first=1):
    """A tensor of that shape whose rows (first=1), or columns, are one in memory."""
    own = (1, *shape[1:]) if first else (*shape[:-1], 1)
    return T.arange(1.0, 1 + int(np.prod(own))).reshape(own).expand(shape)


def with_grad(T):
    p = T.zeros(4, requires_grad=True)
    p.grad = wide(T, 4)
    return p


def accumulate(T):
    with_grad(T).sum().backward()


def load(name, module):
    def run(T):
        m = module(T.nn)
        whole = m.state_dict()
        held = wide(T, *getattr(m, name).shape)
        setattr(m, name, T.nn.Parameter(held) if name in dict(m.named_parameters()) else held)
        m.load_state_dict(whole)

    return run


def average(T):
    m = T.nn.Linear(3, 2)
    averaged = T.optim.swa_utils.AveragedModel(m)
    averaged.module.bias = T.nn.Parameter(wide(T, 2))
    averaged.update_parameters(m), averaged.update_parameters(m)


def step(name):
    def run(T):
        p = wide(T, 3).requires_grad_()
        optimizer = getattr(T.optim, name)([p], lr=0.1)

        def closure():
            optimizer.zero_grad()
            loss = (p * p).sum()
            loss.backward()
            return loss

        optimizer.step(closure)

    return run


INDEX = [1, 2]
WRITES = {
    "backward into a gradient": accumulate,
    "load a parameter": load("bias", lambda nn: nn.Linear(3, 2)),
    "load a buffer": load("running_mean", lambda nn: nn.BatchNorm1d(2)),
    "clip_grad_norm_": lambda T: T.nn.utils.clip_grad_norm_([with_grad(T)], 1.0),
    "clip_grad_norm_ of short ones": lambda T: T.nn.utils.clip_grad_norm_([with_grad(T)], 100.0),
    "clip_grads_with_norm_": lambda T: T.nn.utils.clip_grads_with_norm_([with_grad(T)], 1.0, T.tensor(5.0)),
    "clip_grad_value_": lambda T: T.nn.utils.clip_grad_value_([with_grad(T)], 0.5),
    "embedding": lambda T: T.nn.functional.embedding(T.tensor(INDEX), wide(T, 5, 2, first=0), max_norm=1.0),
    "embedding_bag": lambda T: T.nn.functional.embedding_bag(T.tensor([INDEX]), wide(T, 5, 2, first=0), max_norm=1.0),
    "instance_norm": lambda T: T.nn.functional.instance_norm(T.randn(2, 3, 4), wide(T, 3), T.ones(3)),
    "AveragedModel": average,
    "dropout": lambda T: T.nn.functional.dropout(wide(T, 3), 0.5, True, True),
    **{f"optim.{name}": step(name) for name in ("SGD", "Adam", "Adagrad", "ASGD", "LBFGS", "Rprop")},
    **{f"init.{name}": lambda T, name=name: getattr(T.nn.init, name)(wide(T, 4, 3)) for name in ("uniform_", "orthogonal_")},
    "init.sparse_": lambda T: T.nn.init.sparse_(wide(T, 4, 3), 0.5),
}  # fmt: skip


@pytest.mark.parametrize("name", WRITES)
def test_it_is_refused_as_pytorch_refuses_it(name):
    said = []
    for engine in (TORCH, MINIGRAD):
        engine.seed(0)
        with pytest.raises(RuntimeError, match=SINGLE) as caught:
            WRITES[name](engine.module)
        said.append(str(caught.value))
    if name.startswith("load"):
        assert said[0] == said[1]


@pytest.mark.parametrize("half", [False, True])
@pytest.mark.parametrize("which", ["running_mean", "running_var"])
def test_batch_norm_refuses_it_too(which, half):
    """PyTorch keeps one of the channels' statistics for all of them."""
    engine = MINIGRAD.module
    kind = engine.float16 if half else engine.float32
    running = {"running_mean": engine.zeros(3, dtype=kind), "running_var": engine.ones(3, dtype=kind)}
    running[which] = engine.ones(1, dtype=kind).expand(3)
    with pytest.raises(RuntimeError, match=SINGLE):
        engine.nn.functional.batch_norm(engine.randn(2, 3, 4).to(kind), **running, training=True)
    assert running["running_mean"].tolist() == [which == "running_mean"] * 3  # nothing was moved


SAME = {
    "rows that are shortened alike": lambda T: T.nn.functional.embedding(T.tensor(INDEX), wide(T, 5, 2), max_norm=1.0),
    "zeros": lambda T: T.nn.init.zeros_(wide(T, 4, 3)),
    "zero_grad": lambda T: (p := with_grad(T), T.optim.SGD([p], lr=0.1).zero_grad(set_to_none=False), p.grad)[-1],
    "a gradient with a graph": lambda T: (p := with_grad(T), (p * p).sum().backward(create_graph=True), p.grad)[-1],
    "statistics that are only read": lambda T: T.nn.functional.batch_norm(T.ones(2, 3), wide(T, 3), wide(T, 3)),
}  # fmt: skip


@pytest.mark.filterwarnings("ignore:Using backward")
@pytest.mark.parametrize("name", SAME)
def test_what_does_not_depend_on_it_is_done(name):
    theirs, ours = (SAME[name](engine.module).detach().numpy() for engine in (TORCH, MINIGRAD))
    np.testing.assert_allclose(ours, theirs, rtol=1e-6)


@pytest.mark.parametrize("name", ["load", "clip", "accumulate"])
def test_memory_that_may_only_be_read_is_refused(name):
    """As of an array that a program has locked. PyTorch warns when it becomes a tensor, and writes."""
    T = MINIGRAD.module
    locked = np.zeros(2, np.float32)
    locked.flags.writeable = False
    m = T.nn.Linear(3, 2)
    held = T.from_numpy(locked)
    with pytest.raises(RuntimeError, match="read-only"):
        if name == "load":
            m.bias = T.nn.Parameter(held)
            m.load_state_dict(T.nn.Linear(3, 2).state_dict())
        else:
            m.bias.grad = held
            T.nn.utils.clip_grad_norm_(m.parameters(), 1.0) if name == "clip" else m(T.ones(1, 3)).sum().backward()
    assert not locked.any()
