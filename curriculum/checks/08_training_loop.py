"""Checks exercise 8."""

from typing import Any

from curriculum.check import Wrong, ask, near, number, parts, tensor
from curriculum.engine import torch


def _epoch(solution: dict[str, Any]) -> None:
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


def _steps(solution: dict[str, Any]) -> None:
    for samples, size, epochs, drop in (
        (160, 32, 3, False), (100, 32, 2, False), (100, 32, 2, True), (5, 8, 4, False), (5, 8, 4, True), (64, 64, 1, True), (9, 4, 1, False),
    ):  # fmt: skip
        data = torch.utils.data.TensorDataset(torch.zeros(samples, 1))
        sizes = [len(batch) for (batch,) in torch.utils.data.DataLoader(data, size, drop_last=drop)]
        wanted = epochs * len(sizes), sizes[-1] if sizes else 0
        options: dict[str, Any] = {"drop_last": True} if drop else {}
        found = parts(ask(solution["steps"], samples, size, epochs, **options), "steps", "steps, last batch")
        said = tuple(number(value, "What steps returns") for value in found)
        if said == wanted:
            continue
        case = f"{samples} samples, batches of {size}, {epochs} epochs{', drop_last' if drop else ''}"
        hint = "count what the loader hands out."
        if said[0] == wanted[0]:
            hint = "how many samples are left for the last batch? If nothing is left over, it is a full one."
        elif said[0] == len(sizes):
            hint = "those are the steps of one epoch."
        elif not drop and said[0] == epochs * (samples // size):
            hint = "the samples that fill no whole batch come too, as a smaller one."
        raise Wrong(
            f"{case}: you say {said[0]:g} steps and {said[1]:g} in the last batch, a loader gives {wanted}: {hint}"
        )


def _standardize(solution: dict[str, Any]) -> None:
    generator = torch.Generator().manual_seed(8)
    for shift in (0.0, 3.0):
        train = torch.randn(40, 3, generator=generator) * torch.tensor([1.0, 1000.0, 0.1]) + 5
        other = torch.randn(15, 3, generator=generator) * torch.tensor([1.0, 1000.0, 0.1]) + 5 + shift
        found = parts(ask(solution["standardize"], train, other), "standardize", "train, other")
        ours, theirs = tensor(found[0], "The first", (40, 3)), tensor(found[1], "The second", (15, 3))
        mean, deviation = train.mean(dim=0), train.std(dim=0)
        if not near(ours.mean(dim=0), torch.zeros(3), 1e-4) or not near(ours, (train - mean) / deviation, 1e-2):
            raise Wrong("The training features must have mean 0 and deviation 1, each feature for itself (dim=0).")
        if near(theirs.mean(dim=0), torch.zeros(3), 1e-4):
            raise Wrong(
                "A sample that is 3 larger than all training samples must stay larger. In your `other` that is gone: whose mean was taken?"
            )
        if not near(theirs, (other - mean) / deviation, 1e-2):
            raise Wrong(
                "`other` is not on the scale of the training features: the same number must mean the same in both."
            )
    one = solution["standardize"](torch.tensor([[1.0], [3.0]]), torch.tensor([[4.0]]))
    if not near(one[1], [[2 / 2**0.5]]):
        raise Wrong("A single new sample must work too: it has no deviation of its own.")


CHECKS = {"epoch": _epoch, "steps": _steps, "standardize": _standardize}
BY_HAND = {"steps": ("DataLoader",)}
