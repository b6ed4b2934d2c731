"""Checks exercise 4."""

from typing import Any

import numpy as np

from curriculum.check import AUTOGRAD, Wrong, ask, near, parts, tensor
from curriculum.engine import torch


def _quotient(solution: dict[str, Any]) -> None:
    shapes = [
        ((2, 3), (2, 3)), ((2, 3), (3,)), ((2, 3), (2, 1)), ((2, 1), (4, 2, 3)), ((2, 3), ()), ((), (2, 3)), ((2, 1), (2, 1)), ((5, 1), (1, 4)),
        ((3, 1, 2), (1, 4, 1)), ((1,), (3, 1)),
    ]  # fmt: skip
    generator = torch.Generator().manual_seed(4)
    for one, two in shapes:
        a = (1 + torch.rand(one, generator=generator)).requires_grad_()
        b = (1 + torch.rand(two, generator=generator)).requires_grad_()
        y = a / b
        grad = torch.randn(y.shape, generator=generator)
        y.backward(grad)
        answer = ask(solution["quotient_slopes"], grad, a.detach(), b.detach())
        found = parts(answer, "quotient_slopes", "the slope at a, the slope at b")
        what = f"For a of shape {one} and b of shape {two}"
        for name, got, leaf in zip("ab", found, (a, b), strict=True):
            tensor(got, f"{what}: the slope at {name}")
            shape, wanted = tuple(leaf.shape), leaf.grad
            if tuple(got.shape) != shape:
                hint = "keep the dimension: keepdim=True" if len(got.shape) < len(shape) else (
                    "sum over what its shape lacks on the left" if len(got.shape) > len(shape)
                    else "sum over the dimensions where it has size 1"
                )  # fmt: skip
                raise Wrong(f"{what}: the slope at {name} has the shape {tuple(got.shape)}; {hint}.")
            if near(got, wanted):
                continue
            if near(got, -wanted):
                raise Wrong(f"{what}: the slope at {name} has the wrong sign. (1/b)' is -1/b².")
            ratio = (got / wanted).reshape(-1)
            if y.numel() > wanted.numel() and near(ratio, torch.full(ratio.shape, wanted.numel() / y.numel())):
                raise Wrong(
                    f"{what}: the slope at {name} is a mean. Every use adds its slope: take the sum, not the mean."
                )
            if one == two and name == "a":
                raise Wrong(
                    "Even where the shapes are equal the slope at a is wrong: y = a · (1/b), so it is grad / b."
                )
            if one == two:
                raise Wrong(
                    "Even where the shapes are equal the slope at b is wrong: (1/b)' is -1/b², times a and grad."
                )
            raise Wrong(
                f"{what}: the slope at {name} is {got.tolist()}, wanted is {wanted.tolist()}. Compute it in the large shape, then sum "
                "over what was stretched; missing dimensions stand on the left."
            )


def _shape(solution: dict[str, Any]) -> None:
    result_shape = solution["result_shape"]
    for one, two in (
        ((2, 3), (2, 3)), ((3,), (3, 1)), ((64, 10), (10,)), ((10,), (64, 10)), ((8, 1, 6), (7, 1)), ((5, 1), (1, 4)), ((), (2, 3)), ((2, 3), ()), ((), ()),
        ((1,), (1,)), ((1, 3), (0, 1)), ((2, 1), (1, 1, 1)), ((3, 1), (3,)),
    ):  # fmt: skip
        what = f"For {one} and {two}"
        try:
            found = result_shape(one, two)
        except ValueError:
            raise Wrong(f"{what} you raise ValueError, but they fit: equal, 1, or missing, from the right.") from None
        if not isinstance(found, tuple):
            raise Wrong(f"{what} you return a {type(found).__name__}, wanted is a tuple.")
        wanted = tuple(np.broadcast_shapes(one, two))
        if found == wanted:
            continue
        if 0 in wanted:
            raise Wrong(
                f"{what} the shape is {wanted}, not {found}: a 1 is stretched to whatever stands beside it, to 0 too."
            )
        if len(found) != len(wanted):
            raise Wrong(
                f"{what} the shape is {wanted}, not {found}: there are as many dimensions as the longer one has."
            )
        raise Wrong(f"{what} the shape is {wanted}, not {found}. Write them flush right; a missing size counts as 1.")
    for one, two in (((3,), (4,)), ((2, 3), (2,)), ((2, 3), (3, 2)), ((0,), (2,)), ((4, 1, 2), (3, 1, 3))):
        try:
            found = result_shape(one, two)
        except ValueError:
            continue
        raise Wrong(f"{one} and {two} do not fit, so ValueError is wanted; you return {found}.")


def _loss(solution: dict[str, Any]) -> None:
    squared_error = solution["squared_error"]
    prediction, target = torch.tensor([1.0, 4.0, -2.0]), torch.tensor([3.0, 4.0, 2.0])
    for one, two in (((3,), (3,)), ((3, 1), (3, 1)), ((3, 1), (3,)), ((3,), (3, 1))):
        what = f"For predictions of shape {one} and targets of shape {two}"
        p, t = prediction.reshape(one).clone().requires_grad_(), target.reshape(two)
        try:
            found = tensor(ask(squared_error, p, t), f"{what} the loss", ())
        except ValueError:
            raise Wrong(f"{what} you raise ValueError: both are three numbers, and wanted is their loss.") from None
        if near(found, torch.tensor(20 / 3)):
            if not found.requires_grad:
                raise Wrong(
                    f"{what} the loss has no way back: a network could not learn from it. Stay with the tensors."
                )
            continue
        if near(found, ((prediction.reshape(3, 1) - target) ** 2).mean()):
            raise Wrong(f"{what} the loss is {found.item():.4g}, wanted is 6.667. Print the shape of the difference.")
        raise Wrong(
            f"{what} the loss is {found.item():.4g}, wanted is 6.667: the mean over the samples of the squared difference."
        )
    for one, two in (((3,), (1,)), ((1, 1), (3,)), ((2, 1), (3,)), ((2,), (3,))):
        try:
            found = squared_error(torch.zeros(one), torch.ones(two))
        except ValueError:
            continue
        except RuntimeError as error:
            raise Wrong(
                f"For {one} and {two} ValueError is wanted; the engine's RuntimeError comes instead: {error}"
            ) from None
        raise Wrong(f"For {one} and {two}, which are not equally many, ValueError is wanted; you return {found}.")


CHECKS = {"slopes of a quotient": _quotient, "the shape of a result": _shape, "a loss for all shapes": _loss}
BY_HAND = {
    "slopes of a quotient": (*AUTOGRAD, "sum_to_size"),
    "the shape of a result": ("broadcast_shapes", "broadcast_tensors", "zeros", "ones", "empty"),
}
