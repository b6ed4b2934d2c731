"""Exercise 23: a residual block. Check it with `python -m curriculum check 23`."""

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
