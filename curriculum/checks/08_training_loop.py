"""Checks exercise 8."""

from typing import Any

from curriculum.check import Wrong, ask
from curriculum.engine import torch


def check(solution: dict[str, Any]) -> None:
    xs, ys = [1.0, 2.0, -1.0], [2.0, 3.0, 1.0]
    batches = [([1.0, 2.0], [2.0, 3.0]), ([-1.0], [1.0])]  # of different sizes

    def train(clear: bool) -> tuple[float, float]:
        w, slope, total = 0.5, 0.0, 0.0
        for x, y in batches:
            total += sum((w * a - b) ** 2 for a, b in zip(x, y, strict=True))
            slope = (0.0 if clear else slope) + sum(2 * (w * a - b) * a for a, b in zip(x, y, strict=True)) / len(x)
            w -= 0.1 * slope
        return w, total / len(xs)

    def learner(stale: bool) -> tuple[float, Any]:
        model = torch.nn.Linear(1, 1, bias=False)
        with torch.no_grad():
            model.weight.fill_(0.5)
        if stale:  # a gradient that someone left behind
            (100 * model.weight).sum().backward()
        data = torch.utils.data.TensorDataset(torch.tensor(xs).reshape(3, 1), torch.tensor(ys).reshape(3, 1))
        loader = torch.utils.data.DataLoader(data, batch_size=2)
        optimizer = torch.optim.SGD(model.parameters(), lr=0.1)

        def loss_of(guess: Any, target: Any) -> Any:
            if not guess.requires_grad:
                raise Wrong("loss_of gets the model's guess first, then what is right: loss_of(guess, yb).")
            return torch.nn.functional.mse_loss(guess, target)

        mean = ask(solution["epoch"], model, loader, loss_of, optimizer)
        return model.weight.item(), mean

    weight, mean = learner(False)
    one = 0.5 + 0.1 * sum(2 * (b - 0.5 * a) * a for a, b in zip(*batches[0], strict=True)) / 2
    if abs(weight - 0.5) < 1e-6:
        raise Wrong("The weight did not move: call loss.backward(), then optimizer.step(), for every batch.")
    if abs(weight - one) < 1e-5:
        raise Wrong("Only the first batch was used: go through the whole loader, and return after the loop.")
    if abs(weight - train(clear=False)[0]) < 1e-5:
        raise Wrong("The second step holds the first one's gradient too: call optimizer.zero_grad() for every batch.")
    if not abs(weight - train(clear=True)[0]) <= 1e-5:
        raise Wrong(f"After the epoch the weight is {weight:.4f}, wanted is {train(clear=True)[0]:.4f}.")
    if not isinstance(mean, float):
        raise Wrong("Return the mean loss as a float: loss.item() of each batch, added up.")
    if not abs(mean - train(clear=True)[1]) <= 1e-5:
        raise Wrong(
            f"The mean loss is {mean:.4f}, wanted is {train(clear=True)[1]:.4f}: weigh each batch by its samples, and divide "
            "by their number."
        )
    again, second = learner(True)
    if abs(again - 0.5) < 1e-6:
        raise Wrong("Called a second time, with a new model, it does not train.")
    if not abs(again - train(clear=True)[0]) <= 1e-5:
        raise Wrong("A gradient that lay there before goes into the first step: zero_grad() belongs before backward().")
    if second != mean:
        raise Wrong(f"Called a second time, with a new model, it says {second} instead of {mean}: begin the sum anew.")
