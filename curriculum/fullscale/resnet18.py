"""ResNet18 on MNIST or CIFAR-10, and the gradient's norm by depth, with and without skips.

He et al., Deep Residual Learning for Image Recognition, CVPR 2016; for small pictures the first layer is a 3x3
convolution without pooling, as in that paper's section on CIFAR-10.
"""

from __future__ import annotations

import argparse
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from curriculum import draw

from . import images, own, pictures
from .folder import Folder
from .loop import one_cycle
from .settings import Settings, from_one, settle
from .settings import add_arguments as add_training_arguments


class Block(nn.Module):
    """y = relu(f(x) + x), f two 3x3 convolutions; x through a 1x1 convolution where the shape changes."""

    def __init__(self, inputs: int, outputs: int, stride: int, skip: bool = True):
        super().__init__()
        self.conv1, self.bn1 = nn.Conv2d(inputs, outputs, 3, stride, 1, bias=False), nn.BatchNorm2d(outputs)
        self.conv2, self.bn2 = nn.Conv2d(outputs, outputs, 3, 1, 1, bias=False), nn.BatchNorm2d(outputs)
        self.skip = skip
        self.down = None
        if skip and (stride != 1 or inputs != outputs):
            self.down = nn.Sequential(nn.Conv2d(inputs, outputs, 1, stride, bias=False), nn.BatchNorm2d(outputs))

    def forward(self, x: Tensor) -> Tensor:
        y = self.bn2(self.conv2(F.relu(self.bn1(self.conv1(x)))))
        if self.skip:
            y = y + (x if self.down is None else self.down(x))
        return F.relu(y)


class ResNet(nn.Module):
    """`blocks` blocks in each of four stages of width, 2 width, 4 width, 8 width; (2, 2, 2, 2) is ResNet18."""

    def __init__(
        self, classes: int, channels: int, width: int = 64, blocks: tuple[int, ...] = (2, 2, 2, 2), skip: bool = True
    ):
        super().__init__()
        self.stem = nn.Sequential(nn.Conv2d(channels, width, 3, 1, 1, bias=False), nn.BatchNorm2d(width), nn.ReLU())
        layers, inputs = [], width
        for stage, number in enumerate(blocks):
            for block in range(number):
                outputs = width * 2**stage
                layers.append(Block(inputs, outputs, 2 if stage and not block else 1, skip))
                inputs = outputs
        self.blocks = nn.Sequential(*layers)
        self.head = nn.Sequential(nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(inputs, classes))
        for module in self.modules():
            if isinstance(module, nn.Conv2d):
                nn.init.kaiming_normal_(module.weight, mode="fan_out", nonlinearity="relu")

    def forward(self, x: Tensor) -> Tensor:
        return self.head(self.blocks(self.stem(x)))


def add_arguments(parser: argparse.ArgumentParser) -> None:
    add_training_arguments(parser, epochs=5, lr=0.05, batch_size=128, gpu_batch_size=512)
    own.add_arguments(parser, "pictures")
    group = parser.add_argument_group("network")
    group.add_argument("--dataset", choices=["mnist", "cifar10"], help="which of the two (mnist)")
    group.add_argument("--width", type=int, default=64, help="channels of the first stage (64)")
    group.add_argument("--no-skips", action="store_true", help="a plain network of the same depth")
    group.add_argument("--no-augment", action="store_true", help="without shifting (and, for CIFAR-10, mirroring)")
    group.add_argument("--patience", type=int, help="end after so many epochs without a better validation loss")


def build(options: dict[str, Any], classes: int, channels: int) -> nn.Module:
    """The network of a run's options."""
    return ResNet(classes, channels, options["width"], skip=not options["no_skips"])


def gradient_by_depth(found: images.Images, settings: Settings, folder: Folder) -> dict[str, Any]:
    """Draw the gradient's norm at every convolution, before training: 18 and 50 layers deep, with skips and without."""
    fig, axes = draw.pyplot().subplots(1, 2, figsize=(10, 3.4), sharey=True)
    x, y = found.train[:64].float(), found.train_labels[:64]
    fell = {}
    for ax, (title, blocks) in zip(axes, {"18 layers": (2, 2, 2, 2), "50 layers": (6, 6, 6, 6)}.items(), strict=True):
        for skip, color in ((True, draw.BLUE), (False, draw.ORANGE)):
            torch.manual_seed(settings.seed)
            model = pictures.Scaled(ResNet(len(found.classes), x.shape[1], 16, blocks, skip), *found.normalizer())
            F.cross_entropy(model(x), y).backward()
            norms = [m.weight.grad.norm().item() for m in model.modules() if isinstance(m, nn.Conv2d) and m.kernel_size == (3, 3) and m.weight.grad is not None]  # fmt: skip
            ax.plot(range(1, len(norms) + 1), norms, ".-", color=color, label="with skips" if skip else "without")
            fell[f"gradient_first_by_last_{title.split()[0]}_{'skips' if skip else 'plain'}"] = round(
                norms[0] / norms[-1], 3
            )
        ax.set(
            title=f"{title}, width 16, before training",
            xlabel="convolution",
            ylabel="norm of its gradient",
            yscale="log",
        )
    axes[0].legend(frameon=False)
    fig.tight_layout()
    folder.figure("gradient_by_depth.png", fig)
    return fell


def run(arguments: argparse.Namespace) -> int:
    if arguments.train is None:
        arguments.dataset = arguments.dataset or "mnist"
    settings = settle(arguments)
    from_one(arguments, "width", "patience")
    found = own.load_pictures(arguments.dataset or "mnist", settings)
    torch.manual_seed(settings.seed)
    network = build(settings.options, len(found.classes), found.train.shape[1])
    model = pictures.Scaled(network, *found.normalizer()).to(memory_format=torch.channels_last)  # type: ignore[call-overload]
    optimizer = torch.optim.SGD(
        model.parameters(), lr=settings.lr, momentum=0.9, nesterov=True, weight_decay=5e-4, fused=True
    )
    flip = found.train.shape[1] == 3
    augment = {} if arguments.no_augment else {"degrees": 0.0, "scale": 0.0, "shift": 0.14, "flip": flip}
    return pictures.run(
        settings, found, model, optimizer, augment, one_cycle(0.2), arguments.patience, smoothing=0.05,
        also=lambda folder: gradient_by_depth(found, settings, folder),
    )  # fmt: skip
