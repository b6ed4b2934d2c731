"""Checks exercise 14."""

import math
from typing import Any

import numpy as np

from curriculum.check import Wrong, ask, number, parts


def check_compare(solution: dict[str, Any]) -> None:
    rng = np.random.default_rng(13)
    level = rng.normal(80, 8, 10)  # seeds differ much; the pairs little
    cases = [
        ("A", level + 1 + rng.normal(0, 0.3, 10)),
        ("B", level - 1 + rng.normal(0, 0.3, 10)),
        ("open", level + rng.normal(0, 2, 10)),
        ("open", level + np.array([9.0] + 9 * [-0.3])),
        ("open", level + np.array([-9.0] + 9 * [0.2])),
        ("open", level + 0.05 * np.arange(-4, 6)),
        ("A", level + 0.5 + 0.01 * np.arange(10)),
        ("B", level - 0.5 + 0.01 * np.arange(10)),
    ]
    for verdict, a in cases:
        d = a - level
        mean, half = d.mean(), 2.262 * d.std(ddof=1) / math.sqrt(10)
        found = parts(ask(solution["compare"], a.tolist(), level.tolist()), "compare", "mean, half, verdict")
        number(found[0], "mean"), number(found[1], "half")
        if abs(found[0] + mean) < 1e-9:
            raise Wrong("The difference is a - b: above 0 where A is better.")
        if abs(found[0] - mean) > 1e-9:
            raise Wrong(f"The mean difference is {found[0]:.4f}, wanted is {mean:.4f}.")
        if abs(found[1] - 2.262 * math.sqrt(a.var(ddof=1) + level.var(ddof=1)) / math.sqrt(10)) < 1e-6:
            raise Wrong(
                "That is the interval of unpaired samples. Take the deviation of the ten differences: much narrower."
            )
        if abs(found[1] - half * math.sqrt(0.9)) < 1e-9:
            raise Wrong("The deviation of a sample is divided by 9, not by 10: ddof=1.")
        if abs(found[1] - half * math.sqrt(10)) < 1e-6:
            raise Wrong("That is the spread of single differences. The mean of ten varies less: divide by sqrt(10).")
        if abs(found[1] - half) > 1e-9:
            raise Wrong(f"Half the interval's width is {found[1]:.4f}, wanted is {half:.4f}.")
        if not isinstance(found[2], str):
            raise Wrong(f"The verdict is {found[2]!r}; wanted is one of the words 'A', 'B', 'open'.")
        if found[2] != verdict:
            raise Wrong(f"The interval is {mean:.2f} ± {half:.2f}, so the verdict is {verdict!r}, not {found[2]!r}.")


def check_constant(solution: dict[str, Any]) -> None:
    for share in (0.5, 0.2, 0.9, 0.75, 1.0, 0.0):
        try:
            found = parts(ask(solution["constant_scores"], share), "constant_scores", "accuracy, bce, mse")
        except (ValueError, ZeroDivisionError):
            raise Wrong(
                f"With a share of {share:g} you take the logarithm of 0: what is multiplied by 0 counts as 0."
            ) from None
        labels = np.arange(1000) < round(1000 * share)
        with np.errstate(divide="ignore", invalid="ignore"):
            surprise = np.where(labels, -np.log(share), -np.log(1 - share)).mean()
        wanted = ((labels == (share > 0.5)).mean(), surprise, ((labels - share) ** 2).mean())
        for name, got, want in zip(("The accuracy", "The BCE", "The MSE"), found, wanted, strict=True):
            number(got, name)
            if abs(got - want) < 1e-9:
                continue
            if name == "The BCE" and abs(got * math.log(2) - want) < 1e-9:
                raise Wrong("The BCE is in bits there; in nats the logarithm is the natural one.")
            if name == "The BCE" and abs(got + want) < 1e-9:
                raise Wrong("The BCE is negative: a surprise is minus the logarithm of a probability.")
            if name == "The MSE" and abs(got - math.sqrt(want)) < 1e-9:
                raise Wrong("The MSE is the mean of the squares, without the root.")
            raise Wrong(f"{name} for a share of {share:g} is {got:.4f}, wanted is {want:.4f}: {HINTS[name]}")


HINTS = {
    "The accuracy": "everyone is called the same, so it is right for one of the two classes.",
    "The BCE": "of all samples the share has label 1 and the surprise of that, the others have label 0.",
    "The MSE": "the share of the samples lies at a distance of 1 - share, the others at a distance of share.",
}


def check_report(solution: dict[str, Any]) -> None:
    cases = [
        ([0.6, 0.7, 0.8, 0.7], [0.9, 0.7, 0.65, 0.7], 0.65),
        ([0.6, 0.8, 0.7], [0.5, 0.75, 0.79], 0.75),
        ([0.8, 0.6], [0.7, 0.9], 0.7),
        ([0.8, 0.8], [0.7, 0.75], 0.7),
        ([0.6, 0.8, 0.8], [0.5, 0.71, 0.74], 0.71),
        ([0.9, 0.95], [0.8, 0.85], 0.85),
    ]
    for validation, test, wanted in cases:
        found = number(ask(solution["report"], validation, test), "report")
        if found == wanted:
            continue
        told = f"For validation {validation} and test {test} you report {found:g}, wanted is {wanted:g}. "
        if found == max(validation):
            raise Wrong(told + "That is the accuracy by which the epoch was chosen; chosen ones are too good.")
        if found == max(test) and found != test[-1]:
            raise Wrong(told + "Who chooses the epoch by the test set has nothing left to test with.")
        if validation.count(max(validation)) > 1:
            raise Wrong(told + "Of equally good epochs the earliest is wanted.")
        raise Wrong(told + "Take the test accuracy of the epoch with the best validation accuracy.")


CHECKS = {"A against B": check_compare, "always the same answer": check_constant, "what is reported": check_report}
