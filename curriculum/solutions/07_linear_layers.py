"""Solution of exercise 7."""

from itertools import pairwise

from curriculum.engine import torch


def count(sizes):
    return sum(n * (m + 1) for m, n in pairwise(sizes))


def merge(first, second):
    merged = torch.nn.Linear(first.in_features, second.out_features)
    with torch.no_grad():
        merged.weight.copy_(second.weight @ first.weight)
        merged.bias.copy_(second.weight @ first.bias + second.bias)
    return merged
