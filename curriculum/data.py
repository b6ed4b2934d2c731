"""The data of the lessons."""

import numpy as np

from . import record


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
