"""Exercise 17: how large to start. Check it with `python -m curriculum check 17`."""


def xavier_uniform(outputs, inputs):
    """Return a weight of shape (outputs, inputs), drawn uniformly between -a and a, a = sqrt(6 / (inputs + outputs))."""
    raise NotImplementedError("draw the weight here")


def kaiming_normal(outputs, inputs):
    """Return a weight of shape (outputs, inputs), drawn from a normal distribution of variance 2 / inputs."""
    raise NotImplementedError("draw the weight here")
