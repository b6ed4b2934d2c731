"""Solution of exercise 19."""

from curriculum.engine import torch


def cross_entropy_backward(logits, t):
    wanted = torch.nn.functional.one_hot(t, logits.shape[1]).to(logits.dtype)
    return (torch.softmax(logits, dim=1) - wanted) / len(t)


def batch_norm_backward(slope, z, gamma, eps=1e-5):
    inverse = (z.var(dim=0, unbiased=False) + eps) ** -0.5
    normal = (z - z.mean(dim=0)) * inverse
    g = slope * gamma
    z_slope = inverse * (g - g.mean(dim=0) - normal * (g * normal).mean(dim=0))
    return z_slope, (slope * normal).sum(dim=0), slope.sum(dim=0)


def tied_backward(x, w, b):
    h = torch.tanh(x @ w + b)
    y = h @ w.T
    d_y = 2 * (y - x) / y.numel()
    d_h = d_y @ w
    d_z = d_h * (1 - h**2)
    return x.T @ d_z + d_y.T @ h, d_z.sum(dim=0)
