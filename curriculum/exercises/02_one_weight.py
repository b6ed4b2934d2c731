"""Exercise 2: a line with two weights. Check it with `python -m curriculum check 02`."""

from curriculum.engine import torch


def fit_line(xs, ys, lr=0.1, steps=200):
    """Fit y = w * x + b by gradient descent on the mean squared error, with the update by hand.

    Start at w = 0.5 and b = -0.5 and return (w, b), two tensors. No torch.optim.
    """
    w = torch.tensor(0.5, requires_grad=True)  # noqa: F841
    b = torch.tensor(-0.5, requires_grad=True)  # noqa: F841
    raise NotImplementedError("write the loop here, and return w and b")
