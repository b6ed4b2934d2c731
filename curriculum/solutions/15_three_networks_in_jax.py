"""Solution of exercise 15."""

from curriculum.engine import torch


def sgd_step(loss_of, weights, lr):
    leaves = {name: w.detach().clone().requires_grad_() for name, w in weights.items()}
    loss = loss_of(leaves)
    gradients = torch.autograd.grad(loss, list(leaves.values()))
    new = {name: w.detach() - lr * g for (name, w), g in zip(leaves.items(), gradients, strict=True)}
    return loss.item(), new


def momentum_step(loss_of, weights, speed, lr, momentum):
    leaves = {name: w.detach().clone().requires_grad_() for name, w in weights.items()}
    loss = loss_of(leaves)
    gradients = torch.autograd.grad(loss, list(leaves.values()))
    faster = {name: momentum * speed[name] + g for name, g in zip(leaves, gradients, strict=True)}
    moved = {name: w - lr * faster[name] for name, w in weights.items()}
    return loss.item(), moved, faster


def value_and_grad(loss_of):
    def transformed(weights, *others):
        fresh = {name: w.detach().clone().requires_grad_() for name, w in weights.items()}
        loss = loss_of(fresh, *others)
        loss.backward()
        return loss.item(), {name: leaf.grad for name, leaf in fresh.items()}

    return transformed
