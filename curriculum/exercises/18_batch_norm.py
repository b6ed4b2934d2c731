"""Exercise 18: batch normalization of pictures, how to get rid of it, how to use it. Check it with `python -m curriculum check 18`.

1. batch_norm_2d (write it)
2. fold (derive)
3. answer (find the planted bug)
"""

from curriculum.engine import torch


def batch_norm_2d(x, gamma, beta, running_mean, running_var, training, momentum=0.1, eps=1e-5):
    """Return x (n, channels, height, width) normalized, times gamma, plus beta; all four have the shape (channels).

    A channel has one mean and one variance, over all pictures and places. In training: the batch's own (the variance
    divided by the count); and `running_mean` and `running_var` are changed in place, each by `momentum` times its
    distance from the batch's mean and variance (for the running one, divided by the count - 1). In evaluation: the
    running ones, which stay as they are. `eps` is added under the root. No ready-made normalization.
    """
    raise NotImplementedError("write the normalization here")


def fold(weight, bias, gamma, beta, running_mean, running_var, eps=1e-5):
    """Return (weight, bias) of one linear layer that computes what a linear layer (weight (out, in), bias (out)) and a
    batch normalization behind it compute in evaluation. That is how a trained network gets rid of its normalization.
    """
    raise NotImplementedError("write the folding here")


def answer(model, x):
    """Return what the model answers to x, each row on its own, without a graph behind it.

    Afterwards the model is as it was: each of its parts in training or in evaluation as before, and nothing that it
    remembers has moved. (Parts may differ: some normalizations are left in evaluation while the rest is trained.)
    """
    training = model.training
    with torch.no_grad():
        found = model(x)
        model.eval()
    model.train(training)
    return found
