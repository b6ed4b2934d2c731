"""Exercise 1: tensors. Check it with `python -m curriculum check 01`.

1. standardize: write it.
2. predictions: predict, then measure.
3. framed: find the planted bug.
"""


def standardize(x):
    """Return x (rows, columns) with every column at mean 0 and standard deviation 1; x itself stays as it is.

    The standard deviation is that of these rows: the root of the mean squared distance from the mean (divided by the
    number of rows). A column whose numbers are all equal becomes 0. No loop.
    """
    raise NotImplementedError("write the scaling here")


def predictions():
    """Return your answers, a tuple of six. Find them on paper first; then open Python and see.

    Let a = torch.arange(12).view(3, 4).

    1. the shape of a.sum(dim=0), a tuple
    2. the shape of (a @ a.T).unsqueeze(1), a tuple
    3. the number a[1:, ::2].sum()
    4. the number a.T.reshape(12)[4]
    5. after b = a.T; b[3, 0] = 50 (the view b is written into): the number a.max()
    6. after c = a[a > 6]; c[0] = 50, with the a from the beginning: the number a.max()
    """
    raise NotImplementedError("predict first, on paper")


def framed(pictures, ink):
    """Return the pictures (n, 8, 8) with a frame: the outermost rows and columns hold `ink`, the rest is as it was.

    This one draws the frame where it should. It does something else as well.
    """
    result = pictures.reshape(pictures.shape)  # not to touch the caller's pictures
    result[:, 0, :] = ink
    result[:, 7, :] = ink
    result[:, :, 0] = ink
    result[:, :, 7] = ink
    return result
