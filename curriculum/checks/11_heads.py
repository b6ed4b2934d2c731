"""Checks exercise 11."""

from typing import Any

from curriculum.check import Wrong, ask, near, number, tensor
from curriculum.engine import torch

LOSSES = (
    "softmax", "log_softmax", "logsumexp", "cross_entropy", "nll_loss", "softmin", "logaddexp", "logcumsumexp",
    "multi_margin_loss",
)  # fmt: skip


def _cross_entropy(solution: dict[str, Any]) -> None:
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


def _widest(solution: dict[str, Any]) -> None:
    def size(m: int, n: int, width: int, depth: int) -> int:
        return width * (m + 1) + (depth - 1) * width * (width + 1) + n * (width + 1)

    for m, n, budget, depth in (
        (64, 10, 2410, 1), (64, 10, 2409, 1), (64, 10, 8970, 2), (64, 10, 8969, 2), (2, 1, 3, 1), (2, 1, 0, 2), (3, 5, 40, 2),
        (64, 10, 85, 1), (5, 3, 2, 1), (784, 10, 100_000, 1), (784, 10, 1_000_000, 2),
    ):  # fmt: skip
        options: dict[str, Any] = {} if depth == 1 else {"depth": depth}
        found = number(ask(solution["widest"], m, n, budget, **options), "The width")
        what = f"{m} inputs, {n} outputs, {depth} hidden layer{'s' if depth > 1 else ''}, at most {budget} numbers"
        if found != int(found) or found < 0:
            raise Wrong(f"{what}: you say {found:g}; a width is a whole number, at least 0.")
        width = int(found)
        if width and size(m, n, width, depth) > budget:
            raise Wrong(
                f"{what}: width {width} has {size(m, n, width, depth)} numbers. Has every layer its biases in your count?"
            )
        if size(m, n, width + 1, depth) <= budget:
            raise Wrong(
                f"{what}: you say {width}; width {width + 1} has {size(m, n, width + 1, depth)} numbers, which still fits."
            )


def _confusion(solution: dict[str, Any]) -> None:
    for truth, guess, classes in (
        ([1], [0], 2),
        ([0, 0, 1, 2, 2, 2], [0, 0, 2, 2, 2, 1], 3),
        ([1, 1, 1], [1, 1, 0], 4),
        ([0, 1], [1, 0], 2),
    ):
        wanted = [
            [sum(p == (r, c) for p in zip(truth, guess, strict=True)) for c in range(classes)] for r in range(classes)
        ]
        found = tensor(
            ask(solution["confusion"], torch.tensor(truth), torch.tensor(guess), classes), "confusion", (classes, classes),
            "a row and a column for every class, also for one that does not occur",
        )  # fmt: skip
        if found.dtype != torch.int64:
            raise Wrong(f"The counts are {found.dtype}, wanted is int64.")
        said = found.tolist()
        if said == wanted:
            continue
        if said == [list(row) for row in zip(*wanted, strict=True)]:
            raise Wrong("Rows are the truth, columns the guess: yours are exchanged.")
        raise Wrong(
            f"truth {truth}, guess {guess}: you count {said}, right is {wanted}. The counts of {len(truth)} examples add up to "
            f"{len(truth)}; yours to {sum(map(sum, said))}. What happens to a place that is named twice?"
        )


CHECKS = {"cross_entropy": _cross_entropy, "widest": _widest, "confusion": _confusion}
BY_HAND = {"cross_entropy": LOSSES}
