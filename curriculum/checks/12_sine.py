"""Checks exercise 12."""

from typing import Any

from curriculum.check import AUTOGRAD, Wrong, ask, near, parts, tensor
from curriculum.engine import torch

BY_HAND = AUTOGRAD


def check(solution: dict[str, Any]) -> None:
    generator = torch.Generator().manual_seed(11)
    for n, hidden in ((6, 4), (4, 4), (1, 3)):
        one(solution, generator, n, hidden)


def one(solution: dict[str, Any], generator: Any, n: int, hidden: int) -> None:
    x, y = torch.randn(n, 1, generator=generator), torch.randn(n, 1, generator=generator)
    weights = [torch.randn(*shape, generator=generator) for shape in ((hidden, 1), (hidden,), (1, hidden), (1,))]
    guess, h = parts(ask(solution["forward"], x, *weights), "forward", "guess, h")
    wanted_h = torch.tanh(x @ weights[0].T + weights[1])
    tensor(h, "h"), tensor(guess, "The guess")
    if not near(h, wanted_h, 1e-5):
        raise Wrong("h is not tanh(x w1ᵀ + b1), of shape (n, hidden).")
    if not near(guess, wanted_h @ weights[2].T + weights[3], 1e-5):
        raise Wrong("The guess is not h w2ᵀ + b2, of shape (n, 1).")

    leaves = [w.clone().requires_grad_() for w in weights]
    own = torch.tanh(x @ leaves[0].T + leaves[1]) @ leaves[2].T + leaves[3]
    ((own - y) ** 2).mean().backward()
    slope = 2 * (own.detach() - y) / len(x)
    found = parts(ask(solution["backward"], x, wanted_h, weights[2], slope), "backward", "w1, b1, w2, b2")
    hints = {
        "w2": "it is slopeᵀ h.",
        "b2": "the bias acted on every row: sum the slope over the rows.",
        "b1": "the slope passes back through w2 and is multiplied by 1 - h²; then sum over the rows.",
        "w1": "take what reached tanh's input, (slope w2) (1 - h²), transposed, times x.",
    }
    for name, hint in hints.items():
        index = ("w1", "b1", "w2", "b2").index(name)
        wanted = leaves[index].grad
        got = tensor(found[index], f"The gradient of {name}", tuple(wanted.shape), hint)
        if not near(got, wanted):
            raise Wrong(f"The gradient of {name} is wrong: {hint}")
