"""Checks exercise 4."""

from typing import Any

from curriculum.check import AUTOGRAD, Wrong, ask, near, parts, tensor
from curriculum.engine import torch

BY_HAND = (*AUTOGRAD, "sum_to_size")


def check(solution: dict[str, Any]) -> None:
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
