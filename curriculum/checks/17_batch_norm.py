"""Checks exercise 17."""

from typing import Any

from curriculum.check import Wrong
from curriculum.engine import torch


def check(solution: dict[str, Any]) -> None:
    generator = torch.Generator().manual_seed(17)
    x = 0.5 * torch.randn(6, 3, generator=generator) + torch.tensor([1.0, -2.0, 5.0])
    layer = torch.nn.BatchNorm1d(3, eps=1e-2)
    with torch.no_grad():
        layer.weight.copy_(torch.tensor([2.0, 1.0, 0.5]))
        layer.bias.copy_(torch.tensor([0.0, 1.0, -1.0]))
    gamma, beta = layer.weight.detach().clone(), layer.bias.detach().clone()
    mean, var = torch.zeros(3), torch.ones(3)

    def near(a: Any, b: Any) -> bool:
        return tuple(a.shape) == tuple(b.shape) and (a - b).abs().max().item() < 1e-4

    found, wanted = solution["batch_norm"](x, gamma, beta, mean, var, True, eps=1e-2), layer(x)
    own = (x - x.mean(dim=0)) / torch.sqrt(x.var(dim=0, unbiased=False))
    if near(found, gamma * own + beta):
        raise Wrong("eps is missing: it is added to the variance, under the root.")
    if near(found, gamma * (x - x.mean(dim=0)) / torch.sqrt(x.var(dim=0) + 1e-2) + beta):
        raise Wrong("The batch is normalized by its variance divided by n, not by n - 1.")
    if not near(found, wanted):
        raise Wrong(
            "In training the output is wrong: gamma (x - mean) / sqrt(var + eps) + beta, mean and var over dim 0."
        )
    if near(mean, torch.zeros(3)):
        raise Wrong("The running mean did not change: in training change it in place, with += .")
    if not near(mean, layer.running_mean):
        raise Wrong(
            f"The running mean is {mean.tolist()}, wanted is {layer.running_mean.tolist()}: add momentum times the distance."
        )
    if not near(var, layer.running_var):
        if near(var, torch.ones(3) + 0.1 * (x.var(dim=0, unbiased=False) - 1)):
            raise Wrong("The running variance takes the batch's variance divided by n - 1.")
        raise Wrong(f"The running variance is {var.tolist()}, wanted is {layer.running_var.tolist()}.")
    layer.eval()
    before = mean.clone()
    found = solution["batch_norm"](x, gamma, beta, mean, var, False, eps=1e-2)
    if not near(mean, before):
        raise Wrong("In evaluation the running mean changed: it stays as it is.")
    if not near(found, layer(x)):
        raise Wrong("In evaluation the output is wrong: normalize by the running mean and variance.")
