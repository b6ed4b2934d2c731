"""The printed program of a step, operation by operation: run where there is nothing but NumPy, it gives eager's gradients."""

import functools
import math
import warnings

import numpy as np
import pytest
from test_compile_programs import numpy_alone

import minigrad as mg
from minigrad.compiler.emit import WRITTEN
from minigrad.compiler.helpers import SPACE
from minigrad.compiler.text import assigned
from minigrad.compiler.written import TEXTS, printed

# One element each: x, y and z are (3, 4), u and v (4,), s (), m (4, 3), b (2, 3, 4), c (2, 4, 3), im (2, 4, 6, 6), all of them leaves.
# Each line is an operation, in the words of a user; `torch` is the engine.
ELEMENTWISE = """
-x
1 / x
x.reciprocal()
x.abs()
x.sign() * x
(x * 3).floor() * x
(x * 3).ceil() * x
(x * 3).trunc() * x
x.exp()
x.exp2()
x.expm1()
(x * x + 1).log()
(x * x + 1).log2()
(x * x + 1).log10()
(x * x).log1p()
x.sigmoid()
torch.logit(x.sigmoid())
x.square()
(x * x + 1).sqrt()
(x * x + 1).rsqrt()
x.sin()
x.cos()
x.tan()
(x * 0.2).asin()
(x * 0.2).acos()
x.atan()
x.sinh()
x.cosh()
x.tanh()
x.asinh()
(x * x + 2).acosh()
(x * 0.2).atanh()
torch.sinc(x)
x.erf()
x.erfc()
(x * 3).erf()
x.nan_to_num()
x.float().double() * 2
x.clone()
x + y
x - u
x * y
x / (y * y + 1)
torch.maximum(x, y)
torch.maximum(x, x * 1)
torch.minimum(x, y)
torch.fmax(x, y)
torch.fmin(x, y)
torch.where(x > y, x, y * 2)
torch.where(x > 0.1, x, 0.5)
torch.atan2(x, y * y + 1)
torch.hypot(x, y)
torch.logaddexp(x, y)
torch.xlogy(x, y * y + 0.5)
torch.remainder(x, y * y + 0.5)
torch.fmod(x, y * y + 0.5)
torch.copysign(x, y)
torch.lerp(x, y, 0.3)
torch.lerp(x, y, z)
x ** 3
(x * x + 1) ** y
2.0 ** x
(x * x + 1) ** -1.5
x.clamp(-0.5, 0.5)
x.clamp(min=0.2)
x.clamp(max=0.2)
x.clamp(y, y * y + 1)
x.clamp(min=y)
x.clamp(max=y)
F.relu(x)
F.leaky_relu(x, 0.2)
F.leaky_relu(x, -0.2)
F.prelu(x, u)
F.threshold(x, 0.1, 0.7)
F.hardtanh(x, -0.4, 0.6)
F.hardshrink(x)
F.softshrink(x)
F.hardsigmoid(x * 3)
F.hardswish(x * 3)
F.elu(x, 0.7)
F.selu(x)
F.celu(x, 0.7)
F.silu(x)
F.softplus(x)
F.softplus(x, 2.0, 1.0)
F.mish(x)
F.logsigmoid(x)
F.gelu(x)
F.gelu(x, approximate="tanh")
F.glu(x, 1)
x.double() * 2
F.dropout(x, 0.3)
F.normalize(x)
torch.nansum(x, 0)
"""
SHAPES = """
x.reshape(2, 6)
x.view(-1)
x.unsqueeze(1).squeeze()
x.unsqueeze(1).squeeze(1)
x.unsqueeze(1).squeeze((1,))
x.t()
x.transpose(0, 1)
b.permute(2, 0, 1)
s.transpose(0, 0)
u.expand(3, 4)
x.flip(0)
x.flip(0, 1)
x.roll(1, 0)
x.roll((1, -2), (0, 1))
x.repeat(2, 1, 3)
x[1]
x[1:, ::2]
x[..., None]
x[...]
x.narrow(1, 1, 2)
x.split(2, 1)[1]
x.unbind(1)[2]
x.chunk(2)[0]
torch.diagonal(x)
torch.diagonal(x, -1)
torch.diag_embed(x)
torch.diag(u)
torch.tril(x)
torch.triu(x, 1)
x.unfold(1, 2, 1)
x.unfold(0, 2, 1)
torch.cat([x, y, x * 2], 1)
torch.stack([x, y], 1)
F.pad(x, (1, 2))
F.pad(x, (1, 2, 0, 1), value=0.5)
x[torch.tensor([0, 2, 0])]
x[:, torch.tensor([3, 3])]
x[torch.tensor([0, 2]), torch.tensor([1, -1])]
x[[0, 2], [1, 1]]
x.index_select(1, torch.tensor([3, 0, 3]))
x.gather(1, torch.tensor([[0, 3], [1, 1], [2, 0]]))
x.gather(0, torch.zeros_like(x, dtype=torch.int64))
torch.zeros_like(x).index_add(0, torch.tensor([2, 2, 0]), x)
x.index_put((torch.tensor([0, 2]),), u)
x.index_put((torch.tensor([0, 2, 0]),), y, accumulate=True)
x.index_copy(0, torch.tensor([2, 0]), y[:2])
x.index_fill(1, torch.tensor([0]), 0.5)
x.scatter(1, torch.tensor([[0, 3], [1, 2], [2, 0]]), y)
x.scatter_add(1, torch.tensor([[0, 3], [1, 1], [2, 0]]), y)
torch.select_scatter(x, u, 0, 1)
x.masked_fill(x > 0, 0.25)
x.repeat_interleave(2, 1)
x.cumsum(0)
s.cumsum(0)
x.cumprod(1)
torch.logcumsumexp(x, 1)
F.embedding(torch.tensor([[0, 2], [2, 2]]), x)
F.embedding(torch.tensor([0, 2, 2]), x, padding_idx=2)
(x > 0) * x
(x > y).double() * x if x.dtype is torch.float64 else (x > y).float() * x
torch.arange(4) * x
x.argmax(1)[:, None] * x
x.sort(0).values
x.sort(1, descending=True).values
x.max(1).values
x.min(0, keepdim=True).values
changed(x)
"""
REDUCTIONS = """
x.sum()
x.sum(0)
b.sum((0, 2), keepdim=True)
x.mean()
x.mean(1)
x.mean(0, keepdim=True)
x.var()
x.var(1, keepdim=True)
x.var(0, correction=0)
x.std()
x.std(0)
torch.std_mean(x, 1)[0]
x.prod(0)
x.prod()
x.logsumexp(1)
x.logsumexp((0, 1), keepdim=True)
x.amax(1)
x.amin(0, keepdim=True)
x.amax()
x.max()
x.min()
(x * 0).max()
x.norm()
x.norm(dim=1)
x.norm(3, 1)
x.norm(0.5, 1)
x.norm(1)
x.norm(math.inf)
x.norm(-math.inf, 0)
torch.dot(u, v)
x @ m
m @ x
x @ u
u @ m
b @ c
b @ m
x @ c
torch.bmm(b, c)
b @ u
F.linear(x, y)
F.linear(x, y, u[:3])
F.linear(b, x, u[:3])
F.linear(u, x)
torch.einsum("ij,ij->i", x, y)
torch.einsum("bij,bjk->bik", b, c)
torch.einsum("...i,...i->...", b, b)
torch.einsum("ij,k->i", x, u)
torch.softmax(x, 0)
torch.softmax(x, 1)
torch.log_softmax(x, 0)
torch.log_softmax(x, 1)
F.pairwise_distance(x, y)
F.cosine_similarity(x, y)
"""
LAYERS = """
F.layer_norm(x, (4,))
F.layer_norm(x, (4,), u, v)
F.group_norm(im, 2)
F.group_norm(im, 2, u, v)
F.batch_norm(im, None, None, u, v, training=True)
F.batch_norm(x, None, None, training=True)
F.instance_norm(im)
F.batch_norm(im, zeros, ones, u, v)
F.rms_norm(x, (4,), u)
F.rms_norm(x, (4,))
F.conv2d(im, filters)
F.conv2d(im, filters, u, stride=2, padding=1)
F.conv2d(im, filters, dilation=2, padding=(2, 0))
F.conv2d(im, filters[:, :2], u, groups=2)
F.conv1d(b, filters[0].transpose(0, 1)[:2, :3], padding=1)
F.conv_transpose2d(im, filters, u)
F.conv_transpose2d(im, filters, stride=2, padding=1)
F.max_pool2d(im, 2)
F.max_pool2d(im, 3, 2, padding=1)
F.max_pool1d(b, 2, 1)
F.unfold(im, 2)
F.unfold(im, (2, 3), dilation=2, padding=1, stride=2)
F.avg_pool2d(im, 2)
F.avg_pool2d(im, 3, 2, padding=1, count_include_pad=False)
F.adaptive_avg_pool2d(im, 2)
F.scaled_dot_product_attention(b, b, b)
F.scaled_dot_product_attention(b, b, c.transpose(1, 2), is_causal=True)
F.scaled_dot_product_attention(b, b, b, attn_mask=x[:, :3])
F.scaled_dot_product_attention(b, b, b, dropout_p=0.3)
lstm(b)[0]
lstm(b)[1][1]
gru(b)[0]
rnn(b)[0]
relu_rnn(b)[0]
both_ways(b)[0]
F.mse_loss(x, y)
F.mse_loss(x, y, reduction="sum")
F.mse_loss(x, y, reduction="none")
F.l1_loss(x, y)
F.smooth_l1_loss(x * 2, y, beta=0.5)
F.huber_loss(x * 2, y, delta=0.7)
F.binary_cross_entropy(x.sigmoid(), probabilities)
F.binary_cross_entropy(x.sigmoid(), y.sigmoid(), reduction="sum")
F.binary_cross_entropy_with_logits(x, probabilities)
F.binary_cross_entropy_with_logits(x, y, pos_weight=probabilities[0])
F.binary_cross_entropy_with_logits(x, probabilities, weight=probabilities, reduction="none")
F.cross_entropy(x, classes)
F.cross_entropy(x, classes, reduction="sum")
F.cross_entropy(x, classes, reduction="none")
F.cross_entropy(x, classes, weight=probabilities[0])
F.cross_entropy(x, classes, label_smoothing=0.2)
F.cross_entropy(x, classes, weight=probabilities[0], label_smoothing=0.2, reduction="none")
F.cross_entropy(x, classes, ignore_index=1)
F.cross_entropy(x, probabilities)
F.nll_loss(torch.log_softmax(x, 1), classes)
F.nll_loss(x, classes, weight=probabilities[0], reduction="sum")
F.nll_loss(x, classes, ignore_index=2, reduction="none")
F.kl_div(torch.log_softmax(x, 1), probabilities)
F.kl_div(torch.log_softmax(x, 1), y.sigmoid(), reduction="sum")
"""
CASES = {
    name: text.strip().splitlines()
    for name, text in (("elements", ELEMENTWISE), ("shapes", SHAPES), ("reductions", REDUCTIONS), ("layers", LAYERS))
}
# Whose textbook forms look at values of arrays: they run eagerly, and only as definitions.
EAGER_AS_DEFINITION = {
    "F.embedding(torch.tensor([0, 2, 2]), x, padding_idx=2)", "F.batch_norm(im, None, None, u, v, training=True)",
    "F.batch_norm(x, None, None, training=True)", "F.instance_norm(im)",
}  # fmt: skip
FORMS = ("definition", "numpy")


def changed(x):
    """What is written into, and looked at through views."""
    h = x * 2
    v = h[:, 1]
    h[0] = 0.5
    v.mul_(3)
    h[h > 1] = 0.3
    h[1:, 2:] += x[0, 0]
    h.copy_(x * x)
    return h * 2 + v.sum()


def step_of(line, dtype=np.float64, seed=0):
    """A step that computes a line and goes backward from it; its leaves by name."""
    rng = np.random.default_rng(seed)
    shapes = {"x": (3, 4), "y": (3, 4), "z": (3, 4), "u": (4,), "v": (4,), "s": (), "m": (4, 3), "b": (2, 3, 4), "c": (2, 4, 3), "im": (2, 4, 6, 6),
              "filters": (4, 4, 3, 3)}  # fmt: skip
    leaves = {n: mg.tensor(rng.standard_normal(shape).astype(dtype), requires_grad=True) for n, shape in shapes.items()}
    mg.manual_seed(seed)
    kind = mg.float64 if dtype is np.float64 else mg.float32
    rest = {
        "torch": mg, "F": mg.nn.functional, "math": math, "changed": changed, "classes": mg.tensor([2, 0, 1]),
        "probabilities": mg.tensor(rng.dirichlet(np.ones(4), 3).astype(dtype)), "zeros": mg.zeros(4, dtype=kind), "ones": mg.ones(4, dtype=kind) * 2,
        "lstm": mg.nn.LSTM(4, 5, dtype=kind), "gru": mg.nn.GRU(4, 5, dtype=kind), "rnn": mg.nn.RNN(4, 5, dtype=kind),
        "relu_rnn": mg.nn.RNN(4, 5, nonlinearity="relu", dtype=kind), "both_ways": mg.nn.LSTM(4, 5, bidirectional=True, dtype=kind),
    }  # fmt: skip
    for layer in [x for x in rest.values() if isinstance(x, mg.nn.Module)]:
        if line.startswith(f"{next(n for n, v in rest.items() if v is layer)}("):
            leaves |= {f"{n}.{path}": p for n, v in rest.items() if v is layer for path, p in layer.named_parameters()}
    used = "".join(f"    {n}.grad = None\n" for n in leaves)
    text = f"def step():\n{used}    out = {line}\n    loss = (out * out.detach().cos()).sum()\n    loss.backward()\n    return loss.detach() * 1\n"
    space = {**rest, **{n: t for n, t in leaves.items() if "." not in n}}
    exec(text, space)
    return space["step"], leaves


def shapes_are_as_told(ready):
    """Each printed line makes what its comment says."""
    space = dict(SPACE)
    space |= {v.name: np.array(v.tensor.array) for v in ready.program.inputs}
    state = mg.get_rng_state()
    for line in printed(ready.program):
        with np.errstate(all="ignore"):
            exec(assigned(line), ready.space if line.kind == "draw" else space)
        if line.kind == "draw":
            space[line.out.name] = ready.space[line.out.name]
        for v in [v for v in line.outs or [line.out] if v is not None and line.kind != "check"]:
            made = np.asarray(space[v.name])
            assert (made.shape, made.dtype) == (v.shape, v.dtype), (
                assigned(line),
                made.shape,
                made.dtype,
                v.shape,
                v.dtype,
            )
    mg.set_rng_state(state)


def seen_forms(step):
    return {
        line.more["call"]._form for r in step._ready if r.program for line in r.program.lines if "call" in line.more
    }


@functools.cache
def compare(line, position, dtype=np.float64):
    """Errors: AssertionError where the source does not run alone, or gives other gradients. Gives the forms that were printed."""
    with warnings.catch_warnings(), mg.use_kernels(position):
        warnings.simplefilter("ignore")
        step, leaves = step_of(line, dtype)
        run = mg.compile(step)
        for _ in range(3):
            run()
        ready = [r for r in run._ready if r.program]
        if position == "definition" and line in EAGER_AS_DEFINITION:
            assert not ready
            return frozenset()
        assert ready, run.explain()
        calls = {one.note for one in printed(ready[-1].program) if one.kind == "call"}
        assert not calls, f"{line}: no text for {calls}"
        shapes_are_as_told(ready[-1])
        gradients = numpy_alone(run)
        run()
        assert gradients
        for name, found in gradients.items():
            expected = leaves[name].grad.array
            assert found.dtype == expected.dtype, (line, name, found.dtype)
            size = max(1.0, float(np.abs(expected).max(initial=0)))
            near = np.abs(found - expected).max(initial=0) / size
            assert near < (1e-11 if dtype is np.float64 else 2e-5), (
                f"{line}, {position}: d {name} is off by {near}\n{run.source()}"
            )
        return seen_forms(run)


# (As definitions some layers look at values of arrays, and run eagerly.)
@pytest.mark.parametrize(
    ("kind", "position"), [(k, p) for k in CASES for p in FORMS if (k, p) != ("layers", "definition")]
)
def test_the_source_of_each_operation_runs_with_numpy_alone(kind, position):
    for line in CASES[kind]:
        compare(line, position)


def test_what_runs_in_compiled_loops_is_printed_as_numpy_too():
    for line in (
        "F.gelu(x)", "F.layer_norm(x, (4,), u, v)", "F.conv2d(im, filters, u, padding=1)", "F.max_pool2d(im, 2)", "lstm(b)[0]",
        "F.cross_entropy(x, classes)", "torch.softmax(x, 1)", "F.embedding(torch.tensor([0, 2, 2]), x)", "F.batch_norm(im, None, None, u, v, training=True)",
        "F.scaled_dot_product_attention(b, b, b)", "x.cumsum(0)", "x.erf()",
    ):  # fmt: skip
        compare(line, "compiled", np.float32)


@pytest.mark.parametrize("kind", CASES)
def test_float32_stays_float32(kind):
    for line in CASES[kind]:
        compare(line, "numpy", np.float32)


SETTINGS = [
    (mg.optim.SGD, {"lr": 0.1}, ""),
    (mg.optim.SGD, {"lr": 0.1, "weight_decay": 0.2, "maximize": True}, ""),
    (mg.optim.SGD, {"lr": 0.1, "momentum": 0.9, "dampening": 0.3}, "b"),
    (mg.optim.SGD, {"lr": 0.1, "momentum": 0.9, "nesterov": True, "weight_decay": 0.1}, "b"),
    (mg.optim.Adam, {"lr": 0.1}, "m v t"),
    (mg.optim.Adam, {"lr": 0.1, "amsgrad": True, "weight_decay": 0.1}, "m v largest t"),
    (mg.optim.AdamW, {"lr": 0.1, "weight_decay": 0.3, "betas": (0.8, 0.9)}, "m v t"),
    (mg.optim.RMSprop, {"lr": 0.1, "alpha": 0.8}, "v"),
    (mg.optim.RMSprop, {"lr": 0.1, "centered": True, "momentum": 0.7, "weight_decay": 0.1}, "v mean b"),
    (mg.optim.Adagrad, {"lr": 0.1, "lr_decay": 0.1, "initial_accumulator_value": 0.5}, "s t"),
]


@pytest.mark.parametrize(("optimizer", "settings", "kept"), SETTINGS)
def test_the_printed_update_is_the_optimizer_s(optimizer, settings, kept):
    w = mg.tensor(np.linspace(-1, 1, 5), requires_grad=True)
    one = optimizer([w], **settings)

    def step():
        one.zero_grad()
        loss = (w * w * w).sum()
        loss.backward()
        one.step()
        return loss

    run, p = mg.compile(step), w.detach().numpy().copy()
    for _ in range(3):
        run()
    space = {}
    exec(run.source(), space)
    assert "not written out" not in run.source()
    state = {name: np.full(5, settings.get("initial_accumulator_value", 0.0)) for name in kept.split() if name != "t"}
    for t in (1, 2, 3):
        g = space["step"](w=p)[1]["w"]
        if t == 1 and "b" in state and optimizer is mg.optim.SGD:  # b begins as the first gradient
            first = -g if settings.get("maximize") else g
            first = first + settings.get("weight_decay", 0) * p
            state["b"] = first.copy()
            p -= settings["lr"] * (first + settings["momentum"] * first if settings.get("nesterov") else first)
            continue
        space["update"](p, g, **state, **({"t": t} if "t" in kept else {}))
    assert np.allclose(p, w.detach().numpy(), rtol=1e-12)


def test_groups_of_parameters_have_an_update_each():
    a, b = mg.ones(2, requires_grad=True), mg.ones(3, requires_grad=True)
    one = mg.optim.SGD([{"params": [a], "lr": 0.1}, {"params": [b], "lr": 0.5}])

    def step():
        one.zero_grad()
        loss = (a * a).sum() + (b * b).sum()
        loss.backward()
        one.step()
        return loss

    run = mg.compile(step)
    for _ in range(3):
        run()
    source = run.source()
    assert "# for a\ndef update_1(p, g, lr=0.1):" in source
    assert "# for b\ndef update_2(p, g, lr=0.5):" in source


def test_every_text_is_that_of_an_operation_that_a_case_reaches():
    """But for those that are here for types which have no case: float16, and integers."""
    seen = set()
    for kind in CASES:
        for line in CASES[kind]:
            for position in FORMS[kind == "layers" :]:
                seen |= compare(line, position)
    reached = {cls for form in seen for cls in form.__mro__}
    left = {cls.__qualname__ for cls in TEXTS if cls not in reached and cls not in WRITTEN}
    assert left <= {
        "Middle",
        "NanMiddle",
        "RunningExtreme",
        "RunningLeast",
        "ScaledGradient",
        "AsStrided",
        "PutSlice",
        "NormalizeBy",
    }


def test_a_wrong_text_is_caught():
    """Of a fault in the text of each kind the comparison above says so."""
    for cls, line in (
        (mg.ops.activation.Silu, "F.silu(x)"),
        (mg.ops.conv.Convolution, "F.conv2d(im, filters)"),
        (mg.ops.parts.Slice, "x[1:, ::2]"),
    ):
        right = TEXTS[cls]

        def wrong(call, right=right):
            forward, backward = right(call)
            return forward, backward.replace("dx = ", "dx = 2 * ")

        TEXTS[cls] = wrong
        try:
            with pytest.raises(AssertionError, match="is off by"):
                compare.__wrapped__(line, "numpy")
        finally:
            TEXTS[cls] = right
