"""Checks exercise 15."""

from typing import Any

from curriculum.check import Wrong
from curriculum.engine import torch


def check(solution: dict[str, Any]) -> None:
    alarm = torch.tensor([True, True, True, True, False, False, False, False, False, False])
    ill = torch.tensor([True, False, False, True, True, False, False, False, False, False])
    wanted = (0.5, 2 / 3)
    found = solution["precision_and_recall"](alarm, ill)
    if not isinstance(found, tuple) or len(found) != 2:
        raise Wrong("precision_and_recall returns two floats: precision, recall.")
    if max(abs(a - b) for a, b in zip(found, wanted[::-1], strict=True)) < 1e-6:
        raise Wrong("Precision and recall are swapped: precision divides by the alarms, recall by the ill.")
    for name, got, want in zip(("Precision", "Recall"), found, wanted, strict=True):
        if abs(got - want) > 1e-6:
            raise Wrong(f"{name} is {got:.3f}, wanted is {want:.3f}: 2 of 4 alarms are right, 2 of 3 ill are found.")
    nothing = torch.zeros(4, dtype=torch.bool)
    try:
        none = solution["precision_and_recall"](nothing, nothing)
    except ZeroDivisionError:
        raise Wrong("Without an alarm, or with nobody ill, you divide by 0; the value is 0 then.") from None
    if none != (0, 0):
        raise Wrong(f"Without an alarm and with nobody ill the values are 0, not {none}.")

    answers = torch.tensor([[1.0, 4.0], [3.0, 0.0], [2.0, 5.0]])
    truth = torch.tensor([1.0, 3.0])
    bias, variance = solution["bias_and_variance"](answers, truth)
    if abs(bias - ((answers - truth) ** 2).mean().item()) < 1e-5:
        raise Wrong("That is the models' mean error. For bias² take the mean over the models first, then the distance.")
    if abs(bias - 0.5) > 1e-5:
        raise Wrong(f"Bias² is {bias:.3f}, wanted is 0.5: the mean over the models is dim 0.")
    if abs(variance - (1 + 7) / 2) < 1e-5:
        raise Wrong("The variance is divided by the number of models, not by one less.")
    if abs(variance - (2 / 3 + 14 / 3) / 2) > 1e-5:
        raise Wrong(
            f"The variance is {variance:.3f}, wanted is {(2 / 3 + 14 / 3) / 2:.3f}: the distance from the models' mean."
        )
