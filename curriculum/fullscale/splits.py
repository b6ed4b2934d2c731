"""What is held out of a data set: as large a share of each class, or as many of each."""

from __future__ import annotations

import numpy as np

from .errors import Refused


def stratified(labels: np.ndarray, held: int, seed: int) -> tuple[np.ndarray, np.ndarray]:
    """Numbers of `held` samples, each class with its share and where there is room with one at least, and of the others.

    A class of one sample stays with the others, which shall know it. Errors: Refused where nothing would be left on a side.
    """
    if not 0 < held < len(labels):
        raise Refused(
            f"There are {len(labels)} samples to train on and to validate with: at least 2 are needed; raise --limit, or give more."
        )
    order = np.random.default_rng([seed, 7]).permutation(len(labels))
    place = np.empty(len(labels))  # of a sample within its class, from 0 to 1
    for each in np.unique(labels):
        own = order[labels[order] == each]
        place[own] = (np.arange(len(own)) + 0.5) / len(own)
        if len(own) == 1:
            place[own] = 2.0
        elif held >= len(np.unique(labels)):
            place[own[0]] = -1.0
            place[own[-1]] = 1.5
    ranked = order[np.argsort(place[order], kind="stable")]
    return ranked[:held], ranked[held:]


def balanced(labels: np.ndarray, held: int, seed: int) -> tuple[np.ndarray, np.ndarray]:
    """As `stratified`, but as many samples of each class; no more of any than half of the rarest class has."""
    kinds, counts = np.unique(labels, return_counts=True)
    each = max(1, min(held // len(kinds), int(counts.min()) // 2))
    order = np.random.default_rng([seed, 7]).permutation(len(labels))
    chosen = np.concatenate([order[labels[order] == kind][:each] for kind in kinds])
    return chosen, np.setdiff1d(order, chosen)


def class_weights(labels: np.ndarray, classes: int) -> np.ndarray:
    """A weight for each class, float32, with which all classes count alike: n / (classes * samples of the class).

    Over the samples the weights are 1 on average, so that the learning rate means what it meant.
    scikit-learn: sklearn.utils.class_weight.compute_class_weight("balanced").
    """
    counts = np.bincount(labels, minlength=classes)
    return (len(labels) / (max(1, (counts > 0).sum()) * np.maximum(counts, 1))).astype(np.float32)
