"""Exercises 22: dropout, scaling without peeking, a receptive field. Check them with `python -m curriculum check 22`.

1. Write it: dropout. 2. Write it: the scaling. 3. Derive it: how much of the picture a unit sees.
"""

from curriculum.engine import torch  # noqa: F401


def dropout(x, p, training):
    """While training, each number of x is 0 with probability p, independently, and the others grow so that the mean
    of many such draws is x. Otherwise x comes back as it is. No ready-made dropout.
    """
    raise NotImplementedError("write dropout here")


def scale(train, test):
    """(train, test), both scaled so that the training part has mean 0 and spread 1."""
    raise NotImplementedError("write the scaling here")


def receptive_field(layers):
    """Return how many pixels wide the part of the picture is that one unit behind these layers can see, a whole number.

    layers: a list of (k, s), the window and the stride of each convolution or pooling, the first one first. [(3, 1)] is
    3. Padding changes where the part lies, not how wide it is.
    """
    raise NotImplementedError("how much does each layer add, and how far apart are its inputs in the picture?")
