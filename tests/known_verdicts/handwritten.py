"""Functions with a backward written by hand, right and wrong, in each engine and in both."""

import numpy as np
import torch

import minigrad

from .table import RIGHT, SQUARE, WRONG, M, X, forms, function, known


def keeping(f):
    def forward(ctx, *xs):
        y = f(*xs)
        ctx.save_for_backward(*xs, y)
        return y

    return forward


def unary(f, back):
    """A Function of one input: back(g, x, y)."""
    return lambda T: function(T, keeping(f), lambda ctx, g: back(g, *ctx.saved_tensors))


def binary(f, back):
    return lambda T: function(T, keeping(f), lambda ctx, g: back(g, *ctx.saved_tensors))


def swish(x):
    return x * x.sigmoid()


def dswish(g, x, y):
    s = x.sigmoid()
    return g * (s + x * s * (1 - s))


# -- right

forms("swish", unary(swish, dswish), X, RIGHT)
forms("exp through its output", unary(lambda x: x.exp(), lambda g, x, y: g * y), X, RIGHT)
forms("a product", binary(lambda a, b: a * b, lambda g, a, b, y: (g * b, g * a)), (X, X + 3), RIGHT)
forms("a matrix product", binary(lambda a, b: a @ b, lambda g, a, b, y: (g @ b.T, a.T @ g)), (M, SQUARE), RIGHT)
forms(
    "a sum over rows, broadcast back",
    unary(lambda x: x.sum(0), lambda g, x, y: g.expand(x.shape)),
    M,
    RIGHT,
)
forms(
    "None for what has no gradient",
    lambda T: function(T, lambda ctx, x, n: x * n, lambda ctx, g: (g * 3, None)),
    (X, 3),
    RIGHT,
)
forms(
    "two outputs",
    lambda T: function(
        T,
        lambda ctx, x: (ctx.save_for_backward(x), x.sin(), x * x)[1:],
        lambda ctx, g, h: g * ctx.saved_tensors[0].cos() + 2 * h * ctx.saved_tensors[0],
    ),
    X,
    RIGHT,
)
forms(
    "an integer input",
    lambda T: function(
        T,
        lambda ctx, x, i: (ctx.save_for_backward(x, i), x[i])[1],
        lambda ctx, g: (T.zeros_like(ctx.saved_tensors[0]).index_add(0, ctx.saved_tensors[1], g), None),
    ),
    (X, np.array([2, 0, 2, 1])),
    RIGHT,
)
forms(
    "a transposed input",
    unary(lambda x: x.tanh(), lambda g, x, y: g * (1 - y * y)),
    np.asfortranarray(M),
    RIGHT,
)
forms("a gradient in a stride", unary(lambda x: x * x, lambda g, x, y: 2 * x * g), np.linspace(-1, 1, 8)[::2], RIGHT)
forms("a scalar", unary(lambda x: x**3, lambda g, x, y: 3 * x**2 * g), np.array(0.7), RIGHT)
forms(
    "a backward with constants that are captured",
    lambda T: function(
        T, lambda ctx, x: (ctx.save_for_backward(x), (x * T.tensor([1.0, 2.0, 3.0])).sin())[1],
        lambda ctx, g: g * T.tensor([1.0, 2.0, 3.0]) * (ctx.saved_tensors[0] * T.tensor([1.0, 2.0, 3.0])).cos(),
    ),
    X,
    RIGHT,
)  # fmt: skip
forms(
    "only one of the inputs is used",
    binary(lambda a, b: a * 2, lambda g, a, b, y: (2 * g, None)),
    (X, X),
    RIGHT,
)

# -- the first derivative is wrong

forms("swish, a sign", unary(swish, lambda g, x, y: g * (x.sigmoid() + x * x.sigmoid() * (1 + x.sigmoid()))), X, WRONG)
forms("half of it", unary(lambda x: x * x, lambda g, x, y: x * g), X, WRONG, says="0.5 times")
forms("the slope from above is forgotten", unary(lambda x: x * x, lambda g, x, y: 2 * x), X, WRONG)
forms(
    "several operations in forward, one of them forgotten",
    unary(lambda x: (2 * x).exp() + x**3, lambda g, x, y: 2 * g * (2 * x).exp()),
    X,
    WRONG,
)
forms(
    "two gradients in each other's place",
    binary(lambda a, b: a * b, lambda g, a, b, y: (g * a, g * b)),
    (X, X + 3),
    WRONG,
    at=(0, (0,)),
)
forms(
    "the second input's",
    binary(lambda a, b: a * b.exp(), lambda g, a, b, y: (g * b.exp(), g * b.exp())),
    (X, X),
    WRONG,
    at=(1, (0,)),
)
forms(
    "a transpose is missing",
    binary(lambda a, b: a @ b, lambda g, a, b, y: (g @ b, a.T @ g)),
    (M, SQUARE),
    WRONG,
    at=(0, (0, 0)),
)
forms(
    "one element",
    lambda T: function(
        T, keeping(lambda x: x.sin()), lambda ctx, g: g * ctx.saved_tensors[0].cos() * T.tensor([1.0, 1.0, 1.02])
    ),
    X,
    WRONG,
    at=(0, (2,)),
)
forms("it is nan", unary(lambda x: x * x, lambda g, x, y: 2 * x * g + (g - g) / (g - g)), X, WRONG, says="nan")
forms("it is lost", unary(lambda x: x * x, lambda g, x, y: g * 0), X, WRONG, says="zero everywhere")
forms("None where there is one", unary(lambda x: x * x, lambda g, x, y: None), X, WRONG)
forms(
    "the mean's 1/N is forgotten",
    unary(lambda x: x.mean(), lambda g, x, y: g.expand(x.shape)),
    X,
    WRONG,
    says="3 times",
)
forms(
    "right but for a tenth of a percent",
    unary(lambda x: x.sin(), lambda g, x, y: 1.001 * g * x.cos()),
    X,
    WRONG,
    says="1.001 times",
)
forms(
    "the second of two outputs is forgotten",
    lambda T: function(
        T,
        lambda ctx, x: (ctx.save_for_backward(x), x.sin(), x * x)[1:],
        lambda ctx, g, h: g * ctx.saved_tensors[0].cos(),
    ),
    X,
    WRONG,
)

# -- the shape is wrong, or something is raised

forms(
    "the shape of the output, not of the input",
    unary(lambda x: x.sum(0), lambda g, x, y: g[:2]),
    M,
    WRONG,
    "torch",
    says="shape",
)
forms(
    "one gradient too few",
    binary(lambda a, b: a * b, lambda g, a, b, y: g * b),
    (X, X),
    WRONG,
    "torch minigrad",
    says="as many gradients",
)


def raising(g, x, y):
    raise ZeroDivisionError("not today")


forms("the backward raises", unary(lambda x: x * x, raising), X, WRONG, says=("ZeroDivisionError", "not today"))

# -- the first derivative is right, the second is wrong

forms("the backward detaches", unary(lambda x: x.sin(), lambda g, x, y: g * x.detach().cos()), X, WRONG, order=2)
forms("the slope is detached", unary(lambda x: x * x, lambda g, x, y: g.detach() * 2 * x), X, WRONG, order=2)
forms(
    "through an attribute, not saved",
    lambda T: function(T, lambda ctx, x: (setattr(ctx, "t", x * 2), ctx.t**2)[1], lambda ctx, g: 4 * ctx.t * g),
    X,
    WRONG,
    order=2,
)
forms(
    "what forward computed inside was saved",
    lambda T: function(
        T, lambda ctx, x: (ctx.save_for_backward(x.cos()), x.sin())[1], lambda ctx, g: g * ctx.saved_tensors[0]
    ),
    X,
    WRONG,
    order=2,
)
forms(
    "a backward under no_grad",
    lambda T: function(
        T, keeping(lambda x: x**3), lambda ctx, g: T.no_grad()(lambda: 3 * ctx.saved_tensors[0] ** 2 * g)()
    ),
    X,
    WRONG,
    order=2,
)
forms(
    "the second of two factors detaches",
    binary(lambda a, b: a * a * b, lambda g, a, b, y: (2 * a * b.detach() * g, a * a * g)),
    (X, X + 3),
    WRONG,
    order=2,
)


def wrong_twice(T):
    inner = function(T, keeping(lambda x: x.cos()), lambda ctx, g: g * ctx.saved_tensors[0].sin())  # a sign
    return function(T, keeping(lambda x: x.sin()), lambda ctx, g: g * inner(ctx.saved_tensors[0]))


forms("a backward that applies a wrong Function", wrong_twice, X, WRONG, order=2)


def right_twice(T):
    inner = function(T, keeping(lambda x: x.cos()), lambda ctx, g: -g * ctx.saved_tensors[0].sin())
    return function(T, keeping(lambda x: x.sin()), lambda ctx, g: g * inner(ctx.saved_tensors[0]))


forms("a backward that applies a right Function", right_twice, X, RIGHT)

# -- kinks

AT0 = np.array([0.0, 1.0, -0.5])
forms("relu, nothing at 0", unary(lambda x: x.clamp(min=0), lambda g, x, y: g * (x > 0)), AT0, RIGHT)
forms("relu, all of it at 0", unary(lambda x: x.clamp(min=0), lambda g, x, y: g * (x >= 0)), AT0, RIGHT)
forms("abs by the sign", unary(lambda x: x.abs(), lambda g, x, y: g * x.sign()), AT0, RIGHT)
forms("abs, one side's at 0", unary(lambda x: x.abs(), lambda g, x, y: g * ((x >= 0) * 2.0 - 1)), AT0, RIGHT)
forms(
    "relu, twice at 0",
    unary(lambda x: x.clamp(min=0), lambda g, x, y: g * ((x > 0) + 2.0 * (x == 0))),
    AT0,
    WRONG,
    at=(0, (0,)),
)
forms("abs, wrong beside the kink", unary(lambda x: x.abs(), lambda g, x, y: -g * x.sign()), AT0, WRONG, at=(0, (1,)))
forms(
    "relu near 0 is no kink",
    unary(lambda x: x.clamp(min=0), lambda g, x, y: g * (x > 1e-3)),
    np.array([1e-4, 1.0]),
    WRONG,
    at=(0, (0,)),
)
forms(
    "a maximum where both are equal",
    lambda T: function(
        T,
        lambda ctx, a, b: (ctx.save_for_backward(a, b), T.maximum(a, b))[1],
        lambda ctx, g: (
            g * (ctx.saved_tensors[0] >= ctx.saved_tensors[1]),
            g * (ctx.saved_tensors[0] < ctx.saved_tensors[1]),
        ),
    ),
    (X, np.array([0.5, 2.0, -3.0])),
    RIGHT,
)
forms("a kink in the second derivative", unary(lambda x: x * x.abs(), lambda g, x, y: 2 * g * x.abs()), AT0, RIGHT)
forms("a step, straight through", unary(lambda x: x.round(), lambda g, x, y: g), X + 0.2, WRONG)

# -- in place


def doubling(T):
    def forward(ctx, x):
        ctx.mark_dirty(x)
        x.mul_(2)
        return x

    return function(T, forward, lambda ctx, g: 2 * g)


forms("doubles in place", doubling, X, RIGHT, "torch minigrad")
forms("doubles a copy in place", lambda T: lambda x: doubling(T)(x.clone()), X, RIGHT)


# -- through NumPy: forward's values are what they are, and the backward is not recorded


class TorchNumpyExp(torch.autograd.Function):
    @staticmethod
    def forward(ctx, x):
        y = torch.from_numpy(np.exp(x.detach().numpy()))
        ctx.save_for_backward(y)
        return y

    @staticmethod
    @torch.autograd.function.once_differentiable
    def backward(ctx, g):
        return g * ctx.saved_tensors[0]


class MinigradNumpyExp(minigrad.autograd.Function):
    @staticmethod
    def forward(ctx, x):
        y = minigrad.from_numpy(np.exp(x.detach().numpy()))
        ctx.save_for_backward(y)
        return y

    @staticmethod
    def backward(ctx, g):
        return g * minigrad.from_numpy(np.exp(ctx.saved_tensors[0].log().detach().numpy()))


class TorchSingle(torch.autograd.Function):
    """Computes in float32, whatever it is given."""

    @staticmethod
    def forward(ctx, x):
        ctx.save_for_backward(x)
        return torch.from_numpy(np.sin(x.detach().numpy().astype(np.float32)).astype(np.float64))

    @staticmethod
    @torch.autograd.function.once_differentiable
    def backward(ctx, g):
        return g * torch.from_numpy(np.cos(ctx.saved_tensors[0].detach().numpy()))


class TorchSingleWrong(TorchSingle):
    @staticmethod
    @torch.autograd.function.once_differentiable
    def backward(ctx, g):
        return g * torch.from_numpy(0.98 * np.cos(ctx.saved_tensors[0].detach().numpy()))


known("NumPy inside, once differentiable", TorchNumpyExp.apply, X, RIGHT, says="double backward does not apply")
known("NumPy inside a backward that could be recorded", MinigradNumpyExp.apply, X, WRONG, order=2)
known("forward rounds to float32", TorchSingle.apply, X, RIGHT, factor=1.05)
known("forward rounds to float32, wrong", TorchSingleWrong.apply, X, WRONG)

# -- float32 alone


def single_only(T, factor):
    return function(
        T, keeping(lambda x: x.sin()),
        lambda ctx, g: g * ctx.saved_tensors[0].cos() * (factor if g.dtype == T.float32 else 1.0),
    )  # fmt: skip


forms("wrong in float32 alone", lambda T: single_only(T, 1.1), X, WRONG, says="in float32")
forms("right in float32 too", lambda T: single_only(T, 1.0), X, RIGHT)


def asserting(T):
    def fn(x):
        assert x.dtype == T.float32, "float32 only"
        return (x * x).sum()

    return fn


forms("takes float32 alone", asserting, X, RIGHT, factor=1.5, says="Compared in float32")
