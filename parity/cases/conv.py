"""Convolution, pooling, resampling, padding, embedding, normalization, attention: torch.nn.functional."""

from __future__ import annotations

import math
from functools import partial
from typing import Any

import numpy as np

from ..case import EXACT, REDUCED, Call, call, family, op
from ..inputs import Domain, Draw, Input

family("convolution")

F = "nn.functional."
USUAL = ("normal", "normal", "ties")


def reduced(name: str, draw: Any, fn: Any = None, **options: Any) -> None:
    options.setdefault("modes", USUAL)
    op(F + name, draw, fn, tolerance=REDUCED, methods=False, **options)


def per_dim(d: Draw, n: int, options: tuple[int, ...]) -> Any:
    """One number for all dimensions, or one a dimension."""
    return d.choice(options) if d.flag() else tuple(d.choice(options) for _ in range(n))


def convolution(d: Draw, n: int) -> Call:
    groups = d.choice((1, 1, 2, 3))
    c_in, c_out = groups * d.choice((1, 2)), groups * d.choice((1, 2))
    kernel = tuple(d.choice((3, 1, 2)) for _ in range(n))
    size = tuple(d.integer(5, 7 if n < 3 else 5) for _ in range(n))
    batch = () if d.flag(0.15) else (d.choice((2, 1, 3)),)
    options: dict[str, Any] = {
        "stride": per_dim(d, n, (1, 2, 3)),
        "padding": per_dim(d, n, (0, 1, 2)),
        "dilation": per_dim(d, n, (1, 2)),
    }
    kind = d.integer(0, 4)
    if kind == 0:
        options = {"padding": "same", "dilation": per_dim(d, n, (1, 2))}
    elif kind == 1:
        options = {"padding": "valid"}
    elif kind == 2:
        options = {}
    bias = d.tensor((c_out,)) if d.flag(0.7) else None
    return call(
        d.tensor((*batch, c_in, *size)), d.tensor((c_out, c_in // groups, *kernel)), bias, groups=groups, **options
    )


for n in (1, 2, 3):
    reduced(f"conv{n}d", lambda d, n=n: convolution(d, n), also=[f"conv{n}d"])


def transposed(d: Draw, n: int) -> Call:
    groups = d.choice((1, 1, 2))
    c_in, c_out = groups * d.choice((1, 2)), d.choice((1, 2))
    kernel = tuple(d.choice((3, 2, 1, 4)) for _ in range(n))
    stride = d.choice((2, 1, 3))
    options = {
        "stride": stride, "padding": d.choice((0, 1)) if min(kernel) > 2 else 0,
        "output_padding": d.choice((0, stride - 1)), "dilation": d.choice((1, stride)),
    }  # fmt: skip
    bias = d.tensor((c_out * groups,)) if d.flag(0.7) else None
    batch = () if d.flag(0.1) else (2,)
    return call(
        d.tensor((*batch, c_in, *[d.integer(2, 4) for _ in range(n)])),
        d.tensor((c_in, c_out, *kernel)),
        bias,
        groups=groups,
        **options,
    )


for n in (1, 2, 3):
    reduced(f"conv_transpose{n}d", lambda d, n=n: transposed(d, n), also=[f"conv_transpose{n}d"])


def unfolding(d: Draw) -> dict[str, Any]:
    return {
        "kernel_size": per_dim(d, 2, (2, 3)),
        "stride": d.choice((1, 2)),
        "padding": d.choice((0, 1)),
        "dilation": d.choice((1, 2)),
    }


reduced("unfold", lambda d: call(d.tensor((2, 3, 6, 7)), **unfolding(d)))


def folding(d: Draw) -> Call:
    options = unfolding(d)
    kernel = options["kernel_size"]
    kernel = (kernel, kernel) if isinstance(kernel, int) else kernel
    blocks = 1
    for size, k in zip((6, 7), kernel, strict=True):
        blocks *= (size + 2 * options["padding"] - options["dilation"] * (k - 1) - 1) // options["stride"] + 1
    return call(d.tensor((2, 2 * kernel[0] * kernel[1], blocks)), (6, 7), **options)


reduced("fold", folding)

family("pooling")


def image(d: Draw, n: int, ties: bool = True) -> Input:
    batch = () if d.flag(0.15) else (d.choice((2, 1)),)
    return d.tensor((*batch, d.choice((1, 2, 3)), *[d.integer(4, 7 if n < 3 else 5) for _ in range(n)]))


def max_pool(d: Draw, n: int) -> Call:
    kernel = per_dim(d, n, (2, 3))
    options: dict[str, Any] = d.choice(
        (
            {},
            {"stride": per_dim(d, n, (1, 2, 3))},
            {"stride": 1, "padding": 1},
            {"padding": 1},
            {"dilation": 2, "stride": 1},
            {"ceil_mode": True},
        )
    )
    return call(image(d, n), kernel, **options)


def avg_pool(d: Draw, n: int) -> Call:
    options: list[dict[str, Any]] = [
        {}, {"stride": per_dim(d, n, (1, 2, 3))}, {"padding": 1}, {"padding": 1, "count_include_pad": False}, {"ceil_mode": True},
        {"padding": 1, "ceil_mode": True, "count_include_pad": False, "stride": 2},
    ]  # fmt: skip
    if n > 1:
        options.append({"divisor_override": 3})
    return call(image(d, n), per_dim(d, n, (2, 3)), **d.choice(options))


def adaptive_max_pool(d: Draw, n: int) -> Call:
    return call(image(d, n), per_dim(d, n, (1, 2, 3)))


for n in (1, 2, 3):
    # Ties go to the first, also among equal values: exact.
    op(
        f"{F}max_pool{n}d",
        partial(max_pool, n=n),
        also=[f"max_pool{n}d"] if n < 3 else (),
        methods=False,
        modes=("normal", "ties", "ties"),
    )
    op(
        f"{F}max_pool{n}d.indices",
        partial(max_pool, n=n),
        lambda torch, x, k, n=n, **o: getattr(torch.nn.functional, f"max_pool{n}d")(x, k, return_indices=True, **o),
        modes=("normal", "ties"),
        covers=[f"{F}max_pool{n}d"],
    )
    op(f"{F}max_pool{n}d_with_indices", partial(max_pool, n=n), methods=False, modes=("normal", "ties"))
    op(
        f"{F}adaptive_max_pool{n}d_with_indices",
        partial(adaptive_max_pool, n=n),
        methods=False,
        modes=("normal", "ties"),
    )
    reduced(f"avg_pool{n}d", lambda d, n=n: avg_pool(d, n))
    reduced(f"adaptive_avg_pool{n}d", lambda d, n=n: call(image(d, n), per_dim(d, n, (1, 2, 3, 5))))
    op(
        f"{F}adaptive_max_pool{n}d",
        partial(adaptive_max_pool, n=n),
        methods=False,
        modes=("normal", "ties"),
    )

family("resampling")

PADS = {1: ((1, 2), (0, 1), (2, 2)), 2: ((1, 2, 0, 1), (1, 1, 1, 1), (0, 2, 2, 0))}


def padding(d: Draw) -> Call:
    kind = d.integer(0, 4)
    n = d.choice((1, 2))
    if kind <= 1:
        x = d.tensor((2, 3, 4, 5)[: d.integer(2, 4)])
        amounts = tuple(d.integer(-1, 2) for _ in range(2 * d.integer(1, x.ndim)))
        return call(x, amounts, **d.choice(({}, {"value": 1.5}, {"mode": "constant", "value": -2.0})))
    x = d.tensor((2, 3, *[d.integer(3, 5) for _ in range(n)]))
    return call(x, d.choice(PADS[n]), mode=d.choice(("reflect", "replicate", "circular")))


op(F + "pad", padding, methods=False, modes=USUAL)


# antialias: not of images one wide (PyTorch 2.13 repeats the first row), nor with a factor that leaves a size as it is (its
# gradient is that of another image).
MODES = (
    ("nearest", 1), ("nearest", 2), ("nearest", 3), ("nearest-exact", 1), ("nearest-exact", 2), ("nearest-exact", 3), ("linear", 1),
    ("bilinear", 2), ("bicubic", 2), ("trilinear", 3), ("area", 1), ("area", 2), ("area", 3), ("bilinear", -2), ("bicubic", -2),
)  # fmt: skip


def resized(d: Draw) -> Call:
    mode, n = d.choice(MODES)
    options: dict[str, Any] = {"mode": mode} if mode != "nearest" or d.flag() else {}
    if n < 0:
        n, options["antialias"] = -n, True
    least = 2 if "antialias" in options else 1
    x = d.tensor((2, 2, *[d.integer(least, 4) for _ in range(n)]))
    if mode in ("linear", "bilinear", "bicubic", "trilinear") and d.flag():
        options["align_corners"] = d.flag()
    if d.flag():
        options["size"] = tuple(d.integer(least, 7) for _ in range(n)) if d.flag() else d.integer(least, 6)
    else:
        factors = (2, 3, 2.5) if mode.startswith("nearest") or "antialias" in options else (2, 3, 1.5, 2.6)
        options["scale_factor"] = d.choice(factors) if d.flag() else tuple(d.choice(factors) for _ in range(n))
        if d.flag(0.3):
            options["recompute_scale_factor"] = d.flag()
    return call(x, **options)


reduced("interpolate", resized)
reduced("upsample", lambda d: call(d.tensor((2, 2, 3, 4)), None, 2, d.choice(("nearest", "bilinear"))))
reduced("upsample_nearest", lambda d: call(d.tensor((2, 2, 3, 4)), **d.choice(({"size": (5, 2)}, {"scale_factor": 2}))))
reduced(
    "upsample_bilinear", lambda d: call(d.tensor((2, 2, 3, 4)), **d.choice(({"size": (5, 2)}, {"scale_factor": 2})))
)


def _spread(torch: Any, x: Any, mode: str, size: tuple, options: dict) -> Any:
    """A nan in one place reaches those that it is part of, and no others."""
    x = x.detach().clone()
    x[0, 0, 1] = math.nan
    return torch.isnan(torch.nn.functional.interpolate(x, size, mode=mode, **options))


op(
    "nn.functional.interpolate.nan",
    lambda d: call(
        d.tensor((1, 2, 4, 5)),
        d.choice(("nearest", "bilinear", "bicubic", "area")),
        (d.integer(2, 9), d.integer(2, 9)),
        {},
    ),
    _spread,
    gradient=False,
    modes=("normal",),
)


def _spread_pooled(torch: Any, x: Any, n: int) -> Any:
    x = x.detach().clone()
    x[0, 0, 3] = math.nan
    return torch.isnan(torch.nn.functional.adaptive_avg_pool1d(x, n))


op(
    "nn.functional.adaptive_avg_pool1d.nan",
    lambda d: call(d.tensor((1, 2, 7)), d.integer(1, 9)),
    _spread_pooled,
    gradient=False,
    modes=("normal",),
)


def sampled(d: Draw, volumes: bool = False) -> Call:
    mode = d.choice(("bilinear", "nearest") if volumes else ("bilinear", "nearest", "bicubic"))
    n = 3 if volumes else 2
    x = d.tensor((2, 2, *[d.integer(2, 4) for _ in range(n)]))
    # Not on the elements themselves and not between two: there the derivative jumps.
    places = d.rng.uniform(-1.7, 1.7, (2, *[d.integer(1, 3) for _ in range(n)], n)).astype(d.dtype)
    return call(x, d.lay(places, True), mode, d.choice(("zeros", "border", "reflection")), d.flag())


reduced("grid_sample", sampled, second=False, float32=False)
op(
    "nn.functional.grid_sample.volumes",
    lambda d: sampled(d, volumes=True),
    lambda torch, *given: torch.nn.functional.grid_sample(*given),
    second=False,
    float32=False,
)


def affine_places(d: Draw) -> Call:
    n = d.choice((2, 3))
    return call(d.tensor((2, n, n + 1)), (2, 3, *[d.integer(1, 4) for _ in range(n)]), d.flag())


reduced("affine_grid", affine_places)

family("pooling")


def unpooled(d: Draw, n: int) -> Call:
    return call(image(d, n), d.choice((2, 3)), d.choice((None, 2)), n)


def _unpool(torch: Any, x: Any, kernel: int, stride: int | None, n: int) -> Any:
    """There and back; where windows overlap, PyTorch leaves it open which of two values stays."""
    F = torch.nn.functional
    stride = kernel if stride is None or stride < kernel else stride
    out, places = getattr(F, f"max_pool{n}d")(x, kernel, stride, return_indices=True)
    back = getattr(F, f"max_unpool{n}d")
    size = tuple(x.shape[-n:]) if stride == kernel else None
    return back(out, places, kernel, stride), back(out, places, kernel, stride, output_size=size)


def power_pooled(d: Draw, n: int) -> Call:
    options: dict[str, Any] = d.choice(({}, {"stride": 1}, {"ceil_mode": True}))
    x = d.tensor(image(d, n).shape, Domain(low=0.1, high=3.0))
    return call(x, d.choice((2.0, 3.0, 1.0, math.inf)), per_dim(d, n, (2, 3)) if n > 1 else 2, **options)


for n in (1, 2, 3):
    reduced(
        f"max_unpool{n}d",
        partial(unpooled, n=n),
        _unpool,
        covers=[f"{F}max_unpool{n}d"],
    )
    reduced(f"lp_pool{n}d", partial(power_pooled, n=n))


def fractional(d: Draw, n: int) -> Call:
    options = d.choice(({"output_size": 2}, {"output_ratio": (0.5,) * n}, {"output_size": (2,) * (n - 1) + (3,)}))
    return call(d.tensor((2, 2, *[d.integer(5, 7) for _ in range(n)])), 2, options, d.integer(0, 999))


def _fractional(torch: Any, name: str, x: Any, kernel: int, options: dict, seed: int) -> Any:
    torch.manual_seed(seed)
    pool = getattr(torch.nn.functional, name)
    if "indices" in name:
        return pool(x, kernel, **options)
    return pool(x, kernel, **options), pool(x, kernel, return_indices=True, **options), torch.rand(1)


for n in (2, 3):
    for name in (f"fractional_max_pool{n}d", f"fractional_max_pool{n}d_with_indices"):
        op(
            F + name,
            partial(fractional, n=n),
            lambda torch, *args, name=name: _fractional(torch, name, *args),
            covers=[F + name],
            modes=("normal", "ties"),
        )

family("resampling")

op(
    F + "pixel_shuffle",
    lambda d: call(d.tensor((2, 8, 3, 2)), 2),
    also=["pixel_shuffle"],
    tolerance=EXACT,
    methods=False,
)
op(
    F + "pixel_unshuffle",
    lambda d: call(d.tensor((2, 2, 4, 6)), 2),
    also=["pixel_unshuffle"],
    tolerance=EXACT,
    methods=False,
)

op(
    F + "channel_shuffle",
    lambda d: call(d.tensor((2, 6, *d.shape(1, 2))), d.choice((2, 3))),
    also=["channel_shuffle"],
    tolerance=EXACT,
    methods=False,
)

family("embedding")


def embedding(d: Draw) -> Call:
    rows = d.integer(1, 6)
    extra = d.choice(({}, {}, {"padding_idx": d.integer(-rows, rows - 1)}))
    return call(d.integers(d.shape(max_dims=3, min_side=1), 0, rows), d.tensor((rows, d.choice((3, 1)))), **extra)


op(F + "embedding", embedding, tolerance=EXACT, methods=False)


op(
    "nn.functional.embedding.scale_grad_by_freq",
    lambda d: call(d.integers((5,), 0, 3), d.tensor((4, 3)), **d.choice(({}, {"padding_idx": 1}))),
    lambda torch, i, w, **options: torch.nn.functional.embedding(i, w, scale_grad_by_freq=True, **options),
    tolerance=REDUCED,
    second=False,  # PyTorch's leaves the scaling out
    modes=("normal",),
)


def _shortened(torch: Any, index: Any, weight: Any, options: dict) -> Any:
    """max_norm: the rows that are read become shorter in the table itself. (Clones: a leaf may not change.)"""
    table = weight.clone()
    out = torch.nn.functional.embedding(index, table, **options)
    return out, table.detach()


op(
    "nn.functional.embedding.max_norm",
    lambda d: call(
        d.integers((4,), 0, 5),
        d.tensor((5, 3)),
        {"max_norm": d.choice((1.0, 0.3)), "norm_type": d.choice((2.0, 1.0, 3.0, math.inf))},
    ),
    _shortened,
    tolerance=REDUCED,
    second=False,
    gradient=False,
    modes=("normal",),
)


def bags(d: Draw) -> Call:
    mode = d.choice(("sum", "mean", "max"))
    weight = d.tensor((5, d.choice((3, 1))))
    options: dict[str, Any] = {"mode": mode} if mode != "mean" or d.flag() else {}
    if d.flag(0.3):
        options["padding_idx"] = d.integer(-5, 4)
    if d.flag(0.4):
        index, offsets = d.integers((d.integer(1, 3), d.integer(1, 3)), 0, 5), None
    else:
        n = d.integer(0, 6)
        index = d.integers((n,), 0, 5)
        starts = [0, *sorted(d.integer(0, n) for _ in range(d.integer(0, 2)))]
        if d.flag(0.4):
            options["include_last_offset"], starts = True, [*starts, n]
        offsets = Input.of(np.array(starts, np.int64))
    if mode == "sum" and d.flag():
        options["per_sample_weights"] = d.tensor(index.shape)
    return call(index, weight, offsets, **options)


# second=False: PyTorch has no second derivative of it.
reduced("embedding_bag", bags, second=False)
op(
    "embedding.big",
    lambda d: call(d.integers((40, 50), 0, 30), d.tensor((30, 16))),
    lambda torch, i, w: torch.nn.functional.embedding(i, w),
    tolerance=REDUCED,
    modes=("normal",),
)

family("normalization")


def batch_norm(d: Draw) -> Call:
    shape = d.choice(((4, 3), (2, 3, 4), (2, 3, 2, 3)))
    x = d.tensor(shape)
    weight, bias = (d.tensor((3,)), d.tensor((3,))) if d.flag(0.7) else (None, None)
    training = d.flag(0.6)
    running = d.lay(d.rng.normal(size=3).astype(d.dtype), False), d.lay(d.rng.uniform(0.5, 2, 3).astype(d.dtype), False)
    if training and d.flag(0.3):
        running = (None, None)  # type: ignore[assignment]
    return call(x, *running, weight, bias, training, *d.choice(((), (0.3,), (0.1, 1e-3))))


def _batch_norm(torch: Any, x: Any, mean: Any, var: Any, *rest: Any) -> Any:
    """The statistics are updated in place: on copies, which are compared too."""
    mean, var = (None if s is None else s.clone() for s in (mean, var))
    return torch.nn.functional.batch_norm(x, mean, var, *rest), mean, var


# Equal values (ties, tiny ones, a broadcast layout) have no variance, and 1/sqrt(var + eps) magnifies what rounding leaves.
NORM: dict[str, Any] = {"modes": ("normal",), "layouts": False}

op(F + "batch_norm", batch_norm, _batch_norm, tolerance=REDUCED, **NORM)


def affine(d: Draw, shape: tuple[int, ...]) -> list[Any]:
    return [d.tensor(shape), d.tensor(shape)] if d.flag(0.7) else d.choice(([], [d.tensor(shape)]))


def layer_norm(d: Draw) -> Call:
    shape = d.choice(((4, 3), (2, 3, 4), (2, 3, 2, 3), (5,)))
    n = d.integer(1, len(shape))
    return call(d.tensor(shape), shape[-n:] if n > 1 or d.flag() else list(shape[-1:]), *affine(d, shape[-n:]))


reduced("layer_norm", layer_norm, **NORM, also=["layer_norm"])
reduced(
    "rms_norm",
    lambda d: call(d.tensor((3, 4, 5)), (5,), *d.choice(([], [d.tensor((5,))])), **d.choice(({}, {"eps": 1e-3}))),
    **NORM,
)
reduced(
    "group_norm",
    lambda d: call(d.tensor(d.choice(((2, 6), (2, 6, 3), (2, 6, 2, 3)))), d.choice((1, 2, 3)), *affine(d, (6,))),
    **NORM,
)
reduced("instance_norm", lambda d: call(d.tensor(d.choice(((2, 3, 4), (2, 3, 2, 3))))), **NORM)
reduced("local_response_norm", lambda d: call(d.tensor((2, 5, 3)), 3), **NORM)

family("attention")


SMALL = Domain(large=8.0)  # products of larger ones magnify the rounding of the softmax


def attention(d: Draw) -> Call:
    outer = d.choice(((2, 3), (2,), (), (2, 1)))
    n_q, n_k, e, e_v = d.integer(1, 4), d.integer(1, 5), d.choice((2, 4)), d.choice((2, 4, 3))
    q, k, v = d.tensor((*outer, n_q, e), SMALL), d.tensor((*outer, n_k, e), SMALL), d.tensor((*outer, n_k, e_v))
    kind = d.integer(0, 4)
    options: dict[str, Any] = {}
    if kind == 0:
        options["is_causal"] = True
    elif kind == 1:
        mask = d.rng.random((n_q, n_k)) < 0.6
        mask[:, 0] = True  # a row that sees nothing is a case of its own below
        options["attn_mask"] = d.lay(mask, False)
    elif kind == 2:
        options["attn_mask"] = d.tensor((*outer, n_q, n_k))
    if d.flag(0.3):
        options["scale"] = 0.7
    return call(q, k, v, **options)


def summands(
    q: np.ndarray,
    k: np.ndarray,
    v: np.ndarray,
    attn_mask: Any = None,
    is_causal: bool = False,
    scale: Any = None,
    *,
    cotangent: Any,
) -> list[np.ndarray]:
    """The formula of attention's gradients with sums in place of differences and magnitudes in place of values.

        ds = p · (dp - Σ p·dp),   dq = scale · ds k,   dk = scale · dsᵀ q,   dv = pᵀ grad,   with dp = grad vᵀ
    """  # fmt: skip
    q, k, v, grad = (x.astype(np.float64) for x in (q, k, v, cotangent))
    scale = q.shape[-1] ** -0.5 if scale is None else scale
    scores = scale * (q @ k.swapaxes(-1, -2))
    if is_causal:
        attn_mask = np.tri(*scores.shape[-2:], dtype=bool)
    if attn_mask is not None:
        scores = np.where(attn_mask, scores, -np.inf) if attn_mask.dtype == bool else scores + attn_mask
    p = np.exp(scores - scores.max(-1, keepdims=True))
    p /= p.sum(-1, keepdims=True)
    q, k, v, grad = np.abs(q), np.abs(k), np.abs(v), np.abs(grad)
    dp = grad @ v.swapaxes(-1, -2)
    ds = p * (dp + (p * dp).sum(-1, keepdims=True))
    sizes = [scale * (ds @ k), scale * (ds.swapaxes(-1, -2) @ q), p.swapaxes(-1, -2) @ grad]
    return sizes if attn_mask is None or is_causal else [*sizes, ds]


reduced("scaled_dot_product_attention", attention, modes=("normal", "ties"))
reduced(
    "scaled_dot_product_attention.large",
    attention,
    lambda torch, *a, **k: torch.nn.functional.scaled_dot_product_attention(*a, **k),
    modes=("large",),
    second=False,
    cancels=summands,
)
