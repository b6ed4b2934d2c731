"""Solution of exercise 15."""

from curriculum.engine import torch


def sgd_step(loss_of, weights, lr):
    leaves = {name: w.detach().clone().requires_grad_() for name, w in weights.items()}
    loss = loss_of(leaves)
    gradients = torch.autograd.grad(loss, list(leaves.values()))
    new = {name: w.detach() - lr * g for (name, w), g in zip(leaves.items(), gradients, strict=True)}
    return loss.item(), new
