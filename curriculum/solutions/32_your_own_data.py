"""Solution of exercise 32."""

import numpy as np

from curriculum.engine import torch


def prepare(training, rows):
    median = np.nanmedian(training, axis=0)
    filled = np.where(np.isnan(training), median, training)
    mean, deviation = filled.mean(axis=0), filled.std(axis=0)
    deviation = np.where(deviation == 0, 1, deviation)
    return (np.where(np.isnan(rows), median, rows) - mean) / deviation


def collate(lists):
    longest = max(len(values) for values in lists)
    padded = torch.zeros(len(lists), longest, dtype=lists[0].dtype)
    mask = torch.zeros(len(lists), longest, dtype=torch.bool)
    for row, values in enumerate(lists):
        padded[row, : len(values)] = values
        mask[row, : len(values)] = True
    return padded, mask


def f1(truth, guess, classes):
    scores = []
    for c in range(classes):
        hits = int(((truth == c) & (guess == c)).sum())
        there = int((truth == c).sum() + (guess == c).sum())
        scores.append(2 * hits / there if there else 0.0)
    return scores


def calibration_error(probability, truth, bins):
    which = np.minimum((probability * bins).astype(int), bins - 1)
    error = 0.0
    for b in range(bins):
        inside = which == b
        if inside.any():
            error += inside.mean() * abs(probability[inside].mean() - truth[inside].mean())
    return error
