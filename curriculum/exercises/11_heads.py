"""Exercise 11, in three parts. Check them with `python -m curriculum check 11`.

1. cross_entropy: write it. 2. widest: derive it, then measure. 3. confusion: find the planted bug.
"""

from curriculum.engine import torch


def cross_entropy(logits, target):
    """The mean of -log softmax(logits)[target] over the batch.

    logits: (B, C), floating; target: (B,), whole numbers from 0 to C - 1. Use torch's exp, log, sum and max, but no
    ready-made softmax, logsumexp or cross_entropy. It must survive logits of 1000.
    """
    raise NotImplementedError("write the loss here")


def widest(inputs, outputs, budget, depth=1):
    """Return the largest width of the hidden layers with which a network has at most `budget` weights and biases, a whole number.

    The network: `depth` hidden layers (1 or 2) of one width, all layers linear with biases. 0 if even width 1 is too much.
    Derive it on paper: for one hidden layer it is a division, for two a quadratic equation.
    """
    raise NotImplementedError("how many numbers has a network of width w?")


def confusion(truth, guess, classes):
    """Return the counts (classes, classes), int64: row `truth`, column `guess`. Both are (n,), whole numbers.

    It is right for a single example. Mend it. (This part counts as open until the bug is found.)
    """
    counts = torch.zeros(classes, classes, dtype=torch.int64)
    counts[truth, guess] += 1
    return counts
