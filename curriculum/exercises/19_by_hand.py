"""Exercise 19: backward passes by hand. Check it with `python -m curriculum check 19`. No autograd.

1. cross_entropy_backward (write it)
2. batch_norm_backward (derive)
3. tied_backward (find the planted bug)
"""

from curriculum.engine import torch


def cross_entropy_backward(logits, t):
    """Return the slope of the mean cross-entropy at the logits (n, classes), given the right classes t (n)."""
    raise NotImplementedError("write the slope here")


def batch_norm_backward(slope, z, gamma, eps=1e-5):
    """Return the slopes (z, gamma, beta) of y = gamma x̂ + beta, x̂ = (z - mean) / sqrt(var + eps), over dim 0.

    `slope` is the loss's slope at y, of shape (n, features); var is divided by n.
    """
    raise NotImplementedError("write the three slopes here")


def tied_backward(x, w, b):
    """Return the slopes (w, b) of the loss of a network that packs x (n, m) into fewer numbers and unpacks it again.

    h = tanh(x w + b), of shape (n, k), with w (m, k) and b (k); y = h wᵀ, of shape (n, m); the loss is the mean over all
    elements of (y - x)².
    """
    h = torch.tanh(x @ w + b)
    y = h @ w.T
    d_y = 2 * (y - x) / y.numel()
    d_h = d_y @ w
    d_z = d_h * (1 - h**2)
    return x.T @ d_z, d_z.sum(dim=0)
