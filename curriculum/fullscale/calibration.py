"""Whether a model knows how sure it may be: reliability, a temperature that mends it, thresholds for who wants to be surer.

Everything is chosen on the validation part and shown on the test part. Guo, Pleiss, Sun, Weinberger, On Calibration of
Modern Neural Networks, ICML 2017.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from curriculum import draw

BINS = 15
ENOUGH = 50  # samples to choose a temperature on; with fewer the model's own probabilities stay


def temperature(logits: Tensor, truth: Tensor) -> float:
    """The T > 0 with which softmax(logits / T) has the least cross-entropy; 1 where there is too little to judge by.

    In 1 / T the cross-entropy is convex, so that the bounded search finds its one minimum.
    """
    from scipy.optimize import minimize_scalar

    wrong = int((logits.argmax(1) != truth).sum())
    if len(logits) < ENOUGH or not wrong or not torch.isfinite(logits).all():
        return 1.0
    wide = logits.double()
    found = minimize_scalar(
        lambda inverse: F.cross_entropy(wide * inverse, truth).item(), bounds=(0.05, 20), method="bounded"
    )
    return float(1 / found.x) if found.success else 1.0


def reliability(
    confidence: np.ndarray, right: np.ndarray, bins: int = BINS
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """For each part of the interval [0, 1] that holds answers: their mean confidence, the share that is right, their number.

    Confidence and share are scikit-learn's: sklearn.calibration.calibration_curve.
    """
    from sklearn.calibration import calibration_curve

    share, mean = calibration_curve(right.astype(int), confidence, n_bins=bins)
    numbers = np.bincount(np.searchsorted(np.linspace(0, 1, bins + 1)[1:-1], confidence), minlength=bins)
    return mean, share, numbers[numbers > 0]


def expected_error(confidence: np.ndarray, right: np.ndarray, bins: int = BINS) -> float:
    """The expected calibration error: |share right - mean confidence| of the parts, weighted with their numbers."""
    mean, share, numbers = reliability(confidence, right, bins)
    return float((np.abs(share - mean) * numbers).sum() / numbers.sum())


def sure_enough(
    confidence: np.ndarray, right: np.ndarray, wanted: tuple[float, ...] = (0.9, 0.95, 0.98, 0.99)
) -> dict[float, float]:
    """For each wanted accuracy the least confidence from which on the answers reach it; left out where none does."""
    order = np.argsort(-confidence, kind="stable")
    reached = np.cumsum(right[order]) / np.arange(1, len(order) + 1)
    last = np.append(np.diff(confidence[order]) != 0, True)  # answers of equal confidence are taken together
    found = {}
    for share in wanted:
        places = np.flatnonzero((reached >= share) & last)
        if len(places):
            found[share] = float(confidence[order][places[-1]])
    return found


def judge(
    validation: tuple[Tensor, Tensor], test: tuple[Tensor, Tensor], classes: list[str]
) -> tuple[dict[str, Any], Any]:
    """The figures, chosen on the validation part (logits, classes) and measured on the test part; and the picture of them."""
    t = temperature(*validation)
    (confidence, right), (scaled, _), (chosen, chosen_right) = (
        _answers(logits, truth, by) for (logits, truth), by in ((test, 1.0), (test, t), (validation, t))
    )
    before, after = expected_error(confidence, right), expected_error(scaled, right)
    facts: dict[str, Any] = {
        "temperature": round(t, 4), "calibration_error": round(before, 4), "calibration_error_with_temperature": round(after, 4)
    }  # fmt: skip
    rows = []
    enough = len(chosen) >= ENOUGH
    for wanted, least in sure_enough(chosen, chosen_right).items() if enough else ():
        kept = scaled >= least
        accuracy = round(float(right[kept].mean()), 4) if kept.any() else None
        rows.append({"wanted": wanted, "least_confidence": round(least, 4), "answered": round(float(kept.mean()), 4), "accuracy": accuracy})  # fmt: skip
    facts["thresholds"] = rows
    facts["calibrated_on"] = len(chosen) if enough else f"nothing: {len(chosen)} samples are too few"
    if len(classes) == 2 and enough:
        facts["threshold_of_best_f1"] = round(_best_f1(*validation, t), 4)
    return facts, _picture(confidence, scaled, right, before, after, t)


def _answers(logits: Tensor, truth: Tensor, t: float) -> tuple[np.ndarray, np.ndarray]:
    confidence, guess = (logits.double() / t).softmax(1).max(1)
    return confidence.numpy(), (guess == truth).numpy()


def _best_f1(logits: Tensor, truth: Tensor, t: float) -> float:
    """The probability of the second class from which on it should be answered, for the best F1 of that class."""
    from sklearn.metrics import precision_recall_curve

    if len(truth.unique()) < 2:
        return 0.5
    precision, recall, thresholds = precision_recall_curve(
        truth.numpy(), (logits.double() / t).softmax(1)[:, 1].numpy()
    )
    f1 = 2 * precision * recall / np.maximum(precision + recall, 1e-12)
    return float(thresholds[f1[:-1].argmax()])


def _picture(
    confidence: np.ndarray, scaled: np.ndarray, right: np.ndarray, before: float, after: float, t: float
) -> Any:
    fig, axes = draw.pyplot().subplots(1, 2, figsize=(9, 3.6))
    axes[0].plot([0, 1], [0, 1], color=draw.GREY, linewidth=1)
    for values, error, color, name in (
        (confidence, before, draw.ORANGE, "as it is"),
        (scaled, after, draw.BLUE, f"at temperature {t:.2f}"),
    ):
        mean, share, _ = reliability(values, right)
        axes[0].plot(mean, share, "o-", color=color, markersize=4, label=f"{name}: error {100 * error:.1f} %")
        axes[1].hist(values, bins=np.linspace(0, 1, BINS + 1).tolist(), histtype="step", color=color, label=name)
    axes[0].set(xlabel="confidence", ylabel="share that is right", title="reliability", xlim=(0, 1.02), ylim=(0, 1.02))
    axes[1].set(xlabel="confidence", ylabel="answers", title="how sure it is", yscale="log")
    for ax in axes:
        ax.legend(frameon=False)
    fig.tight_layout()
    return fig


def fold(model: nn.Module, t: float, classes: int) -> bool:
    """Divide the logits by t, within the last linear layer that puts them out; whether there is one.

    So whoever uses the model, here or where it is exported to, has the calibrated probabilities.
    """
    last = [m for m in model.modules() if isinstance(m, nn.Linear) and m.out_features == classes]
    if not last:
        return False
    with torch.no_grad():
        last[-1].weight.div_(t)
        if last[-1].bias is not None:
            last[-1].bias.div_(t)
    return True
