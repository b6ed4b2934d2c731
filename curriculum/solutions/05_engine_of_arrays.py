"""Solution of exercise 5."""

import numpy as np


def bilinear_slopes(grad, x, w, z):
    column = grad[:, None]
    return column * (z @ w.T), (column * x).T @ z, column * (x @ w)


def rows_slope(grad, rows, shape):
    slope = np.zeros(shape)
    np.add.at(slope, rows, grad)
    return slope


class Array:
    def __init__(self, value, parents=()):
        self.value = np.asarray(value, dtype=np.float64)
        self.parents = parents


def joined(parts):
    value = np.concatenate([part.value for part in parts])
    parents, end = [], 0

    def pull_of(first, last):
        return lambda grad: grad[first:last]

    for part in parts:
        start, end = end, end + len(part.value)
        parents.append((part, pull_of(start, end)))
    return Array(value, tuple(parents))
