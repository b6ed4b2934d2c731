"""Exercise 11: the cross-entropy. Check it with `python -m curriculum check 11`."""

from curriculum.engine import torch  # noqa: F401


def cross_entropy(logits, target):
    """The mean of -log softmax(logits)[target] over the batch.

    logits: (B, C), floating; target: (B,), whole numbers from 0 to C - 1. Use torch's exp, log, sum and max, but no
    ready-made softmax, logsumexp or cross_entropy. It must survive logits of 1000.
    """
    raise NotImplementedError("write the loss here")
