"""Checks exercise 16."""

import math
from typing import Any

from curriculum.check import Wrong
from curriculum.engine import torch


def check(solution: dict[str, Any]) -> None:
    outputs, inputs = 300, 100
    for name, variance in (("xavier_uniform", 2 / (inputs + outputs)), ("kaiming_normal", 2 / inputs)):
        torch.manual_seed(16)
        w = solution[name](outputs, inputs)
        if tuple(w.shape) != (outputs, inputs):
            raise Wrong(
                f"{name}({outputs}, {inputs}) has shape {tuple(w.shape)}: a weight's shape is (outputs, inputs)."
            )
        if abs(w.mean().item()) > 0.05 * math.sqrt(variance):
            raise Wrong(f"{name}: the mean is {w.mean().item():.4f}, wanted is 0: draw on both sides of it.")
        found = w.var().item()
        for factor, hint in (
            (variance, "you multiplied by the variance; the deviation is its root"),
            ((2 / outputs) / variance if name == "kaiming_normal" else 0.0, "inputs and outputs are swapped"),
            (0.5, "ReLU lets half through: 2 / inputs, not 1 / inputs" if name == "kaiming_normal" else "6, not 3"),
        ):
            if factor and abs(found / (variance * factor) - 1) < 0.05:
                raise Wrong(f"{name}: the variance is {found:.5f}, wanted is {variance:.5f}; {hint}.")
        if abs(found / variance - 1) > 0.05:
            raise Wrong(f"{name}: the variance is {found:.5f}, wanted is {variance:.5f}.")
        largest = w.abs().max().item() / math.sqrt(variance)
        if name == "xavier_uniform" and largest > 1.8:
            raise Wrong("xavier_uniform: values lie beyond a: draw uniformly, with torch.rand.")
        if name == "kaiming_normal" and largest < 2.5:
            raise Wrong(
                "kaiming_normal: no value lies beyond 2.5 deviations: draw from the normal distribution, torch.randn."
            )
