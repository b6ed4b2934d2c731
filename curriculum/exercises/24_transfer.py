"""Exercises 24: freezing, a new head, and a body that is not as frozen as it looks. Check them with `python -m curriculum check 24`.

1. Write it: freeze. 2. Write it: a new head. 3. Find the planted bug: the body changes although nothing in it is trained.
"""

from curriculum.engine import torch

nn = torch.nn


def freeze(model, trained):
    """Freeze every parameter of the model but those of the layers named in `trained`, as in ["1", "6"].

    Parameters are called like "1.weight"; mind that "1" does not mean "10.weight". A layer that is named is trained,
    also where it was frozen before. Returns the list of the parameters that are trained, for the optimizer.
    """
    raise NotImplementedError("write the freezing here")


def new_head(model, classes):
    """An nn.Sequential with the same layers (the very same, not copies) as `model`, an nn.Sequential that ends in an
    nn.Linear, but for the last one: a fresh nn.Linear with as many outputs as there are classes.
    """
    raise NotImplementedError("write the new head here")


def train_head(body, head, x, y, steps, lr=0.1):
    """Train `head` on the answers of the frozen `body` (a module, perhaps with batch normalization and dropout), and return the
    losses, a list. Afterwards the body answers what it answered before, its parameters ask for gradients as before, and its
    mode (training or evaluation) is as before. This does not do what it says.
    """
    for parameter in body.parameters():
        parameter.requires_grad = False
    optimizer = torch.optim.SGD(head.parameters(), lr=lr)
    losses = []
    for _ in range(steps):
        optimizer.zero_grad()
        loss = nn.functional.cross_entropy(head(body(x)), y)
        loss.backward()
        optimizer.step()
        losses.append(loss.item())
    return losses
