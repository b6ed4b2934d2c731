"""Checks exercises 23."""

import math
from typing import Any

from curriculum.check import Wrong, near, number, tensor
from curriculum.engine import torch

nn: Any = torch.nn


def _block(solution: dict[str, Any]) -> None:
    Block = solution["Block"]
    torch.manual_seed(1)

    for inputs, outputs, stride in ((4, 4, 1), (4, 8, 2), (4, 8, 1)):
        block = Block(inputs, outputs, stride)
        where = f"Block({inputs}, {outputs}, stride={stride})"
        x = torch.randn(2, inputs, 8, 8)
        side = 8 // stride
        for name in ("conv1", "bn1", "conv2", "bn2", "downsample"):
            if not hasattr(block, name):
                raise Wrong(f"{where} has no part {name!r}: name the parts as the exercise does.")
        found = tensor(block(x), f"{where}'s answer")
        if tuple(found.shape) != (2, outputs, side, side):
            raise Wrong(f"{where} must answer with the shape {(2, outputs, side, side)}; it is {tuple(found.shape)}.")
        if any(name.startswith("conv") and name.endswith("bias") for name, _ in block.named_parameters()):
            raise Wrong(f"{where}: the convolutions need no bias, batch normalization has a shift of its own.")

        for name, conv, moved in (("conv1", block.conv1, stride), ("conv2", block.conv2, 1)):
            if (
                tuple(conv.kernel_size) != (3, 3)
                or tuple(conv.padding) != (1, 1)
                or tuple(conv.stride) != (moved, moved)
            ):
                raise Wrong(f"{where}: {name} has a window of 3 × 3, padding 1 and stride {moved}; it is {conv}.")
        if block.bn1 is block.bn2:
            raise Wrong(f"{where}: bn1 and bn2 are one and the same: each normalization has its own numbers.")
        skip = x if block.downsample is None else block.downsample(x)
        if (inputs, stride) == (outputs, 1) and block.downsample is not None:
            raise Wrong(f"{where}: where the shape stays, x itself is added.")
        if block.downsample is not None:
            shapes = sorted(tuple(p.shape) for p in block.downsample.parameters())
            if shapes != [(outputs,), (outputs,), (outputs, inputs, 1, 1)]:
                raise Wrong(
                    f"{where}: downsample is a 1 × 1 convolution without bias and a BatchNorm2d; its parameters have the shapes {shapes}."
                )
        change = block.bn2(block.conv2(torch.relu(block.bn1(block.conv1(x)))))

        def same(other: Any, found: Any = found) -> bool:
            return near(found, other)

        if same(torch.relu(change)):
            raise Wrong(f"{where}: the skip is missing, add it to what the two convolutions compute.")
        if same(skip + torch.relu(change)):
            raise Wrong(f"{where}: the last ReLU comes after the sum, not before it.")
        if same(skip + change):
            raise Wrong(f"{where}: the last ReLU is missing.")
        if not same(torch.relu(skip + change)):
            raise Wrong(f"{where}: the order is conv1, bn1, ReLU, conv2, bn2, then the sum, then ReLU.")

        block.eval()
        change = block.bn2(block.conv2(torch.relu(block.bn1(block.conv1(x)))))
        if not near(block(x), torch.relu((x if block.downsample is None else block.downsample(x)) + change)):
            raise Wrong(f"{where}: after eval() it computes something else.")
    if tuple(Block(4, 4)(torch.randn(1, 4, 6, 6)).shape) != (1, 4, 6, 6):
        raise Wrong("Block(4, 4), without a stride, must be a block of stride 1.")


class _Plain(nn.Module):
    """The block as the exercise describes it."""

    def __init__(self, inputs: int, outputs: int, stride: int = 1) -> None:
        super().__init__()
        self.conv1 = nn.Conv2d(inputs, outputs, 3, stride=stride, padding=1, bias=False)
        self.bn1 = nn.BatchNorm2d(outputs)
        self.conv2 = nn.Conv2d(outputs, outputs, 3, padding=1, bias=False)
        self.bn2 = nn.BatchNorm2d(outputs)
        self.downsample = None
        if (inputs, stride) != (outputs, 1):
            self.downsample = nn.Sequential(nn.Conv2d(inputs, outputs, 1, stride, bias=False), nn.BatchNorm2d(outputs))

    def forward(self, x: Any) -> Any:
        skip = x if self.downsample is None else self.downsample(x)
        return torch.relu(skip + self.bn2(self.conv2(torch.relu(self.bn1(self.conv1(x))))))


def _count(solution: dict[str, Any]) -> None:
    block_parameters = solution["block_parameters"]
    for inputs, outputs, stride in ((4, 4, 1), (4, 8, 2), (4, 8, 1)):
        count = sum(p.numel() for p in _Plain(inputs, outputs, stride).parameters())
        where = f"Block({inputs}, {outputs}, stride={stride})"
        said = number(block_parameters(inputs, outputs, stride), f"block_parameters({inputs}, {outputs}, {stride})")
        if said == count:
            continue
        hint = f"{where} has {count} parameters; block_parameters says {said:g}."
        if said == count - 4 * outputs:
            raise Wrong(f"{hint} Each batch normalization has a scale and a shift for every channel.")
        raise Wrong(f"{hint} Count the two convolutions, the two normalizations, and the skip where it has weights.")
    if block_parameters(64, 64) != 73984:
        raise Wrong("block_parameters(64, 64), without a stride, must count a block of stride 1: 73984.")


def _identity(solution: dict[str, Any]) -> None:
    torch.manual_seed(4)
    block = _Plain(4, 4)
    x = torch.randn(6, 4, 5, 5)
    before = {name: value.detach().clone() for name, value in block.state_dict().items()}
    solution["start_as_identity"](block)
    changed = [name for name, value in block.state_dict().items() if not torch.equal(value, before[name])]
    if not changed:
        raise Wrong("Nothing was changed. Change the tensor in place, inside `with torch.no_grad():`.")
    if len(changed) > 1:
        raise Wrong(f"One tensor is enough; changed were {', '.join(changed)}.")
    for training in (True, False):
        block.train(training)
        if not near(block(x), torch.relu(x)):
            raise Wrong(
                f"After {changed[0]} was changed the block does not answer relu(x) in {'training' if training else 'evaluation'}. "
                "What is added to x must be 0, whatever the convolutions compute."
            )
    block.train()
    if not block.bn2.weight.requires_grad:
        raise Wrong("The scale was set, and can no longer be trained: keep the parameter, write into it.")
    for step in range(2):
        block.zero_grad()
        (block(x) * torch.randn(6, 4, 5, 5)).sum().backward()
        slopes = [p.grad for p in block.parameters()]
        if step == 0:
            torch.optim.SGD(block.parameters(), lr=0.1).step()
    if any(g is None or not bool((g != 0).any()) for g in slopes):
        raise Wrong(
            f"With {changed[0]} at 0 some parameter never gets a gradient, also after the first step: normalization of a constant "
            "map is flat. Let the convolutions be, and look at what comes after them."
        )


def _ways(solution: dict[str, Any]) -> None:
    for blocks, through in ((1, 0), (1, 1), (2, 1), (3, 2), (6, 3), (8, 8), (64, 2)):
        got, wanted = number(solution["ways"](blocks, through), "ways"), math.comb(blocks, through)
        if got == wanted:
            continue
        hint = f"ways({blocks}, {through}) is {wanted}, not {got:g}."
        if got == 2**blocks:
            raise Wrong(f"{hint} That is the number of all ways, through however many blocks.")
        if got == math.perm(blocks, through):
            raise Wrong(f"{hint} Which blocks are gone through counts; they have one order only.")
        raise Wrong(
            f"{hint} Multiplied out, (1 + f)(1 + f) is 1 + 2f + ff: one way around both, two through one, one through both."
        )


def _both(solution: dict[str, Any]) -> None:
    _block(solution)
    _count(solution)


CHECKS = {"the block": _both, "the ways around": _ways, "a start that does nothing": _identity}
