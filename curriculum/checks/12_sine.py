"""Checks exercise 12."""

from typing import Any

from curriculum.check import AUTOGRAD, Wrong, ask, near, number, parts, tensor
from curriculum.engine import torch


def _by_hand(solution: dict[str, Any]) -> None:
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


def _corners(solution: dict[str, Any]) -> None:
    for w1, b1, w2 in (
        ([2.0, -1.0, 0.5], [1.0, 3.0, 0.0], [1.0, 1.0, -2.0]), ([0.0, 4.0], [1.0, -2.0], [1.0, 3.0]), ([1.0, 1.0], [0.5, -0.5], [0.0, 1.0]),
        ([-3.0], [6.0], [1.0]), ([0.0], [1.0], [1.0]),
    ):  # fmt: skip
        wanted = sorted(-b / w for w, b, out in zip(w1, b1, w2, strict=True) if w and out)
        column = torch.tensor(w1).reshape(-1, 1)
        found = ask(solution["corners"], column, torch.tensor(b1), torch.tensor([w2]))
        if not isinstance(found, list):
            raise Wrong(f"corners returns a list of numbers, not a {type(found).__name__}.")
        places = [number(place, "A corner") for place in found]
        case = f"w1 {w1}, b1 {b1}, w2 {w2}: you say {[round(p, 3) for p in places]}"
        if near(places, wanted, 1e-5):
            continue
        if near(sorted(places), wanted, 1e-5):
            raise Wrong(f"{case}: the places are right, sort them.")
        if near(sorted(-p for p in places), wanted, 1e-5):
            raise Wrong(f"{case}: the signs are turned. At a corner w x + b is 0.")
        if len(places) != len(wanted):
            raise Wrong(
                f"{case}, and there are {len(wanted)}. A unit whose weight is 0 is constant, and one that the output does not use is not seen."
            )
        raise Wrong(f"{case}, wanted is {wanted}. At a corner w x + b is 0.")


def _fit(solution: dict[str, Any]) -> None:
    def twin() -> Any:
        torch.manual_seed(12)
        return torch.nn.Sequential(torch.nn.Linear(1, 4), torch.nn.Tanh(), torch.nn.Linear(4, 1))

    x = torch.linspace(-2, 2, 9).unsqueeze(1)
    y = torch.sin(2 * x)
    for epochs, options in ((12, {}), (5, {"lr": 0.05})):
        model, own = twin(), twin()
        optimizer, losses = torch.optim.Adam(own.parameters(), lr=options.get("lr", 0.01)), []
        for _ in range(epochs):
            optimizer.zero_grad()
            loss = ((own(x) - y) ** 2).mean()
            loss.backward()
            optimizer.step()
            losses.append(loss.item())
        found = ask(solution["fit"], model, x, y, epochs, **options)  # type: ignore[arg-type]
        if not isinstance(found, list) or len(found) != epochs:
            raise Wrong(f"fit returns a list with a loss for each of the {epochs} epochs.")
        said = [number(loss, "A loss") for loss in found]
        if near(said, losses, 1e-5) and all(
            near(p, q) for p, q in zip(model.parameters(), own.parameters(), strict=True)
        ):
            continue
        if abs(said[0] - losses[0]) > 1e-5:
            raise Wrong(
                f"The first loss is {said[0]:.5f}, wanted is {losses[0]:.5f}: the mean squared error before any step."
            )
        if epochs > 1 and abs(said[1] - losses[1]) > 1e-5:
            raise Wrong(
                "The first step is wrong already: clear, forward, loss, backward, step, with Adam and the lr that was asked for."
            )
        raise Wrong(
            "The first step is right, later ones are not. What does Adam remember from step to step, and where is it kept? "
            "And does each step start from cleared gradients?"
        )


CHECKS = {"forward and backward": _by_hand, "corners": _corners, "fit": _fit}
BY_HAND = {"forward and backward": AUTOGRAD}
