"""What is timed. Each workload is written once, in PyTorch's names, and runs in minigrad and in PyTorch.

`make(torch, prepare)` gives a step; `prepare` is `torch.compile` for that engine and does nothing for the others. A step
returns a tensor on which all engines must agree before their times are compared.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

Step = Callable[[], Any]
Prepare = Callable[[Any], Any]


@dataclass(frozen=True)
class Workload:
    name: str
    what: str  # one line for people
    make: Callable[[Any, Prepare], Step]
    bar: float | None  # the ratio to PyTorch eager that is asked for
    kind: str  # one of GROUPS
    flops: float = 0.0  # multiplications and additions of the matrix products of one step
    bytes: float = 0.0  # what a step must read and write at least, in float32
    file: str | None = None  # a user's own (own.py); None for those below


WORKLOADS: dict[str, Workload] = {}
GROUPS = {"networks": "network", "operations": "operation", "overheads": "overhead"}


def workload(
    what: str, bar: float | None = None, kind: str = "operation", flops: float = 0.0, bytes: float = 0.0
) -> Callable[[Callable[[Any, Prepare], Step]], Callable[[Any, Prepare], Step]]:
    """Make a function of (torch, prepare) a workload by its own name. Errors: TypeError, ValueError that say what to do."""
    if not isinstance(what, str):
        raise TypeError('write @workload("what a step does"), with one line of text in brackets')
    if kind not in GROUPS.values():
        raise ValueError(f"unknown kind {kind!r}; there are {', '.join(GROUPS.values())}")

    def register(make: Callable[[Any, Prepare], Step]) -> Callable[[Any, Prepare], Step]:
        name = make.__name__
        if name in WORKLOADS or name in GROUPS:
            raise ValueError(f"there is a workload {name!r} already: give the function another name")
        try:
            inspect.signature(make).bind(None, None)
        except TypeError:
            raise TypeError(
                f"{name} must take (torch, prepare): the engine, and what compiles a function where it can"
            ) from None
        WORKLOADS[name] = Workload(name, what, make, bar, kind, flops, bytes)
        return make

    return register


def training(torch: Any, model: Any, x: Any, y: Any, loss_function: Any, optimizer: Any, prepare: Prepare) -> Step:
    """A step of the training loop that everybody writes."""
    run = prepare(model)

    def step() -> Any:
        optimizer.zero_grad()
        loss = loss_function(run(x), y)
        loss.backward()
        optimizer.step()
        return loss

    return step


# -- networks


@workload("training step of 2-4-1, BCE, Adam, 800 rows", 2.5, "network")
def network_2_4_1(torch: Any, prepare: Prepare) -> Step:
    torch.manual_seed(0)
    nn = torch.nn
    model = nn.Sequential(nn.Linear(2, 4), nn.ReLU(), nn.Linear(4, 1), nn.Sigmoid())
    x = torch.randn(800, 2)
    y = torch.randint(0, 2, (800, 1)).to(x.dtype)
    return training(torch, model, x, y, nn.BCELoss(), torch.optim.Adam(model.parameters(), lr=1e-3), prepare)


@workload("training step of 1-64-64-1 Tanh, MSE, Adam, 256 rows", 2.5, "network", 3 * 2 * 256 * (64 + 64 * 64 + 64))
def sine(torch: Any, prepare: Prepare) -> Step:
    torch.manual_seed(0)
    nn = torch.nn
    model = nn.Sequential(nn.Linear(1, 64), nn.Tanh(), nn.Linear(64, 64), nn.Tanh(), nn.Linear(64, 1))
    x = torch.linspace(-3, 3, 256).reshape(256, 1)
    return training(torch, model, x, torch.sin(x), nn.MSELoss(), torch.optim.Adam(model.parameters(), lr=1e-3), prepare)


_MLP = 784 * 256 + 256 * 128 + 128 * 10


@workload("training step of 784-256-128-10, cross-entropy, Adam, batch 64", 2.0, "network", 3 * 2 * 64 * _MLP)
def mlp(torch: Any, prepare: Prepare) -> Step:
    torch.manual_seed(0)
    nn = torch.nn
    model = nn.Sequential(nn.Linear(784, 256), nn.ReLU(), nn.Linear(256, 128), nn.ReLU(), nn.Linear(128, 10))
    x, y = torch.randn(64, 784), torch.randint(0, 10, (64,))
    return training(torch, model, x, y, nn.CrossEntropyLoss(), torch.optim.Adam(model.parameters(), lr=1e-3), prepare)


_CNN = 26 * 26 * 32 * 9 + 24 * 24 * 64 * 32 * 9 + 64 * 144 * 128 + 128 * 10


@workload("training step of conv32-conv64-pool-fc128-fc10, 28x28, Adam, batch 64", 1.2, "network", 3 * 2 * 64 * _CNN)
def cnn(torch: Any, prepare: Prepare) -> Step:
    torch.manual_seed(0)
    nn = torch.nn
    model = nn.Sequential(
        nn.Conv2d(1, 32, 3), nn.ReLU(), nn.Conv2d(32, 64, 3), nn.ReLU(), nn.MaxPool2d(2), nn.Flatten(),
        nn.Linear(64 * 12 * 12, 128), nn.ReLU(), nn.Linear(128, 10),
    )  # fmt: skip
    x, y = torch.randn(64, 1, 28, 28), torch.randint(0, 10, (64,))
    return training(torch, model, x, y, nn.CrossEntropyLoss(), torch.optim.Adam(model.parameters(), lr=1e-3), prepare)


def _resnet18(torch: Any, classes: int = 10) -> Any:
    """ResNet18 with a 3x3 stem, for 32x32 images. He et al. 2016, "Deep Residual Learning for Image Recognition"."""
    nn = torch.nn

    class Block(nn.Module):  # type: ignore[name-defined, misc]
        def __init__(self, into: int, out: int, stride: int) -> None:
            super().__init__()
            self.conv1 = nn.Conv2d(into, out, 3, stride, 1, bias=False)
            self.bn1 = nn.BatchNorm2d(out)
            self.conv2 = nn.Conv2d(out, out, 3, 1, 1, bias=False)
            self.bn2 = nn.BatchNorm2d(out)
            self.short = nn.Identity()
            if stride != 1 or into != out:
                self.short = nn.Sequential(nn.Conv2d(into, out, 1, stride, bias=False), nn.BatchNorm2d(out))

        def forward(self, x: Any) -> Any:
            y = torch.relu(self.bn1(self.conv1(x)))
            return torch.relu(self.bn2(self.conv2(y)) + self.short(x))

    layers: list[Any] = [nn.Conv2d(3, 64, 3, 1, 1, bias=False), nn.BatchNorm2d(64), nn.ReLU()]
    into = 64
    for out, stride in ((64, 1), (64, 1), (128, 2), (128, 1), (256, 2), (256, 1), (512, 2), (512, 1)):
        layers.append(Block(into, out, stride))
        into = out
    return nn.Sequential(*layers, nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(512, classes))


@workload(
    "training step of ResNet18 for 32x32, SGD with momentum, batch 16", 1.0, "network", 3 * 2 * 16 * 0.5555e9
)  # 0.56 G multiply-adds an image
def resnet18(torch: Any, prepare: Prepare) -> Step:
    torch.manual_seed(0)
    model = _resnet18(torch)
    x, y = torch.randn(16, 3, 32, 32), torch.randint(0, 10, (16,))
    optimizer = torch.optim.SGD(model.parameters(), lr=1e-3, momentum=0.9)
    return training(torch, model, x, y, torch.nn.CrossEntropyLoss(), optimizer, prepare)


def _encoder(torch: Any, layers: int) -> Any:
    nn = torch.nn
    layer = nn.TransformerEncoderLayer(768, 12, 3072, dropout=0.0, activation="gelu", batch_first=True)
    return nn.TransformerEncoder(layer, layers, enable_nested_tensor=False)


_ENCODER_LAYER = 8 * 128 * (4 * 768 * 768 + 2 * 768 * 3072) + 2 * 8 * 12 * 128 * 128 * 64


@workload(
    "training step of two encoder layers, 768 wide, 12 heads, 8 x 128, AdamW", 1.8, "network",
    3 * 2 * 2 * _ENCODER_LAYER,
)  # fmt: skip
def transformer(torch: Any, prepare: Prepare) -> Step:
    torch.manual_seed(0)
    model = _encoder(torch, 2)
    x, y = torch.randn(8, 128, 768), torch.randn(8, 128, 768)
    optimizer = torch.optim.AdamW(model.parameters(), lr=1e-4)
    return training(torch, model, x, y, torch.nn.MSELoss(), optimizer, prepare)


@workload("inference of six encoder layers, 768 wide, 8 x 128", 1.8, "network", 2 * 6 * _ENCODER_LAYER)
def inference(torch: Any, prepare: Prepare) -> Step:
    torch.manual_seed(0)
    model = _encoder(torch, 6)
    model.eval()
    run = prepare(model)
    x = torch.randn(8, 128, 768)

    def step() -> Any:
        with torch.no_grad():
            return run(x)[0, 0, :1].sum()

    return step


# -- operations, forward and backward


def operation(torch: Any, prepare: Prepare, function: Callable[..., Any], *inputs: Any) -> Step:
    """`function` of the inputs, then backward with a fixed random gradient; the gradients of all floating inputs."""
    floating = [x for x in inputs if x.is_floating_point()]
    for x in floating:
        x.requires_grad_()
    run = prepare(function)
    gradient = torch.randn(function(*inputs).shape)

    def step() -> Any:
        for x in floating:
            x.grad = None
        run(*inputs).backward(gradient)
        return floating[0].grad

    return step


@workload("matmul 1024 x 1024", 1.0, "operation", 3 * 2 * 1024**3)
def matmul(torch: Any, prepare: Prepare) -> Step:
    torch.manual_seed(0)
    return operation(torch, prepare, torch.matmul, torch.randn(1024, 1024), torch.randn(1024, 1024))


@workload("gelu of 1024 x 3072", 1.0, "operation", bytes=5 * 4 * 1024 * 3072)
def gelu(torch: Any, prepare: Prepare) -> Step:
    torch.manual_seed(0)
    return operation(torch, prepare, torch.nn.functional.gelu, torch.randn(1024, 3072))


@workload("softmax of 96 x 128 x 128", 1.0, "operation", bytes=5 * 4 * 96 * 128 * 128)
def softmax(torch: Any, prepare: Prepare) -> Step:
    torch.manual_seed(0)
    return operation(torch, prepare, lambda x: torch.softmax(x, -1), torch.randn(96, 128, 128))


@workload("layer_norm of 1024 x 768", 1.0, "operation", bytes=5 * 4 * 1024 * 768)
def layer_norm(torch: Any, prepare: Prepare) -> Step:
    torch.manual_seed(0)

    def function(x: Any, weight: Any, bias: Any) -> Any:
        return torch.nn.functional.layer_norm(x, (768,), weight, bias)

    return operation(torch, prepare, function, torch.randn(1024, 768), torch.rand(768), torch.rand(768))


@workload("cross_entropy of 1024 x 10000", 1.0, "operation", bytes=3 * 4 * 1024 * 10000)
def cross_entropy(torch: Any, prepare: Prepare) -> Step:
    torch.manual_seed(0)
    x, y = torch.randn(1024, 10000), torch.randint(0, 10000, (1024,))
    return operation(torch, prepare, torch.nn.functional.cross_entropy, x, y)


@workload("conv2d 3x3, 64 x 32 x 26 x 26 to 64", 1.0, "operation", 3 * 2 * 64 * 64 * 24 * 24 * 32 * 9)
def conv2d(torch: Any, prepare: Prepare) -> Step:
    torch.manual_seed(0)
    x, weight, bias = torch.randn(64, 32, 26, 26), torch.randn(64, 32, 3, 3), torch.randn(64)
    return operation(torch, prepare, torch.nn.functional.conv2d, x, weight, bias)


@workload("max_pool2d 2, 64 x 64 x 24 x 24", 1.0, "operation", bytes=4 * 64 * 64 * 24 * 24 * 2.5)
def max_pool2d(torch: Any, prepare: Prepare) -> Step:
    torch.manual_seed(0)
    return operation(torch, prepare, lambda x: torch.nn.functional.max_pool2d(x, 2), torch.randn(64, 64, 24, 24))


@workload("batch_norm, training, 64 x 64 x 26 x 26", 1.0, "operation", bytes=7 * 4 * 64 * 64 * 26 * 26)
def batch_norm(torch: Any, prepare: Prepare) -> Step:
    torch.manual_seed(0)

    def function(x: Any, weight: Any, bias: Any) -> Any:
        return torch.nn.functional.batch_norm(x, None, None, weight, bias, training=True)

    return operation(torch, prepare, function, torch.randn(64, 64, 26, 26), torch.rand(64), torch.rand(64))


@workload("attention 8 x 12 x 128 x 64", 1.0, "operation", 7 * 2 * 8 * 12 * 128 * 128 * 64)
def attention(torch: Any, prepare: Prepare) -> Step:
    torch.manual_seed(0)
    shape = (8, 12, 128, 64)
    function = torch.nn.functional.scaled_dot_product_attention
    return operation(torch, prepare, function, torch.randn(*shape), torch.randn(*shape), torch.randn(*shape))


@workload("Adam over 10 million parameters", 1.0, "operation", bytes=7 * 4 * 10e6)
def adam(torch: Any, prepare: Prepare) -> Step:
    torch.manual_seed(0)
    params = [torch.randn(1000, 1000).requires_grad_() for _ in range(10)]
    for p in params:
        p.grad = torch.randn(1000, 1000)
    optimizer = torch.optim.Adam(params, lr=1e-3)

    def step() -> Any:
        optimizer.step()
        return params[0]

    return step


# -- the cost of an operation as such


@workload("1,000 chained multiplications of one element, and backward", 2.0, "overhead")
def chain(torch: Any, prepare: Prepare) -> Step:
    x = torch.ones(1, requires_grad=True)
    w = torch.ones(1, requires_grad=True)

    def function(x: Any, w: Any) -> Any:
        for _ in range(1000):
            x = x * w
        return x

    def step() -> Any:
        x.grad = w.grad = None
        function(x, w).backward()  # not compiled: a compiler would need minutes for it
        return w.grad

    return step


@workload("one multiplication of two elements, and backward", None, "overhead")
def one_operation(torch: Any, prepare: Prepare) -> Step:
    x = torch.full((1,), 3.0, requires_grad=True)
    w = torch.full((1,), 2.0, requires_grad=True)

    def step() -> Any:
        x.grad = w.grad = None
        (x * w).backward()
        return w.grad

    return step
