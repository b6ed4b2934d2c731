"""What is timed. Each workload is written once, with PyTorch's names, and runs in both engines: `make(torch)` gives a step.

A step returns a number that both engines must agree on before their times are compared.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

Step = Callable[[], Any]


def chain(torch: Any) -> Step:
    """1,000 multiplications of one element by another, recorded and walked back: the cost of an operation as such."""
    x = torch.ones(1, requires_grad=True)
    w = torch.ones(1, requires_grad=True)

    def step() -> Any:
        x.grad = w.grad = None
        y = x
        for _ in range(1000):
            y = y * w
        y.backward()
        return w.grad

    return step


def one_operation(torch: Any) -> Step:
    """One multiplication of two elements, and backward."""
    x = torch.full((1,), 3.0, requires_grad=True)
    w = torch.full((1,), 2.0, requires_grad=True)

    def step() -> Any:
        x.grad = w.grad = None
        (x * w).backward()
        return w.grad

    return step


def _training(torch: Any, model: Any, x: Any, y: Any, loss_function: Any) -> Step:
    optimizer = torch.optim.Adam(model.parameters(), lr=1e-3)

    def step() -> Any:
        optimizer.zero_grad()
        loss = loss_function(model(x), y)
        loss.backward()
        optimizer.step()
        return loss

    return step


def network_2_4_1(torch: Any) -> Step:
    """A training step of a 2-4-1 network, binary cross-entropy, Adam, 800 rows."""
    torch.manual_seed(0)
    nn = torch.nn
    model = nn.Sequential(nn.Linear(2, 4), nn.ReLU(), nn.Linear(4, 1), nn.Sigmoid())
    x = torch.randn(800, 2)
    y = torch.randint(0, 2, (800, 1)).to(x.dtype)
    return _training(torch, model, x, y, nn.BCELoss())


def mlp(torch: Any) -> Step:
    """A training step of a 784-256-128-10 network, cross-entropy, Adam, batch 64."""
    torch.manual_seed(0)
    nn = torch.nn
    model = nn.Sequential(nn.Linear(784, 256), nn.ReLU(), nn.Linear(256, 128), nn.ReLU(), nn.Linear(128, 10))
    return _training(torch, model, torch.randn(64, 784), torch.randint(0, 10, (64,)), nn.CrossEntropyLoss())


def cnn(torch: Any) -> Step:
    """A training step of conv32-conv64-pool-fc128-fc10 on 28x28 images, cross-entropy, Adam, batch 64."""
    torch.manual_seed(0)
    nn = torch.nn
    model = nn.Sequential(
        nn.Conv2d(1, 32, 3), nn.ReLU(), nn.Conv2d(32, 64, 3), nn.ReLU(), nn.MaxPool2d(2), nn.Flatten(),
        nn.Linear(64 * 12 * 12, 128), nn.ReLU(), nn.Linear(128, 10),
    )  # fmt: skip
    return _training(torch, model, torch.randn(64, 1, 28, 28), torch.randint(0, 10, (64,)), nn.CrossEntropyLoss())


WORKLOADS: dict[str, Callable[[Any], Step]] = {
    "one_operation": one_operation,
    "chain": chain,
    "network_2_4_1": network_2_4_1,
    "mlp": mlp,
    "cnn": cnn,
}
