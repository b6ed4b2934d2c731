"""Checks exercise 19: in float64, against what the engine's own backward gives."""

from typing import Any

from curriculum.check import AUTOGRAD, Wrong, ask, near, parts, tensor
from curriculum.engine import torch

BY_HAND = AUTOGRAD


def _drawn(seed: int) -> Any:
    drawn = torch.Generator().manual_seed(seed)
    return lambda *shape: torch.randn(*shape, generator=drawn, dtype=torch.float64)


def check_cross_entropy(solution: dict[str, Any]) -> None:
    randn = _drawn(18)

    for logits, t in ((randn(5, 4), torch.tensor([3, 0, 1, 1, 2])), (1000 * randn(3, 3), torch.tensor([2, 2, 0]))):
        found = tensor(
            ask(solution["cross_entropy_backward"], logits, t), "The slope at the logits", tuple(logits.shape), "theirs"
        )
        leaf = logits.clone().requires_grad_()
        torch.nn.functional.cross_entropy(leaf, t).backward()
        wanted = leaf.grad
        if near(found, wanted, 1e-8):
            continue
        if near(found, wanted * len(t), 1e-8):
            raise Wrong("cross_entropy_backward: the loss is a mean over the rows, and each has 1/n of it.")
        if near(found, -wanted, 1e-8):
            raise Wrong("cross_entropy_backward: the sign is turned: given minus wanted.")
        if torch.isnan(found).any():
            raise Wrong(
                "cross_entropy_backward gives NaN for large logits: take the softmax of logits less their largest."
            )
        if not near(found.sum(dim=1), torch.zeros(len(t)), 1e-6):
            raise Wrong("A row's slopes do not add up to 0: probabilities given minus those wanted, over dim 1.")
        raise Wrong(
            "cross_entropy_backward is wrong: the probabilities given minus those wanted, over the number of rows."
        )


def check_batch_norm(solution: dict[str, Any]) -> None:
    randn = _drawn(19)
    for n, eps in ((6, 1e-5), (3, 0.1)):
        leaves = [randn(n, 3).requires_grad_(), randn(3).requires_grad_(), randn(3).requires_grad_()]
        z, gamma, beta = leaves
        normal = (z - z.mean(dim=0)) / (z.var(dim=0, unbiased=False) + eps) ** 0.5
        slope = randn(n, 3)
        (gamma * normal + beta).backward(slope)
        options: dict[str, Any] = {} if eps == 1e-5 else {"eps": eps}
        answer = ask(solution["batch_norm_backward"], slope, z.detach(), gamma.detach(), **options)
        found = parts(answer, "batch_norm_backward", "the slopes at z, gamma, beta")
        hints = {
            "z": "g = slope gamma; take away its mean, and x̂ times the mean of g x̂; then divide by the deviation.",
            "gamma": "gamma acted on every row, multiplied by x̂: sum slope x̂ over the rows.",
            "beta": "beta acted on every row: sum the slope over the rows.",
        }
        for (name, hint), got, leaf in zip(hints.items(), found, leaves, strict=True):
            what = f"batch_norm_backward, the slope at {name}"
            tensor(got, what, tuple(leaf.shape))
            if not near(got, leaf.grad, 1e-8):
                more = "" if eps == 1e-5 else f" (With eps = {eps:g}: the lesson's formula holds it too.)"
                raise Wrong(f"{what} is wrong at {_first(got, leaf.grad)}: {hint}{more}")


def _first(got: Any, wanted: Any) -> str:
    """Where they differ first, and by what."""
    for place, (a, b) in enumerate(zip(got.reshape(-1).tolist(), wanted.reshape(-1).tolist(), strict=True)):
        if not abs(a - b) <= 1e-8:
            index = [place] if got.ndim == 1 else list(divmod(place, got.shape[1]))
            return f"{index}, {a:.6g} where {b:.6g} is wanted"
    return "some place"


def check_tied(solution: dict[str, Any]) -> None:
    randn = _drawn(20)
    for n, m, k in ((5, 4, 2), (3, 6, 4)):
        x, w, b = randn(n, m), randn(m, k), randn(k)
        leaves = [w.clone().requires_grad_(), b.clone().requires_grad_()]
        ((torch.tanh(x @ leaves[0] + leaves[1]) @ leaves[0].T - x) ** 2).mean().backward()
        found = parts(ask(solution["tied_backward"], x, w, b), "tied_backward", "the slopes at w, b")
        got, shift = (
            tensor(f, f"tied_backward, the slope at {name}", tuple(leaf.shape))
            for f, name, leaf in zip(found, "wb", leaves, strict=True)
        )
        h = torch.tanh(x @ w + b)
        d_y = 2 * (h @ w.T - x) / x.numel()
        packing, unpacking = x.T @ (d_y @ w * (1 - h**2)), d_y.T @ h
        if near(got, packing, 1e-8) or near(got, unpacking, 1e-8):
            raise Wrong(
                "tied_backward, the slope at w: that is the slope of one of its uses. In how many lines forward is w read?"
            )
        if near(got, packing - unpacking, 1e-8):
            raise Wrong("tied_backward, the slope at w: the slopes of two uses are added.")
        if not near(got, leaves[0].grad, 1e-8):
            raise Wrong(
                f"tied_backward, the slope at w is wrong at {_first(got, leaves[0].grad)}: packing and unpacking each send one."
            )
        if not near(shift, leaves[1].grad, 1e-8):
            raise Wrong(
                f"tied_backward, the slope at b is wrong at {_first(shift, leaves[1].grad)}: it was read once, for every row."
            )


CHECKS = {
    "cross-entropy": check_cross_entropy,
    "batch normalization": check_batch_norm,
    "a matrix used twice": check_tied,
}
