"""Exercise 4: shapes that were stretched. Check it with `python -m curriculum check 04`.

1. quotient_slopes: derive it.
2. result_shape: write it.
3. squared_error: find the planted bug.
"""


def quotient_slopes(grad, a, b):
    """Return the slopes at a and at b, a tuple, for y = a / b; `grad` is the loss's slope at y. No autograd.

    a and b are tensors whose shapes broadcast; the slope at a has a's shape, that at b has b's shape. What the lesson
    made for sums over stretched dimensions is a part that you may use; the rest is the slope of a quotient.
    """
    raise NotImplementedError("write the two slopes here")


def result_shape(one, two):
    """Return the shape, a tuple, that tensors of the shapes `one` and `two` (tuples) have together, in a sum for instance.

    Raise ValueError where they do not fit. Plain Python; no tensor is made. A size may be 0: a 1 is stretched to it too.
    """
    raise NotImplementedError("go through both from the right")


def squared_error(prediction, target):
    """Return the mean squared error, a tensor of one number, of n predictions and n targets.

    Each of the two has the shape (n,) or (n, 1), and each sample's prediction belongs to its own target. If they are not equally many,
    raise ValueError. This one runs on all of them, and on some it is wrong.
    """
    return ((prediction - target) ** 2).mean()
