"""Checks exercise 9."""

from typing import Any

import numpy as np

from curriculum.check import Wrong
from curriculum.engine import torch


def check(solution: dict[str, Any]) -> None:
    softmax, slope = solution["softmax"], solution["slope"]
    logits = np.array([[0.5, -1.0, 2.0], [1.5, 0.2, -0.4]])
    z, y = torch.tensor(logits.tolist()), torch.tensor([2, 1])
    e = np.exp(logits)
    wanted = e / e.sum(axis=1, keepdims=True)

    def same(found: Any, numbers: np.ndarray) -> bool:
        array = found.detach().numpy()
        return array.shape == numbers.shape and np.allclose(array, numbers, atol=1e-5)

    p = softmax(z)
    total = p.detach().numpy()
    if abs(total.sum() - 1) < 1e-5:
        raise Wrong("All numbers together add up to 1, but each row must: sum over dim=1 with keepdim=True.")
    if np.allclose(total.sum(axis=0), 1, atol=1e-5):
        raise Wrong("The columns add up to 1, but each row must: a sample's classes lie along dim=1.")
    if not same(p, wanted):
        raise Wrong(f"softmax gives {p.detach().numpy().round(3).tolist()}, wanted is {wanted.round(3).tolist()}.")
    if not same(softmax(torch.tensor([[1000.0, 0.0]])), np.array([[1.0, 0.0]])):
        raise Wrong("For a logit of 1000 exp overflows: subtract each row's largest logit first; it cancels.")
    one_hot = np.eye(3)[[2, 1]]
    d = slope(z, y)
    if same(d, wanted - one_hot):
        raise Wrong("That is the slope of the sum of the losses: divide by the number of samples for their mean.")
    if same(d, (one_hot - wanted) / 2):
        raise Wrong("The sign is turned: it is probability minus one-hot.")
    if not same(d, (wanted - one_hot) / 2):
        raise Wrong("The slope is not that of the mean cross-entropy: probability minus one-hot, over the samples.")
