"""How each public operation is called for `python -m benchmarks operations`: arguments, the same numbers in every engine."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

Arguments = tuple[Any, ...]
Maker = Callable[[], Arguments]


def names() -> list[str]:
    """Every public operation, as a path from the engine's root."""
    from minigrad import creation, fft, linalg, sampling  # fills the tables
    from minigrad.public import FUNCTIONAL, MINIGRAD

    made = [name for module in (creation, sampling) for name in module.__all__]
    rooms = [f"{room}.{n}" for room, module in (("linalg", linalg), ("fft", fft)) for n in module.__all__]
    found = [*MINIGRAD, *made, *(f"nn.functional.{n}" for n in FUNCTIONAL), *rooms]
    other = ("rng_state", "Error", "_with_indices")  # no operations; and what another name stands for
    return [name for name in dict.fromkeys(found) if not name.endswith("_") and not any(o in name for o in other)]


def ways(torch: Any, n: int) -> Iterator[tuple[str, Maker]]:
    """The usual ways to call an operation, by name: makers of arguments of n elements."""
    rows, columns = max(n // 1000, 1), min(n, 1000)
    side = max(int(n**0.5), 1)

    def x(low: float = -2.0, high: float = 2.0) -> Any:
        return torch.rand(rows, columns) * (high - low) + low

    def whole(high: int = 100) -> Any:
        return torch.randint(0, high, (rows, columns))

    def flag() -> Any:
        return x() > 0

    yield "x", lambda: (x(0.1, 0.9),)
    yield "x, y", lambda: (x(0.1, 0.9), x(0.1, 0.9))
    yield "x, y, z", lambda: (x(0.1, 0.9), x(0.1, 0.9), x(0.1, 0.9))
    yield "x, dim", lambda: (x(), 1)
    yield "x, 2", lambda: (x(), 2)
    yield "x, 0.5", lambda: (x(0.1, 0.9), 0.5)
    yield "whole numbers", lambda: (whole(),)
    yield "two of whole numbers", lambda: (whole(), whole())
    yield "whole numbers, 2", lambda: (whole(), 2)
    yield "mask, x, y", lambda: (flag(), x(), x())
    yield "x, mask, value", lambda: (x(), flag(), 1.0)
    yield "x, mask", lambda: (x(), flag())
    yield "matrix, matrix", lambda: (torch.rand(side, side), torch.rand(side, side))
    yield "matrix", lambda: (torch.rand(side, side) + side * torch.eye(side),)
    yield "vector", lambda: (torch.rand(n),)
    yield "vector, vector", lambda: (torch.rand(n), torch.rand(n))
    yield "matrix, vector", lambda: (torch.rand(rows, columns), torch.rand(columns))
    yield "x, dim, indices", lambda: (x(), 1, whole(columns))
    yield "x, dim, indices, x", lambda: (x(), 1, whole(columns), x())
    yield "x, dim, index", lambda: (x(), 0, torch.randint(0, rows, (rows,)))
    yield "x, dim, index, value", lambda: (x(), 0, torch.randint(0, rows, (rows,)), 1.0)
    yield "x, dim, dim", lambda: (x(), 0, 1)
    yield "x, dims", lambda: (x(), (0, 1))
    yield "x, low, high", lambda: (x(), -1.0, 1.0)
    yield "x, shape", lambda: (x(), (columns, rows))
    yield "x, count, dim", lambda: (x(), 2, 1)
    yield "x, share, flag", lambda: (x(), 0.3, True)
    yield "list of x", lambda: ([x(), x()],)
    yield "scores, classes", lambda: (x(), torch.randint(0, columns, (rows,)))
    yield "n", lambda: (n,)
    yield "side, side", lambda: (side, side)
    yield "shape", lambda: ((rows, columns),)
    yield "number, number, n", lambda: (0.0, 1.0, n)
    yield "images, 2", lambda: (torch.rand(max(n // 16384, 1), 16, 32, 32), 2)
    yield "images", lambda: (torch.rand(max(n // 16384, 1), 16, 32, 32),)
    yield "lines, 2", lambda: (torch.rand(max(n // 16384, 1), 16, 1024), 2)


def special(torch: Any, n: int) -> dict[str, Maker]:
    """Operations that want arguments of their own, or of whose many results few elements are meant."""
    rand, randint = torch.rand, torch.randint
    rows, columns = max(n // 1000, 1), min(n, 1000)
    side = max(int(n**0.5), 2)
    few = max(int((n / 4) ** 0.5), 2)  # vectors of 32, of which every two are compared

    def x(high: float = 1.0) -> Any:
        return rand(rows, columns) * high

    def whole(high: int, *shape: int) -> Any:
        return randint(0, high, shape or (rows, columns))

    def images(channels: int = 16, of: int = 0) -> Any:
        of = of or (8 if n < 16384 else 32)
        return rand(max(n // (channels * of * of), 1), channels, of, of)

    def lines() -> Any:
        return rand(max(n // 4096, 1), 16, 256 if n >= 4096 else 64)

    def blocks() -> Any:
        return rand(max(n // 8192, 1), 2 if n < 8192 else 16, 8, 8, 8)

    def regular(of: int) -> Any:
        return rand(of, of) + of * torch.eye(of)

    def positive(of: int) -> Any:
        root = rand(of, of)
        return root @ root.T + torch.eye(of)

    def stacks(*inner: int) -> list[Any]:
        count = max(n // 1024, 1)
        return [rand(count, 32, 32) for _ in inner]

    def image_pool() -> Arguments:
        return torch.nn.functional.max_pool2d(images(), 2, return_indices=True)

    def batch_and_grid() -> Arguments:
        x = images()
        return x, rand(len(x), x.shape[2], x.shape[3], 2) * 2 - 1

    def sequences() -> Arguments:
        steps, count = max(n // 640, 8), 16
        scores = torch.nn.functional.log_softmax(rand(steps, count, 40), -1)
        lengths = [torch.full((count,), k, dtype=torch.int64) for k in (steps, max(steps // 3, 1))]
        return scores, randint(1, 40, (count, max(steps // 3, 1))), *lengths

    def boundaries() -> Any:
        return torch.arange(1000.0)

    f = "nn.functional."
    found: dict[str, Maker] = {
        "topk": lambda: (rand(n), min(10, n)),
        "kthvalue": lambda: (rand(n), max(n // 3, 1)),
        "median": lambda: (rand(n),),
        "nanmedian": lambda: (rand(n),),
        "cummax": lambda: (rand(n), 0),
        "cummin": lambda: (rand(n), 0),
        "cdist": lambda: (rand(few, 32), rand(few, 32)),
        "pdist": lambda: (rand(few, 32),),
        "vander": lambda: (rand(side),),
        "combinations": lambda: (rand(side),),
        "cartesian_prod": lambda: (rand(side), rand(side)),
        "meshgrid": lambda: (rand(side), rand(side)),
        "outer": lambda: (rand(side), rand(side)),
        "ger": lambda: (rand(side), rand(side)),
        "kron": lambda: (rand(8, 8), rand(max(side // 8, 1), max(side // 8, 1))),
        "block_diag": lambda: (rand(side // 2, side // 2), rand(side // 2, side // 2)),
        "diag": lambda: (rand(side),),
        "diagflat": lambda: (rand(side),),
        "diag_embed": lambda: (rand(side),),
        "eye": lambda: (side,),
        "split_with_sizes": lambda: (x(), [columns // 2, columns - columns // 2], 1),
        "narrow": lambda: (x(), 1, 0, columns // 2),
        "select": lambda: (x(), 1, 0),
        "as_strided": lambda: (rand(n), (rows, columns), (columns, 1)),
        "unflatten": lambda: (rand(n // 2 * 2), 0, (2, n // 2)),
        "broadcast_to": lambda: (rand(columns), (rows, columns)),
        "index_put": lambda: (rand(n), (whole(n, n // 2),), rand(n // 2)),
        "index_copy": lambda: (x(), 0, torch.randperm(rows), x()),
        "index_add": lambda: (x(), 0, whole(rows, rows), x()),
        "index_reduce": lambda: (x(), 0, whole(rows, rows), x(), "mean"),
        "scatter_reduce": lambda: (x(), 1, whole(columns), x(), "sum"),
        "masked_scatter": lambda: (rand(n), rand(n) > 0.5, rand(n)),
        "masked_select": lambda: (rand(n), rand(n) > 0.5),
        "select_scatter": lambda: (x(), rand(rows), 1, 0),
        "slice_scatter": lambda: (x(), rand(rows, columns // 2), 1, 0, columns // 2),
        "diagonal_scatter": lambda: (rand(side, side), rand(side)),
        "put": lambda: (rand(n), whole(n, n // 2), rand(n // 2)),
        "unravel_index": lambda: (whole(n, n), (rows, columns)),
        "renorm": lambda: (x(), 2, 0, 1.0),
        "mv": lambda: (x(), rand(columns)),
        "bmm": lambda: tuple(stacks(0, 0)),
        "baddbmm": lambda: tuple(stacks(0, 0, 0)),
        "addbmm": lambda: (rand(32, 32), *stacks(0, 0)),
        "addmm": lambda: (rand(side, side), rand(side, side), rand(side, side)),
        "addmv": lambda: (rand(rows), x(), rand(columns)),
        "addr": lambda: (rand(side, side), rand(side), rand(side)),
        "chain_matmul": lambda: (rand(side, side), rand(side, side), rand(side, side)),
        "inner": lambda: (rand(side, side), rand(side, side)),
        "tensordot": lambda: (rand(side, side), rand(side, side), 1),
        "cross": lambda: (rand(max(n // 3, 1), 3), rand(max(n // 3, 1), 3), 1),
        "cov": lambda: (rand(side, side),),
        "corrcoef": lambda: (rand(side, side),),
        "equal": lambda: (x(), x()),
        "from_numpy": lambda: (__import__("numpy").zeros(n),),
        "full": lambda: ((rows, columns), 1.5),
        "randint": lambda: (0, 100, (rows, columns)),
        "einsum": lambda: ("ij,kj->ik", rand(64, max(n // 64, 1)), rand(64, max(n // 64, 1))),
        "bincount": lambda: (whole(1000, n),),
        "unique": lambda: (whole(100, n),),
        "unique_consecutive": lambda: (whole(3, n),),
        "searchsorted": lambda: (boundaries(), rand(n) * 1000),
        "bucketize": lambda: (rand(n) * 1000, boundaries()),
        "isin": lambda: (whole(1000, n), torch.arange(100)),
        "multinomial": lambda: (rand(n), max(n // 10, 1)),
        "quantile": lambda: (rand(n), 0.3),
        "nanquantile": lambda: (rand(n), 0.3),
        "mode": lambda: (whole(10),),
        "roll": lambda: (x(), 3, 1),
        "gradient": lambda: (rand(n),),
        "matrix_exp": lambda: (rand(side, side) / side,),
        "triangular_solve": lambda: (rand(side, side), regular(side).triu()),
        "cholesky": lambda: (positive(side),),
        "cholesky_inverse": lambda: (torch.linalg.cholesky(positive(side)),),
        "cholesky_solve": lambda: (rand(side, side), torch.linalg.cholesky(positive(side))),
        f + "linear": lambda: (x(), rand(64, columns), rand(64)),
        f + "bilinear": lambda: (rand(max(n // 16, 1), 16), rand(max(n // 16, 1), 16), rand(8, 16, 16)),
        f + "conv1d": lambda: (lines(), rand(16, 16, 3)),
        f + "conv2d": lambda: (images(), rand(16, 16, 3, 3)),
        f + "conv3d": lambda: (b := blocks(), rand(8, b.shape[1], 3, 3, 3)),
        f + "conv_transpose1d": lambda: (lines(), rand(16, 16, 3)),
        f + "conv_transpose2d": lambda: (images(), rand(16, 16, 3, 3)),
        f + "conv_transpose3d": lambda: (b := blocks(), rand(b.shape[1], 8, 3, 3, 3)),
        f + "embedding": lambda: (whole(1000, n // 64 + 1), rand(1000, 64)),
        f + "embedding_bag": lambda: (whole(1000, n // 640 + 1, 10), rand(1000, 64)),
        f + "batch_norm": lambda: (images(), None, None, rand(16), rand(16), True),
        f + "layer_norm": lambda: (x(), (columns,)),
        f + "rms_norm": lambda: (x(), (columns,)),
        f + "group_norm": lambda: (images(), 4),
        f + "instance_norm": lambda: (images(),),
        f + "local_response_norm": lambda: (images(), 5),
        f + "scaled_dot_product_attention": lambda: tuple(rand(max(n // 8192, 1), 8 if n >= 8192 else 1, 32, 32) for _ in range(3)),
        f + "binary_cross_entropy": lambda: (x(), x()),
        f + "gaussian_nll_loss": lambda: (x(), x(), x()),
        f + "cosine_embedding_loss": lambda: (x(), x(), torch.ones(rows)),
        f + "multilabel_margin_loss": lambda: (x(), whole(2)),
        f + "multi_margin_loss": lambda: (rand(max(n // 100, 1), 100), whole(100, max(n // 100, 1))),
        f + "cross_entropy": lambda: (rand(max(n // 100, 1), 100), whole(100, max(n // 100, 1))),
        f + "nll_loss": lambda: (rand(max(n // 100, 1), 100), whole(100, max(n // 100, 1))),
        f + "ctc_loss": sequences,
        f + "pad": lambda: (images(), (1, 1, 1, 1)),
        f + "one_hot": lambda: (whole(100, n // 100 + 1), 100),
        f + "fold": lambda: (rand(max(n // 2304, 1), 36, 64), (8, 8), 3, 1, 1),
        f + "unfold": lambda: (images(), 3, 1, 1),
        f + "affine_grid": lambda: (rand(max(n // 2048, 1), 2, 3), (max(n // 2048, 1), 1, 32, 32)),
        f + "grid_sample": batch_and_grid,
        f + "interpolate": lambda: (images(), None, 2, "bilinear"),
        f + "upsample": lambda: (images(), None, 2, "bilinear"),
        f + "upsample_bilinear": lambda: (images(), None, 2),
        f + "upsample_nearest": lambda: (images(), None, 2),
        f + "pixel_shuffle": lambda: (images(), 2),
        f + "pixel_unshuffle": lambda: (images(), 2),
        f + "channel_shuffle": lambda: (images(), 2),
        f + "max_unpool1d": lambda: (*torch.nn.functional.max_pool1d(lines(), 2, return_indices=True), 2),
        f + "max_unpool2d": lambda: (*image_pool(), 2),
        f + "max_unpool3d": lambda: (*torch.nn.functional.max_pool3d(blocks(), 2, return_indices=True), 2),
        f + "fractional_max_pool2d": lambda: (images(), 2, 4),
        f + "fractional_max_pool3d": lambda: (blocks(), 2, 4),
        f + "lp_pool1d": lambda: (lines(), 2, 2),
        f + "lp_pool2d": lambda: (images(), 2, 2),
        f + "lp_pool3d": lambda: (blocks(), 2, 2),
        "linalg.householder_product": lambda: (rand(side, side), rand(side)),
        "linalg.multi_dot": lambda: ([rand(side, side), rand(side, side), rand(side, side)],),
        "linalg.solve": lambda: (regular(side), rand(side, side)),
        "linalg.lstsq": lambda: (rand(2 * side, side // 2 + 1), rand(2 * side, 4)),
        "linalg.cholesky": lambda: (positive(side),),
        "linalg.cross": lambda: (rand(max(n // 3, 1), 3), rand(max(n // 3, 1), 3)),
        "linalg.tensorinv": lambda: (regular(side // 2 * 2).reshape(2, side // 2, side // 2 * 2), 2),
        "linalg.tensorsolve": lambda: (regular(side), rand(side)),
        "linalg.vander": lambda: (rand(side),),
        "linalg.diagonal": lambda: (rand(side, side),),
    }  # fmt: skip
    for name in ("pinv", "svd", "svdvals", "qr", "eigh", "eigvalsh", "cond", "matrix_rank", "inv", "det", "slogdet"):
        symmetric = name.startswith("eigvalsh") or name == "eigh"
        found[f"linalg.{name}"] = (lambda: (positive(side),)) if symmetric else (lambda: (regular(side),))
    found |= {name: found[f"linalg.{name}"] for name in ("svd", "qr", "det", "slogdet")}
    found |= dict.fromkeys(("inverse", "pinverse", "logdet"), found["linalg.inv"])
    found |= {name: found[f + name] for name in ("layer_norm", "group_norm", "rms_norm", "bilinear", "conv1d", "conv2d", "conv3d",
                                                 "conv_transpose1d", "conv_transpose2d", "conv_transpose3d", "pixel_shuffle",
                                                 "pixel_unshuffle", "channel_shuffle")}  # fmt: skip
    found[f + "pdist"] = found["pdist"]

    def pooling(make: Callable[[], Any], size: int) -> Maker:
        return lambda: (make(), size)

    for kind in ("max_pool", "avg_pool", "adaptive_max_pool", "adaptive_avg_pool"):
        for dims, make in ((1, lines), (2, images), (3, blocks)):
            named = pooling(make, 4 if kind.startswith("adaptive") else 2)
            found |= {f"{f}{kind}{dims}d": named, f"{kind}{dims}d": named}  # some stand in both places
    return found


def layers(torch: Any) -> dict[str, Callable[[], tuple[Any, Arguments]]]:
    """Recurrent layers of the usual sizes: makers of a layer and its arguments."""

    def recurrent(kind: str, steps: int, batch: int, width: int, hidden: int, **options: Any) -> Any:
        return lambda: (getattr(torch.nn, kind)(width, hidden, **options), (torch.rand(steps, batch, width),))

    found = {}
    for kind in ("LSTM", "GRU", "RNN"):
        found[f"nn.{kind} 64x32x128 to 128"] = recurrent(kind, 64, 32, 128, 128)
        found[f"nn.{kind} 64x1x256 to 256"] = recurrent(kind, 64, 1, 256, 256)
        found[f"nn.{kind} 35x20x100 to 2 both ways"] = recurrent(
            kind, 35, 20, 100, 100, num_layers=2, bidirectional=True
        )
    return found
