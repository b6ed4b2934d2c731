"""Solution of exercise 2."""

import math

from curriculum.engine import torch


def fit_line(xs, ys, lr=0.1, steps=200):
    w = torch.tensor(0.5, requires_grad=True)
    b = torch.tensor(-0.5, requires_grad=True)
    for _ in range(steps):
        loss = ((w * xs + b - ys) ** 2).mean()
        loss.backward()
        with torch.no_grad():
            w -= lr * w.grad
            b -= lr * b.grad
        w.grad = None
        b.grad = None
    return w, b


def nudged_slope(f, x):
    h = 1e-5 * abs(x) or 1e-5
    return (f(x + h) - f(x - h)) / (2 * h)


def steps_needed(xs, lr, share):
    factor = abs(1 - 2 * lr * (xs * xs).mean().item())
    if factor >= 1:
        return None
    if factor <= share:
        return 1
    return math.ceil(math.log(share) / math.log(factor))
