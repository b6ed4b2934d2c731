"""Solution of exercise 23."""

import math

from curriculum.engine import torch

nn = torch.nn


class Block(nn.Module):
    def __init__(self, inputs, outputs, stride=1):
        super().__init__()
        self.conv1 = nn.Conv2d(inputs, outputs, 3, stride=stride, padding=1, bias=False)
        self.bn1 = nn.BatchNorm2d(outputs)
        self.conv2 = nn.Conv2d(outputs, outputs, 3, padding=1, bias=False)
        self.bn2 = nn.BatchNorm2d(outputs)
        self.downsample = None
        if stride != 1 or inputs != outputs:
            self.downsample = nn.Sequential(
                nn.Conv2d(inputs, outputs, 1, stride=stride, bias=False), nn.BatchNorm2d(outputs)
            )

    def forward(self, x):
        skip = x if self.downsample is None else self.downsample(x)
        change = torch.relu(self.bn1(self.conv1(x)))
        change = self.bn2(self.conv2(change))
        return torch.relu(skip + change)


def block_parameters(inputs, outputs, stride=1):
    count = 9 * inputs * outputs + 9 * outputs * outputs + 4 * outputs
    if stride != 1 or inputs != outputs:
        count += inputs * outputs + 2 * outputs
    return count


def start_as_identity(block):
    with torch.no_grad():
        block.bn2.weight.zero_()


def ways(blocks, through):
    return math.comb(blocks, through)
