"""Solution of exercise 11."""

import math

from curriculum.engine import torch


def cross_entropy(logits, target):
    # Softmax does not change when all logits move together; with the largest at 0 no exponential can overflow.
    shifted = logits - logits.max(dim=1, keepdim=True).values  # (B, C)
    log_sum = shifted.exp().sum(dim=1).log()  # (B,)
    right = shifted[torch.arange(len(target)), target]  # (B,)
    return (log_sum - right).mean()


def widest(inputs, outputs, budget, depth=1):
    # one hidden layer: w (inputs + 1) + outputs (w + 1); each further one adds w (w + 1)
    each, rest = inputs + 1 + outputs, budget - outputs
    if rest < 0:
        return 0
    if depth == 1:
        return rest // each
    b = each + 1
    return (math.isqrt(b * b + 4 * rest) - b) // 2  # the larger root of w² + b w = rest


def confusion(truth, guess, classes):
    # counts[truth, guess] += 1 writes each place once, however often it is named
    cells = torch.bincount(truth * classes + guess, minlength=classes * classes)
    return cells.reshape(classes, classes)
