"""Exercise 7, in four parts. Check them with `python -m curriculum check 07`.

1. count: write it. 2. merge: derive it. 3. exactly_one: change one thing. 4. Bend: find the planted bug.
"""

from curriculum.engine import torch

nn = torch.nn


def count(sizes):
    """Return how many weights and biases a network of linear layers has: [64, 32, 10] means 64 to 32, 32 to 10."""
    raise NotImplementedError("count here")


def merge(layers):
    """Return one nn.Linear that computes what all `layers` (nn.Linear, one or more) compute one after the other.

    Nothing stands between them. Some may have no bias (bias=False; their .bias is None then); yours has one.
    """
    raise NotImplementedError("make the layer here")


def exactly_one():
    """Return nn.Sequential(nn.Linear(3, 3), nn.ReLU(), nn.Linear(3, 1)) with weights written by hand.

    Its answer is 1 where exactly one of the three inputs is 1, and 0 for the other seven inputs of zeros and ones.
    """
    raise NotImplementedError("which third unit takes back what two leave wrong?")


class Bend(nn.Module):
    """A linear layer, then an activation whose slope for negative numbers is learned, a slope for each output.

    It answers right, and yet it does not train as it should. Mend it.
    """

    def __init__(self, inputs, outputs):
        super().__init__()
        self.linear = nn.Linear(inputs, outputs)
        self.slope = torch.full((outputs,), 0.25, requires_grad=True)

    def forward(self, x):
        z = self.linear(x)
        return torch.where(z > 0, z, self.slope * z)
