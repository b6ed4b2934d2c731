"""Solution of exercise 14."""

import math

import numpy as np


def compare(a, b):
    differences = np.array(a) - np.array(b)
    mean = differences.mean()
    half = 2.262 * differences.std(ddof=1) / np.sqrt(len(differences))
    verdict = "A" if mean - half > 0 else "B" if mean + half < 0 else "open"
    return mean, half, verdict


def constant_scores(share):
    bce = -sum(p * math.log(p) for p in (share, 1 - share) if p > 0)
    return max(share, 1 - share), bce, share * (1 - share)


def report(validation, test):
    best = 0
    for epoch, accuracy in enumerate(validation):
        if accuracy > validation[best]:
            best = epoch
    return test[best]
