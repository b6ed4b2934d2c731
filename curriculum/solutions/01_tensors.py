"""Solution of exercise 1."""

from curriculum.engine import torch


def standardize(x):
    centred = x - x.mean(dim=0)
    deviation = (centred**2).mean(dim=0).sqrt()
    return centred / torch.where(deviation > 0, deviation, torch.ones_like(deviation))


def predictions():
    return (4,), (3, 1, 3), 28, 5, 50, 11


def framed(pictures, ink):
    result = pictures.clone()
    result[:, 0, :] = ink
    result[:, 7, :] = ink
    result[:, :, 0] = ink
    result[:, :, 7] = ink
    return result
