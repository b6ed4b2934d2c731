"""Values, gradients and second derivatives where functions have edges: 0, ±1, halves, ±inf, nan, and each case's own kinks.

Every differentiable case of the table is drawn with such values planted in half of all places, and compared with PyTorch,
nan and infinities included. What differs is listed below with the reason, and with nothing else.
"""

import warnings
from dataclasses import replace

import pytest

from parity.agreement import Example, Mismatch, Tally
from parity.case import CASES
from parity.cases import FAMILIES
from parity.inputs import Seeded

assert FAMILIES  # importing them fills the table
INF, NAN = float("inf"), float("nan")
PLANTED = {
    "zero": (0.0, -0.0),
    "unit": (0.0, 1.0, -1.0),
    "halves": (0.0, 0.5, -0.5, 1.0, -1.0, 2.0, -2.0, 3.0, -3.0),
    "infinite": (0.0, INF, -INF),
    "minus infinity": (-INF, 0.0),
    "nan": (NAN, 0.0, 1.0),
}
FINITE = ("zero", "unit", "halves", "own")

# PyTorch's second derivative is not that of its first: at these points it takes another branch, or bounds another number.
SECOND = "PyTorch's second derivative is a formula of its own, which takes another branch there than its first"
# By the order in which sums and products are taken: inf - inf, 0 · inf and inf / inf are nan, and the same number in another
# order is not. Neither engine promises one; only finite numbers have to agree.
ORDER = "inf - inf or 0 · inf comes up in one order of the same sum or product and not in the other"

KNOWN: dict = {}


def differences(case, seeds):
    """(planted values, what) of each comparison that fails."""
    planted = PLANTED | ({"own": case.kinks} if case.kinks else {})
    for name, values in planted.items():
        tried = replace(case, modes=("kinks",), kinks=values, float32=False)
        for seed in seeds:
            for second in {False, case.second}:
                example = Example(tried, Seeded(seed), Tally(), "fastest")
                example.second = second
                try:
                    example.check()
                except Mismatch as mismatch:
                    yield name, str(mismatch)


DIFFERENTIABLE = [case for case in CASES.values() if case.gradient]


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("family", sorted({case.family for case in DIFFERENTIABLE}))
def test_edges(family):
    for case in DIFFERENTIABLE:
        if case.family == family:
            for name, text in differences(case, range(2)):
                print("XX", case.name, "|", name, "|", text.split("\n")[1][:150])
