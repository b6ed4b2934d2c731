"""Indices in a compiled step: one that the recorded call did not have is refused as eager refuses it, or taken as eager takes it."""

import pytest

import minigrad as torch

F = torch.nn.functional
ROWS, GRID = [0, 1], [[0, 1], [1, 0]]
# What is done with w (5, 4) and indices i; those of the first calls; others, of which the compiled step knew nothing.
OPERATIONS = {
    "embedding": (lambda w, i: F.embedding(i, w), ROWS, [[-1, 0], [5, 0], [4, 0]]),
    "gather": (lambda w, i: w.gather(0, i), GRID, [[[-1, 0], [0, 0]], [[0, 0], [0, 5]], [[0, 0], [0, 4]]]),
    "gather 1": (lambda w, i: w.gather(1, i), GRID, [[[-1, 0], [0, 0]], [[4, 0], [0, 0]]]),
    "index_select": (lambda w, i: w.index_select(0, i), ROWS, [[-1, 0], [5, 0], [4, 4]]),
    "index_select 1": (lambda w, i: w.index_select(1, i), ROWS, [[-1, 0], [4, 0]]),
    "index_add": (lambda w, i: torch.zeros(6, 4).index_add(0, i, w[:2]), ROWS, [[-1, 0], [6, 0], [5, 5]]),
    "index_add 1": (lambda w, i: torch.zeros(5, 6).index_add(1, i, w[:, :2]), ROWS, [[-1, 0], [6, 0]]),
    "index_add_": (lambda w, i: (w * 1).index_add_(0, i, w[:2]), ROWS, [[-1, 0], [5, 1]]),
    "index_copy": (lambda w, i: torch.zeros(6, 4).index_copy(0, i, w[:2]), ROWS, [[-1, 0], [6, 0]]),
    "index_fill": (lambda w, i: w.index_fill(0, i, 0.5), ROWS, [[-1, 0], [6, 0]]),
    "index_fill 1": (lambda w, i: w.index_fill(1, i, 0.5), ROWS, [[-1, 0], [4, 0]]),
    "scatter": (lambda w, i: torch.zeros(2, 3).scatter(1, i, w[:2, :2]), GRID, [[[-1, 0], [0, 1]], [[3, 0], [0, 1]]]),
    "scatter_": (lambda w, i: (w * 1).scatter_(1, i, 0.5), GRID, [[[-1, 0], [0, 1]], [[4, 0], [0, 1]]]),
    "scatter_add": (lambda w, i: torch.zeros(2, 3).scatter_add(1, i, w[:2, :2]), GRID, [[[-1, 0], [0, 1]], [[3, 0], [0, 1]]]),
    "scatter_add_": (lambda w, i: (w * 1).scatter_add_(1, i, w[:2, :2]), GRID, [[[-1, 0], [0, 1]], [[4, 0], [0, 1]]]),
    **{
        f"scatter_reduce {kind}": (
            lambda w, i, kind=kind: torch.ones(2, 3).scatter_reduce(1, i, w[:2, :2], kind), GRID,
            [[[-1, 0], [0, 1]], [[3, 0], [0, 1]]],
        )
        for kind in ("sum", "mean", "prod", "amax", "amin")
    },
    "index_put": (lambda w, i: torch.zeros(5, 4).index_put((i,), w[:2]), ROWS, [[-1, 0], [5, 0]]),
    "w[i]": (lambda w, i: w[i], ROWS, [[-1, 0], [5, 0], [-6, 0]]),
    "w[i], from the end": (lambda w, i: w[i], [-1, -2], [[-1, 0], [0, 1], [5, 0], [-6, 0]]),
    "w[:, i]": (lambda w, i: w[:, i], ROWS, [[-1, 0], [4, 0], [-5, 0]]),
    "w[..., i]": (lambda w, i: w[..., i], ROWS, [[-1, 0], [4, 0]]),
    "w[None, i, 1:]": (lambda w, i: w[None, i, 1:], ROWS, [[-1, 0], [5, 0]]),
    "w[i, i]": (lambda w, i: w[i, i], ROWS, [[-1, 0], [4, 0], [3, 3]]),
    "take": (lambda w, i: w.take(i), ROWS, [[-1, 0], [20, 0], [-21, 0]]),
    "nll_loss": (lambda w, i: F.nll_loss(w[:2].log_softmax(1), i), ROWS, [[-1, 0], [4, 0]]),
    "cross_entropy": (lambda w, i: F.cross_entropy(w[:2], i), ROWS, [[-1, 0], [4, 0], [-100, 0]]),
}  # fmt: skip


def done(function, compiled, first, then):
    """The loss and gradient, or the error, of a call with `then` after some with `first`."""
    torch.manual_seed(0)
    w = torch.randn(5, 4, requires_grad=True)

    def step(i):
        w.grad = None
        loss = function(w, i).pow(2).sum()
        loss.backward()
        return loss

    run = torch.compile(step) if compiled else step
    for _ in range(4):
        run(torch.tensor(first))
    try:
        return [run(torch.tensor(then)).item(), *w.grad.reshape(-1).tolist()]
    except Exception as error:
        return type(error), str(error)


@pytest.mark.filterwarnings("ignore:minigrad.compile")
@pytest.mark.parametrize("name", OPERATIONS)
def test_an_index_that_was_not_seen_is_as_in_eager(name):
    function, first, others = OPERATIONS[name]
    for then in others:
        expected, found = (done(function, compiled, first, then) for compiled in (False, True))
        if isinstance(expected, tuple):
            assert found == expected, then
        else:
            assert found == pytest.approx(expected, rel=1e-5), then
