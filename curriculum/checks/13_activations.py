"""Checks exercise 13."""

from typing import Any

from curriculum.check import AUTOGRAD, Wrong, ask, near
from curriculum.engine import torch

BY_HAND = AUTOGRAD


def check(solution: dict[str, Any]) -> None:
    F = torch.nn.functional
    hints = {
        "sigmoid": "with s = sigmoid(z) it is s (1 - s), at most 1/4.",
        "tanh": "it is 1 - tanh(z)², 1 at z = 0.",
        "relu": "it is 1 where z > 0 and 0 elsewhere, at z = 0 too.",
        "leaky_relu": "it is 1 where z > 0 and negative_slope elsewhere, at z = 0 too.",
    }
    for name, hint in hints.items():
        for negative_slope in (0.2, 0.01, 1.5) if name == "leaky_relu" else (None,):
            options: dict[str, Any] = {} if negative_slope in (None, 0.01) else {"negative_slope": negative_slope}
            values = [-1000.0, -30.0, -2.0, -0.5, 0.0, 0.5, 2.0, 30.0, 1000.0, 1e-3]
            z = torch.tensor(values).reshape(2, 5).requires_grad_()
            f = (
                torch.sigmoid(z)
                if name == "sigmoid"
                else torch.tanh(z)
                if name == "tanh"
                else getattr(F, name)(z, **options)
            )
            f.sum().backward()
            found = ask(solution[f"{name}_slope"], z.detach(), **options)
            if not isinstance(found, torch.Tensor) or found.dtype != z.dtype or found.shape != z.shape:
                kind = getattr(found, "dtype", type(found).__name__)
                raise Wrong(f"{name}_slope returns {kind}; wanted is a tensor like z, {z.dtype}, of its shape.")
            for place, wanted, at in zip(found.reshape(-1), z.grad.reshape(-1), values, strict=True):
                if not near(place, wanted, 1e-5):
                    raise Wrong(f"{name}_slope is {place.item():g} at z = {at:g}, wanted is {wanted.item():g}: {hint}")
