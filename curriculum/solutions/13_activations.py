"""Solution of exercise 13."""

from curriculum.engine import torch


def sigmoid_slope(z):
    s = torch.sigmoid(z)
    return s * (1 - s)


def tanh_slope(z):
    return 1 - torch.tanh(z) ** 2


def relu_slope(z):
    return (z > 0).to(z.dtype)


def leaky_relu_slope(z, negative_slope=0.01):
    return torch.where(z > 0, torch.ones_like(z), torch.full_like(z, negative_slope))
