"""Exercise 2: slopes and steps. Check it with `python -m curriculum check 02`.

1. fit_line: write it.
2. nudged_slope: find the planted bug.
3. steps_needed: predict, then measure.
"""

from curriculum.engine import torch


def fit_line(xs, ys, lr=0.1, steps=200):
    """Fit y = w * x + b by gradient descent on the mean squared error, with the update by hand.

    Start at w = 0.5 and b = -0.5 and return (w, b), two tensors. No torch.optim.
    """
    w = torch.tensor(0.5, requires_grad=True)  # noqa: F841
    b = torch.tensor(-0.5, requires_grad=True)  # noqa: F841
    raise NotImplementedError("write the loop here, and return w and b")


def nudged_slope(f, x):
    """Return the slope of f at x, by nudging; x is a float, f takes a float and gives one.

    Wanted are five right digits, for powers of x such as x³ and 1/x, for x from 0.001 to 1000 and of either sign; and for any smooth f
    at x = 0. The formula below is the lesson's, and yet what it returns is wrong.
    """
    h = 1e-14
    return (f(x + h) - f(x - h)) / (2 * h)


def steps_needed(xs, lr, share):
    """Return how many steps the lesson's descent, for a line through the origin, takes until it is near enough.

    Near enough: its distance from the lowest point is at most `share` (above 0, below 1) of the distance that it had at the start. xs is
    the tensor of the data's x. Return a whole number, or None if it never gets there. Predict it: do not descend, 10 million steps may be
    needed.
    """
    raise NotImplementedError("what does each step do to the distance?")
