"""Checks exercise 7."""

from itertools import pairwise, product
from typing import Any

from curriculum.check import Wrong, ask, near, number, tensor
from curriculum.engine import torch

nn: Any = torch.nn


def _count(solution: dict[str, Any]) -> None:
    for sizes in ([3, 2], [64, 32, 10], [2, 4, 1], [5, 5, 5, 5], [7]):
        wanted = sum(p.numel() for m, n in pairwise(sizes) for p in nn.Linear(m, n).parameters())
        found = number(ask(solution["count"], list(sizes)), f"count({sizes})")
        if found != wanted and found == sum(m * n for m, n in pairwise(sizes)):
            raise Wrong(f"count({sizes}) gives {found:g}: those are the weights. Every output has a bias too.")
        if found != wanted:
            raise Wrong(f"count({sizes}) gives {found:g}, wanted is {wanted}: n (m + 1) for each layer from m to n.")


def _merge(solution: dict[str, Any]) -> None:
    for sizes, without in (((3, 5, 2), ()), ((4, 4, 4), ()), ((2, 3), ()), ((3, 4, 2, 5), (1,)), ((2, 3, 2), (0,))):
        layers = [nn.Linear(m, n, bias=i not in without) for i, (m, n) in enumerate(pairwise(sizes))]
        x = torch.randn(7, sizes[0])
        old = [p.detach().clone() for layer in layers for p in layer.parameters()]
        merged = ask(solution["merge"], list(layers))
        if not isinstance(merged, nn.Linear):
            raise Wrong(f"merge() returned a {type(merged).__name__}, wanted is one nn.Linear.")
        now = [p for layer in layers for p in layer.parameters()]
        if any(merged is layer for layer in layers) or any(not near(p, q, 0) for p, q in zip(now, old, strict=True)):
            raise Wrong("The layers that came in were changed, or handed back: make a new one.")
        if merged.bias is None or not all(isinstance(p, nn.Parameter) for p in (merged.weight, merged.bias)):
            raise Wrong(
                "weight and bias must be there and stay parameters: write into them (copy_) inside torch.no_grad()."
            )
        with torch.no_grad():
            weight, wanted = layers[0].weight, layers[0](x)
            for layer in layers[1:]:
                weight, wanted = layer.weight @ weight, layer(wanted)
            if tuple(merged.weight.shape) != tuple(weight.shape):
                raise Wrong(
                    f"The merged weight has shape {tuple(merged.weight.shape)}, wanted is {tuple(weight.shape)}: (out, in) "
                    "of the whole chain; the later weight stands on the left."
                )
            if not near(merged.weight, weight):
                raise Wrong(
                    f"For layers of the sizes {sizes} the weight is wrong: the later weight stands on the left."
                )
            if not near(merged(x), wanted):
                raise Wrong(
                    f"For layers of the sizes {sizes} the weight is right, the bias is not: an earlier bias passes through every "
                    "later layer's weight."
                )


def _exactly_one(solution: dict[str, Any]) -> None:
    model = ask(solution["exactly_one"])
    if [type(part) for part in model] != [nn.Linear, nn.ReLU, nn.Linear]:
        raise Wrong("exactly_one returns an nn.Sequential of Linear, ReLU and Linear.")
    if [(part.in_features, part.out_features) for part in (model[0], model[2])] != [(3, 3), (3, 1)]:
        raise Wrong("The layers go from 3 to 3 and from 3 to 1.")
    for bits in product((0.0, 1.0), repeat=3):
        with torch.no_grad():
            answer = tensor(model(torch.tensor([bits])), "The answer", (1, 1)).item()
        wanted = float(sum(bits) == 1)
        if not abs(answer - wanted) < 1e-3:
            raise Wrong(
                f"For {bits} the answer is {answer:g}, wanted is {wanted:g}. The sum s of the inputs is {sum(bits):g}: what does "
                "each unit give there, and what do they add up to?"
            )


def _bend(solution: dict[str, Any]) -> None:
    torch.manual_seed(5)
    model = solution["Bend"](3, 4)
    other = solution["Bend"](3, 4)
    names = {name: tuple(p.shape) for name, p in model.named_parameters()}
    if names.get("slope") != (4,) or set(names) != {"slope", "linear.weight", "linear.bias"}:
        raise Wrong(
            f"named_parameters() finds {', '.join(sorted(names))}. Who moves the slopes, if the optimizer is not told of them?"
        )
    x = torch.randn(6, 3)
    z = x @ model.linear.weight.T + model.linear.bias
    if not near(model.slope, torch.full((4,), 0.25)) or not near(model(x), torch.where(z > 0, z, 0.25 * z)):
        raise Wrong(
            "Its answers have changed: before training the slope for negative numbers is 0.25, and the bend at 0."
        )
    optimizer = torch.optim.SGD(model.parameters(), lr=0.5)
    model(x).sum().backward()
    optimizer.step()
    if near(model.slope, torch.full((4,), 0.25)):
        raise Wrong("A step of the optimizer does not move the slopes: does a gradient reach them?")
    z = x @ model.linear.weight.T + model.linear.bias
    if not near(model(x), torch.where(z > 0, z, model.slope * z)):
        raise Wrong("After a step it does not compute with the slopes that were learned.")
    if not near(other.slope, torch.full((4,), 0.25)):
        raise Wrong("Two modules share their slopes: each has its own.")


CHECKS = {"count": _count, "merge": _merge, "exactly_one": _exactly_one, "Bend": _bend}
