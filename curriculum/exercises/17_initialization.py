"""Exercise 17: how large to start. Check it with `python -m curriculum check 17`.

1. xavier_uniform and kaiming_normal (write it)
2. leaky_deviation (derive)
3. spread_after (predict, then measure)
"""


def xavier_uniform(outputs, inputs):
    """Return a weight of shape (outputs, inputs), drawn uniformly between -a and a, a = sqrt(6 / (inputs + outputs))."""
    raise NotImplementedError("draw the weight here")


def kaiming_normal(outputs, inputs):
    """Return a weight of shape (outputs, inputs), drawn from a normal distribution of variance 2 / inputs."""
    raise NotImplementedError("draw the weight here")


def leaky_deviation(inputs, slope):
    """Return the standard deviation of the weights that keeps the signal behind LeakyReLU, a float.

    LeakyReLU leaves positive numbers as they are and multiplies negative ones by `slope`. Before it the numbers lie evenly on
    both sides of 0. With slope 0 it is ReLU; with slope 1 it changes nothing.
    """
    raise NotImplementedError("derive the mean square behind the activation first")


def spread_after(layers, inputs, deviation, activation):
    """Predict the root mean square of the last linear layer's outputs, a float.

    Numbers of mean square 1 go through `layers` linear layers of `inputs` inputs and as many outputs, whose weights have mean 0
    and that `deviation`, without bias. Between them, not behind the last, stands the activation: "none" or "relu". Your
    prediction is measured on a wide network, and must be right to a tenth.
    """
    raise NotImplementedError("predict the factor of each layer")
