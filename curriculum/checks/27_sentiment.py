"""Checks exercises 27."""

from typing import Any

from curriculum.check import Wrong, ask, number, parts, tensor
from curriculum.check import near as close
from curriculum.engine import torch

NORMS = (
    "layer_norm",
    "native_layer_norm",
    "group_norm",
    "batch_norm",
    "instance_norm",
    "rms_norm",
    "normalize",
    "local_response_norm",
)


def first(solution: dict[str, Any]) -> None:
    layer_norm, stop_at = solution["layer_norm"], solution["stop_at"]
    torch.manual_seed(1)
    x, weight, bias = 3 + 2 * torch.randn(4, 5, 6), torch.rand(6) + 0.5, torch.randn(6)
    found = tensor(ask(layer_norm, x, weight, bias), "layer_norm(x, weight, bias)", tuple(x.shape), "that of x")

    def near(other: Any, tolerance: float = 1e-4) -> bool:
        return close(found, other, tolerance)

    plain = torch.nn.functional.layer_norm(x, (6,))
    if near(plain):
        raise Wrong("The scale and the shift are missing: times weight, plus bias.")
    if near((x - x.mean()) / x.std() * weight + bias, 0.05):
        raise Wrong("Each vector has a mean of its own: over dim=-1, with keepdim=True.")
    unbiased = (x - x.mean(dim=-1, keepdim=True)) / x.std(dim=-1, keepdim=True) * weight + bias
    if near(unbiased, 1e-3):
        raise Wrong("The variance here is the mean of the squares, divided by n, not by n - 1.")
    if not near(plain * weight + bias):
        raise Wrong("Subtract each vector's mean, divide by the root of its variance plus eps, then weight and bias.")
    flat = layer_norm(torch.ones(1, 6), weight, bias)
    if torch.isnan(flat).any():
        raise Wrong("Where all numbers are equal the variance is 0: add eps before the root.")
    small = 1e-3 * x
    wide = torch.nn.functional.layer_norm(small, (6,), weight, bias, 1e-4)
    if not close(layer_norm(small, weight, bias, eps=1e-4), wide):
        raise Wrong(
            "With eps = 1e-4 and small numbers it is wrong: eps is added to the variance, under the root, as the call says."
        )
    row = torch.arange(6.0)
    if not close(layer_norm(row, weight, bias), torch.nn.functional.layer_norm(row, (6,), weight, bias)):
        raise Wrong("A single vector, of shape (6), must work too: over the last dimension, dim=-1.")

    early = stop_at([3.0, 2.0, 1.0], 2)
    parts(early, "stop_at", "the epoch to stop after, the best epoch")
    if tuple(early) != (2, 2):
        raise Wrong("While the loss falls there is no reason to stop: for [3, 2, 1] the answer is (2, 2).")
    answer = tuple(stop_at([3.0, 1.0, 2.0, 1.5, 0.5], 2))
    if answer == (2, 1):
        raise Wrong(
            "For [3, 1, 2, 1.5, 0.5] and patience 2 it stops an epoch too early: two epochs without a new best."
        )
    if answer == (4, 4):
        raise Wrong(
            "For [3, 1, 2, 1.5, 0.5] and patience 2: compare with the best loss so far, not with the one before."
        )
    if answer != (3, 1):
        raise Wrong(f"For [3, 1, 2, 1.5, 0.5] and patience 2 the answer is (3, 1); it is {answer}.")
    for losses, patience, wanted, hint in (
        ([1.0, 1.0, 1.0, 0.5], 2, (2, 0), "a loss that is only equal to the best is not below it."),
        ([1.0, 2.0, 0.9, 2.0, 0.8, 2.0], 2, (5, 4), "with a new best the counting begins anew."),
        ([1.0, 2.0, 3.0], 1, (1, 0), "with patience 1 the first epoch without a new best is the last."),
        (
            [2.0, 3.0, 2.5],
            5,
            (2, 0),
            "where patience never runs out it stops after the last epoch, and says which was best.",
        ),
        ([5.0], 3, (0, 0), "one epoch is the last and the best."),
        ([1.0, 3.0, 2.0, 1.5, 1.2], 3, (3, 0), "what counts is the best loss so far: falling again is not enough."),
    ):
        answer = tuple(stop_at(list(losses), patience))
        if answer != wanted:
            raise Wrong(f"For {losses} and patience {patience} the answer is {wanted}; it is {answer}: {hint}")


def counting(solution: dict[str, Any]) -> None:
    block_parameters = solution["block_parameters"]
    found = number(ask(block_parameters, 8, 12), "block_parameters(8, 12)")
    layer = torch.nn.TransformerEncoderLayer(8, 2, 12)
    wanted = sum(p.numel() for p in layer.parameters())
    for missing, what in (
        (32, "what each of the two normalizations learns, a factor and a shift for each number"),
        (16, "one of the two normalizations, or its shift"),
        (20, "the biases of the two linear layers of the small network"),
        (72, "the layer behind the heads, which mixes what they found"),
    ):
        if found == wanted - missing:
            raise Wrong(
                f"For width 8 and hidden 12 it is {wanted - missing}, and a layer has {wanted}: {what}, is missing."
            )
    if found != wanted:
        raise Wrong(
            f"For width 8 and hidden 12 a layer has {wanted} parameters; it is {found:g}. Count each part by itself."
        )
    for width, hidden in ((10**6, 7), (30_000, 10**7)):
        wanted = 4 * width * (width + 1) + width * hidden + hidden + hidden * width + width + 4 * width
        if block_parameters(width, hidden) != wanted:
            raise Wrong(
                f"For width {width:,} and hidden {hidden:,} it is not {wanted:,}: width and hidden are not in one ratio."
            )


def averaging(solution: dict[str, Any]) -> None:
    held_out_loss = solution["held_out_loss"]
    if abs(number(ask(held_out_loss, [1.0, 2.0, 3.0], [4, 4, 4]), "held_out_loss") - 2.0) > 1e-6:
        raise Wrong("Batches of one size with the losses 1, 2, 3 have the mean 2.")
    found = number(held_out_loss([1.0, 1.0, 4.0], [10, 10, 1]), "held_out_loss")
    if abs(found - 2.0) < 1e-6:
        raise Wrong(
            "20 examples have the loss 1 and one has 4: the mean is 24 / 21, and the last batch counts as much as the others here."
        )
    if abs(found - 24 / 21) > 1e-6:
        raise Wrong(f"20 examples have the loss 1 and one has 4: the mean is 24 / 21 = 1.143; it is {found:.4g}.")
    if abs(number(held_out_loss([0.5], [3]), "held_out_loss") - 0.5) > 1e-6:
        raise Wrong("One batch of mean loss 0.5 has the mean loss 0.5.")


CHECKS = {
    "layer normalization, early stopping": first,
    "a block's parameters": counting,
    "the loss of a data set": averaging,
}
BY_HAND = {"layer normalization, early stopping": NORMS}
