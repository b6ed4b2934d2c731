"""Solution of exercise 22."""

from curriculum.engine import torch


def dropout(x, p, training):
    if not training:
        return x
    kept = torch.rand(x.shape) >= p
    return x * kept / (1 - p)


def scale(train, test):
    mean, spread = train.mean(), train.std()
    return (train - mean) / spread, (test - mean) / spread
