"""Solution of exercise 9."""

from curriculum.engine import torch


def cross_entropy(z, y):
    return (torch.relu(z) - z * y + torch.log1p(torch.exp(-z.abs()))).mean()


def count_loss(z, k):
    # -log(rate**k exp(-rate)) = rate - k log(rate) = exp(z) - k z, and its slope is exp(z) - k
    rate = torch.exp(z)
    return (rate - k * z).mean(), (rate - k) / len(z)


def accuracy(model, x, y):
    guess = model(x) > 0  # a logit: the probability is over one half where it is over 0
    return (guess == (y == 1)).sum().item() / len(y)
