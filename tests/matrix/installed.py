"""A program that uses minigrad as it was installed: import, a training, gradients, kernels, files. It ends with 1 where
something is not as it should be. Run by noxfile.py in environments without PyTorch, and by tests/test_matrix.py.

    python -I installed.py [--without-numba]
"""

import importlib.util
import math
import sys
import tempfile
from pathlib import Path

import numpy as np

import minigrad as torch
from minigrad import nn


def says(what: str, right: bool) -> None:
    print(f"{'ok  ' if right else 'FAIL'} {what}", flush=True)
    if not right:
        raise SystemExit(1)


def same_stream() -> None:
    torch.manual_seed(0)
    drawn = torch.randn(3)
    says("the random stream is PyTorch's", np.allclose(drawn.numpy(), [1.5409961, -0.2934289, -2.1787894], atol=1e-6))


def train() -> None:
    """Two interleaved classes that no line parts: a network with one hidden layer learns them."""
    torch.manual_seed(0)
    x = torch.rand(256, 2) * 2 - 1
    y = (x[:, :1] * x[:, 1:] > 0).float()
    model = nn.Sequential(nn.Linear(2, 16), nn.Tanh(), nn.Linear(16, 1))
    optimizer = torch.optim.Adam(model.parameters(), lr=0.02)
    for _ in range(300):
        optimizer.zero_grad()
        loss = nn.functional.binary_cross_entropy_with_logits(model(x), y)
        loss.backward()
        optimizer.step()
    right = ((model(x) > 0).float() == y).float().mean().item()
    says(f"a training: loss {loss.item():.3f}, {right:.0%} right", loss.item() < 0.2 and right > 0.95)


def step_of_a_cnn() -> float:
    torch.manual_seed(1)
    model = nn.Sequential(
        nn.Conv2d(1, 8, 3, padding=1), nn.BatchNorm2d(8), nn.ReLU(), nn.MaxPool2d(2), nn.Flatten(), nn.Dropout(0.1),
        nn.Linear(8 * 14 * 14, 10),
    )  # fmt: skip
    x, y = torch.randn(32, 1, 28, 28), torch.randint(0, 10, (32,))
    nn.functional.cross_entropy(model(x), y).backward()
    return sum(p.grad.norm().item() for p in model.parameters())


def gradients() -> None:
    torch.manual_seed(2)
    x = torch.randn(3, 4, dtype=torch.float64, requires_grad=True)
    functions = {
        "softmax": lambda x: x.softmax(1), "layer_norm": lambda x: nn.functional.layer_norm(x, (4,)),
        "gelu": nn.functional.gelu, "logsumexp": lambda x: x.logsumexp(0), "matmul": lambda x: x @ x.t(),
    }  # fmt: skip
    for name, function in functions.items():
        says(f"the gradient of {name}, first and second", torch.autograd.gradcheck(function, (x,)) and torch.autograd.gradgradcheck(function, (x,)))  # fmt: skip


def forms(numba: bool) -> None:
    """NumPy's form and, where Numba is there, the compiled one give the same."""
    found = {}
    for position in ("definition", "numpy", "compiled") if numba else ("definition", "numpy"):
        with torch.use_kernels(position):
            found[position] = step_of_a_cnn()
    says(f"a step of a CNN {found}", all(math.isclose(g, found["numpy"], rel_tol=1e-4) for g in found.values()))


def compiled_step() -> None:
    """What a step reads is told from Python's own instructions, which each version names and joins in its own way."""
    torch.manual_seed(0)
    model = nn.Sequential(nn.Linear(2, 8), nn.BatchNorm1d(8), nn.ReLU(), nn.Linear(8, 1))
    optimizer = torch.optim.Adam(model.parameters(), lr=0.01)

    @torch.compile
    def step(x: torch.Tensor, y: torch.Tensor) -> torch.Tensor:
        optimizer.zero_grad()
        loss = nn.functional.mse_loss(model(x), y)
        loss.backward()
        optimizer.step()
        return loss

    x, y = torch.randn(16, 2), torch.randn(16, 1)
    losses = [step(x, y).item() for _ in range(4)]
    says("a training step is compiled", "ran eagerly" not in step.explain() and losses[3] < losses[0])


def files() -> None:
    model = nn.Linear(3, 2)
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "model.safetensors"
        try:
            torch.save(model.state_dict(), path)
        except ImportError as error:
            says(f"without safetensors: {error}", "safetensors" in str(error))
            return
        loaded = torch.load(path)
        says("a saved model comes back", all((loaded[k] == v).all() for k, v in model.state_dict().items()))


def main() -> None:
    numba = "--without-numba" not in sys.argv
    print(f"Python {sys.version.split()[0]}, NumPy {np.__version__}, minigrad from {Path(torch.__file__).parent}")
    says(f"Numba is {'there' if numba else 'not there'}", (importlib.util.find_spec("numba") is not None) == numba)
    same_stream()
    train()
    gradients()
    forms(numba)
    compiled_step()
    files()


main()
