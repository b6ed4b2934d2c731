"""Planted faults, to check the checker: each must be found by the cases that are named with it.

    with planted("mul: gradients swapped"):
        ...                       # minigrad is wrong in here

A fault replaces one function of the engine for as long as the context lasts. They are the mistakes that people make: a sign, a
factor, a forgotten sum, a swapped operand, a dropped term, a wrong tie, a bias correction left out.
"""

from __future__ import annotations

import itertools
import pkgutil
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from importlib import import_module
from types import ModuleType
from typing import Any

import numpy as np

import minigrad


@dataclass(frozen=True)
class Mutant:
    """A fault: `owner` and the attribute of it that `replace(original)` takes the place of.

    owner: "ops:Mul" is the class Mul, in whichever file of ops/ it stands; "optim.adam" is a file or package, whose function
    is replaced wherever it was imported too.
    """

    owner: str
    attribute: str
    replace: Callable[[Any], Any]
    cases: tuple[str, ...]  # at least one of them must fail


MUTANTS: dict[str, Mutant] = {}


def mutant(name: str, owner: str, attribute: str, replace: Callable[[Any], Any], *cases: str) -> None:
    MUTANTS[name] = Mutant(owner, attribute, replace, cases)


def _rooms(path: str) -> Iterator[ModuleType]:
    """The module of that path and, if it is a package, the modules in it."""
    module = import_module(f"minigrad.{path}")
    yield module
    for found in pkgutil.walk_packages(getattr(module, "__path__", ()), f"{module.__name__}."):
        yield import_module(found.name)


def _targets(fault: Mutant) -> list[Any]:
    """The class that has the attribute, or every module that has the function under its name."""
    path, _, name = fault.owner.partition(":")
    rooms = list(_rooms(path))
    if name:
        classes = [vars(m)[name] for m in rooms if getattr(vars(m).get(name), "__module__", None) == m.__name__]
        if len(classes) != 1:
            raise LookupError(f"{len(classes)} classes called {name} in minigrad.{path}")
        return classes
    original = next(vars(m)[fault.attribute] for m in rooms if fault.attribute in vars(m))
    modules = [m for n, m in list(sys.modules.items()) if n.partition(".")[0] == "minigrad"]
    return [m for m in modules if vars(m).get(fault.attribute) is original]


@contextmanager
def planted(name: str) -> Iterator[None]:
    """minigrad with this fault."""
    fault = MUTANTS[name]
    targets = _targets(fault)
    own = vars(targets[0]).get(fault.attribute)
    changed = fault.replace(getattr(targets[0], fault.attribute))
    for target in targets:
        setattr(target, fault.attribute, staticmethod(changed) if isinstance(own, staticmethod) else changed)
    try:
        yield
    finally:
        for target in targets:
            if own is None:
                delattr(target, fault.attribute)
            else:
                setattr(target, fault.attribute, own)


# -- how backwards go wrong


def scaled(factor: float) -> Callable[[Any], Any]:
    """All gradients times a factor."""

    def replace(backward: Callable[..., Any]) -> Callable[..., Any]:
        def wrong(ctx: Any, *grads: Any) -> Any:
            return _each(backward(ctx, *grads), lambda g: g * factor)

        return wrong

    return replace


def _each(result: Any, change: Callable[[Any], Any]) -> Any:
    if isinstance(result, tuple | list):
        return tuple(None if g is None else change(g) for g in result)
    return None if result is None else change(result)


def swapped(backward: Callable[..., Any]) -> Callable[..., Any]:
    """The first two gradients exchanged."""

    def wrong(ctx: Any, *grads: Any) -> Any:
        a, b, *rest = backward(ctx, *grads)
        return (b, a, *rest)

    return wrong


def second_negated(backward: Callable[..., Any]) -> Callable[..., Any]:
    def wrong(ctx: Any, *grads: Any) -> Any:
        a, b, *rest = backward(ctx, *grads)
        return (a, None if b is None else -b, *rest)

    return wrong


def passed_on(backward: Callable[..., Any]) -> Callable[..., Any]:
    """The gradient of the output as the gradient of the input: the derivative forgotten."""

    def wrong(ctx: Any, grad: Any) -> Any:
        result = backward(ctx, grad)
        return (grad, *[None] * (len(result) - 1)) if isinstance(result, tuple | list) else grad

    return wrong


def with_ones(backward: Callable[..., Any]) -> Callable[..., Any]:
    """Right only for a gradient of ones, the fault that `loss = out.sum()` cannot see."""

    def wrong(ctx: Any, grad: Any) -> Any:
        return backward(ctx, grad * 0 + 1)

    return wrong


def squared_gradient(backward: Callable[..., Any]) -> Callable[..., Any]:
    """Linear no more in the incoming gradient."""

    def wrong(ctx: Any, grad: Any) -> Any:
        return backward(ctx, grad * abs(grad))

    return wrong


def backward_of(operation: str, change: Callable[[Any], Any], fault: str, *cases: str) -> None:
    name = operation.rpartition(":")[2]
    mutant(f"{name}: {fault}", operation, "backward", change, *cases)


backward_of("ops:Mul", swapped, "gradients swapped", "mul")
backward_of("ops:Sub", lambda b: lambda ctx, g: (g, g), "sign of the second forgotten", "sub")
backward_of("ops:Div", second_negated, "sign of the second wrong", "div")
backward_of("ops:Pow", scaled(1.001), "a factor 1.001", "pow")
backward_of("ops:Abs", passed_on, "derivative forgotten", "abs")
backward_of("ops:Square", scaled(0.5), "the factor 2 forgotten", "square")
backward_of("ops:Square", with_ones, "incoming gradient ignored", "square")
mutant(
    "Maximum: a tie goes to the first whole", "ops:Maximum", "backward",
    lambda b: lambda ctx, g: (g * (ctx.saved_tensors[0] >= ctx.saved_tensors[1]), g * (ctx.saved_tensors[0] < ctx.saved_tensors[1])),
    "maximum",
)  # fmt: skip
mutant(
    "Clamp: no gradient on the bounds", "ops:Clamp", "backward",
    lambda b: lambda ctx, g: (g * _inside(ctx), None, None),
    "clamp",
)  # fmt: skip


def _inside(ctx: Any) -> Any:
    (x,) = ctx.saved_tensors
    low, high = -np.inf if ctx.low is None else ctx.low, np.inf if ctx.high is None else ctx.high
    return (x > low) & (x < high)


backward_of("ops:Exp", passed_on, "derivative forgotten", "exp")
backward_of("ops:Log", scaled(1 + 1e-9), "an error of 1e-9", "log")
backward_of("ops:Sqrt", scaled(2.0), "the factor 2 forgotten", "sqrt")
backward_of("ops:Exp", squared_gradient, "not linear in the gradient", "exp")

# -- the walk


def _no_unbroadcast(original: Callable[..., Any]) -> Callable[..., Any]:
    def wrong(gradient: Any, shape: tuple[int, ...]) -> Any:
        """Takes one row where it should sum them."""
        while len(gradient.shape) > len(shape):
            gradient = gradient[0]
        for i, n in enumerate(shape):
            if n == 1 and gradient.shape[i] != 1:
                gradient = gradient[(slice(None),) * i + (slice(0, 1),)]
        return gradient

    return wrong


mutant("unbroadcast: takes one row, where rows must be added", "autograd", "unbroadcast", _no_unbroadcast, "add", "mul")


def _overwrites(original: Callable[..., Any]) -> Callable[..., Any]:
    def wrong(self: Any, gradient: Any) -> Any:
        self.variable._grad = None
        return original(self, gradient)

    return wrong


mutant(
    "AccumulateGrad: overwrites, where it should add",
    "autograd:AccumulateGrad",
    "run_backward",
    _overwrites,
    "Tensor.backward",
)


def _shares(original: Callable[..., Any]) -> Callable[..., Any]:
    def wrong(ctx: Any, grad: Any) -> Any:
        result = original(ctx, grad)
        first = result[0]
        if isinstance(first, np.ndarray) and first.size:
            first *= 1.0000001  # in place: the incoming gradient is somebody else's
        return result

    return wrong


mutant("Add: writes into the incoming gradient", "ops:Add", "backward", _shares, "add", "graph.reuse")


def _drops_saved_copy(original: Callable[..., Any]) -> Callable[..., Any]:
    return lambda node, x, since: None


mutant("in place: old values are not kept", "inplace", "_keep_old_values", _drops_saved_copy, "mul", "in_place")


def _latest_only(original: Callable[..., Any]) -> Callable[..., Any]:
    """Of two gradients that arrive at one place, the second."""

    def wrong(edges: Any, gradients: Any, **options: Any) -> Any:
        return original(edges[-1:], gradients[-1:], **options)

    return wrong


mutant(
    "walk: of several roots only the last",
    "autograd",
    "walk",
    _latest_only,
    "Tensor.backward",
    "chunk",
    "autograd.grad",
)


def _first_come(push: Callable[..., Any]) -> Callable[..., Any]:
    """A queue: nodes run in the order in which gradients reach them."""
    turn = itertools.count()
    return lambda heap, item: push(heap, (next(turn), item[1]))


mutant("walk: first come, first run", "autograd.graph", "heappush", _first_come, "graph.reuse", "graph.inner")


def _new_node(original: Callable[..., Any]) -> Callable[..., Any]:
    def wrong(x: Any) -> Any:
        leaf = x._edge is None and x._requires_grad
        return (minigrad.autograd.graph.AccumulateGrad(x), 0) if leaf else original(x)

    return wrong


def _for_every_leaf(original: Callable[..., Any]) -> Callable[..., Any]:
    def wrong(x: Any) -> Any:
        return original(x) or (minigrad.autograd.graph.AccumulateGrad(x), 0)

    return wrong


mutant(
    "gradient_edge: a leaf has a new node at each use",
    "autograd",
    "gradient_edge",
    _new_node,
    "graph.edges",
    "autograd.grad",
)
mutant("gradient_edge: leads into leaves that want none", "autograd", "gradient_edge", _for_every_leaf, "graph.edges")
mutant(
    "ownership: a leaf keeps what others hold",
    "autograd",
    "may_keep",
    lambda o: lambda gradient: True,
    "graph.ownership",
)
mutant(
    "ownership: a leaf keeps a view of what others hold", "autograd", "_shows_all_of_its_own", lambda o: lambda view: True,
    "graph.ownership",
)  # fmt: skip


def _inner_left_out(original: Callable[..., Any]) -> Callable[..., Any]:
    def wrong(self: Any, node: Any, grad: Any) -> Any:
        before, self.edges = self.edges, {e for e in self.edges if e[0].variable is not None}
        try:
            return original(self, node, grad)
        finally:
            self.edges = before

    return wrong


def _ends_at_the_first(original: Callable[..., Any]) -> Callable[..., Any]:
    return lambda self, node, grad: original(self, node, grad) and (node, 0) not in self.edges


def _accumulates(original: Callable[..., Any]) -> Callable[..., Any]:
    def wrong(self: Any, edges: Any, roots: Any, accumulate: bool) -> None:
        original(self, edges, roots, True)

    return wrong


def _newest_only(original: Callable[..., Any]) -> Callable[..., Any]:
    """Looks for the way to one target only."""
    return lambda roots, targets: original(roots, {max(targets, key=lambda edge: edge[0].sequence_nr)})


mutant("Targets: inner tensors get nothing", "autograd:Targets", "keep", _inner_left_out, "graph.inner")
mutant("Targets: no target below another", "autograd:Targets", "keep", _ends_at_the_first, "graph.inner")
mutant("Targets: leaves get .grad too", "autograd:Targets", "__init__", _accumulates, "graph.inner", "autograd.grad")
mutant("Targets: only the way to the newest", "autograd", "_nodes_on_the_way", _newest_only, "graph.inner")
mutant(
    "Targets: hooks of leaves are not called", "autograd.targets", "call_leaf_hooks", lambda o: lambda leaf, grad: grad, "graph.inner",
)  # fmt: skip

# -- shape, indexing, reduction


def _no_accumulation(original: Callable[..., Any]) -> Callable[..., Any]:
    """Assigns where it must add: an element read twice loses a gradient."""

    def wrong(ctx: Any, x: Any, key: Any, shape: tuple[int, ...]) -> Any:
        ctx.key = key
        out = np.zeros(shape, x.dtype)
        out[key] = x
        return out

    return wrong


def _no_accumulation_of_rows(original: Callable[..., Any]) -> Callable[..., Any]:
    return lambda ctx, x, index, n: _no_accumulation(original)(ctx, x, (index,), (n, x.shape[1]))


def _reads_once(original: Callable[..., Any]) -> Callable[..., Any]:
    def wrong(ctx: Any, grad: Any) -> Any:
        once = minigrad.ops.index.SetIndex.apply(np.zeros(ctx.shape, grad.dtype), grad, ctx.key)
        return once, None

    return wrong


mutant("index: assigns where it must add", "ops:PutAdd", "forward", _no_accumulation, "Tensor.__getitem__")
mutant(
    "rows: assigns where it must add",
    "ops:AddRows",
    "forward",
    _no_accumulation_of_rows,
    "nn.functional.embedding",
    "index_select",
)
mutant("gather: assigns where it must add", "ops:Gather", "backward", _reads_once, "gather")
backward_of("ops:Sum", scaled(2.0), "twice", "sum")
backward_of(
    "ops:Mean",
    lambda b: lambda ctx, g: tuple(None if x is None else x * ctx.count for x in b(ctx, g)),
    "divisor forgotten",
    "mean",
)
backward_of("ops:Var", scaled(0.5), "the factor 2 forgotten", "var")
mutant(
    "Extreme: every tie gets the whole gradient", "ops:Extreme", "backward",
    lambda b: lambda ctx, g: (_whole_ties(ctx, g), *b(ctx, g)[1:]),
    "amax", "max",
)  # fmt: skip


def _whole_ties(ctx: Any, grad: Any) -> Any:
    x, out = ctx.saved_tensors
    kept = tuple(1 if i in ctx.axes else n for i, n in enumerate(x.shape))
    return grad.reshape(kept) * (x == out.reshape(kept))


# -- matrices, softmax, norms, losses, layers

backward_of(
    "ops:Linear",
    lambda b: lambda ctx, g: (*b(ctx, g)[:2], None if b(ctx, g)[2] is None else b(ctx, g)[2] * 0.5),
    "bias halved",
    "nn.functional.linear",
)


def _softmax_without_sum(original: Callable[..., Any]) -> Callable[..., Any]:
    def wrong(ctx: Any, grad: Any) -> Any:
        result = original(ctx, grad * 0 + grad.mean())  # a constant gradient: softmax gives 0
        return result

    return wrong


backward_of("ops:Softmax", _softmax_without_sum, "sees only the mean of the gradient", "nn.functional.softmax")
backward_of("ops:Softmax", with_ones, "incoming gradient ignored", "nn.functional.softmax")
backward_of("ops:LogSoftmax", scaled(1 + 1e-7), "an error of 1e-7", "nn.functional.log_softmax")
backward_of(
    "ops:Normalize", with_ones, "incoming gradient ignored", "nn.functional.layer_norm", "nn.functional.batch_norm"
)
backward_of("ops:CrossEntropyLoss", scaled(1.01), "one per cent too large", "nn.functional.cross_entropy")
backward_of("ops:Convolution", second_negated, "sign of the weights' gradient wrong", "nn.functional.conv2d")


def _relu_at_zero(original: Callable[..., Any]) -> Callable[..., Any]:
    def wrong(ctx: Any, grad: Any) -> Any:
        (out,) = ctx.saved_tensors
        return grad * ((out > 0) + 0.5 * (out == 0))

    return wrong


mutant("Relu: half a gradient at 0 and below", "ops:Relu", "backward", _relu_at_zero, "nn.functional.relu")

# -- optimizers, initialization, random draws


def _times(factor: float) -> Callable[[Any], Any]:
    return lambda original: lambda *args, **kwargs: original(*args, **kwargs) * factor


def _one_more(original: Callable[..., Any]) -> Callable[..., Any]:
    """Draws one number too many: all that follows is shifted."""

    def wrong(self: Any, n: int, *args: Any, **kwargs: Any) -> Any:
        return original(self, n + 1, *args, **kwargs)[1:]

    return wrong


mutant(
    "random: one output too many a draw",
    "random:Generator",
    "_raw32",
    _one_more,
    "rand",
    "randn",
    "nn.Linear",
    "utils.data.DataLoader",
)


def _late(original: Callable[..., Any]) -> Callable[..., Any]:
    """Adam's step as if it were the millionth: no bias correction."""

    def wrong(self: Any, grad: Any, m: Any, v: Any, largest: Any, t: float, *rest: Any) -> Any:
        return original(self, grad, m, v, largest, 1e6, *rest)

    return wrong


mutant("Adam: no bias correction", "optim:Adam", "_step", _late, "optim.Adam")
mutant("Adam: weight decay forgotten", "optim.adam", "decay", lambda o: lambda p, grad, *rest: grad, "optim.Adam")
mutant(
    "StepLR: one epoch late",
    "optim:StepLR",
    "get_lr",
    lambda o: lambda self: _one_epoch_late(o, self),
    "optim.lr_scheduler.StepLR",
)


def _one_epoch_late(get_lr: Callable[..., Any], scheduler: Any) -> Any:
    scheduler.last_epoch -= 1
    try:
        return get_lr(scheduler)
    finally:
        scheduler.last_epoch += 1


mutant(
    "init: bounds one per mille too wide",
    "nn.init",
    "calculate_gain",
    _times(1.001),
    "nn.Linear",
    "nn.init.kaiming_uniform_",
)
mutant(
    "clip_grad_norm_: limit forgotten",
    "nn.utils",
    "clip_grad_norm_",
    lambda o: lambda params, max_norm, *a, **k: o(params, 1e9, *a, **k),
    "nn.utils.clip_grad_norm_",
)

# -- more of the same kinds, operation by operation

for _operation, _change, _fault, *_cases in (
    ("ops:Neg", passed_on, "sign forgotten", "neg"),
    ("ops:Pow", swapped, "gradients swapped", "pow"),
    ("ops:Div", swapped, "gradients swapped", "div"),
    ("ops:Where", swapped, "branches swapped", "where"),
    ("ops:Remainder", with_ones, "incoming gradient ignored", "remainder"),
    ("ops:Sin", scaled(-1.0), "sign of the cosine", "sin"),
    ("ops:Cos", scaled(-1.0), "sign of the sine", "cos"),
    ("ops:Tanh", passed_on, "derivative forgotten", "tanh"),
    ("ops:Sigmoid", squared_gradient, "not linear in the gradient", "sigmoid"),
    ("ops:Erf", scaled(0.5), "half", "erf"),
    ("ops:Log1p", with_ones, "incoming gradient ignored", "log1p"),
    ("ops:Rsqrt", scaled(-1.0), "sign", "rsqrt"),
    ("ops:Atan2", swapped, "gradients swapped", "atan2"),
    ("ops:LogAddExp", swapped, "gradients swapped", "logaddexp"),
    ("ops:Sinc", scaled(1 + 1e-8), "an error of 1e-8", "sinc"),
    ("ops:Gelu", scaled(1 + 1e-6), "an error of 1e-6", "nn.functional.gelu"),
    ("ops:Silu", passed_on, "derivative forgotten", "nn.functional.silu"),
    ("ops:Elu", with_ones, "incoming gradient ignored", "nn.functional.elu"),
    ("ops:LeakyRelu", passed_on, "slope forgotten", "nn.functional.leaky_relu"),
    ("ops:Softplus", scaled(0.999), "one per mille too small", "nn.functional.softplus"),
    ("ops:LogSumExp", with_ones, "incoming gradient ignored", "logsumexp"),
    ("ops:Norm2", scaled(2.0), "twice", "norm"),
    ("ops:CumSum", passed_on, "not summed from the end", "cumsum"),
    ("ops:Prod", scaled(1 + 1e-6), "an error of 1e-6", "prod"),
    ("ops:Flip", passed_on, "not flipped back", "flip"),
    ("ops:Roll", passed_on, "not rolled back", "roll"),
    ("ops:Triangle", passed_on, "not masked", "tril"),
    ("ops:Cat", lambda b: lambda ctx, g: (lambda r: (r[0], *r[1:][::-1]))(b(ctx, g)), "pieces in reverse", "cat"),
    ("ops:Embedding", scaled(2.0), "twice", "nn.functional.embedding"),
    ("ops:IndexSelect", scaled(0.5), "half", "index_select"),
    ("ops:MatMul", swapped, "gradients swapped", "matmul"),
    ("ops:Dot", swapped, "gradients swapped", "dot"),
    ("ops:InvEx", scaled(-1.0), "sign", "inverse"),
    ("ops:Pad", scaled(2.0), "twice", "nn.functional.pad"),
    ("ops:AvgPool", scaled(2.0), "twice", "nn.functional.avg_pool2d"),
    ("ops:MaxPool", with_ones, "incoming gradient ignored", "nn.functional.max_pool2d"),
    ("ops:RmsNorm", scaled(1.01), "one per cent too large", "nn.functional.rms_norm"),
    ("ops:NllLoss", scaled(-1.0), "sign", "nn.functional.nll_loss"),
    ("ops:BinaryCrossEntropy", scaled(0.5), "half", "nn.functional.binary_cross_entropy"),
    ("ops:KlDiv", swapped, "gradients swapped", "nn.functional.kl_div"),
    ("ops:ScaledDotProductAttention", swapped, "queries and keys swapped", "nn.functional.scaled_dot_product_attention"),
    ("ops:RnnLayer", second_negated, "sign of the weights' gradient wrong", "nn.RNN"),
    ("ops:LstmLayer", scaled(1 + 1e-6), "an error of 1e-6", "nn.LSTM"),
    ("ops:GruLayer", with_ones, "incoming gradient ignored", "nn.GRU"),
):  # fmt: skip
    backward_of(_operation, _change, _fault, *_cases)  # type: ignore[arg-type]

# -- forward passes, states, orders


def _slope_twice(original: Callable[..., Any]) -> Callable[..., Any]:
    return lambda d, parameter, grad: original(d, parameter, grad) * 2


def _recording_anyway(enter: Callable[..., Any]) -> Callable[..., Any]:
    def entered(self: Any) -> Any:
        result = enter(self)
        minigrad.set_grad_enabled(True)
        return result

    return entered


def _only_forwards(original: Callable[..., Any]) -> Callable[..., Any]:
    """Walks every layer from the first step to the last."""

    def wrong(x: Any, h: Any, sizes: Any, reverse: bool) -> Any:
        return original(x, h, sizes, False)

    return wrong


mutant(
    "recurrent: never in reverse", "ops.recurrent", "steps", _only_forwards, "nn.LSTM", "nn.utils.rnn.PackedSequence"
)
mutant(
    "packed sequences: the given order is lost", "nn.utils.rnn", "invert_permutation", lambda o: lambda p: p,
    "nn.utils.rnn.pack_sequence", "nn.utils.rnn.PackedSequence",
)  # fmt: skip
backward_of("ops:EuclideanDistances", swapped, "gradients swapped", "cdist.product")
mutant(
    "topk: the edge is one too low", "selection", "_at_most_the_kth",
    lambda o: lambda x, k: o(x, max(k - 1, 1)), "topk.long",
)  # fmt: skip
mutant(
    "the element of a rank: the one below", "selection", "place_of_rank",
    lambda o: lambda x, rank, dim: o(x, np.maximum(rank - 1, 0), dim), "kthvalue.long", "median",
)  # fmt: skip
mutant(
    "cummax: the smallest", "ops.cumulative", "running", lambda o: lambda x, dim, largest: o(x, dim, not largest), "cummax",
)  # fmt: skip
mutant(
    "TransformerEncoder: padding takes part", "nn:TransformerEncoder", "_left_out", lambda o: lambda self, src, padding: None,
    "nn.TransformerEncoder.padded",
)  # fmt: skip
mutant("MseLoss: twice", "ops:MseLoss", "slope", _slope_twice, "nn.functional.mse_loss")
mutant("HuberLoss: twice", "ops:HuberLoss", "slope", _slope_twice, "nn.functional.huber_loss")
mutant(
    "batch norm: running statistics keep the wrong share", "ops.batch_norm", "_update_running",
    lambda o: lambda mean, var, momentum, *new: o(mean, var, 1 - momentum, *new), "nn.BatchNorm1d", "nn.functional.batch_norm",
)  # fmt: skip
mutant(
    "dropout: what is kept is not scaled up", "random:Generator", "dropout_mask",
    lambda o: lambda self, shape, dtype, p=0.5: np.minimum(o(self, shape, dtype, p), 1), "nn.functional.dropout",
)  # fmt: skip
mutant(
    "randperm: in reverse", "random:Generator", "randperm",
    lambda o: lambda self, n, *a: o(self, n, *a)[::-1], "randperm", "utils.data.DataLoader",
)  # fmt: skip
mutant(
    "normal: sine and cosine exchanged", "random:Generator", "normal",
    lambda o: lambda self, shape, *a, **k: -o(self, shape, *a, **k), "randn",
)  # fmt: skip
mutant(
    "uniform: a hair too small", "random:Generator", "_u24",
    lambda o: lambda self, n: o(self, n) * (1 - 2.0**-23), "rand",
)  # fmt: skip
mutant(
    "SGD: weight decay with the wrong sign", "optim:SGD", "update",
    lambda o: lambda self, p, g, state, group: o(self, p, g, state, {**group, "weight_decay": -group["weight_decay"]}), "optim.SGD",
)  # fmt: skip
mutant(
    "SGD: dampening forgotten", "optim:SGD", "update",
    lambda o: lambda self, p, g, state, group: o(self, p, g, state, {**group, "dampening": 0}), "optim.SGD",
)  # fmt: skip
mutant(
    "SGD: nesterov forgotten", "optim:SGD", "update",
    lambda o: lambda self, p, g, state, group: o(self, p, g, state, {**group, "nesterov": False}), "optim.SGD",
)  # fmt: skip
mutant(
    "optimizer: the step is not counted", "optim:Optimizer", "zero_grad",
    lambda o: lambda self, set_to_none=True: None, "optim.SGD.closure", "optim.SGD",
)  # fmt: skip
mutant(
    "no_grad: still recording", "autograd:no_grad", "__enter__", _recording_anyway, "no_grad",
)  # fmt: skip


def caught(name: str, examples: int = 120) -> tuple[str, int] | None:
    """The check that finds this fault, and after how many examples; None if none does."""
    from .agreement import Mismatch, Tally, check_case
    from .case import CASES

    with planted(name):
        for case in MUTANTS[name].cases:
            for start in range(0, examples, 10):
                tally = Tally()
                try:
                    check_case(CASES[case], 10, start, tally)
                except Mismatch:
                    return case, start + tally.examples
    return None
