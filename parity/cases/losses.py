"""Losses, as functions and as modules."""

from __future__ import annotations

from functools import partial
from typing import Any

import numpy as np

from ..case import REDUCED, Call, call, family, op
from ..inputs import Domain, Draw, Input

family("loss")

F = "nn.functional."
INNER = Domain(0.02, 0.98)
LOGITS = Domain(large=100.0)
REDUCTIONS = ("mean", "sum", "none")


def reduction(d: Draw) -> dict[str, Any]:
    return {} if d.flag(0.3) else {"reduction": d.choice(REDUCTIONS)}


def loss(
    function: str, module: str, draw: Any, options: Any = lambda d: {}, tensors: Any = lambda d: {}, **more: Any
) -> None:
    """One entry for both forms. options: plain arguments; tensors: arguments that are tensors (weights)."""

    def drawn(d: Draw) -> Call:
        return call(*draw(d), **reduction(d), **options(d), **tensors(d))

    more.setdefault("modes", ("normal", "normal", "ties", "large"))
    op(F + function, drawn, tolerance=REDUCED, methods=False, **more)
    op(
        f"nn.{module}",
        drawn,
        lambda torch, *args, **kwargs: getattr(torch.nn, module)(**kwargs)(*args),
        tolerance=REDUCED,
        **more,
    )


def pair(d: Draw) -> tuple[Any, Any]:
    x = d.tensor(min_side=1, domain=LOGITS)
    return x, d.tensor(x.shape, domain=LOGITS, grad=d.flag())


loss("mse_loss", "MSELoss", pair)
loss("l1_loss", "L1Loss", pair)
loss("smooth_l1_loss", "SmoothL1Loss", pair, lambda d: d.choice(({}, {"beta": 0.5}, {"beta": 2.0})))
loss("huber_loss", "HuberLoss", pair, lambda d: d.choice(({}, {"delta": 0.5}, {"delta": 2.0})))
op(
    "nn.SmoothL1Loss.kinks",
    lambda d: call(d.tensor((6,)), d.tensor((6,))),
    lambda torch, x, y: torch.nn.SmoothL1Loss()(x, y),
    tolerance=REDUCED,
    kinks=(0.0, 1.0, -1.0, 2.0),
)
op(
    "nn.HuberLoss.kinks",
    lambda d: call(d.tensor((6,)), d.tensor((6,))),
    lambda torch, x, y: torch.nn.HuberLoss()(x, y),
    tolerance=REDUCED,
    kinks=(0.0, 1.0, -1.0, 2.0),
)
op(
    "nn.L1Loss.kinks",
    lambda d: call(d.tensor((6,)), d.tensor((6,))),
    lambda torch, x, y: torch.nn.L1Loss()(x, y),
    tolerance=REDUCED,
    kinks=(0.0, 1.0),
)


def probabilities(d: Draw) -> tuple[Any, Any]:
    x = d.tensor(min_side=1, domain=INNER)
    return x, d.tensor(x.shape, domain=INNER, grad=False)


def bce(d: Draw) -> tuple[Any, Any, dict[str, Any]]:
    x, y = probabilities(d)
    return x, y, {"weight": d.tensor(x.shape, domain=INNER, grad=False)} if d.flag(0.3) else {}


# PyTorch's second derivative has 1e-12 added to every x and 1 - x, so it is compared well inside only.
loss("binary_cross_entropy", "BCELoss", probabilities, modes=("normal",), second=False)
op(
    "nn.BCELoss.second",
    lambda d: call(d.tensor((3, 2), Domain(0.3, 0.7)), d.tensor((3, 2), INNER, False)),
    lambda torch, x, y: torch.nn.BCELoss()(x, y),
    tolerance=REDUCED,
)
op(
    "nn.BCELoss.kinks",
    lambda d: call(*probabilities(d)),
    lambda torch, x, y: torch.nn.BCELoss()(x, y),
    tolerance=REDUCED,
    kinks=(0.0, 1.0),
    second=False,
)
op(
    "nn.BCELoss.weight",
    lambda d: call(d.tensor((3, 2), INNER), d.tensor((3, 2), INNER, False), d.tensor((3, 2), INNER, False)),
    lambda torch, x, y, w: torch.nn.BCELoss(weight=w)(x, y),
    tolerance=REDUCED,
    second=False,
)


def logits(d: Draw) -> tuple[Any, Any]:
    x = d.tensor(min_side=1, domain=LOGITS)
    return x, d.tensor(x.shape, domain=INNER, grad=False)


loss("binary_cross_entropy_with_logits", "BCEWithLogitsLoss", logits)
op(
    "nn.BCEWithLogitsLoss.weights",
    lambda d: call(
        d.tensor((4, 3), LOGITS),
        d.tensor((4, 3), INNER, False),
        weight=d.tensor((3,), INNER, False),
        pos_weight=d.tensor((3,), INNER, False),
        **reduction(d),
    ),
    lambda torch, x, y, **k: torch.nn.BCEWithLogitsLoss(**k)(x, y),
    tolerance=REDUCED,
)


def labelled(d: Draw) -> tuple[Any, Any]:
    """Logits (N, C), (C,) or (N, C, d1, d2) and labels."""
    classes = d.integer(2, 5)
    kind = d.integer(0, 3)
    if kind == 3:
        return d.tensor((classes,), LOGITS), d.integers((), 0, classes)
    outer = (d.integer(1, 4),)
    inner = ((), (), (2,), (2, 3))[d.integer(0, 3)]
    return d.tensor((*outer, classes, *inner), LOGITS), d.integers((*outer, *inner), 0, classes)


def ignoring(d: Draw) -> dict[str, Any]:
    return d.choice(
        ({}, {}, {"ignore_index": 1}, {"label_smoothing": 0.1}, {"ignore_index": 0, "label_smoothing": 0.3})
    )


CROSS = ("normal", "normal", "ties", "large")
loss("cross_entropy", "CrossEntropyLoss", labelled, ignoring, modes=CROSS)


def weighted(d: Draw) -> Call:
    x = d.tensor((4, 3, *d.choice(((), (2,)))), LOGITS)
    y = d.integers((4, *x.shape[2:]), 0, 3)
    return call(x, y, d.tensor((3,), INNER, False), **reduction(d), **ignoring(d))


op(
    "nn.CrossEntropyLoss.weight",
    weighted,
    lambda torch, x, y, w, **k: torch.nn.CrossEntropyLoss(weight=w, **k)(x, y),
    tolerance=REDUCED,
    modes=CROSS,
)


def soft(d: Draw) -> Call:
    x = d.tensor(d.choice(((4, 3), (3,), (4, 3, 2))), LOGITS)
    weight = {"weight": d.tensor((3,), INNER, False)} if d.flag(0.3) else {}
    return call(
        x, d.tensor(x.shape, INNER, d.flag()), **reduction(d), **d.choice(({}, {"label_smoothing": 0.2})), **weight
    )


op(
    "nn.CrossEntropyLoss.soft",
    soft,
    lambda torch, x, y, **k: torch.nn.CrossEntropyLoss(**k)(x, y),
    tolerance=REDUCED,
    modes=CROSS,
)
loss(
    "nll_loss",
    "NLLLoss",
    labelled,
    lambda d: d.choice(({}, {"ignore_index": 1})),
    modes=("normal", "ties"),
    layouts=False,
)
op(
    "nn.NLLLoss.weight",
    lambda d: call(d.tensor((4, 3)), d.integers((4,), 0, 3), d.tensor((3,), INNER, False), **reduction(d)),
    lambda torch, x, y, w, **k: torch.nn.NLLLoss(weight=w, **k)(x, y),
    tolerance=REDUCED,
)


def divergence(d: Draw) -> tuple[Any, Any]:
    x = d.tensor(min_side=1, max_dims=3)
    return x, d.tensor(x.shape, INNER, d.flag())


def _kl_options(d: Draw) -> dict[str, Any]:
    return {"log_target": True} if d.flag(0.3) else {}


loss("kl_div", "KLDivLoss", divergence, _kl_options, modes=("normal",))
op(
    "nn.KLDivLoss.batchmean",
    lambda d: call(*divergence(d)),
    lambda torch, x, y: torch.nn.KLDivLoss(reduction="batchmean")(x, y),
    tolerance=REDUCED,
)


def signs(d: Draw, n: int) -> Any:
    return d.lay(d.rng.choice([-1.0, 1.0], n).astype(d.dtype), False)


loss(
    "cosine_embedding_loss",
    "CosineEmbeddingLoss",
    lambda d: (d.tensor((4, 3)), d.tensor((4, 3)), signs(d, 4)),
    lambda d: d.choice(({}, {"margin": 0.3})),
    modes=("normal",),
)
loss(
    "margin_ranking_loss",
    "MarginRankingLoss",
    lambda d: (d.tensor((4,)), d.tensor((4,)), signs(d, 4)),
    lambda d: d.choice(({}, {"margin": 0.3})),
)
loss(
    "hinge_embedding_loss",
    "HingeEmbeddingLoss",
    lambda d: (d.tensor((4, 3)), signs(d, 12).__class__.of(d.rng.choice([-1.0, 1.0], (4, 3)).astype(d.dtype), False)),
    modes=("normal",),
)
loss(
    "triplet_margin_loss",
    "TripletMarginLoss",
    lambda d: (d.tensor((4, 3)), d.tensor((4, 3)), d.tensor((4, 3))),
    lambda d: d.choice(({}, {"margin": 0.3})),
    modes=("normal",),
)
loss("soft_margin_loss", "SoftMarginLoss", lambda d: (d.tensor((4,)), signs(d, 4)), modes=("normal",))
loss(
    "poisson_nll_loss",
    "PoissonNLLLoss",
    lambda d: (d.tensor((4, 3)), d.tensor((4, 3), INNER, False)),
    lambda d: d.choice(({}, {"full": True}, {"log_input": False})) if d.flag(0.3) else {},
    modes=("normal",),
)
loss(
    "gaussian_nll_loss",
    "GaussianNLLLoss",
    lambda d: (d.tensor((4, 3)), d.tensor((4, 3)), d.tensor((4, 3), Domain(0.2, 3.0))),
    modes=("normal",),
)
op(
    F + "multi_margin_loss",
    lambda d: call(
        d.tensor((4, 3)), d.integers((4,), 0, 3), **d.choice(({}, {"p": 2}, {"margin": 0.5})), **reduction(d)
    ),
    tolerance=REDUCED,
    second=False,
    methods=False,
)
op(
    F + "multilabel_soft_margin_loss",
    lambda d: call(d.tensor((4, 3)), d.mask((4, 3)), **reduction(d)),
    lambda torch, x, y, **k: torch.nn.functional.multilabel_soft_margin_loss(x, y.to(x.dtype), **k),
    tolerance=REDUCED,
)
op(
    F + "triplet_margin_with_distance_loss",
    lambda d: call(d.tensor((4, 3)), d.tensor((4, 3)), d.tensor((4, 3)), **reduction(d)),
    tolerance=REDUCED,
    methods=False,
    modes=("normal",),
)
MARGIN: dict[str, Any] = {"tolerance": REDUCED, "modes": ("normal",)}
op(
    "nn.TripletMarginWithDistanceLoss",
    lambda d: call(
        *[d.tensor((3, 4)) for _ in range(3)], **reduction(d), **d.choice(({}, {"margin": 0.5}, {"swap": True}))
    ),
    lambda torch, *x, **k: torch.nn.TripletMarginWithDistanceLoss(**k)(*x),
    **MARGIN,
)
op(
    "nn.MultiMarginLoss",
    lambda d: call(
        d.tensor((4, 3)), d.integers((4,), 0, 3), **reduction(d), **d.choice(({}, {"margin": 0.5}, {"p": 2}))
    ),
    lambda torch, *x, **k: torch.nn.MultiMarginLoss(**k)(*x),
    **MARGIN,
)
op(
    "nn.MultiLabelSoftMarginLoss",
    lambda d: call(d.tensor((4, 3), LOGITS), d.integers((4, 3), 0, 2), **reduction(d)),
    lambda torch, *x, **k: torch.nn.MultiLabelSoftMarginLoss(**k)(*x),
    **MARGIN,
)


def classes_of_rows(d: Draw) -> tuple[Any, Any]:
    """Logits, and for each row the classes that are meant, then -1."""
    n, classes = d.integer(1, 3), d.integer(1, 5)
    shape = (n, classes) if d.flag(0.8) else (classes,)
    return d.tensor(shape, LOGITS), d.integers(shape, -1, classes)


loss("multilabel_margin_loss", "MultiLabelMarginLoss", classes_of_rows)


def alignments(d: Draw) -> Call:
    """Log-probabilities and targets, some too long for their input."""
    steps, n, classes = d.integer(1, 7), d.integer(1, 3), d.choice((4, 2))
    logits = d.tensor((steps, n, classes), Domain(large=10.0))
    lengths = [d.integer(1, 4) for _ in range(n)]
    inputs = [steps if d.flag() else d.integer(1, steps) for _ in range(n)]
    # A row of targets each, or all in one vector; that one without gaps in memory, as PyTorch crashes on others.
    if d.flag():
        targets = Input.of(d.rng.integers(1, classes, sum(lengths)))
    else:
        targets = d.integers((n, max(lengths) + d.integer(0, 1)), 1, classes)
    given = tuple if d.flag() else lambda x: Input.of(np.array(x, np.int64))
    return call(
        logits, targets, given(inputs), given(lengths), 0, reduction=d.choice(REDUCTIONS),
        zero_infinity=d.flag(),
    )  # fmt: skip


def _ctc(
    torch: Any, logits: Any, targets: Any, inputs: Any, lengths: Any, blank: int, module: bool = False, **options: Any
) -> Any:
    log_probs = logits.log_softmax(-1)
    if module:
        return torch.nn.CTCLoss(blank, **options)(log_probs, targets, inputs, lengths)
    return torch.nn.functional.ctc_loss(log_probs, targets, inputs, lengths, blank, **options)


for name, as_module in ((F + "ctc_loss", False), ("nn.CTCLoss", True)):
    op(
        name,
        alignments,
        partial(_ctc, module=as_module),
        covers=[name],
        tolerance=REDUCED,
        modes=("normal",),
        second=False,  # PyTorch has none
    )
op(
    "nn.NLLLoss2d",
    lambda d: call(d.tensor((2, 3, 2, 2)), d.integers((2, 2, 2), 0, 3)),
    lambda torch, x, y: torch.nn.NLLLoss2d()(x, y),
    covers=["nn.NLLLoss2d"],
    tolerance=REDUCED,
    layouts=False,  # PyTorch's backward wants the input contiguous
)
