"""Solution of exercise 33."""

import itertools

import numpy as np

from curriculum.engine import torch


def step_bytes(widths, batch, optimizer, bytes_of_a_number=4):
    parameters = sum((m + 1) * n for m, n in itertools.pairwise(widths))
    state = {"sgd": 0, "momentum": 1, "adam": 2}[optimizer]
    activations = batch * sum(widths[1:-1])
    return ((2 + state) * parameters + activations) * bytes_of_a_number


def accumulate(model, loss_of, x, y, size):
    model.zero_grad()
    total = 0.0
    for part_x, part_y in zip(x.split(size), y.split(size), strict=True):
        loss = loss_of(model(part_x), part_y) * (len(part_x) / len(x))
        loss.backward()
        total += loss.item()
    return total


def to_bfloat16(x):
    bits = x.view(np.uint32)
    rounded = (bits + 0x7FFF + ((bits >> 16) & 1)) & 0xFFFF0000
    return np.where(np.isnan(x), x, rounded.astype(np.uint32).view(np.float32))


class Scaler:
    def __init__(self, scale=65536.0, interval=3):
        self.scale = scale
        self.interval = interval
        self.good = 0

    def scaled(self, loss):
        return loss * self.scale

    def step(self, optimizer):
        gradients = [p.grad for group in optimizer.param_groups for p in group["params"] if p.grad is not None]
        with torch.no_grad():
            for g in gradients:
                g.div_(self.scale)
        if not all(bool(g.isfinite().all()) for g in gradients):
            self.scale /= 2
            self.good = 0
            return False
        optimizer.step()
        self.good += 1
        if self.good == self.interval:
            self.scale *= 2
            self.good = 0
        return True
