"""Exercise 10, in three parts. Check them with `python -m curriculum check 10`.

1. softmax and slope: write them. 2. softmax_slope: derive it. 3. loss: find the planted bug.
"""

from curriculum.engine import torch


def softmax(z):
    """The probabilities of logits z, shape (samples, classes); each row adds up to 1, also for logits of 1000."""
    raise NotImplementedError("write the softmax here")


def slope(z, y):
    """The gradient of the mean cross-entropy by the logits z (samples, classes), without backward().

    y, shape (samples,), holds the right classes as whole numbers.
    """
    raise NotImplementedError("write the slope here")


def softmax_slope(p):
    """The slopes of the probabilities themselves: entry (k, j) says how p[k] changes with the logit z[j].

    p: (classes,), what softmax gave for one sample. Returns (classes, classes). Derive it from the quotient; it can be
    written in p alone. No autograd.
    """
    raise NotImplementedError("derive the slope of a quotient, once for the same class and once for another")


def loss(z, y):
    """The mean cross-entropy of logits z (samples, classes) and right classes y (samples,), whole numbers.

    It runs, gives one number, and falls in training. Mend it. (This part counts as open until the bug is found.)
    """
    shifted = z - z.max(dim=1, keepdim=True).values
    log_p = shifted - torch.log(torch.exp(shifted).sum(dim=1, keepdim=True))
    return -log_p[:, y].mean()
