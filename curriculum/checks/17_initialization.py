"""Checks exercise 17."""

import math
from typing import Any

from curriculum.check import Wrong, ask, near, tensor
from curriculum.engine import torch

BY_HAND = (
    "xavier_uniform_", "xavier_normal_", "kaiming_uniform_", "kaiming_normal_", "xavier_uniform", "kaiming_normal", "xavier_normal",
    "kaiming_uniform",
)  # fmt: skip


def check(solution: dict[str, Any]) -> None:
    outputs, inputs = 300, 100
    for name, variance in (("xavier_uniform", 2 / (inputs + outputs)), ("kaiming_normal", 2 / inputs)):
        torch.manual_seed(16)
        w = tensor(ask(solution[name], outputs, inputs), f"{name}({outputs}, {inputs})")
        if tuple(w.shape) != (outputs, inputs):
            raise Wrong(
                f"{name}({outputs}, {inputs}) has shape {tuple(w.shape)}: a weight's shape is (outputs, inputs)."
            )
        if torch.isnan(w).any():
            raise Wrong(f"{name} draws NaN.")
        if abs(w.mean().item()) > 0.05 * math.sqrt(variance):
            raise Wrong(f"{name}: the mean is {w.mean().item():.4f}, wanted is 0: draw on both sides of it.")
        if w.requires_grad and not w.is_leaf:
            raise Wrong(f"{name}: the weight hangs on a graph: it must be a leaf.")
        rows, columns = w.var(dim=1), w.var(dim=0)
        if rows.mean().item() < 0.9 * w.var().item() or columns.mean().item() < 0.9 * w.var().item():
            raise Wrong(f"{name}: the numbers of a row or a column go together: draw each of them on its own.")
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
        if near(solution[name](outputs, inputs), w, 0):
            raise Wrong(f"{name}: a second call gives the same numbers: do not fix a seed inside.")
        small = torch.cat([solution[name](8, 50).reshape(-1) for _ in range(60)]).var().item()
        right = 2 / 58 if name == "xavier_uniform" else 2 / 50
        if abs(small / right - 1) > 0.06:
            raise Wrong(f"{name}(8, 50): the variance is {small:.5f}, wanted is {right:.5f}.")
