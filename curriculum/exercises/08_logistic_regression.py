"""Exercise 8: cross-entropy from the logit. Check it with `python -m curriculum check 08`."""


def cross_entropy(z, y):
    """The mean binary cross-entropy of logits z and targets y (0 or 1), two tensors of one shape.

    With p = sigmoid(z) one sample costs -y log p - (1 - y) log(1 - p). For z = 1000 that overflows; written as
    max(z, 0) - z * y + log(1 + exp(-|z|)) it does not. No loss function of the framework.
    """
    raise NotImplementedError("write the loss here")
