"""Exercise 14: is A better than B? Check it with `python -m curriculum check 14`.

1. compare (write it)
2. constant_scores (derive)
3. report (find the planted bug)
"""


def compare(a, b):
    """Return (mean, half, verdict) for two lists of ten accuracies; a[i] and b[i] come from the same seed.

    mean: the mean of the differences a[i] - b[i]. half: half the width of its 95 % interval, 2.262 s / sqrt(10), with s
    the standard deviation of the differences (divided by 9). verdict: "A" where the whole interval lies above 0, "B"
    where it lies below, and "open" elsewhere.
    """
    raise NotImplementedError("write the comparison here")


def constant_scores(share):
    """Return (accuracy, bce, mse) of the model that gives every sample the same probability of label 1: `share`.

    `share`, a float from 0 to 1, is the share of label 1 in the data, and no other constant does better by BCE or MSE. The
    accuracy counts a probability above one half as label 1, else as 0; it is a float from 0 to 1. BCE is in nats; 0 log 0 is 0.
    """
    raise NotImplementedError("write the three figures here, from the share alone")


def report(validation, test):
    """Return the accuracy that is reported for one training.

    `validation` and `test` hold an accuracy for each epoch. The epoch is chosen by the validation set (of equally good ones
    the earliest). What is reported is what the network of that epoch reaches on the test set.
    """
    best = 0
    for epoch, accuracy in enumerate(test):
        if accuracy > test[best]:
            best = epoch
    return test[best]
