"""Products of vectors, matrices and batches."""

from __future__ import annotations

from typing import Any

from ..case import REDUCED, Call, call, family, op
from ..inputs import Draw

family("matrix")


def reduced(name: str, draw: Any, fn: Any = None, **options: Any) -> None:
    options.setdefault("modes", ("normal", "normal", "ties"))
    op(name, draw, fn, tolerance=REDUCED, **options)


def side(d: Draw) -> int:
    return d.choice((2, 3, 1, 4, 5, 0))


def matmuls(d: Draw) -> Call:
    """Every rank: vectors, matrices, batches that broadcast."""
    n, k, m = side(d), side(d), side(d)
    a, b = d.broadcastable(2, max_dims=2)
    left = (k,) if d.flag(0.2) else (*a, n, k)
    right = (k,) if d.flag(0.2) else (*b, k, m)
    return call(d.tensor(left), d.tensor(right))


reduced("matmul", matmuls, also=["Tensor.__matmul__"])
reduced("matmul.same", lambda d: call(d.tensor((3, 3))), lambda torch, x: x @ x, covers=["Tensor.__matmul__"])
reduced("matmul.gram", lambda d: call(d.tensor((4, 3))), lambda torch, x: x.T @ x, covers=["Tensor.__matmul__"])
reduced("mm", lambda d: call(d.tensor(((n := side(d)), (k := side(d)))), d.tensor((k, side(d)))))
reduced("bmm", lambda d: call(d.tensor(((b := side(d)), 2, (k := side(d)))), d.tensor((b, k, 3))))
reduced("mv", lambda d: call(d.tensor((side(d), (k := side(d)))), d.tensor((k,))))
reduced("dot", lambda d: call(x := d.tensor((side(d),)), d.like(x)))
reduced("outer", lambda d: call(d.tensor((side(d),)), d.tensor((side(d),))))
reduced("inner", lambda d: call(d.tensor((2, 3)), d.tensor(d.choice(((4, 3), (3,))))))
reduced("kron", lambda d: call(d.tensor((2, 3)), d.tensor((2, 2))), layouts=False)  # PyTorch's view fails on others


def plus_product(d: Draw) -> Call:
    n, k, m = side(d), side(d), side(d)
    extra = d.choice(({}, {"beta": d.number()}, {"alpha": d.number()}, {"beta": 0.5, "alpha": 2}, {"beta": 0}))
    return call(d.tensor(d.choice(((n, m), (m,), (1, m), ()))), d.tensor((n, k)), d.tensor((k, m)), **extra)


reduced("addmm", plus_product)
reduced(
    "addmv",
    lambda d: call(d.tensor((3,)), d.tensor((3, 2)), d.tensor((2,)), **d.choice(({}, {"beta": 0.5, "alpha": 2.0}))),
)
reduced(
    "baddbmm",
    lambda d: call(
        d.tensor((2, 3, 4)), d.tensor((2, 3, 2)), d.tensor((2, 2, 4)), **d.choice(({}, {"beta": 0.5, "alpha": 2.0}))
    ),
)
reduced("addr", lambda d: call(d.tensor((2, 3)), d.tensor((2,)), d.tensor((3,))))

EQUATIONS: list[tuple[str, list[tuple[int, ...]]]] = [
    ("ij,jk->ik", [(2, 3), (3, 4)]),
    ("ij,jk", [(2, 3), (3, 4)]),
    ("bij,bjk->bik", [(2, 3, 4), (2, 4, 2)]),
    ("bhqd,bhkd->bhqk", [(2, 2, 3, 4), (2, 2, 5, 4)]),
    ("ij->ji", [(2, 3)]),
    ("ij->", [(2, 3)]),
    ("ii->i", [(3, 3)]),
    ("ii", [(3, 3)]),
    ("i,j->ij", [(2,), (3,)]),
    ("i,i->", [(3,), (3,)]),
    ("...ij,...jk->...ik", [(2, 3, 4), (4, 2)]),
    ("ij,ij,ij->i", [(2, 3), (2, 3), (2, 3)]),
    ("bn,anm,bm->ba", [(2, 3), (4, 3, 2), (2, 2)]),
    ("i j, j k -> i k", [(2, 3), (3, 4)]),
    ("bij->bj", [(2, 3, 4)]),
]


def equation(d: Draw) -> Call:
    text, shapes = d.choice(EQUATIONS)
    return call(text, *[d.tensor(s) for s in shapes])


reduced("einsum", equation)
reduced(
    "tensordot",
    lambda d: call(
        d.tensor((2, 3, 4)),
        *d.choice(
            (
                (d.tensor((3, 4, 2)), 2),
                (d.tensor((4, 2)), 1),
                (d.tensor((2, 4, 3)), ([1, 2], [2, 1])),
                (d.tensor((2,)), 0),
            )
        ),
    ),
    lambda torch, x, y, dims: torch.tensordot(x, y, dims=dims),
)


def linear(d: Draw) -> Call:
    n_in, n_out = side(d), side(d)
    x = d.tensor((*d.shape(max_dims=2), n_in))
    bias = [d.tensor((n_out,))] if d.flag(0.7) else d.choice(([], [None]))
    return call(x, d.tensor((n_out, n_in)), *bias)


reduced("nn.functional.linear", linear)
reduced(
    "nn.functional.bilinear", lambda d: call(d.tensor((4, 2)), d.tensor((4, 3)), d.tensor((5, 2, 3)), d.tensor((5,)))
)


reduced(
    "addbmm",
    lambda d: call(
        d.tensor((3, 4)), d.tensor((2, 3, 2)), d.tensor((2, 2, 4)), **d.choice(({}, {"beta": 0.5, "alpha": 2.0}))
    ),
)
reduced("vdot", lambda d: call(x := d.tensor((side(d),)), d.like(x)))
reduced("chain_matmul", lambda d: call(d.tensor((2, 3)), d.tensor((3, 4)), d.tensor((4, 2))))
reduced(
    "cdist",
    lambda d: call(d.tensor((3, 4)), d.tensor((2, 4)), **d.choice(({}, {"p": 1.0}, {"p": 3.0}))),
    modes=("normal",),
    second=False,
)
reduced(
    "cdist.product",
    lambda d: call(
        d.tensor((d.choice((3, 27)), 4)), d.tensor((d.choice((2, 30)), 4)),
        compute_mode=d.choice(("use_mm_for_euclid_dist_if_necessary", "use_mm_for_euclid_dist", "donot_use_mm_for_euclid_dist")),
    ),
    lambda torch, a, b, **k: torch.cdist(a, b, **k),
    modes=("normal",),
    second=False,
)  # fmt: skip
reduced("bilinear", lambda d: call(d.tensor((4, 2)), d.tensor((4, 3)), d.tensor((5, 2, 3)), d.tensor((5,))))
reduced("Tensor.__rmatmul__", lambda d: call(d.tensor((2, 3)), d.tensor((4, 2))))
reduced("adjoint", lambda d: call(d.tensor((2, 3, 4))))
reduced("Tensor.mH", lambda d: call(d.tensor((2, 3, 4))), lambda torch, x: x.mH)
reduced("Tensor.H", lambda d: call(d.tensor((3, 4))), lambda torch, x: x.H)


reduced("cross", lambda d: call(x := d.tensor((4, 3)), d.like(x), dim=-1))
op(
    "pdist",
    lambda d: call(d.tensor((d.integer(2, 4), 3)), *d.choice(((), (1.0,), (3.0,), (0.0,)))),
    also=["nn.functional.pdist"],
    tolerance=REDUCED,
    methods=False,
    second=False,
    modes=("normal",),
    layouts=False,  # rows that are equal: PyTorch's own gradient there is a nan or 0, by the form of its loop
)
