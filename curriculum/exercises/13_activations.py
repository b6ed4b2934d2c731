"""Exercise 13, in three parts. Check them with `python -m curriculum check 13`.

1. Four slopes: write them. 2. Three more slopes: derive them. 3. dead_share: find the planted bug.

Each slope gets z, a tensor, and returns the slope f'(z) of every element, a tensor of the same shape. No autograd.
"""


def sigmoid_slope(z):
    raise NotImplementedError("write the slope here")


def tanh_slope(z):
    raise NotImplementedError("write the slope here")


def relu_slope(z):
    """At z = 0, where there is no slope, PyTorch says 0."""
    raise NotImplementedError("write the slope here")


def leaky_relu_slope(z, negative_slope=0.01):
    """At z = 0 PyTorch says `negative_slope`."""
    raise NotImplementedError("write the slope here")


def elu_slope(z, alpha=1.0):
    """Of z above 0, and alpha (exp(z) - 1) below. Both pieces must be finite everywhere, at z = 1000 too."""
    raise NotImplementedError("the slope of each piece")


def silu_slope(z, beta=1.0):
    """Of z sigmoid(beta z), which is SiLU for beta = 1, and comes near to ReLU for a large beta."""
    raise NotImplementedError("a product, and a chain inside")


def gelu_slope(z):
    """Of z Phi(z), where Phi, the normal distribution function, is (1 + erf(z / sqrt(2))) / 2.

    The slope of Phi is exp(-z² / 2) / sqrt(2 pi).
    """
    raise NotImplementedError("a product once more")


def dead_share(h):
    """The share of ReLU units that are dead: silent for every point. h, (points, units), is what ReLU put out. A float.

    It gives plausible numbers, far too large ones. Mend it. (This part counts as open until the bug is found.)
    """
    return (h <= 0).sum().item() / h.numel()
