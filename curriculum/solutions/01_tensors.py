"""Solution of exercise 1."""

from curriculum.engine import torch


def standardize(x):
    centred = x - x.mean(dim=0)
    deviation = (centred**2).mean(dim=0).sqrt()
    return centred / torch.where(deviation > 0, deviation, torch.ones_like(deviation))
