"""Modules: initial weights from the seed (to the bit), output, all gradients, buffers, in training and in evaluation."""

from __future__ import annotations

from typing import Any

import numpy as np

from ..case import REDUCED, Call, Result, Same, call, family, op, resolve
from ..inputs import Draw, Input

family("module")


def run_module(
    torch: Any, path: str, args: tuple, kwargs: dict, inputs: list, train: bool, seed: int, rename: Any = None
) -> Result:
    """Build from a seed, move the weights off their special values (zeros and ones hide faults), run."""
    torch.manual_seed(seed)
    m = resolve(torch, path)(*args, **kwargs)
    initial = {name: value.clone() for name, value in m.state_dict().items()}
    shown = repr(m).replace(", bias=True", "").replace(", bias=False", "")  # shown for norms by newer releases only
    rng = np.random.default_rng(seed)
    with torch.no_grad():
        for p in m.parameters():
            p.add_(torch.from_numpy(np.asarray(rng.normal(0, 0.3, tuple(p.shape)).astype(np.float32))))
    floating = next((x for x in inputs if isinstance(x, torch.Tensor) and x.is_floating_point()), None)
    m = m.double() if floating is None or floating.dtype == torch.float64 else m.float()
    m.train(train)
    out = m(*inputs)
    # Twice, as running statistics and dropout's stream move on.
    again = m(*inputs) if train else out
    buffers = {name: b for name, b in m.named_buffers()}
    return Result(
        (Same(initial), shown, m.training, out, again, buffers), [p for p in m.parameters() if p.requires_grad]
    )


def module(name: str, draw: Any, *args: Any, label: str = "", **options: Any) -> None:
    """draw(d) gives (constructor arguments, constructor keywords, inputs)."""

    def drawn(d: Draw) -> Call:
        made = draw(d)
        return call(f"nn.{name}", tuple(made[0]), made[1], list(made[2]), d.flag(0.6), d.integer(0, 9999))

    options.setdefault("tolerance", REDUCED)
    options.setdefault("modes", ("normal", "normal", "ties"))
    op(f"nn.{name}{label}", drawn, run_module, covers=[f"nn.{name}"], **options)


def optional(d: Draw, *choices: dict[str, Any]) -> dict[str, Any]:
    return d.choice(({}, *choices))


def features(d: Draw, n: int) -> Input:
    return d.tensor((*d.shape(max_dims=2), n))


module("Linear", lambda d: ((3, d.choice((4, 1))), optional(d, {"bias": False}), [features(d, 3)]))
module("Bilinear", lambda d: ((2, 3, 4), {}, [d.tensor((5, 2)), d.tensor((5, 3))]))
module("Identity", lambda d: ((), {}, [d.tensor()]))
module("Flatten", lambda d: (d.choice(((), (0,), (1, 2))), {}, [d.tensor((2, 3, 4))]))
module("Unflatten", lambda d: ((1, (2, 3)), {}, [d.tensor((4, 6))]))

CONV = (
    {"stride": 2},
    {"padding": 1},
    {"padding": "same"},
    {"dilation": 2},
    {"groups": 2},
    {"bias": False},
    {"padding": 1, "padding_mode": "circular"},
    {"padding": (1), "padding_mode": "reflect"},
)
module("Conv1d", lambda d: ((2, 4, d.choice((3, 2))), optional(d, *CONV), [d.tensor((2, 2, 7))]))
module("Conv3d", lambda d: ((2, 4, d.choice((2, (1, 2, 3)))), optional(d, *CONV), [d.tensor((2, 2, 4, 4, 4))]))
module("Conv2d", lambda d: ((2, 4, d.choice((3, (2, 3)))), optional(d, *CONV), [d.tensor((2, 2, 6, 7))]))
DECONV = ({"stride": 2, "output_padding": 1}, {"padding": 1}, {"groups": 2}, {"bias": False}, {"dilation": 2})
module("ConvTranspose1d", lambda d: ((2, 4, 3), optional(d, *DECONV), [d.tensor((2, 2, 4))]))
module("ConvTranspose2d", lambda d: ((2, 4, d.choice((3, (2, 3)))), optional(d, *DECONV), [d.tensor((2, 2, 4, 3))]))
module("ConvTranspose3d", lambda d: ((2, 4, 2), optional(d, *DECONV), [d.tensor((2, 2, 2, 3, 2))]))
module("Unfold", lambda d: ((2,), {"stride": d.choice((1, 2))}, [d.tensor((2, 3, 4, 5))]))
module("Fold", lambda d: (((4, 5), 2), {}, [d.tensor((2, 8, 12))]))

module(
    "MaxPool1d",
    lambda d: ((2,), optional(d, {"stride": 1}, {"padding": 1}, {"ceil_mode": True}), [d.tensor((2, 3, 7))]),
)
module(
    "MaxPool2d",
    lambda d: (
        (d.choice((2, 3, (2, 1))),),
        optional(d, {"stride": 1}, {"padding": 1}, {"ceil_mode": True}),
        [d.tensor((2, 3, 6, 7))],
    ),
)
module(
    "AvgPool1d",
    lambda d: ((2,), optional(d, {"stride": 1}, {"padding": 1}, {"ceil_mode": True}), [d.tensor((2, 3, 7))]),
)
module(
    "AvgPool2d",
    lambda d: (
        (d.choice((2, (2, 3))),),
        optional(d, {"stride": 1}, {"padding": 1}, {"count_include_pad": False, "padding": 1}),
        [d.tensor((2, 3, 6, 7))],
    ),
)
module("AdaptiveAvgPool1d", lambda d: ((3,), {}, [d.tensor((2, 3, 7))]))
module("AdaptiveAvgPool2d", lambda d: ((d.choice((1, 3, (2, 3), (None, 2))),), {}, [d.tensor((2, 3, 6, 7))]))
module("AdaptiveMaxPool1d", lambda d: ((3,), {}, [d.tensor((2, 3, 7))]))
module("AdaptiveMaxPool2d", lambda d: ((2,), {}, [d.tensor((2, 3, 6, 7))]))
module("UpsamplingNearest2d", lambda d: ((), {"scale_factor": 2}, [d.tensor((2, 3, 2, 3))]))
module("UpsamplingBilinear2d", lambda d: (((3, 5),), {}, [d.tensor((2, 3, 2, 3))]))
module("Upsample", lambda d: ((), {"scale_factor": 2}, [d.tensor((2, 3, 2, 3))]))
for name in ("ZeroPad1d", "ConstantPad1d"):
    module(name, lambda d, name=name: (((1, 2), *([1.5] if name[0] == "C" else [])), {}, [d.tensor((2, 3, 4))]))
module("CircularPad1d", lambda d: (((1, 2),), {}, [d.tensor((2, 3, 4))]))
for name in ("ZeroPad2d", "ReflectionPad2d", "ReplicationPad2d", "CircularPad2d"):
    module(name, lambda d: (((1, 2, 0, 1),), {}, [d.tensor((2, 3, 4, 4))]))
module("ConstantPad2d", lambda d: (((1, 2, 0, 1), 1.5), {}, [d.tensor((2, 3, 4, 4))]))
module("ReflectionPad1d", lambda d: ((2,), {}, [d.tensor((2, 3, 4))]))
module("ReplicationPad1d", lambda d: ((2,), {}, [d.tensor((2, 3, 4))]))
module("PixelShuffle", lambda d: ((2,), {}, [d.tensor((2, 8, 2, 3))]))
module("PixelUnshuffle", lambda d: ((2,), {}, [d.tensor((2, 2, 4, 6))]))

NORM: dict[str, Any] = {"modes": ("normal",), "layouts": False}  # equal values have no variance: see conv.py
BN = ({"eps": 1e-3}, {"momentum": 0.3}, {"momentum": None}, {"affine": False}, {"track_running_stats": False})
module("BatchNorm1d", lambda d: ((3,), optional(d, *BN), [d.tensor(d.choice(((4, 3), (2, 3, 5))))]), **NORM)
module("BatchNorm2d", lambda d: ((3,), optional(d, *BN), [d.tensor((2, 3, 2, 3))]), **NORM)
# No side of 1: for such a shape with a gradient in channels-last order, PyTorch 2.13 itself gives wrong gradients.
module("BatchNorm3d", lambda d: ((3,), {}, [d.tensor((2, 3, 2, 3, 2))]), **NORM)
module(
    "LayerNorm",
    lambda d: (
        (d.choice((4, (3, 4), [3, 4])),),
        optional(d, {"eps": 1e-3}, {"elementwise_affine": False}, {"bias": False}),
        [d.tensor((2, 3, 4))],
    ),
    **NORM,
)
module(
    "RMSNorm",
    lambda d: ((4,), optional(d, {"eps": 1e-3}, {"elementwise_affine": False}), [d.tensor((2, 3, 4))]),
    **NORM,
)
module(
    "GroupNorm",
    lambda d: (
        (d.choice((1, 2, 3)), 6),
        optional(d, {"affine": False}),
        [d.tensor(d.choice(((2, 6), (2, 6, 3), (2, 6, 2, 2))))],
    ),
    **NORM,
)
module(
    "InstanceNorm1d",
    lambda d: ((3,), optional(d, {"affine": True}, {"track_running_stats": True}), [d.tensor((2, 3, 4))]),
    **NORM,
)
module(
    "InstanceNorm2d",
    lambda d: ((3,), optional(d, {"affine": True}, {"track_running_stats": True}), [d.tensor((2, 3, 4, 2))]),
    **NORM,
)
module(
    "InstanceNorm3d",
    lambda d: ((3,), optional(d, {"affine": True}, {"track_running_stats": True}), [d.tensor((2, 3, 2, 2, 1))]),
    **NORM,
)

module("LocalResponseNorm", lambda d: ((2,), {}, [d.tensor((2, 4, 3))]), **NORM)

for name in ("Dropout", "AlphaDropout", "FeatureAlphaDropout"):
    module(name, lambda d: (d.choice(((), (0.3,), (0.0,))), {}, [d.tensor((3, 4, 2))]), **NORM)
module("Dropout1d", lambda d: ((0.4,), {}, [d.tensor((2, 5, 3))]), **NORM)
module("Dropout3d", lambda d: ((0.4,), {}, [d.tensor((2, 5, 2, 2, 1))]), **NORM)
module("Dropout2d", lambda d: ((0.4,), {}, [d.tensor((2, 5, 3, 2))]), **NORM)

module(
    "Embedding",
    lambda d: (
        (5, 3),
        optional(d, {"padding_idx": 1}, {"padding_idx": -1}),
        [d.integers(d.shape(max_dims=2, min_side=1), 0, 5)],
    ),
    float32=False,
)

ACTIVATIONS: dict[str, tuple[dict[str, Any], ...]] = {
    "ReLU": (), "ReLU6": (), "LeakyReLU": ({"negative_slope": 0.3},), "ELU": ({"alpha": 0.5},), "CELU": ({"alpha": 0.5},), "SELU": (),
    "GELU": ({"approximate": "tanh"},), "SiLU": (), "Mish": (), "Sigmoid": (), "Tanh": (), "Softplus": ({"beta": 2.0},), "Softsign": (),
    "Hardtanh": ({"min_val": -2.0, "max_val": 0.5},), "Hardswish": (), "Hardsigmoid": (), "LogSigmoid": (), "Tanhshrink": (),
    "Softshrink": ({"lambd": 0.2},), "Hardshrink": ({"lambd": 0.2},),
}  # fmt: skip
for name, options in ACTIVATIONS.items():
    module(
        name,
        lambda d, options=options: ((), optional(d, *options), [d.tensor()]),
        kinks=(0.0, 1.0, -1.0, 3.0, -3.0, 6.0, 0.5, -0.5),
    )
module(
    "PReLU",
    lambda d: ((), optional(d, {"init": 0.1}, {"num_parameters": 3}), [d.tensor((2, 3, 4))]),
    kinks=(0.0,),
    second=False,
)
module("RReLU", lambda d: ((), {}, [d.tensor((2, 3))]), **NORM)
module("Threshold", lambda d: ((0.5, -1.0), {}, [d.tensor()]))
module("GLU", lambda d: (d.choice(((), (1,))), {}, [d.tensor((3, 4, 6))]))
for name in ("Softmax", "LogSoftmax", "Softmin"):
    module(name, lambda d: ((), {"dim": d.choice((-1, 0, 1))}, [d.tensor((3, 4))]))
module("Softmax2d", lambda d: ((), {}, [d.tensor((2, 3, 2, 2))]))
module("CosineSimilarity", lambda d: ((), optional(d, {"dim": -1}), [d.tensor((3, 4)), d.tensor((3, 4))]), **NORM)
module("PairwiseDistance", lambda d: ((), optional(d, {"p": 1.0}), [d.tensor((3, 4)), d.tensor((3, 4))]), **NORM)


# -- recurrent: the output and the last states

RECURRENT = (
    {"num_layers": 2},
    {"bidirectional": True},
    {"bias": False},
    {"num_layers": 2, "dropout": 0.4},
    {"num_layers": 2, "bidirectional": True, "batch_first": True},
)
for name in ("RNN", "LSTM", "GRU"):
    module(
        name, lambda d: ((3, 4), optional(d, *RECURRENT), [d.tensor(d.choice(((5, 2, 3), (4, 3), (1, 1, 3))))]), **NORM
    )
module("RNN", lambda d: ((3, 4), {"nonlinearity": "relu"}, [d.tensor((5, 2, 3))]), label=".relu", **NORM)
module("RNN", lambda d: ((3, 4, 2), {}, [d.tensor((5, 2, 3)), d.tensor((2, 2, 4))]), label=".state", **NORM)
for name in ("RNNCell", "LSTMCell", "GRUCell"):
    module(name, lambda d: ((3, 4), optional(d, {"bias": False}), [d.tensor(d.choice(((2, 3), (3,))))]), **NORM)
module("GRUCell", lambda d: ((3, 4), {}, [d.tensor((2, 3)), d.tensor((2, 4))]), label=".state", **NORM)
module(
    "LSTM", lambda d: ((3, 4), {"proj_size": 2} | optional(d, *RECURRENT), [d.tensor((5, 2, 3))]), label=".proj_size", **NORM
)  # fmt: skip


def packed(d: Draw) -> Call:
    """A recurrent layer over sequences of different lengths, with a state of its own or none."""
    kind, options = d.choice(("RNN", "LSTM", "GRU")), optional(d, *RECURRENT)
    n, length = d.integer(1, 4), d.integer(1, 5)
    first = options.get("batch_first", False)
    layers = options.get("num_layers", 1) * (2 if options.get("bidirectional") else 1)
    lengths = [d.integer(1, length) for _ in range(n)]
    lengths[d.integer(0, n - 1)] = length
    state = [d.tensor((layers, n, 4)) for _ in range(2 if kind == "LSTM" else 1)] if d.flag(0.4) else None
    x = d.tensor((n, length, 3) if first else (length, n, 3))
    if d.flag(0.3):
        lengths.sort(reverse=True)
        return call(kind, options, x, lengths, True, state, d.integer(0, 9999))
    return call(kind, options, x, lengths, False, state, d.integer(0, 9999))


def _packed(
    torch: Any, kind: str, options: dict, x: Any, lengths: list, sorted_: bool, state: list | None, seed: int
) -> Result:
    torch.manual_seed(seed)
    m = getattr(torch.nn, kind)(3, 4, **options).to(x.dtype)
    rnn, first = torch.nn.utils.rnn, options.get("batch_first", False)
    given = rnn.pack_padded_sequence(x, torch.tensor(lengths), first, enforce_sorted=sorted_)
    assert isinstance(given, rnn.PackedSequence)
    given = rnn.PackedSequence(given.data, given.batch_sizes, given.sorted_indices)
    hx = () if state is None else (tuple(state) if kind == "LSTM" else state[0],)
    out, last = m(given, *hx)
    return Result((given, out, last, *rnn.pad_packed_sequence(out, first)), list(m.parameters()))


op("nn.utils.rnn.PackedSequence", packed, _packed, tolerance=REDUCED, **NORM)


# -- attention

HEADS = (
    {"bias": False},
    {"batch_first": True},
    {"dropout": 0.3},
    {"kdim": 3, "vdim": 5},
    {"add_bias_kv": True},
    {"add_zero_attn": True},
)


def attention(d: Draw) -> Call:
    options = optional(d, *HEADS)
    first = options.get("batch_first", False)
    n, s, batch = 3, 4, 2

    def shape(length: int, width: int) -> tuple[int, ...]:
        return (batch, length, width) if first else (length, batch, width)

    q, k, v = (
        d.tensor(shape(n, 4)),
        d.tensor(shape(s, options.get("kdim", 4))),
        d.tensor(shape(s, options.get("vdim", 4))),
    )
    hidden = np.arange(s) >= np.array([[3], [4]])
    masks = d.choice((
        {}, {"key_padding_mask": d.lay(hidden, False)}, {"attn_mask": d.lay(np.triu(np.ones((n, s), bool), 2), False)},
        {"attn_mask": d.tensor((n, s))}, {"attn_mask": d.tensor((n, s)), "is_causal": True}, {"attn_mask": d.tensor((batch * 2, n, s))},
    ))  # fmt: skip
    extra = d.choice(({}, {"need_weights": False}, {"average_attn_weights": False}))
    return call((4, 2), options, [q, k, v], masks | extra, d.flag(), d.integer(0, 9999))


def _attention(
    torch: Any, args: tuple, options: dict, inputs: list, call_options: dict, train: bool, seed: int
) -> Result:
    torch.manual_seed(seed)
    m = torch.nn.MultiheadAttention(*args, **options)
    initial = {name: value.clone() for name, value in m.state_dict().items()}
    m = m.double() if inputs[0].dtype == torch.float64 else m.float()
    m.train(train)
    return Result((Same(initial), m(*inputs, **call_options)), list(m.parameters()))


op("nn.MultiheadAttention", attention, _attention, tolerance=REDUCED, modes=("normal",))


def encoder_options(d: Draw) -> dict[str, Any]:
    return {"dropout": d.choice((0.0, 0.2))} | optional(
        d, {"batch_first": True}, {"norm_first": True}, {"activation": "gelu"}
    )


module("TransformerEncoderLayer", lambda d: ((4, 2, 6), encoder_options(d), [d.tensor((3, 2, 4))]), **NORM)


def _encoder(torch: Any, options: dict, layers: int, x: Any, mask: Any, causal: bool, train: bool, seed: int) -> Result:
    torch.manual_seed(seed)
    layer = torch.nn.TransformerEncoderLayer(4, 2, 6, batch_first=True, **options)
    m = torch.nn.TransformerEncoder(layer, layers, enable_nested_tensor=False)
    initial = {name: value.clone() for name, value in m.state_dict().items()}
    m = m.double() if x.dtype == torch.float64 else m.float()
    m.train(train)
    triangle = torch.nn.Transformer.generate_square_subsequent_mask(3).to(x.dtype) if causal else None
    out = m(x, mask=triangle, src_key_padding_mask=mask)
    return Result((Same(initial), out), list(m.parameters()))


op(
    "nn.TransformerEncoder",
    lambda d: call({"dropout": d.choice((0.0, 0.2))}, d.integer(1, 2), d.tensor((2, 3, 4)), None, d.flag(), d.flag(), d.integer(0, 9999)),
    _encoder, tolerance=REDUCED, **NORM,
)  # fmt: skip


def padded_batch(d: Draw) -> Call:
    """A batch with padding: at the end, where PyTorch may leave it out, or anywhere."""
    options = optional(d, {"batch_first": False}, {"norm_first": True}, {"activation": "gelu"}, {"bias": False})
    lengths = np.array([d.integer(1, 4) for _ in range(3)])
    padding = np.arange(4) >= lengths[:, None]
    if d.flag(0.3):
        padding = d.rng.permuted(padding, axis=1)
        padding[:, 0] = False  # with a mask a place might else have nothing to attend to: see TransformerEncoderLayer
    return call(
        {"batch_first": True} | options, {"enable_nested_tensor": d.flag(0.7), "mask_check": d.flag(0.7)}, d.tensor((3, 4, 4)),
        d.lay(padding, False), d.flag(0.3), d.flag(0.3), d.flag(0.6), d.integer(0, 9999),
    )  # fmt: skip


def _padded_encoder(
    torch: Any, options: dict, nested: dict, x: Any, padding: Any, masked: bool, norm: bool, silent: bool, seed: int
) -> Result:
    torch.manual_seed(seed)
    layer = torch.nn.TransformerEncoderLayer(4, 2, 6, **options)
    m = torch.nn.TransformerEncoder(layer, 2, torch.nn.LayerNorm(4) if norm else None, **nested).to(x.dtype).eval()
    mask = torch.ones(4, 4, dtype=torch.bool).triu(2) if masked else None
    x = x if options["batch_first"] else x.transpose(0, 1)
    with torch.set_grad_enabled(not silent):
        out = m(x, mask, padding)
    return Result((m.use_nested_tensor, out), [] if silent else list(m.parameters()))


op(
    "nn.TransformerEncoder.padded",
    padded_batch,
    _padded_encoder,
    tolerance=REDUCED,
    second=False,
    float32=False,
    **NORM,
)


module(
    "TransformerDecoderLayer",
    lambda d: ((4, 2, 6), encoder_options(d), [d.tensor((3, 2, 4)), d.tensor((5, 2, 4))]),
    **NORM,
)


def decoder_masks(d: Draw) -> dict[str, Any]:
    return optional(
        d, {"memory_mask": d.tensor((3, 5))}, {"memory_key_padding_mask": d.lay(np.arange(5) >= np.array([[3], [5]]), False)},
        {"tgt_key_padding_mask": d.lay(np.arange(3) >= np.array([[3], [2]]), False)},
    )  # fmt: skip


def _decoder(torch: Any, layers: int, x: Any, memory: Any, causal: bool, train: bool, seed: int, masks: dict) -> Result:
    torch.manual_seed(seed)
    layer = torch.nn.TransformerDecoderLayer(4, 2, 6, batch_first=True, dropout=0.2)
    m = torch.nn.TransformerDecoder(layer, layers, torch.nn.LayerNorm(4))
    initial = {name: value.clone() for name, value in m.state_dict().items()}
    m = m.double().train(train)
    triangle = torch.nn.Transformer.generate_square_subsequent_mask(3).to(x.dtype) if causal else None
    out = m(x, memory, tgt_mask=triangle, tgt_is_causal=causal, **masks)
    return Result((Same(initial), out), list(m.parameters()))


op(
    "nn.TransformerDecoder",
    lambda d: call(
        d.integer(1, 2), d.tensor((2, 3, 4)), d.tensor((2, 5, 4)), d.flag(), d.flag(), d.integer(0, 9999), decoder_masks(d)
    ),
    _decoder, tolerance=REDUCED, float32=False, **NORM,  # float64 only: as nn.Transformer below
)  # fmt: skip


def _seq2seq(
    torch: Any, options: dict, source: Any, target: Any, hidden: Any, causal: bool, train: bool, seed: int
) -> Result:
    torch.manual_seed(seed)
    m = torch.nn.Transformer(4, 2, 1, 2, 6, batch_first=True, **options)
    initial = {name: value.clone() for name, value in m.state_dict().items()}
    m = m.double() if source.dtype == torch.float64 else m.float()
    m.train(train)
    triangle = torch.nn.Transformer.generate_square_subsequent_mask(3).to(source.dtype) if causal else None
    out = m(source, target, tgt_mask=triangle, tgt_is_causal=causal, memory_key_padding_mask=hidden)
    return Result((Same(initial), out), list(m.parameters()))


op(
    "nn.Transformer",
    lambda d: call(
        {"dropout": d.choice((0.0, 0.2)), "norm_first": d.flag()},
        d.tensor((2, 4, 4)), d.tensor((2, 3, 4)), d.choice((None, d.lay(np.arange(4) >= np.array([[3], [4]]), False))), d.flag(),
        d.flag(), d.integer(0, 9999),
    ),
    # float64 only: every part has its case, and norms over 4 values, one behind the other, magnify float32's rounding.
    _seq2seq, tolerance=REDUCED, float32=False, **NORM,
)  # fmt: skip


# -- containers and the Module itself


def _containers(torch: Any, x: Any, seed: int) -> Result:
    nn = torch.nn
    torch.manual_seed(seed)

    class Net(torch.nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.blocks = nn.ModuleList([nn.Linear(4, 4) for _ in range(2)])
            self.blocks.append(nn.Linear(4, 4))
            self.named = nn.ModuleDict({"act": nn.Tanh(), "norm": nn.LayerNorm(4)})
            self.head = nn.Sequential(nn.Linear(4, 3), nn.ReLU(), nn.Linear(3, 2))
            self.scales = nn.ParameterList([nn.Parameter(torch.ones(4)), nn.Parameter(torch.full((4,), 0.5))])
            self.by_name = nn.ParameterDict({"shift": nn.Parameter(torch.zeros(4))})
            self.register_buffer("offset", torch.arange(4.0))
            self.register_buffer("hidden", torch.zeros(1), persistent=False)
            self.register_parameter("none", None)

        def forward(self, x: Any) -> Any:
            for block, scale in zip(self.blocks, [*self.scales, 1.0]):
                x = self.named["act"](block(x)) * scale
            return self.head(self.named["norm"](x + self.offset) + self.by_name["shift"])

    m = Net().double()
    facts = (
        repr(m.blocks), list(m.state_dict()), [n for n, _ in m.named_parameters()], [n for n, _ in m.named_buffers()],
        [n for n, _ in m.named_modules()], [n for n, _ in m.named_children()], len(list(m.children())), len(list(m.modules())),
        len(m.blocks), list(m.named.keys()), "act" in m.named, len(m.head), repr(m.head[1]), repr(m.head[1:]), repr(m.blocks[-1]),
        m.training, m.eval().training, m.train().training, [p.requires_grad for p in m.requires_grad_(False).parameters()],
        [p.requires_grad for p in m.requires_grad_(True).parameters()], m.get_parameter("head.0.weight").shape,
        m.get_submodule("named.norm").eps, sum(p.numel() for p in m.parameters()), m._get_name(), m.extra_repr(),
        [n for n, _ in m.named_parameters(prefix="p")], [n for n, _ in m.named_parameters(recurse=False)], m.get_buffer("offset").shape,
    )  # fmt: skip
    seen: list[Any] = []

    def doubled(mod: Any, args: tuple, out: Any) -> Any:
        seen.append(("forward", type(mod).__name__, len(args)))
        return out * 2

    handles = [
        m.head.register_forward_hook(doubled),
        m.head.register_forward_pre_hook(lambda mod, args: seen.append(("pre", len(args)))),
        m.head.register_full_backward_hook(lambda mod, gi, go: seen.append(("backward", len(gi), len(go)))),
    ]
    out = m(x)
    m.apply(lambda mod: seen.append(type(mod).__name__))
    for h in handles:
        h.remove()
    out2 = m(x)
    m.zero_grad()
    return Result((facts, out, out2, seen), list(m.parameters()))


CONTAINERS = [
    "nn.Module",
    "nn.ModuleList",
    "nn.ModuleDict",
    "nn.Sequential",
    "nn.ParameterList",
    "nn.ParameterDict",
    "nn.Parameter",
]
op(
    "nn.containers",
    lambda d: call(d.tensor((3, 4), dtype="float64"), d.integer(0, 99)),
    _containers,
    covers=CONTAINERS,
    tolerance=REDUCED,
    modes=("normal",),
    float32=False,
)


def _tables(torch: Any, x: Any, seed: int) -> Result:
    """What a program does to containers as to Python's own: parameters and modules come, go and are found."""
    nn = torch.nn
    torch.manual_seed(seed)
    layers = nn.ModuleDict({"a": nn.Linear(4, 4), "b": nn.Tanh()})
    layers.update({"c": nn.Linear(4, 4), "d": nn.ReLU()})
    gone = layers.pop("d")
    facts = [type(gone).__name__, list(layers.keys()), [n for n, _ in layers.items()], len(list(layers.values()))]
    weights = nn.ParameterDict({"w": nn.Parameter(torch.ones(4))})
    weights.update({"v": nn.Parameter(torch.full((4,), 0.5)), "u": nn.Parameter(torch.zeros(4))})
    weights.setdefault("w", nn.Parameter(torch.zeros(4)))
    facts += [
        list(weights.keys()),
        len(list(weights.values())),
        [n for n, _ in weights.items()],
        weights.get("none"),
        "u" in weights,
    ]
    same = weights.copy()
    dropped = weights.pop("u"), weights.popitem()[0]
    facts += [list(dropped[0].shape), dropped[1], sorted(weights.keys()), sorted(same.keys()), repr(weights)]
    rows = nn.ParameterList([nn.Parameter(torch.ones(4))])
    rows.append(nn.Parameter(torch.full((4,), 2.0)))
    rows.extend([nn.Parameter(torch.full((4,), 3.0))])
    facts += [len(rows), repr(rows)]
    same.clear()
    m = nn.Module()
    m.add_module("layers", layers)
    m.register_module("tail", nn.Linear(4, 2))
    m.weights, m.rows = weights, rows
    facts += [len(same), list(m.state_dict()), [n for n, _ in m.named_children()]]
    m = m.double()
    y = layers["c"](layers["b"](layers["a"](x))) * weights["w"] + rows[0] * rows[1] - rows[2]
    out = m.tail(y)
    layers.clear()
    return Result((facts, out, len(layers)), list(m.parameters()) + list(weights.parameters()))


op(
    "nn.tables",
    lambda d: call(d.tensor((3, 4), dtype="float64"), d.integer(0, 99)),
    _tables,
    covers=["nn.ModuleDict", "nn.ParameterDict", "nn.ParameterList"],
    tolerance=REDUCED,
    modes=("normal",),
    float32=False,
)


def _moved(torch: Any, x: Any, seed: int) -> Any:
    """Modules in other types: parameters and buffers change, integers stay."""
    torch.manual_seed(seed)
    m = torch.nn.Sequential(torch.nn.Linear(4, 3), torch.nn.BatchNorm1d(3))
    found = []
    for change in (
        lambda: m.to(torch.float64), lambda: m.type(torch.float32), lambda: m.half(), lambda: m.float(), lambda: m.cpu(),
        lambda: m.to("cpu"), lambda: m.to(x), lambda: m.double(),
    ):  # fmt: skip
        found += [change() is m, [(n, p.dtype) for n, p in m.named_parameters()], [b.dtype for b in m.buffers()]]
    return found, m.to(x.dtype)(x), [b.clone() for b in m.buffers()]


op(
    "nn.moved",
    lambda d: call(d.tensor((5, 4), layout="C"), d.integer(0, 99)),
    _moved,
    covers=["nn.Sequential"],
    tolerance=REDUCED,
    modes=("normal",),
    float32=False,
    second=False,
)


def _backward_pre_hook(torch: Any, x: Any) -> Any:
    """A hook before a module's backward pass: it may change the gradient that arrives."""
    torch.manual_seed(0)
    m = torch.nn.Sequential(torch.nn.Linear(4, 3), torch.nn.Tanh()).double()
    seen: list[Any] = []

    def doubled(module: Any, grad: Any) -> Any:
        seen.append((type(module).__name__, [g.shape for g in grad]))
        return tuple(2 * g for g in grad)

    handle = m[0].register_full_backward_pre_hook(doubled)
    x = x.detach().requires_grad_()
    m(x).sum().backward()
    first, weights = x.grad.clone(), m[0].weight.grad.clone()
    handle.remove()
    x.grad = None
    m(x).sum().backward()
    return first, weights, seen, x.grad


op(
    "nn.Module.register_full_backward_pre_hook",
    lambda d: call(d.tensor((3, 4), dtype="float64")),
    _backward_pre_hook,
    covers=["nn.Sequential"],
    tolerance=REDUCED,
    modes=("normal",),
    gradient=False,
    float32=False,
)


def _state(torch: Any, seed: int, strict: bool, change: str) -> Any:
    """Loading of a state_dict, and what it says about names that do not fit."""
    torch.manual_seed(seed)
    nn = torch.nn
    a = nn.Sequential(nn.Linear(2, 3), nn.BatchNorm1d(3), nn.Linear(3, 1))
    b = nn.Sequential(nn.Linear(2, 3), nn.BatchNorm1d(3), nn.Linear(3, 1))
    state = dict(a.state_dict())
    if change == "missing":
        del state["0.bias"]
    elif change == "unexpected":
        state["9.weight"] = torch.zeros(1)
    elif change == "shape":
        state["2.weight"] = torch.zeros(2, 3)
    told = b.load_state_dict(state, strict=strict)
    return str(told), list(told.missing_keys), list(told.unexpected_keys), Same([p.detach() for p in b.parameters()])


op(
    "nn.load_state_dict",
    lambda d: call(d.integer(0, 99), d.flag(), d.choice(("", "missing", "unexpected", "shape"))),
    _state,
    gradient=False,
)


def _shared(torch: Any, x: Any) -> Result:
    """One weight in two places: an auto-encoder with tied weights; frozen parameters."""
    torch.manual_seed(0)
    nn = torch.nn
    first, second = nn.Linear(4, 4), nn.Linear(4, 4)
    second.weight = first.weight
    second.bias.requires_grad_(False)
    m = nn.Sequential(first, nn.Tanh(), second).double()
    second.weight = first.weight
    return Result(
        (m(x), [n for n, _ in m.named_parameters()], list(m.state_dict())),
        [p for p in m.parameters() if p.requires_grad],
    )


op(
    "nn.shared_weights",
    lambda d: call(d.tensor((3, 4), dtype="float64")),
    _shared,
    tolerance=REDUCED,
    float32=False,
    modes=("normal",),
)


def _buffer(torch: Any, x: Any) -> Any:
    class Shift(torch.nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.kept = torch.nn.Buffer(torch.ones(3))
            self.left_out = torch.nn.Buffer(torch.zeros(3), persistent=False)

        def forward(self, x: Any) -> Any:
            return x + self.kept + self.left_out

    m = Shift()
    return m(x), list(m.state_dict()), [n for n, _ in m.named_buffers()]


op("nn.Buffer", lambda d: call(d.tensor((2, 3))), _buffer)


def _data_parallel(torch: Any, x: Any, seed: int) -> Result:
    torch.manual_seed(seed)
    m = torch.nn.DataParallel(torch.nn.Linear(3, 2), device_ids=[0]).to(x.dtype)
    return Result((m(x), list(m.state_dict()), m.device_ids), list(m.parameters()))


op("nn.DataParallel", lambda d: call(d.tensor((2, 3)), d.integer(0, 99)), _data_parallel, tolerance=REDUCED)
