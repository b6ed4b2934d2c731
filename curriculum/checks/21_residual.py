"""Checks exercise 21."""

from typing import Any

from curriculum.check import Wrong
from curriculum.engine import torch


def check(solution: dict[str, Any]) -> None:
    Block, block_parameters = solution["Block"], solution["block_parameters"]
    torch.manual_seed(1)

    for inputs, outputs, stride in ((4, 4, 1), (4, 8, 2), (4, 8, 1)):
        block = Block(inputs, outputs, stride)
        where = f"Block({inputs}, {outputs}, stride={stride})"
        x = torch.randn(2, inputs, 8, 8)
        side = 8 // stride
        found = block(x)
        if tuple(found.shape) != (2, outputs, side, side):
            raise Wrong(f"{where} must answer with the shape {(2, outputs, side, side)}; it is {tuple(found.shape)}.")
        if any(name.startswith("conv") and name.endswith("bias") for name, _ in block.named_parameters()):
            raise Wrong(f"{where}: the convolutions need no bias, batch normalization has a shift of its own.")

        skip = x if block.downsample is None else block.downsample(x)
        if (inputs, stride) == (outputs, 1) and block.downsample is not None:
            raise Wrong(f"{where}: where the shape stays, x itself is added.")
        change = block.bn2(block.conv2(torch.relu(block.bn1(block.conv1(x)))))

        def same(other: Any, found: Any = found) -> bool:
            return bool((found - other).abs().max().item() < 1e-4)

        if same(torch.relu(change)):
            raise Wrong(f"{where}: the skip is missing, add it to what the two convolutions compute.")
        if same(skip + torch.relu(change)):
            raise Wrong(f"{where}: the last ReLU comes after the sum, not before it.")
        if same(skip + change):
            raise Wrong(f"{where}: the last ReLU is missing.")
        if not same(torch.relu(skip + change)):
            raise Wrong(f"{where}: the order is conv1, bn1, ReLU, conv2, bn2, then the sum, then ReLU.")

        count, said = sum(p.numel() for p in block.parameters()), block_parameters(inputs, outputs, stride)
        if said == count:
            continue
        hint = f"{where} has {count} parameters; block_parameters says {said}."
        if said == count - 4 * outputs:
            raise Wrong(f"{hint} Each batch normalization has a scale and a shift for every channel.")
        raise Wrong(f"{hint} Count the two convolutions, the two normalizations, and the skip where it has weights.")
