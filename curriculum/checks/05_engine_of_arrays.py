"""Checks exercise 5."""

from typing import Any

import numpy as np

from curriculum.check import Wrong, near, parts


def _array(found: Any, what: str, shape: tuple[int, ...]) -> np.ndarray:
    if not isinstance(found, np.ndarray):
        raise Wrong(f"{what} is a {type(found).__name__}, wanted is a NumPy array.")
    if found.shape != shape:
        raise Wrong(f"{what} has the shape {found.shape}, wanted is {shape}, that of what it belongs to.")
    return found


def _bilinear(solution: Any) -> None:
    rng = np.random.default_rng(5)
    for n, i, j in ((4, 3, 2), (3, 3, 3), (1, 2, 5)):
        x, w, z, grad = (rng.normal(size=shape) for shape in ((n, i), (i, j), (n, j), (n,)))
        kept = [a.copy() for a in (grad, x, w, z)]
        answer = solution["bilinear_slopes"](grad, x, w, z)
        found = parts(answer, "bilinear_slopes", "the slope at x, the slope at w, the slope at z")
        if not all(np.array_equal(a, b) for a, b in zip(kept, (grad, x, w, z), strict=True)):
            raise Wrong("bilinear_slopes changes what it was given: work with new arrays.")
        wanted = [
            np.einsum("n,ij,nj->ni", grad, w, z), np.einsum("n,ni,nj->ij", grad, x, z), np.einsum("n,ni,ij->nj", grad, x, w),
        ]  # fmt: skip
        without = [np.einsum("ij,nj->ni", w, z), np.einsum("ni,nj->ij", x, z), np.einsum("ni,ij->nj", x, w)]
        for name, got, right, bare, like in zip("xwz", found, wanted, without, (x, w, z), strict=True):
            what = f"For N = {n}, I = {i}, J = {j} the slope at {name}"
            if isinstance(got, np.ndarray) and got.shape == (n, i, j):
                raise Wrong(f"{what} has a table for each sample: w is used by every sample, so their slopes add up.")
            _array(got, what, like.shape)
            if near(got, right, 1e-9):
                continue
            if near(got, bare, 1e-9):
                raise Wrong(f"{what} leaves grad out: each path goes on through its s_n, whose slope is grad_n.")
            if n > 1 and near(got, right / n, 1e-9):
                raise Wrong(f"{what} is a mean over the samples: paths add up, so it is the sum.")
            if near(got, -right, 1e-9):
                raise Wrong(f"{what} has the wrong sign.")
            nudge = (
                "Write one entry as a sum with its indices; the index that is not in the entry is the one summed over."
            )
            raise Wrong(f"{what} is {got.round(3).tolist()}, wanted is {right.round(3).tolist()}. {nudge}")


def _rows(solution: Any) -> None:
    rng = np.random.default_rng(6)
    for rows, shape in (([2, 0], (3, 2)), ([1, 1, 3, 1], (5, 3)), ([0, 2, 2, 0, 1], (3, 4))):
        grad, picked = rng.normal(size=(len(rows), shape[1])), np.array(rows)
        kept = grad.copy(), picked.copy()
        found = _array(solution["rows_slope"](grad, picked, shape), f"For rows {rows} the slope at the table", shape)
        if not np.array_equal(grad, kept[0]) or not np.array_equal(picked, kept[1]):
            raise Wrong("rows_slope changes grad or rows: begin with an array of zeros.")
        wanted, last = np.zeros(shape), np.zeros(shape)
        for row, slope in zip(rows, grad, strict=True):
            wanted[row] += slope
            last[row] = slope
        if near(found, wanted, 1e-9):
            continue
        if len(set(rows)) < len(rows) and near(found, last, 1e-9):
            raise Wrong(
                f"For rows {rows} a row that was picked several times has the slope of its last pick alone: every pick is a path. "
                "(`slope[rows] += grad` reads all rows first, and then writes each.)"
            )
        picks = np.maximum(np.bincount(picked, minlength=shape[0]), 1)[:, None]
        if near(found, wanted / picks, 1e-9):
            raise Wrong(f"For rows {rows} you take the mean of a row's picks: paths add up.")
        untouched = [row for row in range(shape[0]) if row not in rows and found[row].any()]
        if untouched:
            raise Wrong(
                f"For rows {rows}, row {untouched[0]} was never picked: the loss does not depend on it, so its slope is 0."
            )
        raise Wrong(
            f"For rows {rows} the slope is {found.round(2).tolist()}, wanted is {wanted.round(2).tolist()}: what arrives at place k "
            "of y goes to the row that was picked there."
        )


def _joined(solution: Any) -> None:
    Array = solution["Array"]
    rng = np.random.default_rng(7)
    for counts, columns in (((3,), 2), ((2, 2, 2), 3), ((1, 4, 2), 2)):
        given = [Array(rng.normal(size=(count, columns))) for count in counts]
        whole = solution["joined"](given)
        what = f"Of parts with {', '.join(map(str, counts))} rows"
        if not isinstance(whole, Array):
            raise Wrong(f"joined returns a {type(whole).__name__}, wanted is an Array.")
        if not near(whole.value, np.concatenate([part.value for part in given]), 0):
            raise Wrong(f"{what} the value is not the parts below one another: that much was right in the beginning.")
        if len(whole.parents) != len(given) or any(p is not q for (p, _), q in zip(whole.parents, given, strict=True)):
            raise Wrong(f"{what} the parents are not the parts, each once and in their order.")
        grad = rng.normal(size=whole.value.shape)
        ends = np.cumsum(counts)
        pulled = [pull(grad) for _, pull in whole.parents]
        for number, (found, end, count) in enumerate(zip(pulled, ends, counts, strict=True), start=1):
            place = f"{what} part {number}"
            if isinstance(found, np.ndarray) and near(found, grad[end - count : end], 0):
                continue
            if isinstance(found, np.ndarray) and len(counts) > 1 and near(found, grad[ends[-1] - counts[-1] :], 0):
                raise Wrong(
                    f"{place} is pulled the gradient of the last part. When does pull look up `end` and `size`: where it is written, "
                    "or when it is called?"
                )
            raise Wrong(
                f"{place} is pulled {np.shape(found)} numbers that are not its own rows, {end - count} to {end - 1}, of the gradient."
            )


CHECKS = {"three slopes, entry by entry": _bilinear, "picked rows": _rows, "joined parts": _joined}
BY_HAND = {"three slopes, entry by entry": ("grad", "backward", "vjp")}
