"""Solution of exercise 31."""

import math

from curriculum.engine import torch


def floor(classes):
    return math.log(1 + (classes - 1) / math.e)


def update_to_weight(model, optimizer, loss):
    optimizer.zero_grad()
    loss.backward()
    before = {name: w.detach().clone() for name, w in model.named_parameters()}
    optimizer.step()
    ratios = {}
    for name, w in model.named_parameters():
        moved, length = (w.detach() - before[name]).norm().item(), before[name].norm().item()
        ratios[name] = moved / length if length else (math.inf if moved else 0.0)
    return ratios


def mixes_rows(model, x):
    x = x.detach().clone().requires_grad_()
    answers = model(x)
    for row in range(len(x)):
        (gradient,) = torch.autograd.grad(answers[row].sum(), x, retain_graph=True)
        gradient[row] = 0
        if gradient.any():
            return True
    return False


def diagnose(found):
    if found["known"] > 0:
        return "Leak"
    if found["unsteady"]:
        return "StillDropping"
    if found["first"] > 10:
        return "Unscaled"
    if found["alike"] > 0.9:
        return "AllTheSame"
    if found["dead"] >= 0.5:
        return "DeadUnits"
    if found["without"] > 0:
        return "CutGraph"
    if found["update"] == 0:
        return "OtherWeights"
    if found["twice"] > 1.9:
        return "NoClearing"
    if found["update"] < 1e-5:
        return "TooSlow"
    if found["update"] > 0.05:
        return "TooFast"
    if found["one batch"] > 1.4:
        return "TwoSoftmaxes"
    if found["one batch"] > 0.05:
        return "WrongShape"
    if found["others"] < 0.3:
        return "MixedLabels"
    return "Training"
