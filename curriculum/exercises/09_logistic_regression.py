"""Exercise 9: cross-entropy from the logit. Check it with `python -m curriculum check 09`."""


def cross_entropy(z, y):
    """The mean binary cross-entropy of logits z and targets y (0 or 1), two tensors of one shape.

    With p = sigmoid(z) one sample costs -y log p - (1 - y) log(1 - p). Written so it overflows at
    z = 1000 and loses its digits at z = -15; yours must do neither. No loss function of the framework.
    """
    raise NotImplementedError("write the loss here")
