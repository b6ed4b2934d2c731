"""Exercise 32: from a table to numbers. Check it with `python -m curriculum check 32`."""


def prepare(training, rows):
    """Return `rows` with its gaps filled and its columns scaled, by what `training` says.

    Both are NumPy arrays of shape (n, columns) in which a gap is nan. A gap takes the median of the training column
    (gaps aside); then each column is brought to the mean 0 and deviation 1 of the filled training column. A column that
    is constant in the training part becomes 0 there. The inputs stay as they are.
    """
    raise NotImplementedError("learn from training, apply to rows")


def collate(lists):
    """Return (padded, mask) for a list of 1-d tensors: padded (n, longest) with zeros at the end, mask True where a value is.

    The longest may be 0; the dtype is that of the lists.
    """
    raise NotImplementedError("a zero in the data is no padding")


def f1(truth, guess, classes):
    """Return the F1 of each class, a list of floats, for integer arrays `truth` and `guess` of shape (n).

    A class that is neither there nor guessed has 0.
    """
    raise NotImplementedError("count hits, false alarms and what was missed")


def calibration_error(probability, truth, bins):
    """Return the expected calibration error for arrays of shape (n): what was said (0 to 1), what came (0 or 1).

    Bin b holds probabilities from b / bins up to but not including (b + 1) / bins; the last one holds 1 as well. A bin's
    distance is that of its mean probability from its share of ones, and counts by how many are in it.
    """
    raise NotImplementedError("empty bins count nothing")
