"""Exercises 21: a convolution with channels, what it costs, and a slope with a mistake. Check them with `python -m curriculum check 21`.

1. Write it: size_after, the size formula, and conv2d. x has the shape (batch, in, height, width), weight (out, in, k, k), bias (out,). Put x into a frame of zeros, then
visit every place of the result: cut out the patch below the window (all input channels of it), multiply it with each
output channel's weights, sum, add the bias. Loops are fine; F.conv2d is not.
2. Derive it: how many multiplications that takes.
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


def multiplications(inputs, outputs, kernel, height, width, stride=1, padding=0):
    """Return how many products of a weight and a number a convolution takes for one picture of that height and width, a
    whole number; those with the zeros of the frame count too. inputs, outputs: the channels.
    """
    raise NotImplementedError("how often does the window stop, and what does it multiply there?")
