"""Exercise 17: batch normalization. Check it with `python -m curriculum check 17`."""


def batch_norm(x, gamma, beta, running_mean, running_var, training, momentum=0.1, eps=1e-5):
    """Return x (n, features) normalized over its rows, times gamma, plus beta.

    In training: by the batch's own mean and variance (divided by n); and `running_mean` and `running_var` are changed in
    place, each by `momentum` times its distance from the batch's mean and variance (for the running one, divided by
    n - 1). In evaluation: by the running ones, which stay as they are. `eps` is added under the root.
    """
    raise NotImplementedError("mean and variance over dim 0")
