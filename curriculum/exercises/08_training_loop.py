"""Exercise 8, in three parts. Check them with `python -m curriculum check 08`.

1. epoch: write it. 2. steps: predict, then measure. 3. standardize: find the planted bug.
"""


def epoch(model, loader, loss_of, optimizer):
    """Train `model` on every batch (xb, yb) of `loader` once, and return the mean loss over all samples, a float.

    `loss_of(guess, yb)` gives a batch's mean loss. Batches may differ in size: weigh each by its number of samples.
    """
    raise NotImplementedError("write the epoch here")


def steps(samples, batch_size, epochs, drop_last=False):
    """Return (how many steps a training takes, how many samples the last batch of an epoch has), whole numbers.

    With drop_last the loader leaves out a last batch that is not full; if there is no batch at all, both are 0.
    Predict it with arithmetic; the check counts what a DataLoader hands out.
    """
    raise NotImplementedError("how many portions does an epoch have?")


def standardize(train, other):
    """Return both tensors of features (samples, features) with each feature brought to mean 0 and deviation 1.

    Looks right, runs, and the model that is trained with it does worse on `other` than it could. Mend it.
    (This part counts as open until the bug is found.)
    """
    scaled = []
    for part in (train, other):
        mean = part.mean(dim=0)
        deviation = part.std(dim=0)
        scaled.append((part - mean) / deviation)
    return scaled[0], scaled[1]
