"""Exercises 23: a residual block, its ways around, and a start that does nothing. Check them with `python -m curriculum check 23`.

1. Write it: the block, and count its parameters. 2. Derive it: the ways around. 3. Change one thing: let the block begin as the identity.
"""

from curriculum.engine import torch

nn = torch.nn


class Block(nn.Module):
    """relu(skip(x) + bn2(conv2(relu(bn1(conv1(x))))))

    conv1 and conv2: 3 x 3, padding 1, no bias; conv1 has the stride. The skip is x itself where the shape stays,
    and a 1 x 1 convolution (no bias) with the stride and a BatchNorm2d where it changes. Name the parts conv1, bn1,
    conv2, bn2 and downsample (None where x is added as it is).
    """

    def __init__(self, inputs, outputs, stride=1):
        super().__init__()
        raise NotImplementedError("make the parts here, and write forward")


def block_parameters(inputs, outputs, stride=1):
    """How many parameters such a block has, by a formula."""
    raise NotImplementedError("write the formula here")


def start_as_identity(block):
    """Change one tensor of the block (with parts as above, and no downsample) in place, so that it answers relu(x) at first,
    in training and in evaluation, and can still learn: every parameter that the change left alone may get a gradient later.
    """
    raise NotImplementedError("which tensor has the last word before the sum?")


def ways(blocks, through):
    """Return how many of the ways of the gradient through a chain of that many residual blocks go through exactly `through` of
    them and around the others, a whole number.
    """
    raise NotImplementedError("multiply out for two blocks, and for three")
