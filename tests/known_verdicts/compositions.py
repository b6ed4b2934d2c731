"""Functions of the engines' own operations: in either engine, in one alone, with what they hold on to, at kinks, without an answer."""

import functools
from collections import namedtuple

import numpy as np
import torch

import minigrad

from .table import NONE, RIGHT, SQUARE, WRONG, M, X, known

# -- in both engines

known("softplus", lambda x: (1 + x.exp()).log(), X, RIGHT)
known("softmax by hand", lambda x: x.exp() / x.exp().sum(-1, keepdim=True), M, RIGHT)
known("a norm", lambda x: (x * x).sum().sqrt(), X, RIGHT)
known(
    "layer norm by hand", lambda x: (x - x.mean(-1, keepdim=True)) / (x.var(-1, keepdim=True) + 1e-5).sqrt(), M, RIGHT
)
known("attention", lambda torch, x: torch.softmax(x @ x.T, -1) @ x, M, RIGHT)
known("a loss with targets", lambda torch, x, t: torch.nn.functional.cross_entropy(x, t), (M, np.array([0, 2])), RIGHT)
known("indexed by integers", lambda x, i: x[i] ** 2, (X, np.array([0, 0, 2])), RIGHT)
known("a mask", lambda torch, x, m: torch.where(m, x * x, x), (X, np.array([True, False, True])), RIGHT)
known("a tuple", lambda x: (x, x * x), X, RIGHT)
known("a dict with None", lambda x: {"a": x.sin(), "rest": [None, x * x, 3]}, X, RIGHT)
Pair = namedtuple("Pair", "first second")
known("a named tuple", lambda x: Pair(x.sin(), x.cos()), X, RIGHT)
known("values and indices of max", lambda x: x.max(-1), M, RIGHT)
known("topk", lambda torch, x: torch.topk(x, 2), X, RIGHT)
known("a list of inputs", lambda xs: xs[0] * xs[1], ([X, X + 1],), RIGHT)
known("a dict of inputs", lambda d: d["a"] * d["b"] * d["n"], ({"a": X, "b": X + 1, "n": 3},), RIGHT)
known("a transposed input", lambda x: (x.T @ x).tanh(), np.asfortranarray(M), RIGHT)
known("a strided input", lambda x: x.cumsum(0), np.linspace(-1, 1, 8)[::2], RIGHT)
known("an input turned around", lambda x: x.cumprod(0), np.linspace(0.5, 1, 4)[::-1], RIGHT)
known("a scalar", lambda x: x.sin() * 2, np.array(0.3), RIGHT)
known("a NumPy scalar", lambda x: x.sin() * 2, np.float32(0.3), RIGHT)
known("an empty input", lambda x: x * 2, np.zeros((0, 3)), RIGHT)
known("float32 inputs", lambda x: x.tanh(), X.astype(np.float32), RIGHT)
known("PyTorch's tensors", lambda x: x.tanh(), torch.tensor(X, requires_grad=True), RIGHT)
known("minigrad's tensors", lambda x: x.tanh(), minigrad.tensor(X), RIGHT)
known("a constant of the default type", lambda torch, x: torch.arange(3.0) @ x, X, RIGHT)
known("float32 by name", lambda torch, x: torch.ones(3, dtype=torch.float32) @ x, X, RIGHT)
known("to float32 and back", lambda torch, x: x.float().sin().to(x.dtype), X, RIGHT)
known("a weight in NumPy's float32", lambda torch, x: x @ torch.from_numpy(SQUARE.astype(np.float32)), X, RIGHT)
known("an in-place change of its own copy", lambda x: x.clone().mul_(x).add_(1), X, RIGHT)
known("an in-place change of an input", lambda x: x.mul_(x.detach() * 0 + 2), X, RIGHT)
known("an in-place change of an input's data", lambda x: (x.data.add_(1), x * x)[1], X, RIGHT)


def row_written(x):
    y = x * 1
    y[0] = x[1] * x[1]
    return y


def overwritten(x):
    y = x.exp()
    y[0] = 1.0
    return y


def through_a_view(x):
    y = x.sin()
    y[:1].mul_(2)
    return y


known("a row is written", row_written, M, RIGHT)
known("what the backward needs is overwritten", overwritten, X, WRONG, says=("raises an error", "changed in place"))
known("a slice is scaled in place", through_a_view, M, RIGHT)
known(
    "a value without a gradient beside it", lambda x: (x * x, (x * x).detach()), X, RIGHT, says="does not require grad"
)
known(
    "a penalty with create_graph",
    lambda torch, x: torch.autograd.grad((x**3).sum(), x, create_graph=True)[0] ** 2,
    X,
    RIGHT,
)


def on_grad(torch, x):
    with torch.no_grad():
        scale = torch.ones(3) * 2
    return x * scale


def hooked(x):
    y = x.sin()
    y.register_hook(lambda g: g.clone())
    return y * y


def doubled_by_a_hook(x):
    y = x * 1
    y.register_hook(lambda g: g * 2)
    return y * y


known("a constant under no_grad", on_grad, X, RIGHT)
known("a hook that looks", hooked, X, RIGHT)
known("a hook that doubles, in both", doubled_by_a_hook, X, RIGHT, says="a hook")
known("detach, in both", lambda x: x * x.detach(), X, RIGHT, says="not the derivative of the values")
known("a seed inside", lambda torch, x: (torch.manual_seed(3), x * torch.rand(3))[1], X, RIGHT)
known("tiny values", lambda x: x.log(), np.array([1e-12, 1e-6, 1.0]), RIGHT)
known("tiny gradients", lambda x: 1e-14 * x.sin(), X, RIGHT)
known("values that cancel", lambda x: (x + 1e6) - 1e6, X, RIGHT)
known("large values", lambda x: x * x, X * 1e8, RIGHT)
known("saturated", lambda torch, x: torch.log_softmax(x * 100, -1), M, RIGHT)
known("a standard deviation of equals", lambda x: x.std(), np.array([2.0, 2.0]), RIGHT)
known("steep", lambda x: (20 * x).sin(), X, RIGHT)
known(
    "nan beside what is compared",
    lambda x: x.log(),
    np.array([-1.0, 2.0, 3.0]),
    RIGHT,
    says="nan or infinite: left out",
)
known("an input that is nan", lambda x: x * x, np.array([np.nan, 2.0]), RIGHT)
known(
    "a hidden nan",
    lambda torch, x: torch.where(x > 0, x.sqrt(), torch.zeros_like(x)),
    np.array([-1.0, 2.0]),
    WRONG,
    at=(0, (0,)),
)
known("sqrt of a sum that is 0", lambda x: (x * x).sum().sqrt(), np.zeros(2), WRONG, says="nan")

# -- kinks

known("relu at 0", lambda x: x.relu(), np.array([0.0, 1.0]), RIGHT)
known("clamp at its bounds", lambda x: x.clamp(-1, 1), np.array([-1.0, 0.3, 1.0]), RIGHT)
known("the largest of equals", lambda x: x.amax(), np.array([2.0, 2.0, 1.0]), RIGHT, factor=3.0)
known("a norm at 0", lambda x: x.norm(), np.zeros(2), RIGHT)
known("sqrt at 0", lambda x: x.sqrt(), np.array([0.0, 1.0]), RIGHT)
known("floor at a whole number", lambda x: x.floor() + x, np.array([1.0, 1.5]), RIGHT)
known(
    "sorted, with equals",
    lambda torch, x: x.sort(stable=True).values * torch.tensor([1.0, 2.0, 3.0]),
    np.array([1.0, 1.0, 0.0]),
    RIGHT,
)

# -- in one engine alone

W = torch.randn(3, 3, generator=torch.Generator().manual_seed(0))
WEIGHT = minigrad.tensor(SQUARE, dtype=minigrad.float32)
V = torch.randn(3, generator=torch.Generator().manual_seed(1), requires_grad=True)
known("PyTorch: a captured weight in float32", lambda x: x @ W, X, RIGHT, says="taken as float64")
known("PyTorch: a captured leaf", lambda x: x * V.sin(), X, RIGHT, says="captured V")
known(
    "PyTorch: a reentrant checkpoint",
    lambda x: torch.utils.checkpoint.checkpoint(lambda y: torch.sin(y) * y, x, use_reentrant=True),
    X,
    RIGHT,
)
known("PyTorch: detach", lambda x: torch.sin(x) * x.detach(), X, WRONG, says="detach()")
known("PyTorch: item", lambda x: torch.sin(x) * x[0].item(), X, WRONG, at=(0, (0,)))
known("PyTorch: no_grad", lambda x: x + torch.no_grad()(torch.sin)(x), X, WRONG)
known("PyTorch: einsum", lambda x: torch.einsum("ij,ik->jk", x, x), M, RIGHT)
known("PyTorch: a function of its own", lambda x: torch.special.i0e(x), X, RIGHT)
known("PyTorch: functools.partial", functools.partial(torch.nn.functional.leaky_relu, negative_slope=0.2), X, RIGHT)
known("PyTorch: float32 by name", lambda x: (x.to(torch.float32) * torch.ones(3, dtype=torch.float32)).sin(), X, RIGHT)
known(
    "PyTorch: a hook that doubles",
    lambda x: (y := x * torch.ones(3), y.register_hook(lambda g: 2 * g), torch.sin(y))[2],
    X,
    WRONG,
    says="2 times",
)
known(
    "minigrad: a captured weight",
    lambda x, w=WEIGHT: minigrad.matmul(x, w),
    X,
    RIGHT,
)
known("minigrad: detach", lambda x: minigrad.sin(x) * x.detach(), X, WRONG, says="detach()")
known("minigrad: functional", lambda x: minigrad.nn.functional.gelu(x), X, RIGHT)


class Scaled:
    """An object that holds a weight and counts its calls."""

    def __init__(self, T):
        self.weights, self.calls = {"w": [T.tensor([1.0, -2.0, 0.5])]}, 0

    def __call__(self, x):
        self.calls += 1
        return x * self.weights["w"][0]

    def method(self, x):
        return self(x) ** 2


known("PyTorch: an object that is called", Scaled(torch), X, RIGHT)
known("minigrad: a bound method", Scaled(minigrad).method, X, RIGHT)

# -- large

BIG = np.random.default_rng(0).normal(size=33_000)
known("large", lambda x: x.tanh(), BIG, RIGHT, says="along 4 random directions")
known("large, with kinks all over", lambda x: x.relu() * 2, np.round(BIG[:6000]), RIGHT)
known("large, PyTorch alone", lambda x: torch.sin(x), BIG.reshape(100, 330), RIGHT)


class TorchAlmost(torch.autograd.Function):
    @staticmethod
    def forward(ctx, x):
        ctx.save_for_backward(x)
        return x.tanh()

    @staticmethod
    def backward(ctx, g):
        (x,) = ctx.saved_tensors
        scale = torch.ones_like(x)
        scale[12_345] = 1.01
        return g * (1 - x.tanh() ** 2) * scale


class TorchReluTwo(torch.autograd.Function):
    """Its slope at 0 is 2."""

    @staticmethod
    def forward(ctx, x):
        ctx.save_for_backward(x)
        return x.clamp(min=0)

    @staticmethod
    def backward(ctx, g):
        (x,) = ctx.saved_tensors
        return g * ((x > 0) + 2.0 * (x == 0))


known("large, wrong at kinks alone", TorchReluTwo.apply, np.round(BIG[:6000]), WRONG)
known("large, one element wrong", TorchAlmost.apply, BIG, WRONG, at=(0, (12_345,)), says=("1 of 33000", "1.01 times"))

# -- no answer

known("no floating input", lambda x: x * 2, np.arange(3), NONE, says="nothing to differentiate by")
known("detached altogether", lambda x: x.detach() * 2, X, NONE, says="autograd recorded")
known("a number", lambda x: 3.0, X, NONE, says="floating tensor")
known("nothing", lambda x: None, X, NONE, says="floating tensor")
known("a comparison", lambda x: x > 0, X, NONE, says="has no gradient")
known("whole numbers", lambda x: x.argmax(), X, NONE, says="argmax")
known("random numbers", lambda torch, x: x * torch.rand(3), X, NONE, says="random")
known("a state that counts", lambda x, seen=[]: (seen.append(1), x * len(seen))[1], X, NONE, says="count or state")
known("nan everywhere", lambda x: x.log(), -np.abs(X), NONE, says="nan or infinite everywhere")
known("a name that is not there", lambda x: x.nonsense(), X, NONE, says="neither engine")
known("it raises", lambda x: 1 / 0, X, NONE, says="division by zero")
