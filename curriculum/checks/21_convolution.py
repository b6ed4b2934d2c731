"""Checks exercise 21."""

from typing import Any

from curriculum.check import Wrong, ask, near, number, tensor
from curriculum.engine import torch

BY_HAND = ("conv1d", "conv2d", "conv3d", "convolution", "unfold", "conv_transpose2d", "_convolution")


def check(solution: dict[str, Any]) -> None:
    size_after, conv2d = solution["size_after"], solution["conv2d"]
    F = torch.nn.functional

    cases = ((8, 3, 1, 0, 6), (8, 3, 1, 1, 8), (8, 3, 2, 0, 3), (28, 5, 2, 2, 14), (9, 3, 3, 1, 3), (5, 5, 1, 0, 1))
    for n, kernel, stride, padding, wanted in cases:
        got = number(ask(size_after, n, kernel, stride, padding), "size_after")
        if got == wanted:
            continue
        hint = f"size_after({n}, {kernel}, stride={stride}, padding={padding}) must be {wanted}; it is {got:g}."
        if padding and got == (n + padding - kernel) // stride + 1:
            raise Wrong(f"{hint} The padding stands at both ends.")
        if got == wanted - 1:
            raise Wrong(f"{hint} Add 1: the first place counts before any step is made.")
        raise Wrong(f"{hint} Divide by the stride and round down.")

    drawn = torch.Generator().manual_seed(1)
    x = torch.randn(2, 3, 6, 7, generator=drawn)
    weight = torch.randn(4, 3, 3, 3, generator=drawn)
    bias = torch.randn(4, generator=drawn)

    same = near
    if size_after(8, 3) != 6:
        raise Wrong("size_after(8, 3), without stride and padding, must be 6: keep their defaults, 1 and 0.")

    for stride, padding in ((1, 0), (1, 1), (2, 0), (2, 1), (3, 2)):
        where = f"With stride={stride}, padding={padding}"
        got = tensor(ask(conv2d, x, weight, bias, stride, padding), where + " the answer")
        wanted = F.conv2d(x, weight, bias, stride, padding)
        if tuple(got.shape) != tuple(wanted.shape):
            raise Wrong(f"{where} the shape must be {tuple(wanted.shape)}; it is {tuple(got.shape)}.")
        if same(got, wanted):
            continue
        if same(got, F.conv2d(x, weight, None, stride, padding)):
            raise Wrong(f"{where} the bias is missing: each output channel adds its own.")
        if same(got, F.conv2d(x, weight.flip(2).flip(3), bias, stride, padding)):
            raise Wrong(f"{where} the window is turned round: PyTorch's convolution does not flip it.")
        if stride > 1:
            raise Wrong(
                f"{where} the values are wrong: place (i, j) looks at the patch from (i * stride, j * stride) on."
            )
        if padding:
            raise Wrong(f"{where} the values are wrong: the picture belongs into the middle of the frame of zeros.")
        raise Wrong(f"{where} the values are wrong: sum over rows, columns and all input channels of the patch.")
    one = torch.ones(1, 1, 4, 4)
    if not same(conv2d(one, torch.ones(1, 1, 1, 1), torch.zeros(1)), one):
        raise Wrong("A window of 1 × 1 with weight 1, stride 1, no padding, must give the picture back.")
