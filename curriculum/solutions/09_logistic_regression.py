"""Solution of exercise 9."""

from curriculum.engine import torch


def cross_entropy(z, y):
    return (torch.relu(z) - z * y + torch.log1p(torch.exp(-z.abs()))).mean()
