"""Exercises 21: sizes, a convolution with channels, and a slope with a mistake. Check them with `python -m curriculum check 21`.

1. Derive it: the size formula.
2. Write it: conv2d. x has the shape (batch, in, height, width), weight (out, in, k, k), bias (out,). Put x into a frame of zeros, then
visit every place of the result: cut out the patch below the window (all input channels of it), multiply it with each
output channel's weights, sum, add the bias. Loops are fine; F.conv2d is not.
3. Find the planted bug: window_slope runs, and its answer is wrong.
"""

from curriculum.engine import torch


def size_after(n, kernel, stride=1, padding=0):
    raise NotImplementedError("write the size formula here")


def conv2d(x, weight, bias, stride=1, padding=0):
    raise NotImplementedError("write the convolution here")


def window_slope(x, slope, k):
    """The loss's slope at a window of k x k weights that slid over the picture x, of shape (height, width); `slope`, of
    shape (height - k + 1, width - k + 1), holds the loss's slope at every place of the map. One line is wrong.
    """
    rows, columns = slope.shape
    result = torch.zeros(k, k, dtype=x.dtype)
    for i in range(rows):
        for j in range(columns):
            result = slope[i, j] * x[i : i + k, j : j + k]
    return result
