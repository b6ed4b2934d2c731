"""Checks exercises 22."""

from typing import Any

from curriculum.check import Wrong, ask, near, number, parts, tensor
from curriculum.engine import torch

BY_HAND = {
    "dropout": (
        "dropout",
        "dropout_",
        "alpha_dropout",
        "feature_dropout",
        "dropout1d",
        "dropout2d",
        "dropout3d",
        "feature_alpha_dropout",
    )
}


def _dropout(solution: dict[str, Any]) -> None:
    dropout = solution["dropout"]
    torch.manual_seed(1)

    x = 1 + torch.rand(200, 200)
    if not near(tensor(ask(dropout, x, 0.25, False), "dropout(x, p, False)"), x, 0):
        raise Wrong("Outside of training, dropout must change nothing.")
    found = tensor(ask(dropout, x, 0.25, True), "dropout(x, p, True)", (200, 200))
    zeros = (found == 0).to(torch.float32).mean().item()
    if zeros == 0:
        raise Wrong("While training, no number is 0: draw a mask with torch.rand and multiply.")
    rows = (found == 0).to(torch.float32).mean(dim=1)
    if rows.std().item() > 0.2:
        raise Wrong("Whole rows fall out together: every number has a draw of its own (torch.rand(x.shape)).")
    if (found == 0).to(torch.float32).mean(dim=0).std().item() > 0.2:
        raise Wrong("Whole columns fall out together: every number has a draw of its own (torch.rand(x.shape)).")
    if abs(zeros - 0.75) < 0.02:
        raise Wrong("p is the probability to be dropped, not to be kept.")
    if abs(zeros - 0.25) > 0.02:
        raise Wrong(
            f"With p = 0.25 a quarter of the numbers must be 0; it is {zeros:.2f} of them, drawn independently."
        )
    ratio = (found.sum() / x.sum()).item()
    if abs(ratio - 0.75) < 0.02:
        raise Wrong("The mean shrinks: divide what is kept by 1 - p, so that it stays the same on average.")
    if abs(ratio - 1) > 0.02:
        raise Wrong(f"On average the sum must stay; it is {ratio:.2f} times what it was. Divide by 1 - p.")

    kept = found != 0
    if not near(found[kept], (x / 0.75)[kept]):
        raise Wrong("The mean stays, but the numbers that are kept are not each divided by 1 - p.")
    if near(dropout(x, 0.25, True), found, 0):
        raise Wrong("The second draw is the same as the first: draw anew in each call, without a seed.")
    many = dropout(x, 0.9, True)
    if abs((many == 0).to(torch.float32).mean().item() - 0.9) > 0.02:
        raise Wrong("With p = 0.9 nine tenths of the numbers must be 0.")
    if not near(dropout(x, 0.0, True), x):
        raise Wrong("With p = 0 nothing falls out, and nothing grows.")


def _scale(solution: dict[str, Any]) -> None:
    scale = solution["scale"]
    torch.manual_seed(2)
    train, test = 3 + 2 * torch.randn(500), 5 + torch.randn(50)
    ours, theirs = parts(ask(scale, train, test), "scale", "train, test")
    tensor(ours, "The training part", (500,)), tensor(theirs, "The test part", (50,))
    if abs(ours.mean().item()) > 1e-4 or abs(ours.std().item() - 1) > 1e-2:
        raise Wrong("The training part must have mean 0 and spread 1: subtract its mean, divide by its spread.")
    if abs(theirs.mean().item()) < 1e-3:
        raise Wrong("The test part was scaled by its own numbers: what the model does to it must be fixed before.")
    if not near(theirs, (test - train.mean()) / train.std(), 1e-2):
        raise Wrong("Scale the test part with the mean and the spread of the training part alone.")
    if not near(ours, (train - train.mean()) / train.std(), 1e-2):
        raise Wrong("Mean and spread are right, the numbers are not: order and signs must stay.")


def _field(solution: dict[str, Any]) -> None:
    tried: tuple[list[tuple[int, int]], ...] = (
        [(3, 1)],
        [(3, 1), (3, 1)],
        [(2, 2)],
        [(3, 2), (3, 1)],
        [(3, 1), (2, 2), (3, 1), (2, 2)],
        [(7, 2), (3, 2), (3, 1)],
        [],
    )
    for layers in tried:
        got = number(ask(solution["receptive_field"], list(layers)), f"receptive_field({layers})")
        # Two pixels as far apart as can be that a unit sees: run the sizes backwards, from one place on.
        wanted = 1
        for k, s in reversed(layers):
            wanted = (wanted - 1) * s + k
        if got == wanted:
            continue
        hint = f"receptive_field({layers}) is {wanted}, not {got:g}."
        if got == 1 + sum(k - 1 for k, _ in layers):
            raise Wrong(
                f"{hint} Behind a stride of 2 neighbours of the map lie 2 pixels apart, so a later window spans more."
            )
        if got == sum(k for k, _ in layers):
            raise Wrong(f"{hint} Two windows of 3 overlap: the second adds k - 1 = 2 pixels, not 3.")
        if not layers:
            raise Wrong(f"{hint} Without a layer a unit is a pixel.")
        seen, apart = 1, 1
        for k, s in layers:
            apart *= s
            seen += (k - 1) * apart
        if got == seen:
            raise Wrong(f"{hint} A layer's own stride moves the layers behind it apart, not its own window.")
        raise Wrong(f"{hint} Each layer adds (k - 1) times the distance of its inputs in the picture.")


CHECKS = {"dropout": _dropout, "scaling without peeking": _scale, "the receptive field": _field}
