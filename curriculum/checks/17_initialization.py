"""Checks exercise 17."""

import functools
import math
from typing import Any

from curriculum.check import Wrong, ask, near, number, tensor
from curriculum.engine import torch

BY_HAND = (
    "calculate_gain",
    "xavier_uniform_", "xavier_normal_", "kaiming_uniform_", "kaiming_normal_", "xavier_uniform", "kaiming_normal", "xavier_normal",
    "kaiming_uniform",
)  # fmt: skip


def check_drawn(solution: dict[str, Any]) -> None:
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


def check_leaky(solution: dict[str, Any]) -> None:
    for inputs, slope in ((100, 0.0), (100, 1.0), (64, 0.2), (10, 0.5), (400, 2.0)):
        found = number(ask(solution["leaky_deviation"], inputs, slope), "leaky_deviation")
        wanted = math.sqrt(2 / (inputs * (1 + slope**2)))
        if abs(found / wanted - 1) < 1e-6:
            continue
        told = f"leaky_deviation({inputs}, {slope:g}) is {found:.5f}, wanted is {wanted:.5f}: "
        if abs(found - wanted**2) < 1e-9:
            raise Wrong(told + "that is the variance; the deviation is its root.")
        if slope and abs(found - math.sqrt(2 / inputs)) < 1e-9:
            raise Wrong(told + "that is ReLU's. The negative half is not lost, only multiplied by slope.")
        if slope and abs(found - math.sqrt(2 / (inputs * (1 + slope)))) < 1e-9:
            raise Wrong(told + "what is multiplied by slope has its square multiplied by slope twice.")
        if abs(found / wanted - math.sqrt(0.5)) < 1e-6:
            raise Wrong(told + "the mean square is that of both halves, each of which is half of the numbers.")
        raise Wrong(told + "half of the mean square is kept, the other half is multiplied by the slope's square.")


@functools.cache
def _measured(layers: int, inputs: int, deviation: float, activation: str) -> float:
    drawn = torch.Generator().manual_seed(17)
    h = torch.randn(200, inputs, generator=drawn, dtype=torch.float64)
    for layer in range(layers):
        if layer and activation == "relu":
            h = h.clamp(min=0)
        h = h @ (torch.randn(inputs, inputs, generator=drawn, dtype=torch.float64) * deviation)
    return (h**2).mean().item() ** 0.5


def check_spread(solution: dict[str, Any]) -> None:
    for layers, inputs, deviation, activation in (
        (1, 256, 0.1, "none"), (2, 256, 0.1, "none"), (1, 256, 0.1, "relu"), (4, 256, 0.03, "relu"), (2, 256, 0.1, "relu"),
        (5, 64, 0.125, "none"), (3, 400, 1.0, "relu"),
    ):  # fmt: skip
        found = number(ask(solution["spread_after"], layers, inputs, deviation, activation), "spread_after")
        seen = _measured(layers, inputs, deviation, activation)
        if abs(found / seen - 1) < 0.15:
            continue
        told = (
            f"spread_after({layers}, {inputs}, {deviation:g}, {activation!r}) is {found:.4g}, measured is {seen:.4g}: "
        )
        if abs(found / seen**2 - 1) < 0.2:
            raise Wrong(told + "that is the mean square; its root is wanted.")
        if activation == "relu" and abs(found / seen / 2 ** ((layers - 1) / 2) - 1) < 0.15:
            raise Wrong(told + "ReLU takes half of the mean square wherever it stands.")
        if activation == "relu" and abs(found / seen * 2**0.5 - 1) < 0.15:
            raise Wrong(told + "behind the last layer there is no activation.")
        if activation == "relu" and abs(found / seen * 2 ** ((layers - 1) / 2) - 1) < 0.15:
            raise Wrong(told + "ReLU halves the mean square, not its root.")
        if layers > 1 and abs(found / (math.sqrt(inputs) * deviation) - 1) < 0.05:
            raise Wrong(told + "that is one layer; each layer multiplies anew.")
        raise Wrong(told + "each layer multiplies the mean square by inputs times the weights' variance.")


CHECKS = {"Xavier and Kaiming": check_drawn, "the size for LeakyReLU": check_leaky, "through many layers": check_spread}
