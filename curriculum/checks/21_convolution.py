"""Checks exercises 21."""

from typing import Any

from curriculum.check import AUTOGRAD, Wrong, ask, near, number, tensor
from curriculum.engine import torch

CONVOLUTIONS = ("conv1d", "conv2d", "conv3d", "convolution", "unfold", "conv_transpose2d", "_convolution")
BY_HAND = {"a convolution": CONVOLUTIONS, "the planted bug": (*CONVOLUTIONS, *AUTOGRAD)}


def _sizes(solution: dict[str, Any]) -> None:
    size_after = solution["size_after"]
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
    if size_after(8, 3) != 6:
        raise Wrong("size_after(8, 3), without stride and padding, must be 6: keep their defaults, 1 and 0.")


def _convolution(solution: dict[str, Any]) -> None:
    conv2d, F = solution["conv2d"], torch.nn.functional
    drawn = torch.Generator().manual_seed(1)
    x = torch.randn(2, 3, 6, 7, generator=drawn)
    weight = torch.randn(4, 3, 3, 3, generator=drawn)
    bias = torch.randn(4, generator=drawn)

    same = near
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


def _slope(solution: dict[str, Any]) -> None:
    drawn = torch.Generator().manual_seed(2)
    for height, width, k in ((4, 4, 3), (6, 5, 3), (5, 7, 2), (3, 3, 3)):
        x = torch.randn(height, width, generator=drawn)
        slope = torch.randn(height - k + 1, width - k + 1, generator=drawn)
        where = f"For a picture of {height} × {width} and a window of {k} × {k}"
        got = tensor(ask(solution["window_slope"], x, slope, k), f"{where} the slope", (k, k))
        # A weight met x[i + u, j + v] at place (i, j): the slope slides over the picture as a window does.
        wanted = torch.nn.functional.conv2d(x[None, None], slope[None, None])[0, 0]
        if near(got, wanted):
            continue
        last = slope[-1, -1] * x[-k:, -k:]
        if near(got, last):
            raise Wrong(f"{where} only the last place counts. What happens to the slopes of the places before it?")
        if near(got, wanted / slope.numel()):
            raise Wrong(f"{where} it is a mean over the places. Every use of a weight adds its slope.")
        raise Wrong(
            f"{where} the slope is {got.tolist()}, wanted is {wanted.tolist()}. At place (i, j) the weight at (u, v) met "
            "x[i + u, j + v]."
        )


def _cost(solution: dict[str, Any]) -> None:
    named = ("inputs", "outputs", "kernel", "height", "width", "stride", "padding")
    for given in (
        (1, 8, 3, 8, 8, 1, 1),
        (3, 16, 3, 32, 20, 1, 0),
        (4, 2, 5, 9, 12, 2, 2),
        (2, 3, 1, 4, 6, 1, 0),
        (3, 64, 7, 28, 30, 2, 3),
    ):
        inputs, outputs, k, height, width, stride, padding = given
        got = number(ask(solution["multiplications"], *given), "multiplications")
        rows, columns = ((n + 2 * padding - k) // stride + 1 for n in (height, width))
        wanted = outputs * rows * columns * inputs * k * k
        if got == wanted:
            continue
        said = ", ".join(f"{name}={value}" for name, value in zip(named, given, strict=True))
        hint = f"multiplications({said}) is {wanted:,}, not {got:,.0f}."
        if got == outputs * inputs * k * k:
            raise Wrong(f"{hint} That is the number of weights; each is used at every place where the window stops.")
        if got == outputs * rows * columns * k * k:
            raise Wrong(f"{hint} Each output channel has a window for every input channel.")
        if got == outputs * height * width * inputs * k * k:
            raise Wrong(f"{hint} The window does not stop at every pixel: count the places of the result.")
        raise Wrong(f"{hint} Output channels, times places, times what one window multiplies at one place.")
    if solution["multiplications"](1, 1, 3, 5, 5) != 81:
        raise Wrong("Without stride and padding they are 1 and 0: a window of 3 over 5 × 5 takes 9 · 9 = 81 products.")


def _both(solution: dict[str, Any]) -> None:
    _sizes(solution)
    _convolution(solution)


CHECKS = {"a convolution": _both, "what it costs": _cost, "the planted bug": _slope}
