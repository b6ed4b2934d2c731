"""Checks exercise 12."""

from typing import Any

from curriculum.check import Wrong
from curriculum.engine import torch


def check(solution: dict[str, Any]) -> None:
    F = torch.nn.functional
    hints = {
        "sigmoid": "with s = sigmoid(z) it is s (1 - s), at most 1/4.",
        "tanh": "it is 1 - tanh(z)², 1 at z = 0.",
        "relu": "it is 1 where z > 0 and 0 elsewhere, at z = 0 too.",
        "leaky_relu": "it is 1 where z > 0 and negative_slope elsewhere, at z = 0 too.",
    }
    for name, hint in hints.items():
        options = {"negative_slope": 0.2} if name == "leaky_relu" else {}
        z = torch.tensor([-30.0, -2.0, -0.5, 0.0, 0.5, 2.0, 30.0], requires_grad=True)
        f = (
            torch.sigmoid(z)
            if name == "sigmoid"
            else torch.tanh(z)
            if name == "tanh"
            else getattr(F, name)(z, **options)
        )
        f.sum().backward()
        found = solution[f"{name}_slope"](z.detach(), **options)
        if not hasattr(found, "dtype") or found.dtype != z.dtype or found.shape != z.shape:
            kind = getattr(found, "dtype", type(found).__name__)
            raise Wrong(f"{name}_slope returns {kind}; wanted is a tensor like z, {z.dtype}, of its shape.")
        off = (found - z.grad).abs() > 1e-5
        if off.any():
            at = z.detach()[off][0].item()
            raise Wrong(f"{name}_slope is wrong at z = {at:g}: {hint}")
