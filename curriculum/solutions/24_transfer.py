"""Solution of exercise 24."""

from curriculum.engine import torch

nn = torch.nn


def freeze(model, trained):
    kept = []
    for name, parameter in model.named_parameters():
        parameter.requires_grad = any(name == layer or name.startswith(layer + ".") for layer in trained)
        if parameter.requires_grad:
            kept.append(parameter)
    return kept


def new_head(model, classes):
    old = model[-1]
    layers = list(model)[:-1]
    return nn.Sequential(*layers, nn.Linear(old.in_features, classes))
