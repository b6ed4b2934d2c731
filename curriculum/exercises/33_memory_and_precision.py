"""Exercise 33: less memory, fewer bits. Check it with `python -m curriculum check 33`."""


def step_bytes(widths, batch, optimizer, bytes_of_a_number=4):
    """Return the bytes that a training step holds for linear layers of these widths with a tanh after each but the last.

    widths: [inputs, hidden, ..., outputs]; each layer has a bias. Count parameters, gradients, the optimizer's state
    ("sgd" 0, "momentum" 1, "adam" 2 numbers a parameter) and the results of the tanhs; nothing else.
    """
    raise NotImplementedError("count what depends on the batch apart")


def accumulate(model, loss_of, x, y, size):
    """Fill the gradients of `model` with those of the mean loss over all of x and y, from pieces of at most `size` rows.

    loss_of(output, y) is the mean over its rows. The last piece may be smaller than the others. What was in the
    gradients before does not count. Return the mean loss, a float.
    """
    raise NotImplementedError("each piece counts by its rows")


def to_bfloat16(x):
    """Return the float32 array x rounded to bfloat16, as float32: the nearest, the even one where two are equally near.

    Infinities stay, and NaN stays NaN.
    """
    raise NotImplementedError("look at the bits as whole numbers")


class Scaler:
    """Loss scaling that finds its scale: it starts at `scale`, and has these methods.

    scaled(loss)      the loss to call backward() on
    step(optimizer)   divide the gradients by the scale; if all are finite take the step, else skip it. Return whether it
                      was taken. A skipped step halves the scale; `interval` steps in a row that were taken double it
    """

    def __init__(self, scale=65536.0, interval=3):
        self.scale = scale
        self.interval = interval

    def scaled(self, loss):
        raise NotImplementedError("the chain rule is linear in the loss")

    def step(self, optimizer):
        raise NotImplementedError("look at every gradient before anything moves")
