"""Checks exercise 10."""

from typing import Any

import numpy as np

from curriculum.check import AUTOGRAD, Wrong, ask, near, tensor
from curriculum.engine import torch

BY_HAND = ("softmax", "softmin", "log_softmax", "logsumexp", "cross_entropy", "nll_loss", "_softmax", *AUTOGRAD)


def check(solution: dict[str, Any]) -> None:
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
