"""The course's colours, and matplotlib, which is imported with the first picture, without a window."""

import sys
from typing import Any

BLUE, ORANGE, GREY = "#1f5fa8", "#d9601a", "#8a8f98"  # blue: trained on; orange: held out
GREEN, VIOLET, BLACK = "#2b8a5a", "#7d4aa8", "#20242c"
CLASSES = (GREEN, VIOLET, "#b8860b")  # of three classes, none of them the colour of training, of held out, or of a sign
NEGATIVE, POSITIVE = "#b2182b", "#2166ac"  # of single marks, the red and blue of SIGNS
SIGNS = "RdBu"  # of numbers with a sign: red is negative, blue positive, as in every picture and page of the project


def pyplot() -> Any:
    """matplotlib.pyplot, or one clear line where matplotlib is missing."""
    try:
        import matplotlib
    except ModuleNotFoundError:
        raise SystemExit("The lessons draw with matplotlib, which is missing: pip install matplotlib.") from None
    if "ipykernel" not in sys.modules:
        matplotlib.use("Agg")
    import matplotlib.pyplot as plt

    plt.rcParams.update({"axes.spines.top": False, "axes.spines.right": False, "font.size": 10})
    return plt
