"""Exercise 9, in three parts. Check them with `python -m curriculum check 09`.

1. cross_entropy: write it. 2. count_loss: derive it. 3. accuracy: find the planted bug.
"""


def cross_entropy(z, y):
    """The mean binary cross-entropy of logits z and targets y (0 or 1), two tensors of one shape.

    With p = sigmoid(z) one sample costs -y log p - (1 - y) log(1 - p). Written so it overflows at
    z = 1000 and loses its digits at z = -15; yours must do neither. No loss function of the framework.
    """
    raise NotImplementedError("write the loss here")


def count_loss(z, k):
    """Return (loss, slope): the mean loss of a model for counts, and its gradient by z, without autograd.

    z: (n,), what a linear layer gave; the model's mean is rate = exp(z). k: (n,), the counts that were seen, 0, 1, 2, ...,
    as floating numbers. A count k has the probability rate**k exp(-rate) / k! (the Poisson distribution).
    Derive the loss from the likelihood as the lesson does, and leave out what does not depend on z.
    """
    raise NotImplementedError("what does the logarithm make of the probability?")


def accuracy(model, x, y):
    """Return the share of samples that are classified right, a float. `model` gives logits, y holds 0.0 and 1.0, both (n, 1).

    It is nearly right, and so nobody noticed. Mend it. (This part counts as open until the bug is found.)
    """
    guess = model(x) > 0.5
    right = guess == (y == 1)
    return right.sum().item() / len(y)
