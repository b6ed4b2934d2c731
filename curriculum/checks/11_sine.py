"""Checks exercise 11."""

from typing import Any

from curriculum.check import Wrong
from curriculum.engine import torch


def check(solution: dict[str, Any]) -> None:
    generator = torch.Generator().manual_seed(11)
    x, y = torch.randn(6, 1, generator=generator), torch.randn(6, 1, generator=generator)
    weights = [torch.randn(*shape, generator=generator) for shape in ((4, 1), (4,), (1, 4), (1,))]
    guess, h = solution["forward"](x, *weights)
    wanted_h = torch.tanh(x @ weights[0].T + weights[1])
    if tuple(h.shape) != (6, 4) or (h - wanted_h).abs().max().item() > 1e-5:
        raise Wrong("h is not tanh(x w1ᵀ + b1), of shape (n, hidden).")
    if tuple(guess.shape) != (6, 1) or (guess - (wanted_h @ weights[2].T + weights[3])).abs().max().item() > 1e-5:
        raise Wrong("The guess is not h w2ᵀ + b2, of shape (n, 1).")

    leaves = [w.clone().requires_grad_() for w in weights]
    own = torch.tanh(x @ leaves[0].T + leaves[1]) @ leaves[2].T + leaves[3]
    ((own - y) ** 2).mean().backward()
    slope = 2 * (own.detach() - y) / len(x)
    found = solution["backward"](x, wanted_h, weights[2], slope)
    hints = {
        "w2": "it is slopeᵀ h.",
        "b2": "the bias acted on every row: sum the slope over the rows.",
        "b1": "the slope passes back through w2 and is multiplied by 1 - h²; then sum over the rows.",
        "w1": "take what reached tanh's input, (slope w2) (1 - h²), transposed, times x.",
    }
    for name, hint in hints.items():
        index = ("w1", "b1", "w2", "b2").index(name)
        got, wanted = found[index], leaves[index].grad
        if tuple(got.shape) != tuple(wanted.shape):
            raise Wrong(f"The gradient of {name} has shape {tuple(got.shape)}, wanted is {tuple(wanted.shape)}: {hint}")
        if (got - wanted).abs().max().item() > 1e-4:
            raise Wrong(f"The gradient of {name} is wrong: {hint}")
