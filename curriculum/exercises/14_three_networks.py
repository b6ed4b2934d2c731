"""Exercise 14: is A better than B? Check it with `python -m curriculum check 14`."""


def compare(a, b):
    """Return (mean, half, verdict) for two lists of ten accuracies; a[i] and b[i] come from the same seed.

    mean: the mean of the differences a[i] - b[i]. half: half the width of its 95 % interval, 2.262 s / sqrt(10), with s
    the standard deviation of the differences (divided by 9). verdict: "A" where the whole interval lies above 0, "B"
    where it lies below, and "open" elsewhere.
    """
    raise NotImplementedError("write the comparison here")
