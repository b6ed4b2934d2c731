"""Exercise 5: gradients of arrays. Check it with `python -m curriculum check 05`.

1. bilinear_slopes: derive it, entry by entry.
2. rows_slope: write it.
3. joined: find the planted bug.

All arrays are NumPy's.
"""

import numpy as np


def bilinear_slopes(grad, x, w, z):
    """Return the slopes at x, w and z, three arrays, for s_n = sum over i and j of x_ni w_ij z_nj.

    x has the shape (N, I), w (I, J), z (N, J), s (N,); `grad` (N,) is the loss's slope at s. A slope has the shape of what it
    belongs to.
    """
    raise NotImplementedError("ask which results an entry enters, and by what it is multiplied there")


def rows_slope(grad, rows, shape):
    """Return the slope at a table of that shape, for y = table[rows].

    rows (K,) are whole numbers, the rows that were picked, in any order; `grad` (K, columns) is the loss's slope at y. Grad and
    rows stay as they are.
    """
    raise NotImplementedError("a row may be picked several times, or never")


class Array:
    """A value, and pairs (parent, function that pulls a gradient back to it), as in the lesson."""

    def __init__(self, value, parents=()):
        self.value = np.asarray(value, dtype=np.float64)
        self.parents = parents


def joined(parts):
    """Return the Arrays in `parts`, which have equally many columns, below one another as one Array.

    This one runs, and for a single part it is right. For several some gradients are wrong.
    """
    value = np.concatenate([part.value for part in parts])
    parents, end = [], 0

    def pull(grad):
        return grad[end - size : end]

    for part in parts:
        size = len(part.value)
        end += size
        parents.append((part, pull))
    return Array(value, tuple(parents))
