"""Exercise 4: what was stretched gets the sum. Check it with `python -m curriculum check 04`."""


def unbroadcast(grad, shape):
    """Return the gradient of a tensor of shape `shape` (a tuple), given `grad`, the gradient of it stretched.

    The result has shape `shape`: `grad` summed over the dimensions that `shape` lacks on the left, and over those
    where `shape` has size 1.
    """
    raise NotImplementedError("sum over what was stretched")
