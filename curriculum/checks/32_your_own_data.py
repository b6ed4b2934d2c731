"""Checks exercise 32."""

from typing import Any

import numpy as np

from curriculum.check import Wrong
from curriculum.engine import torch

NAN = float("nan")


def _prepare(prepare: Any) -> None:
    training = np.array([[1.0, 7.0, 10.0], [2.0, 7.0, NAN], [9.0, 7.0, 30.0], [NAN, 7.0, 80.0]])
    rows = np.array([[4.0, 8.0, NAN], [NAN, 7.0, 20.0]])
    kept = training.copy(), rows.copy()
    found = prepare(training, rows)
    if not isinstance(found, np.ndarray) or found.shape != rows.shape:
        raise Wrong(f"prepare returns a NumPy array of the shape of rows, {rows.shape}.")
    if not all(np.array_equal(a, b, equal_nan=True) for a, b in zip((training, rows), kept, strict=True)):
        raise Wrong("prepare changed its inputs: fill the gaps of a copy.")
    if np.isnan(found).any() or np.isinf(found).any():
        raise Wrong(
            "There is a nan or an infinity left: a gap was not filled, or a constant column divided by its deviation of 0."
        )
    median = np.array([2.0, 7.0, 30.0])
    filled = np.where(np.isnan(training), median, training)
    deviation = np.where(filled.std(axis=0) == 0, 1, filled.std(axis=0))
    wanted = (np.where(np.isnan(rows), median, rows) - filled.mean(axis=0)) / deviation
    if np.allclose(found, wanted):
        return
    if np.allclose(found.mean(axis=0), 0):
        raise Wrong("You scale rows by their own mean: learn median, mean and deviation from the training part alone.")
    with_means = np.where(np.isnan(training), np.nanmean(training, axis=0), training)
    gap = (np.nanmean(training[:, 0]) - with_means[:, 0].mean()) / with_means[:, 0].std()
    if abs(found[1, 0] - gap) < 1e-9:
        raise Wrong("A gap takes the median of the training column, not its mean.")
    if abs(found[1, 0] + filled[:, 0].mean() / deviation[0]) < 1e-9:
        raise Wrong("A gap takes the median of the training column, not 0.")
    if np.allclose(found * np.sqrt(4 / 3), wanted) or abs(found[0, 0] * np.sqrt(4 / 3) - wanted[0, 0]) < 1e-9:
        raise Wrong("The deviation is divided by n, as NumPy's std does unless told otherwise.")
    raise Wrong(
        f"prepare gives {found.round(3).tolist()}, wanted is {wanted.round(3).tolist()}: fill first, then take mean and deviation."
    )


def _collate(collate: Any) -> None:
    lists = [torch.tensor([1.0, 0.0, 3.0]), torch.tensor([]), torch.tensor([0.0])]
    found = collate(lists)
    if not isinstance(found, tuple) or len(found) != 2:
        raise Wrong("collate returns two tensors: padded, mask.")
    padded, mask = found
    if tuple(padded.shape) != (3, 3) or tuple(mask.shape) != (3, 3):
        raise Wrong(
            f"Both have the shape (3 lists, longest 3); they have {tuple(padded.shape)} and {tuple(mask.shape)}."
        )
    if mask.dtype != torch.bool:
        raise Wrong(f"The mask is of dtype bool, not {mask.dtype}.")
    if mask.tolist() != [[True] * 3, [False] * 3, [True, False, False]]:
        if torch.equal(mask, padded != 0):
            raise Wrong("A zero in the data is a value: the mask comes from the lengths, not from the numbers.")
        raise Wrong(f"The mask of lists of 3, 0 and 1 values is not {mask.tolist()}.")
    if padded.tolist() != [[1, 0, 3], [0, 0, 0], [0, 0, 0]]:
        raise Wrong(f"The values stand at the start of their row, zeros after them: not {padded.tolist()}.")
    whole = collate([torch.tensor([2, 5]), torch.tensor([7])])[0]
    if whole.dtype != torch.int64:
        raise Wrong(f"The dtype is that of the lists: int64 here, not {whole.dtype}.")
    try:
        empty = collate([torch.tensor([]), torch.tensor([])])
    except Exception as error:
        raise Wrong(
            f"Lists that are all empty are a batch too, of shape (2, 0); here they raise {type(error).__name__}."
        ) from None
    if tuple(empty[0].shape) != (2, 0):
        raise Wrong(f"Lists that are all empty make a batch of shape (2, 0), not {tuple(empty[0].shape)}.")


def _f1(f1: Any) -> None:
    truth, guess = np.array([0, 0, 0, 0, 1, 1, 2]), np.array([0, 0, 1, 1, 1, 0, 1])
    wanted = [4 / 7, 2 / 6, 0.0, 0.0]
    try:
        found = f1(truth, guess, 4)
    except ZeroDivisionError:
        raise Wrong("Class 3 is neither there nor guessed: its F1 is 0, not a division by 0.") from None
    if not isinstance(found, list) or len(found) != 4:
        raise Wrong("f1 returns a list with one number for each class.")
    if np.isnan(found).any():
        raise Wrong("Class 3 is neither there nor guessed: its F1 is 0, not nan.")
    if abs(found[0] - 2 / 3) < 1e-9:
        raise Wrong("For class 0 that is the precision; F1 counts those that were missed as well.")
    if abs(found[0] - 1 / 2) < 1e-9:
        raise Wrong("For class 0 that is the recall; F1 counts false alarms as well.")
    if abs(found[0] - (2 / 3 + 1 / 2) / 2) < 1e-9:
        raise Wrong("F1 is the harmonic mean of precision and recall, not their mean.")
    if abs(found[0] - 4 / 7) < 1e-9 and not np.allclose(found, wanted):
        raise Wrong(f"F1 is {np.round(found, 3).tolist()}, wanted is {np.round(wanted, 3).tolist()}.")
    if not np.allclose(found, wanted):
        raise Wrong(f"F1 of class 0 is {found[0]:.4f}, wanted is {4 / 7:.4f}: 2 hits, 1 false alarm, 2 missed.")


def _calibration(calibration_error: Any) -> None:
    if abs(calibration_error(np.array([1.0, 1.0, 0.0]), np.array([1, 0, 0]), 4) - 1 / 3) > 1e-9:
        raise Wrong(
            "A probability of 1 belongs to the last bin, and one of 0 to the first: the error of three answers there is 1/3."
        )
    probability = np.array([0.05, 0.15, 0.1, 0.62, 0.68, 0.9])
    truth = np.array([0, 0, 1, 1, 0, 1])
    wanted = 3 / 6 * abs(0.1 - 1 / 3) + 2 / 6 * abs(0.65 - 0.5) + 1 / 6 * abs(0.9 - 1)
    found = float(calibration_error(probability, truth, 4))
    if np.isnan(found):
        raise Wrong("The second bin is empty and counts nothing; its mean is nan.")
    if abs(found - (abs(0.1 - 1 / 3) + 0.15 + 0.1) / 3) < 1e-9:
        raise Wrong("A bin counts by how many are in it, not each the same.")
    if abs(found - abs(probability - truth).mean()) < 1e-9:
        raise Wrong("That is the mean distance of each answer. Take the means of a bin first, then their distance.")
    if abs(found - abs(probability.mean() - truth.mean())) < 1e-9:
        raise Wrong("That is one bin for all: sort into bins first.")
    if abs(found - wanted) > 1e-9:
        raise Wrong(f"The calibration error is {found:.4f}, wanted is {wanted:.4f}.")


CHECKS = {
    "columns with gaps": lambda solution: _prepare(solution["prepare"]),
    "lists of different lengths": lambda solution: _collate(solution["collate"]),
    "F1": lambda solution: _f1(solution["f1"]),
    "calibration": lambda solution: _calibration(solution["calibration_error"]),
}
