"""Exercise 13: the slopes of four activations. Check it with `python -m curriculum check 13`.

Each function gets z, a tensor, and returns the slope f'(z) of every element, a tensor of the same shape. No autograd.
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
