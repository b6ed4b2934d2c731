"""Checks exercise 13."""

from typing import Any

from curriculum.check import AUTOGRAD, Wrong, ask, near, number
from curriculum.engine import torch


def _four(solution: dict[str, Any]) -> None:
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


def _three(solution: dict[str, Any]) -> None:
    F = torch.nn.functional
    values = [-1000.0, -30.0, -2.0, -0.75, -0.1, 0.4, 1.0, 2.5, 30.0, 1000.0]
    for name, options, function, hint in (
        ("elu_slope", {}, F.elu, "1 above 0, exp(z) below."),
        ("elu_slope", {"alpha": 0.5}, lambda z: F.elu(z, 0.5), "below 0 alpha is a factor, above it plays no part."),
        ("silu_slope", {}, F.silu, "the product rule: sigmoid(z), and z times the sigmoid's slope."),
        ("silu_slope", {"beta": 3.0}, lambda z: z * torch.sigmoid(3 * z), "the chain inside the sigmoid brings a factor beta."),
        ("gelu_slope", {}, F.gelu, "the product rule: Phi(z), and z times the slope of Phi."),
    ):  # fmt: skip
        z = torch.tensor(values).reshape(2, 5).requires_grad_()
        function(z).sum().backward()
        found = ask(solution[name], z.detach(), **options)  # type: ignore[arg-type]
        if not isinstance(found, torch.Tensor) or found.dtype != z.dtype or found.shape != z.shape:
            kind = getattr(found, "dtype", type(found).__name__)
            raise Wrong(f"{name} returns {kind}; wanted is a tensor like z, {z.dtype}, of its shape.")
        for place, wanted, at in zip(found.reshape(-1), z.grad.reshape(-1), values, strict=True):
            if not near(place, wanted, 1e-5):
                said = ", ".join(f"{key}={value:g}" for key, value in options.items())
                raise Wrong(
                    f"{name}{f' ({said})' if said else ''} is {place.item():g} at z = {at:g}, wanted is {wanted.item():g}: {hint}"
                )


def _dead_share(solution: dict[str, Any]) -> None:
    for rows in (
        [[0.0, 1.0, 0.0], [0.0, 0.0, 2.0]], [[0.0, 0.0], [0.0, 0.0], [0.0, 3.0]], [[1.0, 2.0, 0.5, 0.1]], [[0.0, 0.0, 1.0, 0.0]] * 2,
    ):  # fmt: skip
        h = torch.tensor(rows)
        found = number(ask(solution["dead_share"], h), "The share")
        columns = list(zip(*rows, strict=True))
        wanted = sum(max(column) <= 0 for column in columns) / len(columns)
        if abs(found - wanted) > 1e-6:
            raise Wrong(
                f"For outputs {rows} you say {found:.3f}, right is {wanted:.3f}. Whether a unit is dead is asked once for each unit: "
                "which of its numbers decide?"
            )


CHECKS = {"four slopes": _four, "three more slopes": _three, "dead_share": _dead_share}
BY_HAND = {"four slopes": AUTOGRAD, "three more slopes": AUTOGRAD}
