"""Exercise 22: dropout, and scaling without peeking. Check it with `python -m curriculum check 22`."""

from curriculum.engine import torch  # noqa: F401


def dropout(x, p, training):
    """While training, each number of x is 0 with probability p, independently, and the others grow so that the mean
    of many such draws is x. Otherwise x comes back as it is. No ready-made dropout.
    """
    raise NotImplementedError("write dropout here")


def scale(train, test):
    """(train, test), both scaled so that the training part has mean 0 and spread 1."""
    raise NotImplementedError("write the scaling here")
