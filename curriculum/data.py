"""The data of the lessons."""

import gzip
import os
from pathlib import Path

import numpy as np

from . import record


def full() -> bool:
    """Whether the long parts of the lessons are asked for: `run --full`, or MINIGRAD_FULL=1."""
    return os.environ.get("MINIGRAD_FULL", "") not in ("", "0")


def real(name: str) -> Path | None:
    """The file or folder `name` in the folder of real data (`run --data-dir`, or MINIGRAD_DATA), if it is there."""
    folder = os.environ.get("MINIGRAD_DATA")
    if not folder:
        return None
    if not os.access(folder, os.R_OK | os.X_OK) or not Path(folder).is_dir():
        raise SystemExit(
            f"The data folder {folder} is not there or cannot be read: correct --data-dir or MINIGRAD_DATA."
        )
    path = Path(folder) / name
    return path if path.exists() else None


def _idx(path: Path) -> np.ndarray:
    try:
        content = gzip.decompress(path.read_bytes())
        shape = np.frombuffer(content, ">i4", content[3], 4)
        return np.frombuffer(content, np.uint8, offset=4 + 4 * content[3]).reshape(shape)
    except (OSError, EOFError, ValueError, IndexError) as error:
        raise SystemExit(f"{path} is damaged or only half downloaded ({error}): fetch it again.") from None


def mnist() -> tuple[tuple[np.ndarray, np.ndarray], tuple[np.ndarray, np.ndarray]] | None:
    """MNIST as ((pictures (60000, 28, 28) uint8, digits (60000,) int64), the same of the 10,000 test pictures).

    From the four `*-ubyte.gz` files in the data folder's `mnist`; None where they are not.
    """
    folder = real("mnist")
    if folder is None:
        return None
    parts = []
    for part in ("train", "t10k"):
        parts.append(
            (
                _idx(folder / f"{part}-images-idx3-ubyte.gz"),
                _idx(folder / f"{part}-labels-idx1-ubyte.gz").astype(np.int64),
            )
        )
    record.data(
        f"MNIST, {len(parts[0][1]):,} and {len(parts[1][1]):,} pictures of 28 × 28 (Y. LeCun, C. Cortes, C. Burges)"
    )
    return parts[0], parts[1]


def digits() -> tuple[np.ndarray, np.ndarray]:
    """1,797 handwritten digits: pictures (1797, 8, 8), float64 from 0 to 16, and what they show (1797,), int64.

    They come with scikit-learn; nothing is downloaded.
    """
    try:
        from sklearn.datasets import load_digits
    except ModuleNotFoundError:
        raise SystemExit("The digits come with scikit-learn, which is missing: pip install scikit-learn.") from None
    bunch = load_digits()
    record.data(
        "Optical Recognition of Handwritten Digits, test part, 1,797 pictures of 8 × 8 "
        "(E. Alpaydin, C. Kaynak, UCI Machine Learning Repository, 1998, CC BY 4.0), as embedded in scikit-learn"
    )
    return bunch.images, bunch.target.astype(np.int64)
