"""Exercise 15: a step that changes nothing. Check it with `python -m curriculum check 15`. JAX is not needed.

1. sgd_step (write it)
2. momentum_step (change one thing)
3. value_and_grad (find the planted bug)
"""


def sgd_step(loss_of, weights, lr):
    """Return (loss, new weights) of one step of gradient descent, as a pure function would.

    `weights` is a dictionary of tensors, `loss_of(weights)` the loss. Neither the dictionary nor its tensors may be
    changed, and none of them may end up requiring a gradient or holding one.
    """
    raise NotImplementedError("write the step here")


def momentum_step(loss_of, weights, speed, lr, momentum):
    """Return (loss, new weights, new speed) of one step with momentum, as a pure function would.

    `speed` is a dictionary like `weights`. The new speed is momentum times the old one plus the gradient, and the weights move
    against it, times lr. What comes in stays as it was, and nothing that goes out hangs on a graph.
    """
    raise NotImplementedError("write the step here; the first exercise is most of it")


def value_and_grad(loss_of):
    """Return a function that takes what `loss_of` takes, and returns (loss, gradient) like that of JAX.

    `loss_of(weights, ...)` is a loss, `weights` a dictionary of tensors; the gradient is a dictionary like it. The function
    that is returned must be pure. This one is right at its first call; find out what it does later, and mend it.
    """
    leaves = {}

    def transformed(weights, *others):
        for name, w in weights.items():
            if name not in leaves:
                leaves[name] = w.detach().clone().requires_grad_()
        loss = loss_of(leaves, *others)
        loss.backward()
        return loss.item(), {name: leaf.grad for name, leaf in leaves.items()}

    return transformed
