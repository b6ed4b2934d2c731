"""Checks exercise 18."""

from typing import Any

from curriculum.check import Wrong, ask, near, parts, tensor
from curriculum.engine import torch

NORMS = ("batch_norm", "instance_norm", "group_norm", "layer_norm", "native_batch_norm", "local_response_norm")
BY_HAND = {"pictures normalized": NORMS, "folded away": NORMS}


def check_layer(solution: dict[str, Any]) -> None:
    generator = torch.Generator().manual_seed(17)
    x = 0.5 * torch.randn(4, 3, 2, 5, generator=generator) + torch.tensor([1.0, -2.0, 5.0]).reshape(3, 1, 1)
    layer = torch.nn.BatchNorm2d(3, eps=1e-2)
    with torch.no_grad():
        layer.weight.copy_(torch.tensor([2.0, 1.0, 0.5]))
        layer.bias.copy_(torch.tensor([0.0, 1.0, -1.0]))
    gamma, beta = layer.weight.detach().clone(), layer.bias.detach().clone()
    begin = torch.tensor([0.2, -0.1, 0.4])
    mean, var = begin.clone(), torch.ones(3)
    layer.running_mean.copy_(begin)

    answer = ask(solution["batch_norm_2d"], x, gamma, beta, mean, var, True, changes=(3, 4), eps=1e-2)
    found, wanted = tensor(answer, "In training the output", tuple(x.shape), "that of x"), layer(x)
    of = (0, 2, 3)
    g, b = gamma.reshape(3, 1, 1), beta.reshape(3, 1, 1)
    centred = x - x.mean(dim=of, keepdim=True)
    own, wide = x.var(dim=of, unbiased=False, keepdim=True), x.var(dim=of, keepdim=True)
    if near(found, g * centred / torch.sqrt(own) + b):
        raise Wrong("eps is missing: it is added to the variance, under the root.")
    if near(found, g * centred / (torch.sqrt(own) + 1e-2) + b, 1e-5):
        raise Wrong("eps is added to the variance, under the root, not to the root.")
    if near(found, g * centred / torch.sqrt(wide + 1e-2) + b, 1e-5):
        raise Wrong("The batch is normalized by its variance divided by the count, not by one less.")
    alone = (x - x.mean(dim=0)) / torch.sqrt(x.var(dim=0, unbiased=False) + 1e-2)
    if near(found, g * alone + b):
        raise Wrong("Each pixel has a mean of its own there. A channel has one, over the batch and all its places.")
    each = (x - x.mean(dim=(2, 3), keepdim=True)) / torch.sqrt(x.var(dim=(2, 3), unbiased=False, keepdim=True) + 1e-2)
    if near(found, g * each + b):
        raise Wrong("Each picture has a mean of its own there. A channel has one, over all pictures of the batch.")
    if not near(found, wanted, 1e-5):
        raise Wrong(
            "In training the output is wrong: gamma (x - mean) / sqrt(var + eps) + beta, one mean and variance a channel."
        )
    if near(mean, begin):
        raise Wrong("The running mean did not change: in training change it in place, with += .")
    if not near(mean, layer.running_mean):
        raise Wrong(
            f"The running mean is {mean.tolist()}, wanted is {layer.running_mean.tolist()}: add momentum times the distance."
        )
    if not near(var, layer.running_var, 1e-5):
        if near(var, torch.ones(3) + 0.1 * (own.reshape(3) - 1), 1e-5):
            raise Wrong("The running variance takes the batch's variance divided by one less than the count.")
        if near(var, torch.ones(3)):
            raise Wrong("The running variance did not change: in training change it in place, with += .")
        raise Wrong(f"The running variance is {var.tolist()}, wanted is {layer.running_var.tolist()}.")
    if mean.requires_grad or var.requires_grad:
        raise Wrong("The running mean or variance hangs on a graph: change them inside torch.no_grad().")
    slow, still = torch.zeros(3), torch.ones(3)
    solution["batch_norm_2d"](x, gamma, beta, slow, still, True, momentum=0.5, eps=1e-2)
    if not near(slow, x.mean(dim=of) / 2):
        raise Wrong("The running mean does not follow momentum: 0.1 is only what it is where nothing is said.")

    standard = torch.nn.BatchNorm2d(3)(0.01 * x)
    if not near(solution["batch_norm_2d"](0.01 * x, torch.ones(3), torch.zeros(3), slow, still, True), standard):
        raise Wrong("eps does not follow its default, 1e-5, where nothing is said.")

    layer.eval()
    before = mean.clone(), var.clone()
    found = ask(solution["batch_norm_2d"], x, gamma, beta, mean, var, False, changes=(3, 4), eps=1e-2)
    if not near(mean, before[0], 0) or not near(var, before[1], 0):
        raise Wrong("In evaluation the running mean or variance changed: they stay as they are.")
    if not near(found, layer(x)):
        raise Wrong("In evaluation the output is wrong: normalize by the running mean and variance.")


def check_fold(solution: dict[str, Any]) -> None:
    generator = torch.Generator().manual_seed(18)
    gamma, beta = torch.tensor([2.0, 1.0, 0.5]), torch.tensor([0.0, 1.0, -1.0])
    x, weight, bias = (torch.randn(*shape, generator=generator) for shape in ((7, 4), (3, 4), (3,)))
    mean, var = torch.tensor([0.5, -1.0, 2.0]), torch.tensor([0.3, 2.0, 1.5])
    scale = gamma / torch.sqrt(var + 1e-2)
    answer = ask(solution["fold"], weight, bias, gamma, beta, mean, var, eps=1e-2)
    folded, shift = parts(answer, "fold", "the weight, the bias")
    tensor(folded, "fold's weight", (3, 4)), tensor(shift, "fold's bias", (3,))
    wanted = (x @ weight.T + bias - mean) * scale + beta
    if near(x @ folded.T + shift, wanted):
        factor = solution["fold"](weight, bias, gamma, beta, mean, torch.zeros(3))[0] / weight
        if not near(factor / (gamma / 1e-5**0.5).unsqueeze(1), torch.ones(3, 4)):
            raise Wrong("fold: eps does not follow its default, 1e-5, where nothing is said.")
        return
    if near(folded, weight * (gamma / torch.sqrt(var)).unsqueeze(1), 1e-5):
        raise Wrong("fold: eps is missing under the root.")
    if not near(folded, weight * scale.unsqueeze(1)):
        raise Wrong(
            "fold: the weight is wrong. Each output, a row of it, is multiplied by gamma / sqrt(running_var + eps)."
        )
    if near(shift, bias) or near(shift, bias + beta):
        raise Wrong("fold: the bias is wrong. It is normalized like everything that the linear layer gives.")
    if near(shift, bias * scale + beta):
        raise Wrong("fold: the running mean is missing in the bias.")
    raise Wrong("fold: the weight is right, the bias is not: (bias - running_mean) times the same factor, plus beta.")


def check_answer(solution: dict[str, Any]) -> None:
    nn = torch.nn
    generator = torch.Generator().manual_seed(19)
    x = torch.randn(5, 3, generator=generator)
    for modes in (True, False, "mixed"):
        model = nn.Sequential(
            nn.Linear(3, 4), nn.BatchNorm1d(4), nn.ReLU(), nn.Dropout(0.5), nn.BatchNorm1d(4), nn.Linear(4, 2)
        )
        model.train()
        for _ in range(3):
            model(2 * torch.randn(8, 3, generator=generator) + 1)
        model.train(bool(modes))
        if modes == "mixed":
            model[1].eval()
        was = [part.training for part in model.modules()]
        state = {name: value.clone() for name, value in model.state_dict().items()}
        model.eval()
        wanted = model(x).detach()
        for part, training in zip(model.modules(), was, strict=True):
            part.training = training
        found = tensor(ask(solution["answer"], model, x), "The answer", (5, 2))
        told = {
            True: "A model in training",
            False: "A model in evaluation",
            "mixed": "A model with one part in evaluation",
        }[modes]
        if any(not near(value, state[name], 0) for name, value in model.state_dict().items()):
            raise Wrong(f"{told}: a running mean or a count has moved. When must eval() be called?")
        if not near(found, wanted):
            raise Wrong(f"{told}: the answer is not that of evaluation: dropout or the batch's own mean was at work.")
        if found.requires_grad:
            raise Wrong(f"{told}: the answer hangs on a graph.")
        if [part.training for part in model.modules()] != was:
            more = " train() sets all parts alike." if modes == "mixed" else ""
            raise Wrong(f"{told}: afterwards its parts are in another mode than before.{more}")


CHECKS = {"pictures normalized": check_layer, "folded away": check_fold, "a model asked": check_answer}
