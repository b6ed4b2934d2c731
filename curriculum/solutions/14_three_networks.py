"""Solution of exercise 14."""

import numpy as np


def compare(a, b):
    differences = np.array(a) - np.array(b)
    mean = differences.mean()
    half = 2.262 * differences.std(ddof=1) / np.sqrt(len(differences))
    verdict = "A" if mean - half > 0 else "B" if mean + half < 0 else "open"
    return mean, half, verdict
