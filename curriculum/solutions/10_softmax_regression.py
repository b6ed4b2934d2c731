"""Solution of exercise 10."""

from curriculum.engine import torch


def softmax(z):
    shifted = torch.exp(z - z.max(dim=1, keepdim=True).values)
    return shifted / shifted.sum(dim=1, keepdim=True)


def slope(z, y):
    one_hot = torch.nn.functional.one_hot(y, z.shape[1])
    return (softmax(z) - one_hot) / len(y)
