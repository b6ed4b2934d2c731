"""Exercise 4: back through a quotient. Check it with `python -m curriculum check 04`."""


def quotient_slopes(grad, a, b):
    """Return the slopes at a and at b, a tuple, for y = a / b; `grad` is the loss's slope at y. No autograd.

    a and b are tensors whose shapes broadcast; the slope at a has a's shape, that at b has b's shape. What the lesson
    made for sums over stretched dimensions is a part that you may use; the rest is the slope of a quotient.
    """
    raise NotImplementedError("write the two slopes here")
