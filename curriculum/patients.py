"""Trainings with one fault each, for lesson 31: read them after you have guessed.

`Training` is healthy: a network 64-32-32-10 that learns digits. Every patient below it changes one method, and its
docstring names the fault. `examine` takes the measurements by which one can be told from another.
"""

import functools
import math
from typing import Any

import numpy as np

from .data import digits
from .engine import torch

nn = torch.nn
F = nn.functional

OWN, BATCH, STEPS = 1000, 50, 300  # pictures to train on; in a batch; steps of a training
ONE, ONE_STEPS = 16, 300  # the one batch that must be learned by heart, and how long it may take


@functools.cache
def table() -> tuple[np.ndarray, np.ndarray]:
    """The digits, mixed: pixels (1797, 64) from 0 to 1, labels (1797,)."""
    pictures, labels = digits()
    order = np.random.default_rng(0).permutation(len(labels))
    return pictures.reshape(-1, 64)[order] / 16, labels[order]


class Training:
    """Healthy."""

    classes = 10
    rate = 0.1

    def data(self) -> tuple[Any, Any, Any, Any]:
        """x (1000, 64), y (1000,), and the same of the 797 others."""
        pixels, labels = table()
        x = torch.tensor(pixels, dtype=torch.get_default_dtype())
        y = torch.tensor(labels)
        return x[:OWN], y[:OWN], x[OWN:], y[OWN:]

    def network(self) -> Any:
        return nn.Sequential(
            nn.Linear(64, 32), nn.ReLU(), nn.Linear(32, 32), nn.ReLU(), nn.Linear(32, self.classes),
        )  # fmt: skip

    def optimizer(self, model: Any) -> Any:
        return torch.optim.SGD(model.parameters(), lr=self.rate, momentum=0.9)

    def loss(self, model: Any, x: Any, y: Any) -> Any:
        return F.cross_entropy(model(x), y)

    def clear(self, optimizer: Any) -> None:
        optimizer.zero_grad()

    def test(self, model: Any) -> Any:
        """The model, ready to be judged."""
        return model.eval()

    def right(self, output: Any, y: Any) -> float:
        """The share of the answers that is right."""
        return float((output.argmax(dim=1) == y).to(torch.float64).mean())


class NoClearing(Training):
    """zero_grad is forgotten: each step adds to the gradient of all steps before. Mend: optimizer.zero_grad() in every step."""

    rate = 0.01

    def clear(self, optimizer: Any) -> None:
        pass


class TooFast(Training):
    """The learning rate is far too large. Mend: a tenth of it, until an update moves a weight by about a thousandth."""

    rate = 10.0


class TooSlow(Training):
    """The learning rate is far too small. Mend: ten times as much, until an update moves a weight by about a thousandth."""

    rate = 1e-6


class TwoSoftmaxes(Training):
    """Softmax before cross_entropy, which contains one. Mend: give cross_entropy the scores (logits) themselves."""

    def loss(self, model: Any, x: Any, y: Any) -> Any:
        return F.cross_entropy(torch.softmax(model(x), dim=1), y)


class WrongShape(Training):
    """Answers (n, 1) minus truth (n,) is (n, n): each answer is compared with everybody's truth. Mend: squeeze(1)."""

    classes = 1

    def loss(self, model: Any, x: Any, y: Any) -> Any:
        even = (y % 2 == 0).to(x.dtype)
        return ((torch.sigmoid(model(x)) - even) ** 2).mean()

    def right(self, output: Any, y: Any) -> float:
        return float(((output.squeeze(1) > 0) == (y % 2 == 0)).to(torch.float64).mean())


class DeadUnits(Training):
    """A bias of -20 keeps every ReLU of the first layer at 0, and its gradient with it. Mend: biases of 0."""

    def network(self) -> Any:
        model = super().network()
        with torch.no_grad():
            model[0].bias.fill_(-20.0)
        return model


class AllTheSame(Training):
    """All weights of a layer start equal, its biases at 0, so its units stay equal for ever. Mend: draw them at random (lesson 17)."""

    def network(self) -> Any:
        model = super().network()
        with torch.no_grad():
            for layer in (model[0], model[2], model[4]):
                layer.weight.fill_(0.05)
                layer.bias.zero_()
        return model


class StillDropping(Training):
    """The model is judged in training mode, with units dropped at random. Mend: model.eval() before it is judged."""

    def network(self) -> Any:
        layers = list(super().network())
        return nn.Sequential(*layers[:4], nn.Dropout(0.5), layers[4])

    def test(self, model: Any) -> Any:
        return model


class Leak(Training):
    """Half of the pictures that judge the model were trained on. Mend: split before anything else is done."""

    def data(self) -> tuple[Any, Any, Any, Any]:
        x, y, x_other, y_other = super().data()
        x, y = torch.cat([x[:601], x_other[:399]]), torch.cat([y[:601], y_other[:399]])
        return x, y, x_other, y_other


class MixedLabels(Training):
    """The pictures were shuffled and their labels were not. Mend: one permutation for both."""

    def data(self) -> tuple[Any, Any, Any, Any]:
        x, y, x_other, y_other = super().data()
        return x[torch.randperm(len(x))], y, x_other, y_other


class CutGraph(Training):
    """A detach() cuts the graph: what lies before it gets no gradient. Mend: detach only what shall not learn."""

    def loss(self, model: Any, x: Any, y: Any) -> Any:
        hidden = model[:4](x)
        return F.cross_entropy(model[4](hidden.detach()), y)


class OtherWeights(Training):
    """The optimizer holds the weights of a model that was thrown away. Mend: make the optimizer after the model."""

    def optimizer(self, model: Any) -> Any:
        return super().optimizer(self.network())


class Unscaled(Training):
    """The inputs go up to 10,000. Mend: bring each column to mean 0 and deviation 1 (lesson 32)."""

    def data(self) -> tuple[Any, Any, Any, Any]:
        x, y, x_other, y_other = super().data()
        return 10_000 * x, y, 10_000 * x_other, y_other


PATIENTS: dict[str, type[Training]] = {
    kind.__name__: kind
    for kind in (
        Training, NoClearing, TooFast, TooSlow, TwoSoftmaxes, WrongShape, DeadUnits, AllTheSame, StillDropping, Leak,
        MixedLabels, CutGraph, OtherWeights, Unscaled,
    )
}  # fmt: skip


def norm(tensors: Any) -> float:
    """The length of all tensors as one vector."""
    return math.sqrt(sum(float((t.detach() ** 2).sum()) for t in tensors))


def examine(kind: type[Training], seed: int, recorded: Any = None) -> dict[str, float]:
    """Train it, and measure. `recorded(loss, model)` is called in each step, where it is given.

    first         the loss before anything was learned, divided by what guessing costs: ln(classes)
    one batch     the loss after 300 steps on the same 16 pictures
    last          the loss at the end of the training, on its own pictures
    own, others   the share of right answers on its own pictures and on the others
    without       the share of the parameter tensors whose gradient is None, or 0 throughout
    twice         the gradient's norm after a second backward in which no weight moved, by that of the first
    update        the length of one update by that of the weights, at the tenth step
    dead          the share of hidden units that are 0 for every picture
    alike         the largest share of the last hidden layer's living units that give the same numbers
    unsteady      whether the model as it is judged answers the same question in two ways: 0 or 1
    known         the share of the others that are also among its own pictures
    """
    case = kind()
    torch.manual_seed(seed)
    x, y, x_other, y_other = case.data()
    model = case.network()
    optimizer = case.optimizer(model)
    weights = list(model.parameters())
    found: dict[str, float] = {}

    with torch.no_grad():
        guess = math.log(case.classes) if case.classes > 1 else 0.25
        found["first"] = float(case.loss(model, x, y)) / guess
        units = model[:4](x)  # (1000, 32)
        found["dead"] = float(
            sum((layers(x).amax(dim=0) <= 0).to(torch.float64).sum() for layers in (model[:2], model[:4])) / 64
        )
        living = units[:, units.amax(dim=0) > 0].T.numpy()
        _, counts = np.unique(living.round(6), axis=0, return_counts=True)
        found["alike"] = counts.max() / len(living) if len(living) else 0.0

    case.loss(model, x[:BATCH], y[:BATCH]).backward()
    gradients = [w.grad for w in weights]
    found["without"] = sum(g is None or not g.any() for g in gradients) / len(gradients)
    once = norm(g for g in gradients if g is not None)
    case.clear(optimizer)
    case.loss(model, x[:BATCH], y[:BATCH]).backward()
    found["twice"] = norm(w.grad for w in weights if w.grad is not None) / once
    for w in weights:
        w.grad = None

    for step in range(STEPS):
        rows = slice(step * BATCH % OWN, step * BATCH % OWN + BATCH)
        case.clear(optimizer)
        loss = case.loss(model, x[rows], y[rows])
        loss.backward()
        if recorded is not None:
            recorded(loss, model)
        before = [w.detach().clone() for w in weights] if step == 10 else []
        optimizer.step()
        if step == 10:
            moved = norm(w.detach() - old for w, old in zip(weights, before, strict=True))
            found["update"] = moved / norm(before)
    judged = case.test(model)
    with torch.no_grad():
        found["last"] = float(case.loss(judged, x, y))
        found["own"] = case.right(judged(x), y)
        found["others"] = case.right(judged(x_other), y_other)
        found["unsteady"] = float((judged(x) != judged(x)).any() and found["last"] == found["last"])

    torch.manual_seed(seed)
    model = case.network()
    optimizer = case.optimizer(model)
    for _ in range(ONE_STEPS):
        case.clear(optimizer)
        case.loss(model, x[:ONE], y[:ONE]).backward()
        optimizer.step()
    with torch.no_grad():
        found["one batch"] = float(case.loss(case.test(model), x[:ONE], y[:ONE]))
    own = {row.tobytes() for row in x.numpy()}
    found["known"] = sum(row.tobytes() in own for row in x_other.numpy()) / len(x_other)
    return found


@functools.cache
def measured(name: str, seed: int) -> dict[str, float]:
    """`examine` of the patient of that name, once a process: the check asks for the same ones again."""
    return examine(PATIENTS[name], seed)
