"""Checks exercise 11."""

from typing import Any

from curriculum.check import Wrong, ask, near, tensor
from curriculum.engine import torch

BY_HAND = (
    "softmax", "log_softmax", "logsumexp", "cross_entropy", "nll_loss", "softmin", "logaddexp", "logcumsumexp",
    "multi_margin_loss",
)  # fmt: skip


def check(solution: dict[str, Any]) -> None:
    cross_entropy = solution["cross_entropy"]
    logits = torch.tensor([[1.0, 2.0, 0.5], [0.0, -1.0, 3.0]], requires_grad=True)
    target = torch.tensor([1, 0])
    wanted = torch.nn.functional.cross_entropy(logits, target).item()
    found = tensor(ask(cross_entropy, logits, target), "The loss")
    if tuple(found.shape) != ():
        raise Wrong("The loss must be one number: a tensor of shape (), the mean over the batch.")

    def is_(factor: float) -> bool:
        return bool(abs(found.item() - factor * wanted) < 1e-5)

    if is_(2.0):
        raise Wrong("The loss is as many times too large as the batch has rows: take the mean, not the sum.")
    if is_(-1.0):
        raise Wrong("The sign is wrong: the loss is minus the logarithm of the probability.")
    if not is_(1.0):
        raise Wrong(
            f"For logits {logits.tolist()} and target {target.tolist()} the loss must be {wanted:.6f}; it is {found.item():.6f}. "
            "Take the softmax over the classes, dim=1, and the entry at the target of each row."
        )

    for rows, right in (
        ([[1000.0, 0.0], [-1000.0, 0.0]], 500.0), ([[1000.0, 1000.0], [-1000.0, -1000.0]], 0.693147),
    ):  # fmt: skip
        large = cross_entropy(torch.tensor(rows), torch.tensor([0, 0])).item()
        if not abs(large - right) < 1e-3:
            raise Wrong(
                f"With logits {rows} the loss must be {right:g}; it is {large}. exp(1000) is infinite and log(0) minus infinity: "
                "subtract each row's largest logit first, and take the logarithm of the sum only."
            )
    wide, classes = torch.tensor([[0.3, -0.2, 0.9, 0.1, 0.0]] * 3), torch.tensor([4, 4, 2])
    if not near(cross_entropy(wide, classes), torch.nn.functional.cross_entropy(wide, classes), 1e-5):
        raise Wrong("With three rows of five classes the loss is wrong: take both numbers from the tensors' shapes.")

    if not found.requires_grad:
        raise Wrong("The loss has no graph: stay with torch's operations, without .item(), .numpy() or no_grad().")
    found.backward()
    p = torch.softmax(logits.detach(), dim=1)
    p[torch.arange(2), target] -= 1
    if logits.grad is None or not near(logits.grad, p / 2, 1e-5):
        raise Wrong("The loss is right but its gradient is not (softmax minus one at the target, over the batch size).")
