"""Exercise 12: a Tanh network's slopes by hand. Check it with `python -m curriculum check 12`."""


def forward(x, w1, b1, w2, b2):
    """Return (guess, h): h = tanh(x w1ᵀ + b1) of shape (n, hidden), and guess = h w2ᵀ + b2 of shape (n, 1).

    x is (n, 1), w1 (hidden, 1), b1 (hidden), w2 (1, hidden), b2 (1).
    """
    raise NotImplementedError("write the forward pass here")


def backward(x, h, w2, slope):
    """Return the gradients (w1, b1, w2, b2), given `slope`, the loss's slope at the guess, of shape (n, 1).

    No autograd.
    """
    raise NotImplementedError("write the backward pass here")
