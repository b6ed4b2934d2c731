"""Exercise 27: layer normalization and early stopping. Check it with `python -m curriculum check 27`."""

from curriculum.engine import torch  # noqa: F401


def layer_norm(x, weight, bias, eps=1e-5):
    """x: (..., width). Each vector brought to mean 0 and variance 1 (divided by n, with eps added), times weight,
    plus bias. No ready-made normalization.
    """
    raise NotImplementedError("write the normalization here")


def stop_at(losses, patience):
    """(the epoch after which to stop, the best epoch), both counted from 0, given the held-out loss after each epoch.

    Stop as soon as `patience` epochs in a row have brought no loss below the best one; else after the last.
    """
    raise NotImplementedError("write early stopping here")
