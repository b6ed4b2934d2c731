"""Linear algebra: equations, decompositions, norms. PyTorch: torch.linalg.

    solving.py     solve, inv, pinv, lstsq ...
    factors.py     qr, svd, eigh, cholesky, det ...
    lu.py          lu, lu_factor, lu_solve, and the names ending in _ex
    norms.py       vector_norm, matrix_norm, matrix_rank, cond
    products.py    multi_dot, matrix_power, cross, vander ...

The derivatives stand in `minigrad/ops/solving.py`, `minigrad/ops/decompositions.py` and `minigrad/ops/matrix_functions.py`.
Eigenvalues of matrices that are not symmetric are complex numbers, which minigrad has not.
"""

from .. import missing
from ..ops.lapack import LinAlgError
from .factors import cholesky, det, eigh, eigvalsh, householder_product, qr, slogdet, svd, svdvals
from .lu import cholesky_ex, inv_ex, lu, lu_factor, lu_factor_ex, lu_solve, solve_ex
from .norms import cond, matrix_norm, matrix_rank, norm, vector_norm
from .products import cross, diagonal, matmul, matrix_exp, matrix_power, multi_dot, vander, vecdot
from .solving import inv, lstsq, pinv, solve, solve_triangular, tensorinv, tensorsolve

__all__ = [
    "LinAlgError", "cholesky", "cholesky_ex", "cond", "cross", "det", "diagonal", "eigh", "eigvalsh",
    "householder_product", "inv", "inv_ex", "lstsq", "lu", "lu_factor", "lu_factor_ex", "lu_solve", "matmul",
    "matrix_exp", "matrix_norm", "matrix_power", "matrix_rank", "multi_dot", "norm", "pinv", "qr", "slogdet", "solve",
    "solve_ex", "solve_triangular", "svd", "svdvals", "tensorinv", "tensorsolve", "vander", "vecdot", "vector_norm",
]  # fmt: skip


def __getattr__(name: str) -> object:
    raise missing.error(__name__, name, globals())
