"""Checks exercise 19: in float64, against what the engine's own backward gives."""

from typing import Any

from curriculum.check import AUTOGRAD, Wrong, ask, near, parts, tensor
from curriculum.engine import torch

BY_HAND = AUTOGRAD


def check(solution: dict[str, Any]) -> None:
    drawn = torch.Generator().manual_seed(18)

    def randn(*shape: int) -> Any:
        return torch.randn(*shape, generator=drawn, dtype=torch.float64)

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
