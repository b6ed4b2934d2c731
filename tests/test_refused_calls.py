"""Calls that PyTorch refuses, by kind, and what it makes of memory that several elements share: each found by the fuzzer."""

import itertools
import math

import numpy as np
import pytest
from outcomes import ENGINES, outcome


def spread(t, *shape):
    return t.zeros((1, *shape[1:])).expand(shape)


def encoder(t, layers=1):
    return t.nn.TransformerEncoder(t.nn.TransformerEncoderLayer(4, 2, 6, dropout=0.0), layers, enable_nested_tensor=False)  # fmt: skip


def with_gradients(t, call, *shapes):
    """The result of a call on ones of these shapes, and the gradients of its sum."""
    given = [t.ones(shape, requires_grad=True) for shape in shapes]
    result = call(*given)
    found = t.autograd.grad(result.sum(), given, allow_unused=True)
    return [tuple(result.shape), *([tuple(g.shape), g] if g is not None else None for g in found)]


def walked_twice(t, first, second):
    """Two backward passes over y = eˣ, of which the first or the second asks for the gradient of y only."""
    x = t.ones(2, requires_grad=True)
    y = x.exp()
    for inputs in (first, second):
        (y + 1).sum().backward(**({"inputs": [y]} if inputs else {}))
    return x.grad


def whole_products(t, name, d, **numbers):
    """The product of whole numbers, added to others, of a function of the kind of addmm."""
    shapes = {
        "addmm": ((2, 2), (2, 3), (3, 2)), "addmv": ((2,), (2, 3), (3,)), "addr": ((2, 3), (2,), (3,)),
        "addbmm": ((2, 2), (4, 2, 3), (4, 3, 2)), "baddbmm": ((4, 2, 2), (4, 2, 3), (4, 3, 2)),
    }  # fmt: skip
    given = [(t.arange(math.prod(shape)).reshape(shape) * 7 % 90).to(getattr(t, d)) for shape in shapes[name]]
    result = getattr(t, name)(*given, **numbers)
    return [str(result.dtype).rpartition(".")[2], result]


def in_place_gradients(t, name):
    """The gradients of both tensors of a comparison in place."""
    x, y = (t.tensor(values, requires_grad=True) for values in ([1.0, 2.0], [1.5, 2.0]))
    return [g + 0 for g in t.autograd.grad(getattr(x * 1, name)(y).sum(), [x, y])]


def product_gradients(t, name, zeros, included):
    """The gradients of products of the elements that go to one place, of which so many are 0."""
    src = {"no zero": [2.0, 3.0, 5.0], "one zero": [0.0, 3.0, 5.0], "two zeros": [0.0, 0.0, 5.0]}.get(
        zeros, [2.0, 3.0, 5.0]
    )
    x = t.tensor([0.0 if zeros == "a zero in the tensor" else 7.0, 11.0], requires_grad=True)
    source = t.tensor(src, requires_grad=True)
    result = getattr(t, name)(x, 0, t.tensor([0, 0, 1]), source, "prod", include_self=included)
    return [result.detach(), *t.autograd.grad(result.sum(), [x, source])]


def stepped(t, name, **options):
    """A parameter after a step of this optimizer."""
    p = t.ones(2, requires_grad=True)
    optimizer = getattr(t.optim, name)([p], **options)
    (p * p).sum().backward()
    optimizer.step()
    return t.round(p * 1000)


def asgd_rate(t, foreach, lr):
    """The rate that ASGD keeps after three steps, to its last bit: with foreach it is computed in float32."""
    p = t.ones(3, dtype=t.float64, requires_grad=True)
    optimizer = t.optim.ASGD([p], lr=lr, lambd=0.02, foreach=foreach)
    for _ in range(3):
        p.grad = t.ones(3, dtype=t.float64)
        optimizer.step()
    return optimizer.state[p]["eta"].item()


def twice(t, d, name, **options):
    """A parameter of this type after two steps along a gradient of ones."""
    p = t.ones(2, dtype=d, requires_grad=True)
    optimizer = getattr(t.optim, name)([p], **options)

    def loss():
        p.grad = t.ones(2, dtype=d)
        return p.detach().sum()

    for _ in range(2):
        loss()
        optimizer.step(loss)
    return p


def named_so(t, name, alias, *more):
    """The function of a matrix that is given by this name, and of the rest by the names that they have."""
    function = t
    for part in name.split("."):
        function = getattr(function, part)
    last = name.rpartition(".")[2]
    given = {"layer_norm": "normalized_shape", "rms_norm": "normalized_shape", "group_norm": "num_groups", "pad": "pad",
             "linear": "weight", "softmax": "dim"}.get(last, "kernel_size")  # fmt: skip
    if last == "linear":
        more = (t.ones(2, 2),)
    return [tuple(x.shape) for x in [function(**{alias: t.ones(2, 2, 2)}, **dict(zip([given], more, strict=False)))]]


def started(t, name, given):
    """The first values that a function of nn.init gives to float64, to their last bits."""
    return getattr(t.nn.init, name)(t.zeros(4, 3, dtype=t.float64), **given)


def adafactor(t, d, shape, eps):
    """A parameter after a step, to three digits."""
    p = t.ones(shape, dtype=getattr(t, d), requires_grad=True)
    optimizer = t.optim.Adafactor([p], eps=eps)
    (p * p).sum().backward()
    optimizer.step()
    return [f"{x:.3g}" for x in p.detach().reshape(-1).tolist()]


def without_indices(t, name, shape, index, d, dim, src):
    """What an index without elements reads or leaves, and the gradient."""
    name, _, how = name.partition(" ")
    more = [t.ones(3, dtype=getattr(t, src))] * (name != "gather") if how != "value" else [2.0]
    more += ["sum"] * (name == "scatter_reduce")
    x = t.ones(shape, requires_grad=how != "reduce")
    out = getattr(t, name)(x, dim, t.zeros(index, dtype=getattr(t, d)), *more, **({"reduce": "add"} if how == "reduce" else {}))  # fmt: skip
    return [tuple(out.shape), out, t.autograd.grad(out.sum(), x)[0] if how != "reduce" else None]


def shapes_of_matrices(t, name, matrix, shape):
    """The shapes of a distribution with this matrix of ones."""
    first = t.ones(shape[-1]) if name == "MultivariateNormal" else t.tensor([3.5])
    made = getattr(t.distributions, name)(first, **{matrix: t.ones(shape)})
    return [tuple(made.batch_shape), tuple(made.event_shape)]


def tangent_gradient(t, name, given):
    """The derivative of x² along a tangent of this type at a float64 point, and its gradient for the tangent."""
    x, along = t.tensor([1.0, 3.0], dtype=t.float64), t.tensor([0.5, 2.0], dtype=getattr(t, given), requires_grad=True)
    if name == "jvp":
        found = t.func.jvp(lambda x: x * x, (x,), (along,))[1]
    else:
        found = t.func.linearize(lambda x: x * x, x)[1](along)
    (gradient,) = t.autograd.grad(found.sum(), along)
    return [*listed_with_type(found), *listed_with_type(gradient)]


def listed_with_type(x):
    return [str(x.dtype).rpartition(".")[2], x]


def written(x, key, value):
    """x after `x[key] = value`."""
    x[key] = value
    return x


def flat_gradient(t, call, x):
    """Whether the result wants a gradient, and to two digits which it gets."""
    y = call(t, x)
    return [
        y.requires_grad,
        repr(y.grad_fn) != "",
        *([f"{g:.2g}" for g in t.autograd.grad(y.sum(), x)[0].tolist()] if y.requires_grad else ()),
    ]


def histogram_gradients(t, what):
    """Of both results whether they want a gradient, and what comes of asking for it."""
    x = t.tensor([1.0, 2.0, 3.0], requires_grad=True)
    weight = {"weight": x} if what == "weight" else {}
    found = t.histogram(x if what == "input" else t.ones(3), x if what == "bins" else 5, **weight)
    return [(y.requires_grad, outcome(lambda t, y=y: t.autograd.grad(y.sum(), x), t)) for y in found]


def spaced(t, kind, n):
    """The distance of n samples, as a number or a tensor, or their places."""
    return {"number": 1.5, "tensor": t.tensor(1.5), "places": t.arange(n) * 1.5}[kind]


def of_overload(t, name, how, second, options):
    """What one of several functions of a name gives, chosen by what stands second, in its place or by a name."""
    second = {
        "an int of no dimensions": t.tensor(1), "a float of no dimensions": t.tensor(1.5), "a vector": t.tensor([1.0, 2.0])
    }.get(second, second)  # fmt: skip
    x = t.tensor([[1.0, 2.0], [3.0, 0.0]])
    owner, _, name = name.rpartition(".")
    first = () if owner else (x,)
    function = getattr(x if owner else t, name)
    if isinstance(second, str):  # nothing
        return function(*first, **options)
    return (
        function(*first, second, **options) if how == "in its place" else function(*first, **{how: second}, **options)
    )


# What names the places that are written, and may lie on the written memory: by name a function of a tensor of indices or of truths.
OVERLAPS = {
    "index_fill_": lambda t, x, places: x.index_fill_(0, places, 0),
    "index_fill_ by names": lambda t, x, places: x.index_fill_(dim=0, index=places, value=0),
    "masked_fill_": lambda t, x, places: x.masked_fill_(places, 0),
    "masked_fill_ by names": lambda t, x, places: x.masked_fill_(mask=places, value=0),
    "index_put_ of one": lambda t, x, places: x.index_put_((places,), t.zeros((), dtype=x.dtype)),
    "index_put_ of a list": lambda t, x, places: x.index_put_([places], t.zeros((1,), dtype=x.dtype)),
    "index_put_ added": lambda t, x, places: x.index_put_((places,), t.zeros((), dtype=x.dtype), True),
    "index_put_ of several": lambda t, x, places: x.index_put_((places,), t.zeros(places.shape, dtype=x.dtype)),
    "a number set": lambda t, x, places: written(x, places, 0),
    "one set": lambda t, x, places: written(x, places, t.zeros((), dtype=x.dtype)),
    "several set": lambda t, x, places: written(x, places, t.zeros(places.shape, dtype=x.dtype)),
}


CALLS = {
    "eye_ of spread memory": lambda t: t.nn.init.eye_(spread(t, 4, 4)),
    "dirac_ of spread memory": lambda t: t.nn.init.dirac_(spread(t, 4, 3, 2)),
    "orthogonal_ of spread memory": lambda t: t.nn.init.orthogonal_(spread(t, 4, 4)),
    "constant_ of spread memory": lambda t: t.nn.init.constant_(spread(t, 4, 4), 2.0),
    "a mask for a size": lambda t: t.Size((t.tensor([True, False]), 3)),
    "a float for a size": lambda t: t.Size((2.0, 3)),
    "a tensor for a size": lambda t: tuple(t.Size((t.tensor(2), True))),
    "an array for a tensor": lambda t: t.rsub(t.ones(2), np.ones(2)),
    "None for a bound": lambda t: t.randint_like(t.ones(2), 10, None),
    "a bound by its name": lambda t: t.randint_like(t.ones(2), high=10),
    "no bound": lambda t: t.randint_like(t.ones(2)),
    "a number and a tensor of tolerances": lambda t: t.linalg.pinv(t.ones(3, 2, 2), atol=0.1, rtol=t.ones(3)),
    "tolerances of another batch": lambda t: t.linalg.pinv(t.ones(3, 2, 2), rtol=t.ones(2)),
    "a truth for degrees of freedom": lambda t: t.distributions.Wishart(t.tensor(True), scale_tril=t.ones(1, 1)),
    "a negative batch": lambda t: t.distributions.Multinomial(4, t.ones(2)).expand((-2,)),
    "a negative sample": lambda t: t.distributions.LogNormal(0.0, 1.0).sample((-2,)),
    "a probability below 0": lambda t: t.distributions.ContinuousBernoulli(probs=-0.5).probs,
    "a probability below 0, checked": lambda t: t.distributions.ContinuousBernoulli(probs=-0.5, validate_args=True),
    "a value by another name": lambda t: t.distributions.MixtureSameFamily(
        t.distributions.Categorical(t.ones(2)), t.distributions.Normal(t.zeros(2), t.ones(2))
    ).log_prob(value=t.ones(1)),
    "a slope below 0, at -0": lambda t: 1 / t.nn.functional.elu(t.tensor([-0.0, 0.0]), -0.5),
    "the node of a target, then all": lambda t: walked_twice(t, True, False),
    "all, then the node of a target": lambda t: walked_twice(t, False, True),
    "one size for two": lambda t: t.nn.ConvTranspose2d(2, 2, 3)(t.ones(1, 2, 3, 3), (5,)),
    "a number for sizes": lambda t: t.nn.ConvTranspose2d(2, 2, 3)(t.ones(1, 2, 3, 3), 5),
    "one padding for two": lambda t: t.nn.MaxUnpool2d(2, padding=(0,))(t.ones(1, 1, 2, 2), t.zeros(1, 1, 2, 2).long()),
    "a negative kernel": lambda t: t.nn.MaxUnpool1d(-2)(t.ones(1, 1, 2), t.zeros(1, 1, 2).long()),
    "a stride of more than 64 bits": lambda t: t.ones(3).as_strided((2,), (2**63,)),
    "an index of 32 bits": lambda t: t.put(t.ones(3), t.tensor([1], dtype=t.int32), t.ones(1)),
    "channels for which there is no weight": lambda t: t.nn.InstanceNorm2d(2, affine=True)(t.ones(1, 3, 2, 2)),
    "an encoder without layers": lambda t: encoder(t, 0)(t.ones(3, 2, 4)),
    "a dimension that is not there": lambda t: t.nn.utils.parametrizations.weight_norm(t.nn.Linear(3, 2), dim=7),
    "a word for a mask": lambda t: t.nn.MultiheadAttention(4, 2)(*[t.ones(3, 2, 4)] * 3, attn_mask="nonsense"),
    "a number for a generator": lambda t: list(t.utils.data.RandomSampler([1, 2], generator=3)),
    "a number for a loader's generator": lambda t: list(t.utils.data.DataLoader([1, 2], generator=3)),
    "a number for a splitter's generator": lambda t: t.utils.data.random_split([1, 2], [1, 1], generator=3),
    "an eps that float32 does not hold": lambda t: t.nn.CosineSimilarity(eps=1e300)(t.ones(2, 2), t.ones(2, 2)),
    "a floor that float32 does not hold": lambda t: t.nn.functional.normalize(t.ones(2, 2), eps=1e300),
    "None for the only size": lambda t: t.nn.functional.adaptive_avg_pool1d(t.ones(1, 2, 4), [None]),
    "a matrix of whole numbers": lambda t: t.svd_lowrank(t.ones(3, 3), 1, M=t.ones(3, 3, dtype=t.int8)),
    "more padding than there is memory": lambda t: t.nn.ReplicationPad3d(2**62)(t.ones(2, 3, 3, 4, 3)),
    "a dictionary for modules": lambda t: t.nn.Sequential({"1": t.nn.ReLU()}),
    "a dtype for a buffer": lambda t: t.nn.Buffer(t.bool),
    "truths divided": lambda t: t.div(t.tensor(True), t.tensor(True), rounding_mode="trunc"),
    "half precision": lambda t: t.cdist(t.ones(2, 3).half(), t.ones(2, 3).half()),
    "a batch of no samples": lambda t: t.nn.InstanceNorm1d(3, affine=True)(t.ones(0, 3, 4)),
    "a size and a size that is None": lambda t: t.ones((5,), size=None),
    "None for a size": lambda t: t.randn(size=None),
    "a start by its name, and no end": lambda t: t.arange(start=5),
    "a start by its name, and an end": lambda t: t.arange(end=7, start=5),
    "a step without a start": lambda t: t.arange(5, step=2),
    "None for a start": lambda t: t.arange(None, 3),
    "tensors for a start": lambda t: t.arange(start=t.ones(2), end=3),
    "a first value that float32 does not hold": lambda t: t.linspace(1e40, 3.0, 1),
    "a last value that is not reached": lambda t: t.linspace(3.0, 1e40, 1),
    "a power that bytes do not hold": lambda t: t.logspace(300, 3.0, 3, dtype=t.uint8),
    "a matrix's dimension that is not there": lambda t: t.linalg.matrix_norm(t.ones(4, 3, 2), "fro", (-100, 0)),
    "reflections of -0": lambda t: t.geqrf(t.tensor([[-0.0], [2.0], [0.5]]))[0].sign(),
    "an orthogonal matrix of halves": lambda t: t.nn.init.orthogonal_(t.ones(4, 3).half()),
    "a jacobian of what is no square": lambda t: t.distributions.CorrCholeskyTransform().log_abs_det_jacobian(
        t.ones(2, 3), t.ones(3, 2)
    ),
    "the memory by its name": lambda t: t.is_storage(obj=t.ones(2)),
    "a matrix by the name of its operator": lambda t: (
        t.linalg.cond(input=t.eye(2)),
        t.linalg.matrix_rank(input=t.eye(2)),
    ),
    **{
        f"an array for a tensor of {name}": call
        for name, call in {
            "LayerNorm": lambda t: t.nn.LayerNorm(4)(np.ones((2, 4), np.float32)),
            "PReLU": lambda t: t.nn.PReLU()(np.ones((2, 4), np.float32)),
            "GRU": lambda t: t.nn.GRU(4, 2)(np.ones((2, 4), np.float32)),
            "MultiheadAttention": lambda t: t.nn.MultiheadAttention(4, 2)(
                *[t.ones(3, 2, 4)] * 3, np.ones((2, 3), np.float32)
            ),
            "TransformerEncoderLayer": lambda t: t.nn.TransformerEncoderLayer(4, 2, 6)(
                t.ones(3, 2, 4), src_key_padding_mask=np.ones((2, 3), np.float32)
            ),
            "parameters_to_vector": lambda t: t.nn.utils.parameters_to_vector([np.ones(3)]),
        }.items()
    },
    "a layout for a number": lambda t: t.eye(3).fill_diagonal_(t.strided),
    "no reflections": lambda t: with_gradients(t, t.linalg.householder_product, (3, 3), (0,)),
    "reflections of no columns": lambda t: with_gradients(t, t.linalg.householder_product, (3, 0), (0,)),
    "a product with no reflections": lambda t: with_gradients(t, t.ormqr, (3, 0), (0,), (3, 2)),
    "patches of no channels": lambda t: t.nn.functional.unfold(t.ones(1, 0, 3, 3), 2),
    "patches of no places": lambda t: t.nn.functional.unfold(t.ones(2, 2, 0, 3), 2, padding=1),
    "images of no columns": lambda t: t.nn.functional.fold(t.ones(1, 0, 4), (3, 3), 2),
    "images of no patches": lambda t: t.nn.functional.fold(t.ones(1, 8, 0), (3, 3), 2),
    "features of which there are none": lambda t: t.nn.functional.bilinear(t.ones(2, 3), t.ones(2, 0), t.ones(4, 3, 0)),
    **{
        f"a convolution of no channels, {name}": lambda t, name=name, s=s: with_gradients(
            t, getattr(t, name), (2, 0, *s), (2, 0, *(2,) * len(s)), (2,)
        )
        for name, s in (("conv1d", (3,)), ("conv2d", (3, 3)), ("conv3d", (3, 3, 3)))
    },
    **{
        f"a norm {norm!r} of {given} in {wanted}": lambda t, norm=norm, given=given, wanted=wanted: (
            t.linalg.matrix_norm(
                t.tensor([[1, 2], [3, 4]], dtype=getattr(t, given)), norm, dtype=wanted and getattr(t, wanted)
            )
        )
        for norm in ("fro", 1, 2)
        for given in ("float16", "float32", "int64")
        for wanted in (None, "float16", "float32", "int32")
    },
    **{
        f"{name} of nan": lambda t, name=name: getattr(t.nn, name)(math.nan)(t.ones(2, 3, 4))
        for name in ("Dropout", "Dropout1d", "AlphaDropout", "FeatureAlphaDropout")
    },
    # -- found by the sweep over all arguments of all names
    **{
        f"{name} of two numbers": lambda t, name=name: getattr(t, name)(2, 3)
        for name in (
            "pow",
            "float_power",
            "remainder",
            "xlogy",
            "bitwise_and",
            "bitwise_or",
            "bitwise_xor",
            "bitwise_left_shift",
            "bitwise_right_shift",
            "add",
            "sub",
            "mul",
            "div",
            "floor_divide",
        )
    },
    **{
        f"{name} with unbiased=None, {options}": lambda t, name=name, options=options: getattr(t, name)(
            t.tensor([[1.0, 2.0]]), unbiased=None, **options
        )
        for name in ("std", "var", "std_mean", "var_mean")
        for options in ({}, {"dim": -1}, {"correction": 0})
    },
    **{
        f"{name} of {d} by {number}": lambda t, name=name, d=d, number=number: whole_products(t, name, d, **number)
        for name in ("addmm", "addmv", "addr", "addbmm", "baddbmm")
        for d in ("uint8", "int64", "bool")
        for number in ({"alpha": 0.5}, {"beta": 1.5}, {"alpha": 2}, {"beta": 0, "alpha": 1})
    },
    **{
        f"{name}{a} in {d}": lambda t, name=name, a=a, d=d: getattr(t, name)(*a, dtype=getattr(t, d))
        for name in ("arange", "range")
        for a in ((-3, -0.551, 1), (0, 5, 1.5), (3.9, 0.1, -1.5))
        for d in ("int32", "int64", "uint8", "float32", "bool")
    },
    "half a step in whole numbers": lambda t: t.arange(0, 5, 0.5, dtype=t.int64),
    "an end that is infinite": lambda t: t.arange(0, math.inf),
    **{
        f"a sequence for the tensors of {name}": lambda t, name=name: list(
            getattr(t, name)([t.ones(2, 2), t.ones(2, 2)])
        )
        for name in ("block_diag", "broadcast_tensors", "cartesian_prod", "chain_matmul", "atleast_1d")
    },
    **{f"no tensors for {name}": lambda t, name=name: getattr(t, name)() for name in ("meshgrid", "chain_matmul")},
    **{
        f"one number for both sizes: {name}={[n]}": lambda t, name=name, n=n: t.nn.functional.unfold(
            t.ones(1, 1, 4, 4), **{"kernel_size": 2, name: [n]}
        )
        for name, n in (("kernel_size", 2), ("dilation", 1), ("padding", 0), ("stride", 1))
    },
    **{
        f"a norm of order {order!r} over {dim} of {len(shape)} dimensions": lambda t, order=order, dim=dim, shape=shape: (
            t.linalg.norm(t.ones(shape), order, dim)
        )
        for order in (None, 2, "nuc", "fro")
        for dim in (None, (), (0, 1, 2))
        for shape in ((), (2,), (2, 3), (2, 3, 4))
    },
    **{
        f"the condition of {shape} by {p}": lambda t, shape=shape, p=p: t.round(
            t.linalg.cond(t.ones(shape).tril(), p) * 1000
        )
        for shape in ((0, 0), (2, 0, 0), (0, 2, 2), (2, 3))
        for p in (None, "nuc", "fro", 1)
    },
    **{
        f"{mode} padding by {by}": lambda t, mode=mode, by=by: t.nn.functional.pad(
            t.arange(6.0).reshape(1, 2, 3), by, mode
        )
        for mode in ("circular", "reflect", "replicate", "constant")
        for by in ((-1, 1), (1, -1), (-1, 2), (-4, 4))
    },
    **{
        f"{name} of {d}, dilated": lambda t, name=name, d=d, n=n: getattr(t, name)(
            t.ones((1, 2, *(5,) * n)).to(getattr(t, d)), t.ones((2, 2, *(2,) * n)).to(getattr(t, d)), dilation=2
        )
        for n, name in enumerate(("conv1d", "conv2d", "conv3d"), 1)
        for d in ("uint8", "int8", "int16", "int32", "int64")
    },
    **{
        f"{name} of a float32 by 1e300": lambda t, name=name: getattr(t.nn.functional, name)(t.ones(2), 1e300)
        for name in ("elu_", "celu_", "leaky_relu_", "elu", "celu", "leaky_relu")
    },
    **{
        f"{name} passes its other tensor a gradient": lambda t, name=name: in_place_gradients(t, name)
        for name in ("eq_", "ne_", "lt_", "le_", "gt_", "ge_", "not_equal_", "less_", "greater_equal_")
    },
    **{
        f"{name} with differentiable={given}": lambda t, name=name, given=given: stepped(t, name, differentiable=given)
        for name in (
            "SGD",
            "Adam",
            "AdamW",
            "RMSprop",
            "Adagrad",
            "Adadelta",
            "Adamax",
            "NAdam",
            "RAdam",
            "Rprop",
            "ASGD",
        )
        for given in (None, 0, 2)
    },
    **{
        f"{name}, bidirectional={given}": lambda t, name=name, given=given: (
            getattr(t.nn, name)(2, 3, bidirectional=given)(t.ones(1, 1, 2))[0].shape
        )
        for name in ("RNN", "LSTM", "GRU")
        for given in (2, -1, None, 0)
    },
    **{
        f"{name} with argnums={given}": lambda t, name=name, given=given: getattr(t.func, name)(
            lambda x, y: (x * y).sum(), argnums=given
        )(t.ones(2), t.ones(2))
        for name in ("grad", "jacrev", "grad_and_value")
        for given in ((-1, 1), (), [0], (0, 1))
    },
    **{
        f"vmap over {given}": lambda t, given=given: t.vmap(lambda x: x * 2, given)(t.ones(2, 3))
        for given in (True, (True,), [0], (0,), -1)
    },
    "a mapped result without a dimension": lambda t: t.vmap(lambda x: x * 2, 0, None)(t.arange(6.0).reshape(2, 3)),
    **{
        f"gradients of {name} with {zeros} and include_self={included}": lambda t, name=name, zeros=zeros, included=included: (
            product_gradients(t, name, zeros, included)
        )
        for name in ("scatter_reduce", "index_reduce")
        for zeros in ("no zero", "one zero", "two zeros", "a zero in the tensor")
        for included in (True, False)
    },
    "alpha left out": lambda t: t.hamming_window(4, True, beta=0.5),
    "None for a reduction": lambda t: t.scatter(t.zeros(3), 0, t.tensor([0, 1]), 1.5, reduce=None),
    "a list of scales": lambda t: t.nn.Upsample(scale_factor=[2.0, 2.0])(t.ones(1, 1, 2, 2)),
    "a running sum in another type": lambda t: t.ones(2).cumsum_(0, dtype=t.float64),
    "whole numbers ranked": lambda t: t.nn.functional.margin_ranking_loss(
        *[t.tensor([0, 3, -1])] * 3, reduction="none"
    ),
    "infinite alpha, at 0": lambda t: t.nn.functional.elu(t.tensor([0.0, 2.0]), math.inf),
    "a roll along no dimension": lambda t: t.roll(t.tensor(1.0), 2, dims=0),
    "a kernel without a middle": lambda t: t.nn.init.dirac_(t.ones(4, 3, 0)),
    "runs along no dimension": lambda t: t.unique_consecutive(t.tensor(1.0), dim=0),
    "a weight without kernel": lambda t: tuple(
        t.nn.utils.fuse_conv_bn_weights(t.ones(1), None, *[t.ones(3)] * 2, 1e-5, *[t.ones(3)] * 2)[0].shape
    ),
    "a buffer that wants a gradient": lambda t: t.nn.Buffer(t.ones(2, requires_grad=True)).requires_grad,
    "no betas": lambda t: t.optim.Adam([t.ones(2, requires_grad=True)], betas=()),
    "truths added up": lambda t: t.addcmul(*[t.tensor([True])] * 3),
    **{
        f"Adafactor of {d} {shape} with eps={eps}": lambda t, d=d, shape=shape, eps=eps: adafactor(t, d, shape, eps)
        for d in ("float32", "float64")
        for shape in ((2,), (2, 3))
        for eps in ((2**40, 1e-3), (2**63, 1), (1e20, 1e-3), (1e40, 1e-3), (1e200, 1e-3), (None, 2**40), (None, 1e300))
    },
    **{
        f"torch.norm by {p!r} over {dim} of {shape}": lambda t, p=p, dim=dim, shape=shape: [
            t.norm(t.ones(shape) * 2, p, dim, keepdim=True),
            t.norm(t.ones(shape) * 2, p, dim),
        ]
        for p in ("nuc", "fro", "nonsense")
        for dim in (None, 0, (), (0,), (0, 1), [1, 0], (0, 0), (0, 1, 2), (-1, 5))
        for shape in ((), (2,), (2, 3), (2, 0), (2, 3, 4))
    },
    **{
        f"torch.norm by 'nuc' of {d} in {wanted}": lambda t, d=d, wanted=wanted: listed_with_type(
            t.norm(t.ones(2, 2).to(getattr(t, d)), "nuc", dtype=wanted and getattr(t, wanted))
        )
        for d in ("float16", "float32", "int64")
        for wanted in (None, "float64", "float16", "int32")
    },
    "torch.norm by 'nuc' as a method": lambda t: t.ones(2, 2).norm("nuc"),
    "torch.norm by 'nuc' into out": lambda t: t.norm(t.ones(2, 2), "nuc", (0, 1), True, out=t.zeros(0)),
    **{
        f"the angle of {a} and {b}, eps={eps}": lambda t, a=a, b=b, eps=eps: listed_with_type(
            t.nn.functional.cosine_similarity(
                t.tensor([[3.0, 4.0], [1.0, 0.0]]).to(getattr(t, a)),
                t.tensor([[0.0, 5.0], [2.0, 0.0]]).to(getattr(t, b)),
                eps=eps,
            )
        )
        for a in ("float16", "float32", "float64", "int64", "bool")
        for b in ("float16", "float32", "float64", "int64", "bool")
        for eps in (1e-8, 1e6, 1e300)
    },
    **{
        f"the density of {trials} trials that are sure, {how}": lambda t, trials=trials, how=how: (
            lambda d: [d.log_prob(t.tensor([0.0, 1.0])), d.entropy()]
        )(t.distributions.Binomial(trials, **how))
        for trials in (1, 2)
        for how in ({"probs": True}, {"probs": 1}, {"probs": False})
    },
    **{
        f"{name} of {shape} with no indices {index}": lambda t, name=name, shape=shape, index=index: [
            outcome(lambda t, more=more: without_indices(t, name, shape, index, *more), t)
            for more in itertools.product(("int64", "float32"), (0, -2, 5), ("float32", "float64"))
        ]
        for name in ("gather", "scatter", "scatter value", "scatter_add", "scatter_reduce", "scatter reduce")
        for shape in ((), (2,), (2, 3), (0, 3))
        for index in ((0,), (0, 3), (2, 0), (1, 0, 2))
    },
    **{
        f"{name} of a {matrix} {shape}": lambda t, name=name, matrix=matrix, shape=shape: shapes_of_matrices(
            t, name, matrix, shape
        )
        for name in ("Wishart", "MultivariateNormal")
        for matrix in ("covariance_matrix", "precision_matrix", "scale_tril")
        for shape in ((2, 0), (0, 2), (0, 0), (2, 3), (2, 2, 0), (0, 2, 2), (2, 0, 0), (1, 1), (2, 1, 1))
    },
    "degrees of freedom of another batch": lambda t: t.distributions.Wishart(t.ones(3) * 4, t.eye(2).expand(2, 2, 2)),
    **{
        f"the {way} of a reshaped {name}": lambda t, way=way, shape=shape: tuple(
            getattr(t.distributions.ReshapeTransform((2, 3), (6,)), way)(shape(t) if callable(shape) else shape)
        )
        for way in ("forward_shape", "inverse_shape")
        for name, shape in {
            "tuple": (4, 2, 3),
            "list": [2, 3],
            "tuple of floats": (5, 2.0, 3.0),
            "flat tuple": (5, 6.0),
            "flat list": [5, 6],
            "word": "nonsense",
            "None": (None, 3),
            "tuple of words": ("2", 3),
            "number": 3,
            "dictionary": {},
            "empty tuple": (),
            "tensor": lambda t: t.ones(2, 3),
            "tensor of sizes": lambda t: t.tensor([2, 3]),
            "Size": lambda t: t.Size((4, 2, 3)),
            "float before it": (1.5, 2, 3),
        }.items()
    },
    **{
        f"without a dimension: {what} of {given}": lambda t, f=f, given=given: t.vmap(lambda x: f(t, x), 0, None)(
            {"the same": t.ones(2, 3), "one": t.ones(1, 3), "other": t.arange(6.0).reshape(2, 3), "none": t.ones(0, 3)}[
                given
            ]
        )
        for given in ("the same", "one", "other", "none")
        for what, f in {
            "itself": lambda t, x: x,
            "a multiple": lambda t, x: x * 2,
            "nothing": lambda t, x: x * 0,
            "a sum in place": lambda t, x: x.add_(1).sum(),
            "another tensor": lambda t, x: t.arange(3.0),
            "a number": lambda t, x: 3,
        }.items()
    },
    "one of two without a dimension": lambda t: t.vmap(lambda x: (x * 2, t.ones(2)), 0, (0, None))(t.ones(2, 3)),
    "the other one without a dimension": lambda t: t.vmap(lambda x: (x * 2, t.ones(2)), 0, (None, 0))(t.ones(2, 3)),
    "what was written into, without a dimension": lambda t: [
        x := t.ones(2, 3),
        outcome(lambda t: t.vmap(lambda x: x.add_(1), 0, None)(x), t),
    ],
    **{
        f"the gradient of a tangent of {given} of {name}": lambda t, name=name, given=given: tangent_gradient(
            t, name, given
        )
        for name in ("jvp", "linearize")
        for given in ("float16", "float32", "float64")
    },
    **{
        f"linearize along {what}": lambda t, tangent=tangent: t.func.linearize(lambda x: x * x, t.ones(2))[1](
            tangent(t)
        )
        for what, tangent in {
            "another size": lambda t: t.ones(3),
            "a size more": lambda t: t.ones(1, 2),
            "a number": lambda t: 2.0,
            "whole numbers": lambda t: t.ones(2).long(),
            "doubles": lambda t: t.ones(2).double(),
            "its type": lambda t: t.ones(2),
        }.items()
    },
    **{
        f"batch norm, training={training}, eps={eps}": lambda t, training=training, eps=eps: t.isnan(
            t.nn.functional.batch_norm(t.ones(4, 3), t.zeros(3), t.ones(3), training=training, eps=eps)
        )
        for training in (True, False)
        for eps in (0.0, -0.0, -1e-3, math.nan, 1e-5)
    },
    # -- found by more of both
    **{
        f"{name} of {d} at {where}": lambda t, call=call, d=d, part=part: call(
            t, x := t.ones(3, 3).to(getattr(t, d)), part(x)
        )
        for name, call in OVERLAPS.items()
        for d in ("int64", "bool", "uint8")
        for where, part in {
            "itself": lambda x: x,
            "a row of itself": lambda x: x[0],
            "an element of itself": lambda x: x[0, 0],
            "itself turned": lambda x: x.t(),
            "a copy of a row": lambda x: x[0].clone(),
        }.items()
    },
    **{
        f"a number set at {where}": lambda t, part=part: written(x := t.arange(4).reshape(2, 2), part(x), 5)
        for where, part in {
            "places of the other": lambda x: (1, x[0]),
            "places of its own": lambda x: (0, x[0]),
            "places of all": lambda x: (x[0], x[1] - 2),
            "an element": lambda x: (x[0, 1], x[0]),
        }.items()
    },
    **{
        f"{what} where a {d} without dimensions is {n}": lambda t, call=call, d=d, n=n: call(
            t, t.arange(1.0, 10.0, requires_grad=True).reshape(3, 3), t.tensor(n, dtype=getattr(t, d))
        )
        for what, call in {
            "elements": lambda t, x, k: (tuple(x[k].shape), x[k]),
            "elements of a row": lambda t, x, k: (tuple(x[1, k].shape), x[1, k]),
            "elements of columns": lambda t, x, k: (tuple(x[:, k].shape), x[:, k]),
            "a gradient": lambda t, x, k: t.autograd.grad((x[k] ** 2).sum(), x),
            "a number set": lambda t, x, k: written(x * 1, k, 5.0),
            "a row set": lambda t, x, k: written(x * 1, k, t.ones(3)),
            "index_put": lambda t, x, k: None if k.dtype in (t.bool, t.uint8) else x.index_put((k,), t.ones(3)),
            "index_put of one": lambda t, x, k: x.index_put((k,), t.tensor(2.0)),
        }.items()
        for d in ("uint8", "int8", "int16", "int32", "int64", "bool", "float32")
        for n in (0, 1, 2)
    },
    **{
        f"{name} of the {transformed} at {value!r}, validate_args={validated}": lambda t, name=name, transformed=transformed, value=value, validated=validated: (
            t.round(
                getattr(getattr(t.distributions, transformed)(0.5, 2.0, validate_args=validated), name)(value) * 1000
            )
        )
        for name in ("cdf", "icdf")
        for transformed in ("Gumbel", "Pareto", "Weibull", "LogNormal", "Kumaraswamy")
        for value in (0, 0.5, True, None, "nonsense")
        for validated in (None, False)
    },
    **{
        f"an embedding of {shape} at {at}, padding_idx={padding}": lambda t, shape=shape, at=at, padding=padding: (
            t.nn.functional.embedding(t.tensor(at), t.ones(shape), padding)
        )
        for shape in ((), (3,), (3, 2), (3, 2, 2), (0, 2))
        for at in ([0], [7], [0.0], [])
        for padding in (None, 0, 2, 7, -3, -4)
    },
    **{
        f"{name} with {how}={second!r}, {options}": lambda t, name=name, how=how, second=second, options=options: (
            of_overload(t, name, how, second, options)
        )
        for name in ("max", "min", "Tensor.max", "var", "Tensor.std", "var_mean")
        for how in ("in its place", "dim", "other", "unbiased")
        for second in ("nothing", None, 0, True, "an int of no dimensions", "a float of no dimensions", "a vector")
        for options in ({}, {"keepdim": False}, {"keepdim": True}, {"keepdim": None})
    },
    **{
        f"{room}.{name} {how}": lambda t, room=room, name=name, given=given, named=named: getattr(
            t.nn.functional if room == "functional" else t, name
        )(t.arange(16.0).reshape(1, 4, 4), 2, *given, **named)
        for room in ("torch", "functional")
        for name in ("max_pool1d", "max_pool2d")
        for how, given, named in (
            ("with indices", (), {"return_indices": True}),
            ("without indices", (), {"return_indices": False}),
            ("with indices in their place", (2, 0, 1, False, True), {}),
            ("with all sizes", (2, 0, 1, True), {}),
        )
    },
    **{
        f"the gradient of {name} of {d}, {n} elements": lambda t, call=call, d=d, n=n: flat_gradient(
            t, call, t.tensor([0.5, 0.75, 0.25][:n], dtype=getattr(t, d), requires_grad=True)
        )
        for name, call in {
            "bernoulli": lambda t, x: t.bernoulli(x),
            "bernoulli by a number": lambda t, x: t.bernoulli(x, 0.5),
            "the method bernoulli": lambda t, x: x.bernoulli(),
            "normal by mean": lambda t, x: t.normal(x, 1.0),
            "normal by std": lambda t, x: t.normal(0.0, x),
            "normal by both": lambda t, x: t.normal(x, x),
            "poisson": lambda t, x: t.poisson(x),
            "unique": lambda t, x: t.unique(x),
            "unique along a dim": lambda t, x: t.unique(x, dim=0),
            "unique_consecutive": lambda t, x: t.unique_consecutive(x),
            "unique_consecutive along a dim": lambda t, x: t.unique_consecutive(x, dim=0),
            "median": lambda t, x: t.median(x),
            "nanmedian": lambda t, x: t.nanmedian(x),
            "chain_matmul": lambda t, x: t.chain_matmul(x),
            "i0": lambda t, x: t.special.i0(x),
            "i0e": lambda t, x: t.special.i0e(x),
            "i1": lambda t, x: t.special.i1(x),
            "i1e": lambda t, x: t.special.i1e(x),
            "trapezoid": lambda t, x: t.trapezoid(x, x),
            "trapezoid along rows": lambda t, x: t.trapezoid(x.reshape(-1, 1).expand(-1, 2), dim=0),
            "cumulative_trapezoid": lambda t, x: t.cumulative_trapezoid(x),
        }.items()
        for d in ("float16", "float32")
        for n in (3, 0)
    },
    **{
        f"{name}={given}": lambda t, call=call, given=given: call(t, given)
        for name, call in {
            "matrix_rank by tol": lambda t, given: t.linalg.matrix_rank(t.eye(2), tol=given),
            "matrix_rank in its place": lambda t, given: t.linalg.matrix_rank(t.eye(2), given),
            "pinv by rcond": lambda t, given: t.linalg.pinv(t.eye(2), rcond=given),
            "pinv in its place": lambda t, given: t.linalg.pinv(t.eye(2), given, atol=0.1),
            "set_ by size": lambda t, given: t.ones(2).set_(t.ones(3), size=given),
            "set_ by stride": lambda t, given: t.ones(2).set_(t.ones(3), 0, (1,), stride=given),
            "set_ by offset": lambda t, given: t.ones(2).set_(t.ones(3), storage_offset=given),
        }.items()
        for given in (None, 0)
    },
    **{
        f"the histogram of {what}, which wants a gradient": lambda t, what=what: histogram_gradients(t, what)
        for what in ("input", "bins", "weight")
    },
    **{
        f"gradient with the spacing {kinds}": lambda t, kinds=kinds: list(
            t.gradient(
                t.arange(12.0).reshape(3, 4),
                spacing=[spaced(t, kind, n) for kind, n in zip(kinds, (3, 4), strict=True)],
            )
        )
        for kinds in itertools.product(("number", "tensor", "places"), repeat=2)
    },
    **{
        f"{n} of an independent normal, {what}": lambda t, n=n, what=what: getattr(
            t.distributions.Independent(t.distributions.Normal(t.zeros(2, 3), t.ones(2, 3)), n), what
        )(*[t.ones(2, 3)] * (what == "log_prob"))
        for n in (-2, -1, 0, 1, 2, 3)
        for what in ("log_prob", "entropy")
    },
    **{
        f"eps={eps} of Adafactor": lambda t, eps=eps: t.optim.Adafactor([t.ones(2, requires_grad=True)], eps=eps) and 0
        for eps in ((), [1], (None,), (1, 2), (1, 2, 3))
    },
    **{
        f"the way back of a permutation of {d}": lambda t, d=d: t.nn.utils.rnn.invert_permutation(
            t.tensor([2, 0, 1], dtype=getattr(t, d))
        )
        for d in ("int64", "int32", "uint8", "float32")
    },
    **{
        f"a transformer of {tuple(shapes)}": lambda t, shapes=shapes: tuple(
            t.nn.Transformer(4, 2, 1, 1, 6, batch_first=True)(*(t.ones(shape) for shape in shapes)).shape
        )
        for shapes in itertools.product(((), (4,), (2, 4), (2, 3, 4), (0,)), repeat=2)
    },
    **{
        f"a rate that is an int without dimensions for {name}": lambda t, name=name: stepped(t, name, lr=t.tensor(2))
        for name in ("SGD", "ASGD", "Rprop", "Adagrad")
    },
    **{
        f"{name} of {given!r}": lambda t, name=name, given=given: (
            getattr(t, name)(getattr(t, given) if given in ("float16", "int32", "uint8") else given).bits
        )
        for name in ("finfo", "iinfo")
        for given in ("float16", "int32", "uint8", None, float, int, bool, np.float32, np.dtype("int32"), 3, "a word")
    },
    "a matrix as high as wide": lambda t: t.eye(2, None),
    "a number for layers": lambda t: t.utils.checkpoint.checkpoint_sequential(3, 2, t.ones(2), use_reentrant=False),
    **{
        f"{at} selected of {shape} along {dim}": lambda t, shape=shape, at=at, dim=dim: tuple(
            t.index_select(t.ones(shape), dim, t.tensor(at, dtype=t.int64)).shape
        )
        for shape in ((), (0,), (2,), (0, 2), (2, 0), (0, 0), (2, 3))
        for at in (0, [0], [7], [], [-1], [0, 1])
        for dim in ((0, -1, 2) if 0 in shape or len(shape) < 2 else (0, 2))
    },
    **{
        f"{name} of {n} rows, padding_idx={padding}": lambda t, name=name, n=n, padding=padding: tuple(
            getattr(t.nn, name)(n, 2, padding_idx=padding).weight.shape
        )
        for name in ("Embedding", "EmbeddingBag")
        for n in (0, 3)
        for padding in (0, 2, 3, -3, -4)
    },
    **{
        f"index_fill of {given} at {at}, dim={dim}": lambda t, given=given, at=at, dim=dim: t.index_fill(
            t.zeros(3), dim, t.tensor(at), given if isinstance(given, float) else t.tensor(given[0])
        )
        for given in (2.0, [[1.0, 1.0]], [2.0])
        for at in (0, [0], [7], [0.0], [[0]], [[0.0]])
        for dim in (0, 4)
    },
    **{
        f"instance norm, training={training}, eps={eps}": lambda t, training=training, eps=eps: t.isnan(
            t.nn.functional.instance_norm(
                t.arange(12.0).reshape(2, 3, 2),
                t.zeros(3),
                t.tensor([1.0, 0.5, 0.01]),
                use_input_stats=training,
                eps=eps,
            )
        )
        for training in (True, False)
        for eps in (0.0, -1e-3, -0.1, -2.0, math.nan)
    },
    **{
        f"{name} with its tensor by the name {first}": lambda t, name=name, more=more, first=first: getattr(t, name)(
            **{first: t.ones(2)}, **more
        )
        for name, more in {
            "fill_": {"value": 3.0},
            "clamp_": {"min": 2.0},
            "clip_": {"max": 0.5},
            "nan_to_num_": {"nan": 1.0},
            "abs_": {},
        }.items()
        for first in ("input", "self", "x", "a")
    },
    **{
        f"max_unpool{rank}d of {lead + spatial}": lambda t, rank=rank, shape=lead + spatial: tuple(
            getattr(t.nn.functional, f"max_unpool{rank}d")(t.ones(shape), t.zeros(shape, dtype=t.int64), 2, 1).shape
        )
        for rank in (1, 2, 3)
        for lead in ((0, 1), (1, 0), (2,), (0,), (2, 1))
        for spatial in ((2,) * rank, (2,) * (rank - 1) + (0,))
    },
    **{
        f"max_unpool{rank}d by the sizes {sizes}": lambda t, rank=rank, sizes=sizes: tuple(
            getattr(t.nn.functional, f"max_unpool{rank}d")(
                t.ones(1, 1, *[2] * rank), t.zeros(1, 1, *[2] * rank, dtype=t.int64), *sizes
            ).shape
        )
        for rank in (1, 2, 3)
        for sizes in itertools.product(
            ((2,), (2, 2), (2, 2, 2, 2), ()), (None, (2,), (2, 2, 2)), (0, (0, 0)), (None, (3, 3), (-1,))
        )
    },
    **{
        f"places repeated: {name}": call
        for name, call in {
            "counts alone": lambda t: t.repeat_interleave(t.tensor([2, 0, 3])),
            "counts by name": lambda t: t.repeat_interleave(repeats=t.tensor([2, 0, 3])),
            "counts of 32 bits": lambda t: str(t.repeat_interleave(t.tensor([2, 1], dtype=t.int32)).dtype).rpartition(
                "."
            )[2],
            "the size that comes out": lambda t: t.repeat_interleave(t.tensor([2, 0, 3]), output_size=5),
            "another size": lambda t: t.repeat_interleave(t.tensor([2, 0, 3]), output_size=7),
            "no counts": lambda t: t.repeat_interleave(t.tensor([], dtype=t.int64)),
            "floats": lambda t: t.repeat_interleave(t.tensor([2.0, 3.0])),
            "a matrix": lambda t: t.repeat_interleave(t.tensor([[2, 3]])),
            "a number": lambda t: t.repeat_interleave(t.tensor(2)),
            "less than nothing": lambda t: t.repeat_interleave(t.tensor([2, -1])),
            "a list": lambda t: t.repeat_interleave([2, 1]),
            "None behind them": lambda t: t.repeat_interleave(t.tensor([2, 1]), None),
            "along a dimension": lambda t: t.repeat_interleave(t.tensor([2, 1]), dim=0),
            "by the name input": lambda t: t.repeat_interleave(input=t.tensor([2, 1])),
            "both by name": lambda t: t.repeat_interleave(input=t.tensor([2, 1]), repeats=2),
            "by NumPy's name": lambda t: t.repeat_interleave(x=t.tensor([2, 1]), repeats=2),
            "a method": lambda t: t.tensor([2, 1]).repeat_interleave(),
            "given twice": lambda t: t.repeat_interleave(t.tensor([2, 1]), input=t.tensor([3])),
        }.items()
    },
    **{
        f"a rate of ASGD after steps, foreach={foreach}, lr={lr}": lambda t, foreach=foreach, lr=lr: asgd_rate(
            t, foreach, lr
        )
        for foreach in (None, False, True, 2)
        for lr in (0.1, 0.05, 3.3)
    },
    **{
        f"{name} with {parameter} as {kind}": lambda t, name=name, parameter=parameter, given=given: started(
            t, name, {parameter: given(t)}
        )
        for name, parameter in {
            "uniform_": "a",
            "normal_": "std",
            "constant_": "val",
            "xavier_normal_": "gain",
            "xavier_uniform_": "gain",
            "kaiming_normal_": "a",
            "kaiming_uniform_": "a",
            "trunc_normal_": "std",
        }.items()
        for kind, given in {
            "np.float32": lambda t: np.float32(0.3),
            "np.float16": lambda t: np.float16(0.3),
            "np.int64": lambda t: np.int64(0),
            "a float32": lambda t: t.tensor(0.3),
            "a float64": lambda t: t.tensor(0.3, dtype=t.float64),
            "a truth": lambda t: t.tensor(True),
        }.items()
    },
    **{
        f"{name} of {d}, with {value}": lambda t, call=call, d=d, value=value: call(t, getattr(t, d), value)
        for name, call in {
            "logit": lambda t, d, v: t.isfinite(t.logit(t.tensor([0.5, 0.25], dtype=d), v)),
            "special.logit": lambda t, d, v: t.isfinite(t.special.logit(t.tensor([0.5, 0.25], dtype=d), eps=v)),
            "logit_": lambda t, d, v: t.isfinite(t.tensor([0.5, 0.25], dtype=d).logit_(v)),
            "rsub": lambda t, d, v: t.rsub(t.ones(2, dtype=d), t.ones(2, dtype=d), alpha=v),
            "pow": lambda t, d, v: t.pow(t.ones(2, dtype=d), v),
            "** ": lambda t, d, v: t.ones(2, dtype=d) ** v,
            "lp_pool1d": lambda t, d, v: t.isfinite(t.nn.functional.lp_pool1d(t.ones(1, 1, 4, dtype=d), v, 2)),
            "gaussian_nll_loss": lambda t, d, v: t.isfinite(
                t.nn.functional.gaussian_nll_loss(*[t.ones(2, dtype=d)] * 3, eps=v)
            ),
            "multi_margin_loss": lambda t, d, v: t.isfinite(
                t.nn.functional.multi_margin_loss(t.ones(2, 3, dtype=d), t.tensor([1, 1]), margin=v)
            ),
            "hinge_embedding_loss": lambda t, d, v: t.isfinite(
                t.nn.functional.hinge_embedding_loss(t.ones(2, dtype=d), t.tensor([1, -1]), margin=v)
            ),
            "Adagrad's sum": lambda t, d, v: t.isfinite(twice(t, d, "Adagrad", initial_accumulator_value=v)),
            "SGD's dampening": lambda t, d, v: t.isfinite(twice(t, d, "SGD", momentum=0.5, dampening=v)),
            "ASGD's rate": lambda t, d, v: t.isfinite(twice(t, d, "ASGD", lr=v)),
            "LBFGS's rate": lambda t, d, v: t.isfinite(twice(t, d, "LBFGS", lr=v)),
        }.items()
        for d in ("float16", "float32", "float64")
        for value in (0.25, 1e5, 1e40, math.inf)
        if (name, d, value) != ("SGD's dampening", "float16", 1e5)  # infinite here: momentum · b is computed in halves
    },
    **{
        f"numbers of whole numbers from {start} to {end} by {step}, {d}": lambda t, start=start, end=end, step=step, d=d: (
            t.arange(start, end, step, dtype=getattr(t, d))
        )
        for start, end, step in ((0, 10, 1e40), (0, 10, math.inf), (10, 0, -1e40), (0, 10, 2.0), (0.0, 1e40, 1e40))
        for d in ("int64", "int32", "uint8", "float32", "float64")
    },
    **{
        f"hinges of {d} at {margin}": lambda t, d=d, margin=margin: t.nan_to_num(
            t.nn.functional.hinge_embedding_loss(
                t.tensor([0, 1, 5, 100], dtype=getattr(t, d)),
                t.tensor([1, -1, 2, -1]),
                margin=margin,
                reduction="none",
            ),
            nan=-7.0,
        )
        for d in ("uint8", "int8", "int64", "bool", "float32")
        for margin in (1.0, 1.5, 3, -1, -1.5, 127, 300, 1e40, math.nan)
    },
    **{
        f"memory of another: {name}": call
        for name, call in {
            "steps between": lambda t: t.zeros(0).set_(t.arange(12.0).reshape(3, 4)[:, ::2], 0, (3,), (1,)),
            "turned": lambda t: t.zeros(0).set_(t.arange(12.0).reshape(3, 4).t(), 0, (3,), (1,)),
            "shown several times": lambda t: t.zeros(0).set_(t.ones(1, 4).expand(3, 4), 0, (3,), (1,)),
            "of a part": lambda t: t.zeros(0).set_(t.arange(12.0).reshape(3, 4)[1:], 0, (3,), (1,)),
            "of a part, further on": lambda t: t.zeros(0).set_(t.arange(12.0)[2:], 3, (2, 2)),
            "of a storage": lambda t: t.zeros(0).set_(t.arange(12.0)[2:].untyped_storage(), 3, (2, 2)),
            "None": lambda t: t.zeros(0).set_(None),
            "None by name": lambda t: t.zeros(0).set_(source=None),
            "None with an offset": lambda t: t.zeros(0).set_(None, 0, (1,)),
            "nothing": lambda t: t.zeros(2).set_(),
            "turned, as it is": lambda t: t.zeros(0).set_(t.arange(12.0).reshape(3, 4).t()),
        }.items()
    },
    **{
        f"reflections of {shape} and {other}": lambda t, shape=shape, other=other: tuple(
            t.ormqr(t.ones(shape), t.ones(shape[:-2] + (3,)), t.ones(other)).shape
        )
        for shape in ((4, 3), (2, 4, 3))
        for other in ((4, 2), (1, 4, 2), (2, 4, 2), (4,), (3, 4, 2), (0, 4, 2), (2, 2, 4, 2))
    },
    **{
        f"drawn in place with {named}": lambda t, given=given, named=named: t.zeros(3).uniform_(*given, **named)
        for given, named in (
            ((), {"to": 3}),
            ((), {"from": 0.5}),
            ((0.5,), {"from": 0.5}),
            ((0.5,), {"to": 2}),
            ((), {"b": 1.0}),
            ((), {"a": 0.5}),
            ((), {"from": 0, "to": 2}),
            ((1,), {"from": 0, "to": 2}),
            ((2,), {"to": 1}),
        )
    },
    **{
        f"{name} with {alias}=": lambda t, name=name, alias=alias, more=more: named_so(t, name, alias, *more)
        for name, more in {
            "layer_norm": ((2,),),
            "nn.functional.layer_norm": ((2,),),
            "group_norm": (1,),
            "nn.functional.group_norm": (1,),
            "nn.functional.rms_norm": ((2,),),
            "nn.functional.pad": ((1, 1),),
            "nn.functional.max_pool1d": (1,),
            "nn.functional.max_pool2d": (1,),
            "max_pool1d": (1,),
            "unique_consecutive": (),
            "nn.functional.relu": (),
            "nn.functional.gelu": (),
            "nn.functional.linear": (),
            "softmax": (0,),
            "nn.functional.softmax": (0,),
        }.items()
        for alias in ("x", "a", "x1", "input")
    },
    **{
        f"isclose of {d}, rtol={rtol}, atol={atol}, equal_nan={equal}": lambda t, d=d, values=values, rtol=rtol, atol=atol, equal=equal: (
            t.isclose(
                *(t.tensor(x, dtype=getattr(t, d)) for x in zip(*itertools.product(values, repeat=2), strict=True)),
                rtol,
                atol,
                equal,
            )
        )
        for d, values in {
            "float64": (0.0, 1.0, 1.000001, 1.001, -1.0, math.inf, -math.inf, math.nan, 1e300),
            "float16": (0.0, 1.0, 1.001, math.inf, -math.inf, math.nan, 65504.0, 1e-5),
            "int64": (0, 1, 100, 2**24, 2**24 + 1),
            "uint8": (0, 1, 3, 255),
            "bool": (False, True),
        }.items()
        for rtol in (0.0, 1e-5, math.inf)
        for atol in (0.0, 1e-3, 1e40, math.inf)
        for equal in (False, True)
    },
    **{
        f"{name} of degree {degree}": lambda t, name=name, degree=degree: t.nan_to_num(
            getattr(t.special, name)(t.tensor([0.0, 0.3, 1.0, -1.0, 2.0, math.nan]), degree), nan=-7.0
        )
        for name in (
            "chebyshev_polynomial_t",
            "chebyshev_polynomial_u",
            "shifted_chebyshev_polynomial_w",
            "hermite_polynomial_h",
            "hermite_polynomial_he",
            "laguerre_polynomial_l",
            "legendre_polynomial_p",
        )
        for degree in (2**63 - 1, 2**63, 1e19, 1e300, math.inf, -math.inf, math.nan, -1)
    },
    **{
        f"a loader without workers that waits {timeout}": lambda t, timeout=timeout: [
            x.tolist() for x in t.utils.data.DataLoader(t.arange(4), 2, timeout=timeout)
        ]
        for timeout in (0, 0.0, 1, 1e40, True, False, np.True_)
    },
    "places without differences": lambda t: t.gradient(t.ones(3), spacing=(t.ones(3) > 0,)),
    "a truth of several, for when to stop": lambda t: with_gradients(
        t, lambda x: t.utils.checkpoint.checkpoint(t.exp, x, use_reentrant=False, early_stop=t.ones(2)), (2,)
    ),
    "any parts of a map": lambda t: isinstance(t.distributions.ComposeTransform(np.int64(1)), object),
    "a map's parts are the list itself": lambda t: (
        lambda parts: t.distributions.ComposeTransform(parts).parts is parts
    )([t.distributions.ExpTransform()]),
    "a way to start no processes": lambda t: t.utils.data.DataLoader([1], multiprocessing_context="fork"),
}


@pytest.mark.parametrize("name", CALLS)
@pytest.mark.filterwarnings("ignore")
def test_the_call_is_answered_as_by_pytorch(name):
    theirs, ours = (outcome(CALLS[name], engine) for engine in ENGINES)
    if isinstance(theirs, type):
        assert isinstance(ours, type), f"PyTorch raises {theirs.__name__}, minigrad gives {ours}"
        named = (
            theirs is AttributeError and ours is TypeError
        )  # what is no tensor is named, where PyTorch falls over it
        assert named or issubclass(ours, theirs)
    else:
        assert ours == theirs
