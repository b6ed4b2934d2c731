"""Linear algebra: the classes of errors, in both engines alike; a QR without Q."""

import numpy as np
import pytest
import torch

import minigrad

ENGINES = [torch, minigrad]
NAMES = (
    "inv",
    "det",
    "slogdet",
    "cholesky",
    "qr",
    "svd",
    "svdvals",
    "eigh",
    "eigvalsh",
    "pinv",
    "matrix_exp",
    "matrix_norm",
)


def error_of(question, e):
    try:
        question(e)
    except Exception as error:
        return [
            k.__name__
            for k in type(error).__mro__
            if k.__name__ in ("RuntimeError", "TypeError", "IndexError", "ValueError")
        ]
    return "none"


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("dtype", ["float32", "int64"])
@pytest.mark.parametrize("shape", [(2, 3), (3,), (), (2, 2)], ids=str)
def test_shapes_and_dtypes(name, dtype, shape):
    def question(e):
        x = e.eye(2, dtype=getattr(e, dtype)) if shape == (2, 2) else e.ones(shape, dtype=getattr(e, dtype))
        getattr(e.linalg, name)(x)

    assert error_of(question, minigrad) == error_of(question, torch)


WRONG = [
    lambda e: e.linalg.solve(e.eye(2), e.ones(3)),
    lambda e: e.linalg.solve(e.eye(2), e.ones(2).double()),
    lambda e: e.linalg.solve_triangular(e.eye(2), e.ones(2), upper=True),
    lambda e: e.linalg.solve_triangular(e.eye(2), e.ones(3, 1), upper=True),
    lambda e: e.linalg.qr(e.eye(2), mode="x"),
    lambda e: e.linalg.qr(e.eye(2, requires_grad=True), mode="r")[1].sum().backward(),
    lambda e: e.linalg.qr(e.ones(3, 2, requires_grad=True), mode="complete")[1].sum().backward(),
    lambda e: e.linalg.eigh(e.eye(2), UPLO="X"),
    lambda e: e.linalg.svd(e.eye(2), driver="gesvd"),
    lambda e: e.linalg.lstsq(e.eye(2), e.ones(2, 1), driver="x"),
    lambda e: e.linalg.lstsq(e.eye(2), e.ones(3, 1)),
    lambda e: e.linalg.matrix_power(e.eye(2), 2.0),
    lambda e: e.linalg.matrix_norm(e.eye(2), "x"),
    lambda e: e.linalg.matrix_norm(e.eye(2), 3),
    lambda e: e.linalg.norm(e.ones(3), "fro"),
    lambda e: e.linalg.norm(e.ones(2, 2, 2), 2),
    lambda e: e.linalg.multi_dot([e.ones(2)]),
    lambda e: e.linalg.multi_dot([e.ones(2, 2, 2), e.ones(2)]),
    lambda e: e.linalg.cross(e.ones(3), e.ones(2, 3)),
    lambda e: e.linalg.cross(e.ones(2), e.ones(2)),
    lambda e: e.linalg.vander(e.tensor(1)),
    lambda e: e.linalg.tensorinv(e.ones(2, 3)),
    lambda e: e.linalg.inv(3),
    lambda e: e.linalg.svd(e.full((2, 2), float("nan"))),
    lambda e: e.cholesky_solve(e.ones(2), e.eye(2)),
]


@pytest.mark.parametrize("k", range(len(WRONG)))
def test_arguments(k):
    theirs = error_of(WRONG[k], torch)
    assert error_of(WRONG[k], minigrad) == theirs
    assert theirs != "none"


def test_a_matrix_without_inverse():
    for e in ENGINES:
        zeros = e.zeros(2, 2)
        assert issubclass(e.linalg.LinAlgError, RuntimeError)
        for question in (e.linalg.inv, e.linalg.cholesky, e.inverse, lambda z, e=e: e.linalg.solve(z, e.ones(2))):
            with pytest.raises(e.linalg.LinAlgError):
                question(zeros)
        assert e.linalg.cond(zeros, 1) == float("inf")


def test_a_qr_without_q():
    A = [[1.0, 2.0], [3.0, 4.0], [5.0, 6.5]]
    (q, r), (q_theirs, r_theirs) = (e.linalg.qr(e.tensor(A), mode="r") for e in (minigrad, torch))
    assert q.shape == q_theirs.shape
    assert torch.allclose(torch.tensor(r.tolist()), r_theirs, rtol=1e-5)


def test_what_cannot_be_factorized_is_told():
    """info is PyTorch's; where it is not 0 nothing that could be taken for a result is given."""
    for matrices in (
        np.ones((3, 3)),
        np.stack([np.eye(2), np.ones((2, 2))]),
        -np.eye(2),
        np.array([[4.0, 2, 3], [2, 1, 0], [3, 0, 4]]),
    ):
        A, B = torch.tensor(matrices), minigrad.tensor(matrices)
        for name in ("inv_ex", "cholesky_ex", "lu_factor_ex"):
            theirs, ours = getattr(torch.linalg, name)(A), getattr(minigrad.linalg, name)(B)
            assert ours.info.tolist() == theirs.info.tolist(), name
            assert ours.info.dtype == minigrad.int32
            if name != "lu_factor_ex":
                good = ours.info.numpy() == 0
                np.testing.assert_allclose(ours[0].numpy()[good], theirs[0].numpy()[good], atol=1e-12)
                assert np.isnan(ours[0].numpy()[~good]).all()
            for engine, X in ((torch, A), (minigrad, B)):
                if theirs.info.any():
                    with pytest.raises(RuntimeError, match="zero|positive-definite"):
                        getattr(engine.linalg, name)(X, check_errors=True)
        theirs, ours = torch.linalg.solve_ex(A, A), minigrad.linalg.solve_ex(B, B)
        assert ours.info.tolist() == theirs.info.tolist()


@pytest.mark.parametrize("k", range(10))
def test_errors_of_factorizations(k):
    def asked(t):
        A, long = t.ones(3, 3, dtype=t.float64) + t.eye(3, dtype=t.float64), t.tensor([1, 2, 3])
        LU, pivots = t.linalg.lu_factor(A)
        return (
            lambda: t.linalg.lu_factor(t.ones(2, 2)),
            lambda: t.linalg.lu(A, pivot=False),
            lambda: t.linalg.lu(A[0]),
            lambda: t.lu_unpack(LU, long),
            lambda: t.linalg.lu_solve(LU, long, A),
            lambda: t.linalg.lu_solve(LU, pivots, A[0]),
            lambda: t.linalg.lu_solve(LU, pivots, A[:2]),
            lambda: t.linalg.lu_solve(LU, pivots[:2], A),
            lambda: t.ormqr(A, pivots.double(), A[:2]),
            lambda: t.pca_lowrank(A, q=4),
        )[k]

    with pytest.raises((RuntimeError, ValueError)) as theirs:
        asked(torch)()
    with pytest.raises(theirs.type) as ours:
        asked(minigrad)()
    assert str(ours.value)[:40] == str(theirs.value)[:40]


def test_what_is_not_unpacked_is_empty():
    A = np.random.default_rng(0).normal(size=(2, 3, 4))
    for data in (True, False):
        for pivots in (True, False):
            theirs, ours = (t.lu_unpack(*t.linalg.lu_factor(t.tensor(A)), data, pivots) for t in (torch, minigrad))
            assert [tuple(x.shape) for x in ours] == [tuple(x.shape) for x in theirs]
            np.testing.assert_array_equal(ours.P.numpy(), theirs.P.numpy())


@pytest.mark.parametrize("value", [float("nan"), float("inf"), -float("inf")])
def test_cholesky_of_what_is_no_number(value):
    """In each place of a matrix, and in all: the same minors are not positive-definite, and the same matrices are refused."""
    start = np.array([[4.0, 1, 0.5], [1, 3, 0.25], [0.5, 0.25, 2]])
    places = [*np.ndindex(3, 3), slice(None), (slice(None), 1), (1, slice(None)), np.eye(3, dtype=bool)]
    for place in places:
        a = start.copy()
        a[place] = value
        for upper in (False, True):
            found = [e.linalg.cholesky_ex(e.tensor(a), upper=upper) for e in (torch, minigrad)]
            assert found[0].info.item() == found[1].info.item(), (place, upper)
            if found[0].info.item():
                for engine in (torch, minigrad):
                    with pytest.raises(engine.linalg.LinAlgError, match=f"order {found[0].info.item()} is"):
                        engine.linalg.cholesky(engine.tensor(a), upper=upper)
            else:
                np.testing.assert_array_equal(found[0].L.numpy(), found[1].L.numpy())
