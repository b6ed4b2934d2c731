"""Linear algebra. Singular vectors and eigenvectors are known up to their sign, which libraries choose differently: what is
compared of them, and differentiated, does not change with it."""

from __future__ import annotations

from typing import Any

import numpy as np

from ..case import REDUCED, Call, call, family, op, resolve
from ..inputs import LAYOUTS, Domain, Draw, Input

family("linalg")


def reduced(name: str, draw: Any, fn: Any = None, **options: Any) -> None:
    options.setdefault("modes", ("normal",))
    op(name, draw, fn, tolerance=REDUCED, **options)


def batch(d: Draw) -> tuple[int, ...]:
    return d.choice(((), (), (2,), (2, 1), (0,)))


def matrix(d: Draw, rows: int | None = None, columns: int | None = None, shape: tuple[int, ...] | None = None) -> Input:
    """Well conditioned: near a multiple of the identity, with singular values apart from one another."""
    shape = batch(d) if shape is None else shape
    m = d.integer(1, 4) if rows is None else rows
    n = d.integer(1, 4) if columns is None else columns
    apart = np.eye(m, n) * (2.0 + np.arange(min(m, n) or 1)[:, None][:m] if m <= n else 2.0 + np.arange(n))
    return laid(d, d.rng.normal(size=(*shape, m, n)) * 0.25 + apart)


def laid(d: Draw, values: Any) -> Input:
    """In any layout but the one that repeats rows, and makes every matrix singular."""
    return d.lay(values.astype(d.dtype), True, d.choice([name for name in LAYOUTS if name != "broadcast"]))


def square(d: Draw, n: int | None = None, shape: tuple[int, ...] | None = None) -> Input:
    n = d.integer(1, 4) if n is None else n
    return matrix(d, n, n, shape)


def symmetric(d: Draw, positive: bool = False) -> Input:
    """Eigenvalues lie about two apart, of both signs unless positive."""
    n = d.integer(1, 4)
    x = d.rng.normal(size=(*batch(d), n, n)) * 0.25 + np.diag(2.0 + np.arange(n))
    return laid(d, x + x.swapaxes(-1, -2) - (0 if positive else 5) * np.eye(n))


def signs_apart(U: Any, S: Any, V: Any) -> tuple[Any, ...]:
    """What is the same whatever the signs of the columns of U and the rows of V."""
    k = S.shape[-1]
    return U[..., :k] ** 2, S, V[..., :k, :] ** 2, (U[..., :k] * S.unsqueeze(-2) ** 2) @ V[..., :k, :]


# -- equations


def equations(d: Draw) -> Call:
    n = d.integer(1, 4)
    shape = batch(d)
    left = d.flag(0.7)
    k = d.integer(1, 3)
    vector = left and d.flag(0.3)
    right = (n,) if vector else (*(shape if d.flag() else ()), *((n, k) if left else (k, n)))
    return call(square(d, n, shape), d.tensor(right), **({} if left else {"left": False}))


reduced("linalg.solve", equations)


def triangles(d: Draw) -> Call:
    n, k, left = d.integer(1, 4), d.integer(1, 3), d.flag()
    options = {"upper": d.flag(), "left": left, "unitriangular": d.flag(0.3)}
    return call(square(d, n), d.tensor((n, k) if left else (k, n)), **options)


reduced("linalg.solve_triangular", triangles)
reduced(
    "triangular_solve",
    lambda d: call(d.tensor(((n := d.integer(1, 4)), 2)), square(d, n, ()), d.flag(), d.flag(), d.flag(0.3)),
    lambda torch, b, A, *flags: tuple(torch.triangular_solve(b, A, *flags)),
)
reduced(
    "Tensor.triangular_solve",
    lambda d: call(d.tensor((2, 1)), square(d, 2, ())),
    lambda torch, b, A: tuple(b.triangular_solve(A)),
)
reduced("inverse", lambda d: call(square(d)))
reduced("linalg.inv", lambda d: call(square(d)))
reduced("det", lambda d: call(square(d)), aliases=["linalg.det"])
reduced("linalg.det", lambda d: call(square(d)))


def _gradient_of_det(torch: Any, n: int) -> Any:
    A = (torch.arange(n * n).double().reshape(n, n) if n == 3 else torch.ones(n, n).double()).requires_grad_()
    out = torch.det(A)
    out.backward()
    return out.detach().round(decimals=6) + 0.0, A.grad


# PyTorch gives 0 for the gradient at a singular matrix, as it multiplies by the determinant; the cofactors are not 0.
COFACTORS = {2: [[1.0, -1.0], [-1.0, 1.0]], 3: [[-3.0, 6.0, -3.0], [6.0, -12.0, 6.0], [-3.0, 6.0, -3.0]]}
reduced(
    "det.singular",
    lambda d: call(d.choice((2, 3))),
    _gradient_of_det,
    gradient=False,
    reference=lambda torch, n: (torch.zeros((), dtype=torch.float64), torch.tensor(COFACTORS[n], dtype=torch.float64)),
)

reduced("slogdet", lambda d: call(square(d)))
reduced("linalg.slogdet", lambda d: call(square(d)))
reduced("logdet", lambda d: call(square(d)))


def overdetermined(d: Draw) -> Call:
    m, n = d.choice(((4, 2), (3, 3), (2, 4), (5, 1)))
    right = (m, d.integer(1, 2))
    return call(
        matrix(d, m, n, ()), d.tensor(right), **d.choice(({}, {"driver": "gels"}, {"driver": "gelsd"}, {"rcond": 1e-3}))
    )


reduced("linalg.lstsq", overdetermined, lambda torch, A, B, **o: tuple(torch.linalg.lstsq(A, B, **o)), float32=False)
reduced(
    "linalg.pinv",
    lambda d: call(matrix(d), **d.choice(({}, {"rtol": 1e-3}, {"atol": 0.5}, {"atol": 0.1, "rtol": 1e-6}))),
    float32=False,
)
reduced(
    "linalg.pinv.hermitian",
    lambda d: call(symmetric(d)),
    lambda torch, A: torch.linalg.pinv(A, hermitian=True),
    second=False,
)
reduced("pinverse", lambda d: call(matrix(d, shape=())), float32=False)
reduced(
    "linalg.tensorinv",
    lambda d: call(laid(d, (d.rng.normal(size=(4, 4)) * 0.3 + 2 * np.eye(4)).reshape(2, 2, 4))),
)
reduced(
    "linalg.tensorsolve",
    lambda d: call(
        laid(d, (d.rng.normal(size=(4, 4)) * 0.3 + 2 * np.eye(4)).reshape(2, 2, 4)),
        d.tensor((2, 2)),
    ),
)

# -- decompositions


def spread(torch: Any, x: Any) -> Any:
    """A symmetric positive-definite matrix made of x, so that gradients flow through both triangles."""
    return x @ x.mT + 0.5 * torch.eye(x.shape[-1], dtype=x.dtype)


reduced(
    "linalg.cholesky",
    lambda d: call(square(d), upper=d.flag(0.3)),
    lambda torch, x, upper: torch.linalg.cholesky(spread(torch, x), upper=upper),
)
reduced(
    "linalg.cholesky.plain",
    lambda d: call(symmetric(d, positive=True)),
    lambda torch, x: torch.linalg.cholesky(x),
    covers=["linalg.cholesky"],
)
reduced("cholesky", lambda d: call(symmetric(d, positive=True), *d.choice(((), (True,)))))
reduced(
    "cholesky_solve", lambda d: call(d.tensor(((n := d.integer(1, 3)), 2)), square(d, n, ()), *d.choice(((), (True,))))
)
reduced("cholesky_inverse", lambda d: call(square(d), *d.choice(((), (True,)))))

QR_MODES: tuple[dict[str, Any], ...] = ({}, {"mode": "complete"}, {"mode": "reduced"})
reduced("linalg.qr", lambda d: call(*(((m := d.integer(1, 4)), matrix(d, m, d.integer(m, 5)))[1:]), **d.choice(QR_MODES)),
        lambda torch, A, **o: tuple(torch.linalg.qr(A, **o)))  # fmt: skip
reduced(
    "linalg.qr.tall",
    lambda d: call(matrix(d, 4, d.integer(1, 3))),
    lambda torch, A: tuple(torch.linalg.qr(A)),
    covers=["linalg.qr"],
)
reduced(
    "linalg.qr.complete",
    lambda d: call(matrix(d, 4, 2)),
    lambda torch, A: tuple(torch.linalg.qr(A.detach(), mode="complete")),
    gradient=False,
)
reduced(
    "qr", lambda d: call(matrix(d, 4, 3), *d.choice(((), (True,)))), lambda torch, A, *some: tuple(torch.qr(A, *some))
)
reduced("Tensor.qr", lambda d: call(matrix(d, 4, 3)), lambda torch, A: tuple(A.qr()))
reduced(
    "linalg.svd",
    lambda d: call(matrix(d), *d.choice(((), (False,), (True,)))),
    lambda torch, A, *o: signs_apart(*torch.linalg.svd(A, *o)),
    float32=False,
)
reduced(
    "svd",
    lambda d: call(matrix(d), *d.choice(((), (False,)))),
    lambda torch, A, *o: _turned(torch.svd(A, *o)),
    float32=False,
)
reduced("Tensor.svd", lambda d: call(matrix(d)), lambda torch, A: _turned(A.svd()), float32=False)
reduced(
    "svd.values",
    lambda d: call(matrix(d)),
    lambda torch, A: tuple(torch.svd(A, compute_uv=False)),
    float32=False,
    covers=["svd"],
)


def _turned(parts: Any) -> tuple[Any, ...]:
    U, S, V = parts
    return signs_apart(U, S, V.mT)


reduced("linalg.svdvals", lambda d: call(matrix(d)), float32=False)


def eigen(torch: Any, A: Any, **options: Any) -> tuple[Any, ...]:
    w, V = torch.linalg.eigh(A, **options)
    return w, V**2, (V * w.unsqueeze(-2) ** 3) @ V.mT


TRIANGLES: tuple[dict[str, Any], ...] = ({}, {"UPLO": "U"}, {"UPLO": "L"}, {"UPLO": "u"})
reduced("linalg.eigh", lambda d: call(symmetric(d), **d.choice(TRIANGLES)), eigen, float32=False)
reduced(
    "linalg.eigh.one_triangle",
    lambda d: call(square(d), **d.choice(TRIANGLES)),
    eigen,
    float32=False,
    covers=["linalg.eigh"],
)
reduced("linalg.eigvalsh", lambda d: call(symmetric(d), **d.choice(TRIANGLES)), float32=False)
reduced("linalg.householder_product", lambda d: call(d.tensor((4, 3)), d.tensor((d.integer(1, 3),))))

# -- norms and what singular values tell

ORDERS = ("fro", "nuc", 2, -2, 1, -1, float("inf"), float("-inf"))
reduced(
    "linalg.matrix_norm.orders",
    lambda d: call(matrix(d, shape=d.choice(((), (2,)))), d.choice(ORDERS), keepdim=d.flag(0.3)),
    lambda torch, A, *o, **named: torch.linalg.matrix_norm(A, *o, **named),
    float32=False,
)
reduced("linalg.matrix_norm.dims", lambda d: call(matrix(d, 3, 2, (4,)), d.choice(ORDERS), (2, 0), d.flag()),
        lambda torch, A, *o: torch.linalg.matrix_norm(A, *o), float32=False)  # fmt: skip
reduced(
    "linalg.norm.orders",
    lambda d: call(
        matrix(d, shape=d.choice(((), (2,)))), *d.choice(((), (None, -1), ("nuc", (-2, -1)), (2, (0, 1)), (1, 0)))
    ),
    lambda torch, A, *o: torch.linalg.norm(A, *o),
    float32=False,
)
reduced("linalg.cond", lambda d: call(square(d, shape=d.choice(((), (2,)))), d.choice((None, 2, -2))), float32=False)
# PyTorch cannot differentiate these ("modified by an inplace operation").
reduced(
    "linalg.cond.norms",
    lambda d: call(square(d, shape=d.choice(((), (2,)))), d.choice(("fro", "nuc", 1, float("inf")))),
    lambda torch, A, p: torch.linalg.cond(A, p),
    gradient=False,
    float32=False,
)


def rank(d: Draw) -> Call:
    low = d.rng.normal(size=(4, d.integer(1, 4)))
    A = d.lay((low @ low.T).astype(d.dtype), False)
    return call(A, **d.choice(({}, {"hermitian": True}, {"rtol": 1e-3}, {"atol": 0.5}, {"tol": 0.1})))


reduced("linalg.matrix_rank", rank, gradient=False, layouts=False)

# -- products

reduced(
    "linalg.multi_dot",
    lambda d: call(
        [d.tensor(d.choice(((2, 3), (3,)))), d.tensor((3, 4)), d.tensor((4, 2)), d.tensor(d.choice(((2, 5), (2,))))]
    ),
)
reduced("matrix_power", lambda d: call(square(d), d.integer(-3, 5)))
reduced("linalg.matrix_power", lambda d: call(square(d), d.integer(-3, 5)))
reduced("matrix_exp", lambda d: call(d.tensor((*batch(d), (n := d.integer(1, 4)), n))), second=False)
reduced("matrix_exp.second", lambda d: call(d.tensor((2, 2))), lambda torch, A: torch.matrix_exp(A), float32=False)
reduced("linalg.matrix_exp", lambda d: call(d.tensor((3, 3))), second=False)
reduced(
    "linalg.cross", lambda d: call(d.tensor((4, 3)), d.tensor(d.choice(((4, 3), (1, 3)))), **d.choice(({}, {"dim": 1})))
)
reduced(
    "linalg.vecdot", lambda d: call(d.tensor((2, 3)), d.tensor(d.choice(((2, 3), (3,)))), **d.choice(({}, {"dim": -1})))
)
reduced("linalg.diagonal", lambda d: call(d.tensor((2, 3, 4)), **d.choice(({}, {"offset": 1}, {"dim1": 0, "dim2": 1}))))
reduced(
    "linalg.vander",
    lambda d: call(d.tensor(min_dims=1, max_dims=3, min_side=2), **d.choice(({}, {"N": 2}, {"N": 5}))),
    float32=False,
)
reduced("linalg.matmul", lambda d: call(d.tensor((2, 3)), d.tensor((3, 2))))

# -- LU: A is near a multiple of the identity, its rows are turned so that some are exchanged


def turned(d: Draw, rows: int, columns: int) -> Input:
    """A well-conditioned matrix (or a batch), its rows in another order."""
    x = matrix(d, rows, columns).array
    return laid(d, x[..., d.rng.permutation(rows), :])


def any_shape(d: Draw) -> Input:
    return turned(d, d.integer(1, 4), d.integer(1, 4))


def turned_square(d: Draw) -> Input:
    n = d.integer(1, 4)
    return turned(d, n, n)


for _name in ("lu", "linalg.lu", "linalg.lu_factor", "linalg.lu_factor_ex", "Tensor.lu"):
    reduced(
        _name,
        lambda d: call(any_shape(d)),
        (lambda torch, A: tuple(A.lu()))
        if _name == "Tensor.lu"
        else lambda torch, A, path=_name: tuple(resolve(torch, path)(A)),
    )
reduced("lu.infos", lambda d: call(any_shape(d)), lambda torch, A: tuple(torch.lu(A, get_infos=True)))


def _unpacked(torch: Any, A: Any, data: bool, pivots: bool) -> tuple[Any, ...]:
    return tuple(torch.lu_unpack(*torch.linalg.lu_factor(A), unpack_data=data, unpack_pivots=pivots))


reduced("lu_unpack", lambda d: call(any_shape(d), True, d.flag(0.8)), _unpacked)


def factorized(d: Draw) -> Call:
    left, n, k = d.flag(0.7), d.integer(1, 4), d.integer(1, 3)
    A = turned(d, n, n)
    batch_ = A.shape[:-2] if d.flag() else ()
    return call(A, d.tensor((*batch_, *((n, k) if left else (k, n)))), left, d.flag(0.3))


reduced("linalg.lu_solve", factorized, lambda torch, A, B, left, adjoint: torch.linalg.lu_solve(
    *torch.linalg.lu_factor(A), B, left=left, adjoint=adjoint))  # fmt: skip
for _name in ("lu_solve", "Tensor.lu_solve"):
    reduced(
        _name,
        lambda d: call(turned(d, 3, 3), d.tensor((3, 2))),
        (lambda torch, A, B: torch.lu_solve(B, *torch.linalg.lu_factor(A)))
        if _name == "lu_solve"
        else lambda torch, A, B: B.lu_solve(*torch.linalg.lu_factor(A)),
    )
reduced("linalg.inv_ex", lambda d: call(turned_square(d)), lambda torch, A: tuple(torch.linalg.inv_ex(A)))
reduced("linalg.solve_ex", equations, lambda torch, A, B, **o: tuple(torch.linalg.solve_ex(A, B, **o)))
reduced("linalg.cholesky_ex", lambda d: call(symmetric(d, positive=True), d.flag(0.3)),
        lambda torch, A, upper: tuple(torch.linalg.cholesky_ex(A, upper=upper)))  # fmt: skip
reduced(
    "geqrf",
    lambda d: call(any_shape(d)),
    lambda torch, A: tuple(torch.geqrf(A.detach())),
    gradient=False,
    float32=False,
)
reduced(
    "Tensor.geqrf",
    lambda d: call(any_shape(d)),
    lambda torch, A: tuple(A.detach().geqrf()),
    gradient=False,
    float32=False,
)
FACTORS = Domain(1.5, 2.5)  # PyTorch's derivative divides by 1 - tau |v|², which is then far from 0
# PyTorch's second derivative has lost half its digits where rows are alike: linalg.householder_product, the same function, has it.
reduced("orgqr", lambda d: call(d.tensor((4, 3)), d.tensor((d.integer(1, 3),), FACTORS)), second=False)


def reflections(d: Draw) -> Call:
    left, transpose = d.flag(), d.flag()
    return call(d.tensor((4, 3)), d.tensor((3,), FACTORS), d.tensor((4, 2) if left else (2, 4)), left, transpose)


reduced("ormqr", reflections)


def few_vectors(d: Draw) -> Call:
    return call(matrix(d, *d.choice(((6, 4), (4, 6), (5, 5)))), d.integer(1, 3), d.flag())  # centred: of rank 3


for _name in ("svd_lowrank", "pca_lowrank"):
    reduced(
        _name,
        few_vectors,
        (lambda torch, A, q, more: _turned(torch.svd_lowrank(A, q, **({"M": A.mean(-2, keepdim=True)} if more else {}))))
        if _name == "svd_lowrank"
        else lambda torch, A, q, more: _turned(torch.pca_lowrank(A, q, center=more, niter=1)),
        seeds=True,
        second=False,
        float32=False,
    )  # fmt: skip
