"""Exercise 1: columns of like size. Check it with `python -m curriculum check 01`."""


def standardize(x):
    """Return x (rows, columns) with every column at mean 0 and standard deviation 1; x itself stays as it is.

    The standard deviation is that of these rows: the root of the mean squared distance from the mean (divided by the
    number of rows). A column whose numbers are all equal becomes 0. No loop.
    """
    raise NotImplementedError("write the scaling here")
