"""Checks exercise 10."""

from typing import Any

import numpy as np

from curriculum.check import AUTOGRAD, Wrong, ask, near, tensor
from curriculum.engine import torch

BY_HAND = ("softmax", "softmin", "log_softmax", "logsumexp", "cross_entropy", "nll_loss", "_softmax", *AUTOGRAD)


def _softmax(solution: dict[str, Any]) -> None:
    softmax, slope = solution["softmax"], solution["slope"]
    logits = np.array([[0.5, -1.0, 2.0], [1.5, 0.2, -0.4]])
    z, y = torch.tensor(logits.tolist()), torch.tensor([2, 1])
    e = np.exp(logits)
    wanted = e / e.sum(axis=1, keepdims=True)

    p = tensor(ask(softmax, z), "softmax(z)", (2, 3))
    total = p.detach().numpy()
    if abs(total.sum() - 1) < 1e-5:
        raise Wrong("All numbers together add up to 1, but each row must: sum over dim=1 with keepdim=True.")
    if np.allclose(total.sum(axis=0), 1, atol=1e-5):
        raise Wrong("The columns add up to 1, but each row must: a sample's classes lie along dim=1.")
    if not near(p, wanted, 1e-5):
        raise Wrong(f"softmax gives {total.round(3).tolist()}, wanted is {wanted.round(3).tolist()}.")
    if not near(softmax(torch.tensor([[1000.0, 0.0]])), np.array([[1.0, 0.0]]), 1e-5):
        raise Wrong("For a logit of 1000 exp overflows: subtract each row's largest logit first; it cancels.")
    rows = torch.tensor([[1000.0, 1000.0], [-1000.0, -1000.0], [-1000.0, 0.0]])
    found = softmax(rows)
    if not near(found, np.array([[0.5, 0.5], [0.5, 0.5], [0.0, 1.0]]), 1e-5):
        raise Wrong(
            f"For rows of logits {rows.tolist()} softmax gives {found.tolist()}: subtract each row's own largest logit (dim=1, "
            "keepdim=True). With the largest of the whole batch a row far below it becomes 0 / 0."
        )

    one_hot = np.eye(3)[[2, 1]]
    d = tensor(ask(slope, z, y), "slope(z, y)", (2, 3))
    if near(d, wanted - one_hot, 1e-5):
        raise Wrong("That is the slope of the sum of the losses: divide by the number of samples for their mean.")
    if near(d, (wanted - one_hot) / 3, 1e-5):
        raise Wrong("You divided by the number of classes: the mean is over the samples.")
    if near(d, (one_hot - wanted) / 2, 1e-5):
        raise Wrong("The sign is turned: it is probability minus one-hot.")
    if not near(d, (wanted - one_hot) / 2, 1e-5):
        raise Wrong("The slope is not that of the mean cross-entropy: probability minus one-hot, over the samples.")
    wide = np.array([[0.1, 0.2, 0.3, 0.4]] * 3)  # the largest class is not among the targets; another number of samples
    e = np.exp(wide)
    wanted = (e / e.sum(axis=1, keepdims=True) - np.eye(4)[[0, 0, 2]]) / 3
    if not near(slope(torch.tensor(wide.tolist()), torch.tensor([0, 0, 2])), wanted, 1e-5):
        raise Wrong("With three samples of four classes the slope is wrong: take both numbers from z's shape.")


def _softmax_slope(solution: dict[str, Any]) -> None:
    for values in ([0.2, 0.3, 0.5], [0.9, 0.1], [0.25, 0.25, 0.4, 0.1]):
        p = np.array(values)
        wanted = np.diag(p) - np.outer(p, p)
        n = len(values)
        found = tensor(ask(solution["softmax_slope"], torch.tensor(values)), "softmax_slope(p)", (n, n))
        if near(found, wanted, 1e-5):
            continue
        if near(found, np.diag(p - p * p), 1e-5):
            raise Wrong("Between different classes it is not 0: every logit stands in the sum below the fraction.")
        if near(found, -np.outer(p, p), 1e-5):
            raise Wrong("Of a class by its own logit the numerator has a slope too.")
        if not near(found.sum(dim=0), torch.zeros(n), 1e-5):
            raise Wrong(
                f"For p = {values} the columns add up to {found.sum(dim=0).numpy().round(3).tolist()}. Probabilities always add up "
                "to 1, so the slopes of all of them by one logit add up to 0."
            )
        raise Wrong(
            f"For p = {values} wanted is {wanted.round(3).tolist()}; you say {found.numpy().round(3).tolist()}."
        )


def _loss(solution: dict[str, Any]) -> None:
    for rows, classes in (
        ([[0.5, -1.0, 2.0], [1.5, 0.2, -0.4]], [2, 1]), ([[0.1, 0.2, 0.3, 0.4]] * 3, [0, 0, 2]), ([[1000.0, 0.0], [0.0, 3.0]], [0, 1]),
    ):  # fmt: skip
        z, y = torch.tensor(rows, requires_grad=True), torch.tensor(classes)
        e = np.array(rows) - np.max(rows, axis=1, keepdims=True)
        log_p = e - np.log(np.exp(e).sum(axis=1, keepdims=True))
        wanted = -log_p[np.arange(len(rows)), classes].mean()
        found = tensor(ask(solution["loss"], z, y), "The loss", ())
        if abs(found.item() + log_p[:, classes].mean()) < 1e-5 < abs(found.item() - wanted):
            raise Wrong(
                f"For logits {rows} and classes {classes} the loss is {found.item():.4f}, wanted is {wanted:.4f}. Print the shape "
                "of what the last line takes the mean of: how many numbers should it be?"
            )
        if not abs(found.item() - wanted) < 1e-5:
            raise Wrong(
                f"For logits {rows} and classes {classes} the loss is {found.item():.4f}, wanted is {wanted:.4f}."
            )
        if not found.requires_grad:
            raise Wrong("The loss has no graph any more: stay with the tensor's own operations.")


CHECKS = {"softmax and slope": _softmax, "softmax_slope": _softmax_slope, "loss": _loss}
