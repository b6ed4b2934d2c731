"""Checks exercise 16."""

from typing import Any

from curriculum.check import Wrong, ask, number, parts
from curriculum.engine import torch


def check_shares(solution: dict[str, Any]) -> None:
    alarm = torch.tensor([True, True, True, True, False, False, False, False, False, False])
    ill = torch.tensor([True, False, False, True, True, False, False, False, False, False])
    wanted = (0.5, 2 / 3)
    found = parts(ask(solution["precision_and_recall"], alarm, ill), "precision_and_recall", "precision, recall")
    found = tuple(number(value, name) for value, name in zip(found, ("Precision", "Recall"), strict=True))
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
    if tuple(none) != (0, 0):
        raise Wrong(f"Without an alarm and with nobody ill the values are 0, not {none}.")
    one = torch.tensor([True, False, False, False])
    for said, true, name, wanted in (
        (one, nothing, "an alarm and nobody ill", (0, 0)),
        (nothing, one, "no alarm and one ill", (0, 0)),
        (one, one, "one alarm, which is right", (1, 1)),
    ):
        try:
            found = tuple(solution["precision_and_recall"](said, true))
        except ZeroDivisionError:
            raise Wrong(f"With {name} you divide by 0; the value is 0 then.") from None
        if found != wanted:
            raise Wrong(f"With {name} the values are {wanted}, not {found}.")
    few = torch.tensor([True, True, False, False, False, False])
    if tuple(solution["precision_and_recall"](few, torch.tensor([True, False, True, True, True, False]))) != (
        0.5,
        0.25,
    ):
        raise Wrong("1 of 2 alarms is right, 1 of 4 ill is found: 0.5 and 0.25.")


def check_parts(solution: dict[str, Any]) -> None:
    answers = torch.tensor([[1.0, 4.0], [3.0, 0.0], [2.0, 5.0]])
    truth = torch.tensor([1.0, 5.0])
    bias, variance = parts(ask(solution["bias_and_variance"], answers, truth), "bias_and_variance", "bias², variance")
    bias, variance = number(bias, "Bias²"), number(variance, "The variance")
    if abs(bias - ((answers - truth) ** 2).mean().item()) < 1e-5:
        raise Wrong("That is the models' mean error. For bias² take the mean over the models first, then the distance.")
    if abs(bias - 2.5) > 1e-5:
        raise Wrong(
            f"Bias² is {bias:.3f}, wanted is 2.5: the mean over the models is dim 0, and the distances are squared."
        )
    if abs(variance - (1 + 7) / 2) < 1e-5:
        raise Wrong("The variance is divided by the number of models, not by one less.")
    if abs(bias - 2.5) < 1e-5 and abs(variance - ((answers - truth) ** 2).mean().item()) < 1e-5:
        raise Wrong(
            "That is the distance from the truth. The variance is the distance from the models' own mean answer."
        )
    if abs(variance - (2 / 3 + 14 / 3) / 2) > 1e-5:
        raise Wrong(
            f"The variance is {variance:.3f}, wanted is {(2 / 3 + 14 / 3) / 2:.3f}: the distance from the models' mean."
        )


def check_decay(solution: dict[str, Any]) -> None:
    nan = float("nan")
    cases = [
        (
            {0.0: [0.01, 0.02], 0.01: [0.3, 0.2], 0.1: [0.6, 0.6]},
            {0.0: [0.9, 1.1], 0.01: [0.35, 0.4], 0.1: [0.62, 0.6]},
            0.01,
        ),
        ({0.0: [0.01], 0.01: [0.3], 0.1: [0.6]}, {0.0: [0.30], 0.01: [0.35], 0.1: [0.62]}, 0.0),
        ({0.0: [0.1, 0.1], 0.01: [0.2, 0.2, 0.2]}, {0.0: [0.5, 0.5], 0.01: [0.4, 0.4, 0.4]}, 0.01),
        ({0.0: [0.1, 0.1], 0.01: [0.2, 0.2]}, {0.0: [0.1, 0.9], 0.01: [0.4, 0.4]}, 0.01),
        ({0.0: [0.1, 0.1], 0.01: [0.2, 0.2]}, {0.0: [0.4, 0.4], 0.01: [0.1, 0.5]}, 0.01),
        ({0.1: [0.3], 0.01: [0.2], 0.0: [0.1]}, {0.1: [0.5], 0.01: [0.5], 0.0: [0.5]}, 0.0),
        ({0.0: [nan, 0.1], 0.01: [0.2, 0.2]}, {0.0: [nan, 0.1], 0.01: [0.4, 0.4]}, 0.01),
    ]
    for own, held_out, wanted in cases:
        found = number(ask(solution["best_decay"], own, held_out), "best_decay")
        if found == wanted:
            continue
        told = f"best_decay answers {found:g} where {wanted:g} is right, for own = {own} and held_out = {held_out}. "
        if found not in held_out:
            raise Wrong(told + "Return one of the strengths, not a loss.")
        if len(held_out) == 3 and found == 0:
            raise Wrong(told + "Less L2 always fits the own examples better: by which losses should it be chosen?")
        if len({len(losses) for losses in held_out.values()}) > 1:
            raise Wrong(told + "More seeds must not make a strength worse: do not compare sums.")
        if len({losses[0] for losses in held_out.values()}) == 1:
            raise Wrong(told + "Of equally good ones the smallest is wanted.")
        raise Wrong(told + "A single lucky or unlucky seed decides there: compare means.")


CHECKS = {"the two shares": check_shares, "bias and variance": check_parts, "the strength of L2": check_decay}
