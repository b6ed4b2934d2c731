"""Modules of the rarer families: 3-d and other pools, bags, lazy layers; and what `nn.utils` does to parameters."""

from __future__ import annotations

import copy
import math
import warnings
from functools import partial
from typing import Any

import numpy as np
import torch.nn.utils.prune  # both are loaded on their own

import minigrad.nn.utils.prune

from ..case import REDUCED, Call, Result, Same, call, family, op, resolve
from ..inputs import Domain, Draw, Input
from .modules import NORM, module, optional

family("layer")

POOL = ({"stride": 1}, {"padding": 1}, {"ceil_mode": True})
module("MaxPool3d", lambda d: ((d.choice((2, (2, 1, 2))),), optional(d, *POOL), [d.tensor((2, 3, 4, 5, 4))]))
module(
    "AvgPool3d",
    lambda d: ((2,), optional(d, *POOL, {"divisor_override": 3}), [d.tensor((2, 3, 4, 5, 4))]),
)
module("AdaptiveAvgPool3d", lambda d: ((d.choice((1, (2, None, 3))),), {}, [d.tensor((2, 3, 4, 5, 4))]))
module("AdaptiveMaxPool3d", lambda d: ((2,), {}, [d.tensor((2, 3, 4, 5, 4))]))
for n in (1, 2):
    module(
        f"LPPool{n}d",
        lambda d, n=n: ((2, 2), optional(d, {"stride": 1}), [d.tensor((2, 3, *(5, 4)[:n]), Domain(low=0.1, high=3.0))]),
    )
for n in (1, 2, 3):
    module(
        f"MaxUnpool{n}d",
        lambda d, n=n: (
            (2,),
            {},
            [
                d.tensor((1, 2, *(2,) * n)),
                Input.of(np.stack([d.rng.permutation(4**n)[: 2**n].reshape((2,) * n)] * 2)[None]),
            ],
        ),
    )
for n in (2, 3):
    module(
        f"FractionalMaxPool{n}d",
        lambda d, n=n: (
            (2,),
            d.choice(({"output_size": 2}, {"output_ratio": 0.5})),
            [d.tensor((2, 2, *(5, 6, 5)[:n]))],
        ),
        **NORM,
    )
for name in ("ZeroPad3d", "ReflectionPad3d", "ReplicationPad3d", "CircularPad3d"):
    module(name, lambda d: ((d.choice((1, (1, 2, 0, 1, 1, 0))),), {}, [d.tensor((2, 3, 3, 4, 3))]))
module("ConstantPad3d", lambda d: (((1, 2, 0, 1, 1, 0), 1.5), {}, [d.tensor((2, 3, 3, 4, 3))]))
module("ChannelShuffle", lambda d: ((2,), {}, [d.tensor((2, 6, 3))]))
module(
    "EmbeddingBag",
    lambda d: (
        (5, 3),
        optional(d, {"mode": "sum"}, {"mode": "max", "padding_idx": 1}, {"padding_idx": -1}),
        [d.integers((d.integer(1, 3), d.integer(1, 4)), 0, 5)],
    ),
    float32=False,
    second=False,
)


def _tables(torch: Any, index: Any, options: dict, bag: bool, seed: int) -> Any:
    """Tables with all their settings, made of given vectors: what is shown, read and left in the table."""
    torch.manual_seed(seed)
    given = torch.randn(5, 3, dtype=torch.float64)
    cls = torch.nn.EmbeddingBag if bag else torch.nn.Embedding
    table = cls(5, 3, _weight=given.clone(), **options)
    frozen = cls.from_pretrained(given.clone(), **options)
    out = table(index)
    out.sum().backward()
    gradient = table.weight.grad.to_dense() if options.get("sparse") else table.weight.grad
    return repr(table), frozen.weight.requires_grad, out.detach(), table.weight.detach(), gradient


op("Tensor.to_dense", lambda d: call(d.tensor(), *d.choice(((), (None,)))))
op(
    "nn.Embedding.settings",
    lambda d: call(
        d.integers((2, 3), 0, 5),
        d.choice(({}, {"max_norm": 1.0}, {"max_norm": 0.5, "norm_type": 1.0}, {"sparse": True}, {"padding_idx": 2})),
        d.flag(),
        d.integer(0, 99),
    ),
    _tables,
    covers=["nn.Embedding", "nn.EmbeddingBag"],
    tolerance=REDUCED,
    gradient=False,
    modes=("normal",),
)


def _adaptive(torch: Any, x: Any, target: Any, options: dict, seed: int) -> Result:
    torch.manual_seed(seed)
    m = torch.nn.AdaptiveLogSoftmaxWithLoss(6, 9, [2, 5], **options)
    initial = {name: value.clone() for name, value in m.state_dict().items()}
    m = m.to(x.dtype)
    output, loss = m(x, target)
    return Result((Same(initial), repr(m), output, loss, m.log_prob(x), m.predict(x)), list(m.parameters()))


op(
    "nn.AdaptiveLogSoftmaxWithLoss",
    lambda d: call(
        d.tensor((n := d.integer(1, 5), 6)), d.integers((n,), 0, 9), d.choice(({}, {"div_value": 2.0}, {"head_bias": True})),
        d.integer(0, 99),
    ),
    _adaptive, covers=["nn.AdaptiveLogSoftmaxWithLoss"], tolerance=REDUCED, **NORM,
)  # fmt: skip


# -- lazy layers: what they are before the first input, and after


def _lazy(torch: Any, name: str, args: tuple, options: dict, x: Any, seed: int) -> Result:
    torch.manual_seed(seed)
    m = resolve(torch, name)(*args, **options)
    waiting = [repr(m), list(m.state_dict()), m.has_uninitialized_params(), [repr(p) for p in m.parameters()]]
    other = copy.deepcopy(m)
    if x.dtype == torch.float64:
        m, other = m.double(), other.double()
    out = m(x)
    torch.manual_seed(seed)
    again = other(x)
    state = {name: value.clone() for name, value in m.state_dict().items()}
    return Result((waiting, repr(m), type(m).__name__, out, again, state), list(m.parameters()))


def lazy(name: str, draw: Any) -> None:
    op(
        f"nn.{name}",
        lambda d: call(f"nn.{name}", *draw(d), d.integer(0, 999)),
        _lazy,
        covers=[f"nn.{name}"],
        tolerance=REDUCED,
        float32=False,
        **NORM,
    )


lazy("LazyLinear", lambda d: ((3,), optional(d, {"bias": False}), d.tensor((4, 5))))
for n in (1, 2, 3):
    shape = (2, 2, *(4, 3, 3)[:n])
    lazy(
        f"LazyConv{n}d",
        lambda d, shape=shape: ((4, 2), optional(d, {"groups": 2}, {"bias": False}, {"padding": 1}), d.tensor(shape)),
    )
    lazy(
        f"LazyConvTranspose{n}d",
        lambda d, shape=shape: (
            (4, 2), optional(d, {"groups": 2}, {"bias": False}, {"stride": 2, "output_padding": 1}), d.tensor(shape)
        ),
    )  # fmt: skip
    for kind in ("Batch", "Instance"):
        lazy(
            f"Lazy{kind}Norm{n}d",
            lambda d, shape=shape: (
                (),
                optional(d, {"affine": False}, {"track_running_stats": False}),
                d.tensor(shape),
            ),
        )


def _uninitialized(torch: Any, how: str) -> Any:
    """What a parameter without a shape allows, and what it refuses (by the class of the error)."""
    p = torch.nn.parameter.UninitializedParameter(dtype=torch.float64)
    b = torch.nn.parameter.UninitializedBuffer()
    found = [repr(p), repr(b), p.dtype, b.dtype, p.requires_grad, b.requires_grad, torch.nn.parameter.is_lazy(p)]
    found.append(isinstance(p, torch.nn.Parameter))
    try:
        {"sum": lambda: p.sum(), "add": lambda: p + 1, "shape": lambda: p.shape, "numel": lambda: b.numel()}[how]()
    except (ValueError, RuntimeError) as error:
        found.append(type(error).__name__)
    p.materialize((2, 3))
    b.materialize((4,))
    return [*found, type(p).__name__, p.shape, p.dtype, b.shape, torch.nn.parameter.is_lazy(p)]


op(
    "nn.UninitializedParameter",
    lambda d: call(d.choice(("sum", "add", "shape", "numel"))),
    _uninitialized,
    covers=[
        *(f"nn.{at}Uninitialized{kind}" for at in ("", "parameter.") for kind in ("Parameter", "Buffer")),
        "nn.parameter.is_lazy",
    ],
    gradient=False,
)


def _own_lazy(torch: Any, x: Any) -> Any:
    """A lazy layer of the user's own."""

    class Scale(torch.nn.modules.lazy.LazyModuleMixin, torch.nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.weight = torch.nn.UninitializedParameter(dtype=torch.float64)

        def initialize_parameters(self, x: Any) -> None:
            if self.has_uninitialized_params():
                with torch.no_grad():
                    self.weight.materialize(x.shape[-1:])
                    self.weight.fill_(2.0)

        def forward(self, x: Any) -> Any:
            return x * self.weight

    m = Scale()
    return m.has_uninitialized_params(), m(x), m.has_uninitialized_params(), type(m).__name__


op(
    "nn.modules.lazy.LazyModuleMixin",
    lambda d: call(d.tensor((2, 3))),
    _own_lazy,
    covers=["nn.modules.lazy.LazyModuleMixin"],
    float32=False,
)


# -- parameters that are computed


def _trained(torch: Any, m: Any, x: Any) -> list[Any]:
    """Losses and weights of three steps."""
    optimizer = torch.optim.SGD(m.parameters(), lr=0.1)
    found = []
    for _ in range(3):
        optimizer.zero_grad()
        loss = (m(x) ** 2).mean()
        loss.backward()
        optimizer.step()
        found += [loss.detach(), m.weight.detach().clone()]
    return found


LAYERS = (("Linear", (4, 3), (5, 4)), ("Conv2d", (2, 3, 2), (2, 2, 4, 3)), ("ConvTranspose2d", (2, 3, 2), (2, 2, 3, 3)))


def _normed(torch: Any, form: str, what: str, layer: tuple, options: dict, seed: int) -> Any:
    torch.manual_seed(seed)
    name, args, shape = layer
    m = getattr(torch.nn, name)(*args).double()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", FutureWarning)
        m = resolve(torch, f"nn.utils.{form}{what}")(m, **options)
    x = torch.randn(shape, dtype=torch.float64)
    found = [repr(m), list(m.state_dict()), [n for n, _ in m.named_parameters()], m.weight, *_trained(torch, m, x)]
    m.eval()
    found.append(m(x))
    if form:
        found += [torch.nn.utils.parametrize.is_parametrized(m, "weight"), copy.deepcopy(m)(x)]
        m = torch.nn.utils.parametrize.remove_parametrizations(m, "weight")
    else:
        m = resolve(torch, f"nn.utils.remove_{what}")(m)
    return [*found, repr(m), list(m.state_dict()), type(m).__name__, m.weight, m(x)]


def normed(d: Draw, form: str, what: str, options: tuple) -> Call:
    return call(form, what, d.choice(LAYERS), d.choice(options), d.integer(0, 99))


for what in ("weight_norm", "spectral_norm"):
    dims: tuple[dict[str, Any], ...] = ({}, {"dim": 1}) + (
        ({"dim": None},) if what == "weight_norm" else ({"n_power_iterations": 2},)
    )
    for form in ("", "parametrizations."):
        op(
            f"nn.utils.{form}{what}",
            partial(normed, form=form, what=what, options=dims),
            _normed,
            covers=[f"nn.utils.{form}{what}", *([] if form else [f"nn.utils.remove_{what}"])],
            tolerance=REDUCED,
            gradient=False,
        )


def _orthogonal(torch: Any, shape: tuple, options: dict, seed: int) -> Any:
    torch.manual_seed(seed)
    m = torch.nn.utils.parametrizations.orthogonal(torch.nn.Linear(*shape).double(), **options)
    x = torch.randn(4, shape[0], dtype=torch.float64)
    found = [repr(m), list(m.state_dict()), m.weight, *_trained(torch, m, x)]
    if options.get("use_trivialization", True):
        m.weight = torch.nn.init.orthogonal_(torch.empty(m.weight.shape, dtype=torch.float64))
    return [*found, m.weight]


op(
    "nn.utils.parametrizations.orthogonal",
    lambda d: call(
        d.choice(((3, 3), (4, 2), (2, 4))),
        {"orthogonal_map": d.choice((None, "matrix_exp", "cayley", "householder")), "use_trivialization": d.flag()},
        d.integer(0, 99),
    ),
    _orthogonal,
    covers=["nn.utils.parametrizations.orthogonal"],
    tolerance=REDUCED,
    gradient=False,
)


def _parametrized(torch: Any, x: Any) -> Any:
    """A user's own parametrizations: registered, chained, cached, assigned, taken off."""
    P = torch.nn.utils.parametrize

    class Symmetric(torch.nn.Module):
        def forward(self, w: Any) -> Any:
            return w.triu() + w.triu(1).transpose(-1, -2)

        def right_inverse(self, w: Any) -> Any:
            return w.triu()

    class Double(torch.nn.Module):
        def forward(self, w: Any) -> Any:
            return w * 2

        def right_inverse(self, w: Any) -> Any:
            return w / 2

    class First(torch.nn.Module):
        def forward(self, w: Any) -> Any:
            return w[:1]

    torch.manual_seed(0)
    m = torch.nn.Linear(3, 3).double()
    P.register_parametrization(m, "weight", Symmetric())
    P.register_parametrization(m, "weight", Double())
    P.register_parametrization(m, "bias", Double())
    found = [repr(m), list(m.state_dict()), [n for n, _ in m.named_parameters()], m.weight, m.bias, type(m).__name__]
    found += [P.type_before_parametrizations(m).__name__, P.is_parametrized(m), P.is_parametrized(m, "other")]
    found.append(isinstance(m.parametrizations.weight, P.ParametrizationList))
    found.append(P.ParametrizationList([torch.nn.Tanh()], torch.nn.Parameter(x.detach().clone()))())
    with P.cached():
        found.append(m.weight is m.weight)
    found.append(m.weight is m.weight)
    for wrong in (lambda: P.register_parametrization(m, "weight", First()), lambda: P.register_parametrization(m, "x", First()),
                  lambda: P.remove_parametrizations(m, "x")):  # fmt: skip
        try:
            wrong()
        except ValueError as error:
            found.append(type(error).__name__)
    m.weight = torch.eye(3, dtype=torch.float64)
    found += [m.weight, m(x)]
    m(x.detach()).sum().backward()
    found += [p.grad for p in m.parameters()]
    P.remove_parametrizations(m, "weight")
    found += [repr(m), m.weight, type(m.weight).__name__]
    P.remove_parametrizations(m, "bias", leave_parametrized=False)
    return [*found, repr(m), m.bias, type(m).__name__]


op(
    "nn.utils.parametrize",
    lambda d: call(d.tensor((2, 3))),
    _parametrized,
    covers=[
        f"nn.utils.parametrize.{name}" for name in (
            "register_parametrization", "remove_parametrizations", "is_parametrized", "cached", "type_before_parametrizations",
            "ParametrizationList",
        )
    ],
    tolerance=REDUCED,
    float32=False,
)  # fmt: skip


def _fused(torch: Any, x: Any, y: Any, bias: bool, transpose: bool, seed: int) -> Any:
    torch.manual_seed(seed)
    U = torch.nn.utils
    cls = torch.nn.ConvTranspose2d if transpose else torch.nn.Conv2d
    conv, norm = cls(2, 3, 2, bias=bias).double().eval(), torch.nn.BatchNorm2d(3).double().eval()
    line, flat = torch.nn.Linear(2, 3, bias=bias).double().eval(), torch.nn.BatchNorm1d(3).double().eval()
    for n in (norm, flat):
        n.running_mean.normal_()
        n.running_var.uniform_(0.5, 2)
    a, b = U.fuse_conv_bn_eval(conv, norm, transpose), U.fuse_linear_bn_eval(line, flat)
    weights = U.fuse_conv_bn_weights(
        conv.weight, conv.bias, norm.running_mean, norm.running_var, norm.eps, norm.weight, norm.bias, transpose
    )
    others = U.fuse_linear_bn_weights(
        line.weight, line.bias, flat.running_mean, flat.running_var, flat.eps, flat.weight, flat.bias
    )
    return a(x), b(y), weights, others, norm(conv(x))


op(
    "nn.utils.fuse_conv_bn_eval",
    lambda d: call(d.tensor((1, 2, 3, 3)), d.tensor((2, 2)), d.flag(), d.flag(), d.integer(0, 99)),
    _fused,
    covers=[f"nn.utils.fuse_{kind}_bn_{what}" for kind in ("conv", "linear") for what in ("eval", "weights")],
    tolerance=REDUCED,
    float32=False,
)


def _unset(torch: Any, seed: int) -> Any:
    """Nothing is drawn."""
    torch.manual_seed(seed)
    m = torch.nn.utils.skip_init(torch.nn.Linear, 3, 2, dtype=torch.float64)
    return [(n, p.shape, p.dtype) for n, p in m.named_parameters()], torch.randn(3)


op("nn.utils.skip_init", lambda d: call(d.integer(0, 99)), _unset, covers=["nn.utils.skip_init"], gradient=False)


def _clipped_by_old_name(torch: Any, x: Any, most: float) -> Any:
    x = x.detach().requires_grad_()
    (x * x).sum().backward()
    return torch.nn.utils.clip_grad_norm([x], most), x.grad


op(
    "nn.utils.clip_grad_norm",
    lambda d: call(d.tensor((2, 3)), d.choice((0.5, 100.0))),
    _clipped_by_old_name,
    covers=["nn.utils.clip_grad_norm"],
    tolerance=REDUCED,
    gradient=False,
    modes=("normal",),
)


# -- pruning

PRUNINGS: tuple[tuple[tuple[str, str, tuple, dict[str, Any]], ...], ...] = (
    (("l1_unstructured", "weight", (0.3,), {}),),
    (("l1_unstructured", "weight", (3,), {}), ("l1_unstructured", "weight", (0.5,), {})),
    (("random_unstructured", "weight", (0.4,), {}), ("random_unstructured", "bias", (1,), {})),
    (
        ("ln_structured", "weight", (0.5,), {"n": 2, "dim": 0}),
        ("ln_structured", "weight", (1,), {"n": math.inf, "dim": 1}),
    ),
    (("random_structured", "weight", (1, 0), {}), ("random_structured", "weight", (1, 1), {})),
    (("identity", "bias", (), {}),),
)
CLASSES = ("Identity", "RandomUnstructured", "L1Unstructured", "RandomStructured", "LnStructured", "CustomFromMask")


def _pruned(torch: Any, x: Any, steps: tuple, seed: int) -> Any:
    P = torch.nn.utils.prune
    torch.manual_seed(seed)
    m = torch.nn.Linear(4, 3).double()
    for name, parameter, args, options in steps:
        getattr(P, name)(m, parameter, *args, **options)
    found = [P.is_pruned(m), list(m.state_dict()), [n for n, _ in m.named_parameters()], m.weight, m.bias, m(x)]
    found += [b.clone() for b in m.buffers()]
    P.custom_from_mask(m, "weight", (x.detach()[:1] > 0).expand(3, 4))
    P.global_unstructured([(m, "weight"), (m, "bias")], P.L1Unstructured, amount=0.2)
    found += [m.weight, m.bias, *[b.clone() for b in m.buffers()]]
    P.remove(m, "weight")
    P.remove(m, "bias")
    found += [P.is_pruned(m), list(m.state_dict()), m.weight, torch.rand(1)]
    w = x.detach()
    made = (
        P.Identity(),
        P.RandomUnstructured(2),
        P.L1Unstructured(0.5),
        P.RandomStructured(1, 0),
        P.LnStructured(1, 1, 1),
    )
    found += [method.prune(w) for method in (*made, P.CustomFromMask((w > 0).to(w.dtype)))]

    class Odd(P.BasePruningMethod):  # type: ignore[name-defined]  # of either engine
        PRUNING_TYPE = "unstructured"

        def compute_mask(self, t: Any, default_mask: Any) -> Any:
            mask = default_mask.clone()
            mask.view(-1)[::2] = 0
            return mask

    Odd.apply(m, "bias")
    found.append(Odd().compute_mask(w, torch.ones_like(w)))
    return [*found, m.bias, m.bias_mask]


op(
    "nn.utils.prune",
    lambda d: call(d.tensor((4, 4)), d.choice(PRUNINGS), d.integer(0, 99)),
    _pruned,
    covers=[
        f"nn.utils.prune.{name}" for name in (
            "l1_unstructured", "random_unstructured", "ln_structured", "random_structured", "identity", "custom_from_mask",
            "global_unstructured", "remove", "is_pruned", "BasePruningMethod", *CLASSES,
        )
    ],
    tolerance=REDUCED,
    float32=False,
    modes=("normal",),
    layouts=False,  # the mask is seen flat
)  # fmt: skip


# -- the layers by PyTorch's paths, and numbers by dimension


def _paths(torch: Any, x: Any, seed: int) -> Any:
    from importlib import import_module

    modules = import_module(f"{torch.__name__}.nn.modules")
    utils = import_module(f"{torch.__name__}.nn.modules.utils")
    torch.manual_seed(seed)
    rooms = (
        "conv",
        "linear",
        "batchnorm",
        "activation",
        "pooling",
        "container",
        "sparse",
        "loss",
        "module",
        "rnn",
        "normalization",
    )
    found = [hasattr(import_module(f"{torch.__name__}.nn.modules.{room}"), "__name__") for room in rooms]
    found += [
        modules.conv.Conv2d is torch.nn.Conv2d,
        modules.Linear is torch.nn.Linear,
        modules.module.Module is torch.nn.Module,
    ]
    found += [utils._pair(3), utils._triple((1, 2, 3)), utils._single(2), utils._quadruple(1)]
    found += [
        isinstance(torch.nn.BatchNorm2d(2), modules.batchnorm._BatchNorm),
        isinstance(torch.nn.Conv1d(1, 1, 1), modules.conv._ConvNd),
    ]
    state = {"module.a": 1, "b": 2}
    utils.consume_prefix_in_state_dict_if_present(state, "module.")
    return found, sorted(state.items()), modules.linear.Linear(3, 2).to(x.dtype)(x)


op(
    "nn.modules",
    lambda d: call(d.tensor((2, 3)), d.integer(0, 99)),
    _paths,
    covers=["nn.modules.utils.consume_prefix_in_state_dict_if_present"],
    tolerance=REDUCED,
    float32=False,
)


OLD_FILLS = ("uniform", "normal", "constant", "eye", "dirac", "xavier_uniform", "xavier_normal", "kaiming_uniform", "kaiming_normal",
             "orthogonal", "sparse")  # fmt: skip


def _filled(torch: Any, name: str, seed: int) -> Any:
    torch.manual_seed(seed)
    x = torch.zeros((4, 3, 2) if name == "dirac" else (4, 3), dtype=torch.float64)
    args = {"constant": (1.5,), "sparse": (0.5,)}.get(name, ())
    with warnings.catch_warnings(record=True) as told:
        warnings.simplefilter("always")
        out = getattr(torch.nn.init, name)(x, *args)
    return out is x, [w.category.__name__ for w in told], x


def filled(d: Draw, name: str) -> Call:
    return call(name, d.integer(0, 99))


for name in OLD_FILLS:
    op(
        f"nn.init.{name}",
        partial(filled, name=name),
        _filled,
        covers=[f"nn.init.{name}"],
        tolerance=REDUCED,
        gradient=False,
    )
