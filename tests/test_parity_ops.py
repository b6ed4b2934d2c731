"""Every case of the table against PyTorch, and that everything public has a case."""

import os
import warnings

import pytest
from hypothesis import given

from parity import mutants, public, strategies
from parity.agreement import Mismatch, check_example, check_well
from parity.case import CASES
from parity.cases import FAMILIES
from parity.engines import POSITIONS

assert FAMILIES  # importing them fills the table


DEEP = os.environ.get("HYPOTHESIS_PROFILE") == "deep"
LEAST = 100  # examples of a case; parity.mutants shows that fewer find each planted fault


@pytest.mark.parametrize("case", CASES.values(), ids=list(CASES))
def test_case(case):
    """Seeded draws agree, reach each public spelling and each form of fused operations, and most compute something.

    Hypothesis takes the decisions in the deep run, and where a draw fails, to find the shortest that does: to have it decide
    costs as much as the comparison.
    """
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        if DEEP:
            drawn(case)
        try:
            tally = check_well(case, 200, max(LEAST, 12 * len(case.forms)), 1500)
        except Mismatch:
            drawn(case)
            raise  # it found none
    unused = {form.label for form in case.forms} - set(tally.forms)
    assert not unused, f"{case.name}: never called as {unused}"
    assert tally.raised < 0.8 * tally.examples, f"{case.name}: {tally.raised} of {tally.examples} draws raise"
    assert set(tally.positions) == set(POSITIONS)


def drawn(case):
    """The comparison of draws that Hypothesis decides on, and shrinks."""

    @given(source=strategies.sources())
    def holds(source):
        check_example(case, source)

    holds()


def test_a_failing_draw_is_made_short():
    """The example that is shown of a fault is the shortest: one element."""
    with mutants.planted("Abs: derivative forgotten"), pytest.raises(Mismatch, match=r"abs\(float64\[1?\]\)"):
        test_case(CASES["abs"])


def test_everything_public_has_a_case():
    assert public.missing() == [], "add a case to parity/cases, or a test to parity.public.TESTED"


def test_the_tests_that_are_cited_are_there():
    assert public.untested() == []


def test_what_has_no_case_is_public():
    names = public.public()
    assert [name for name in (*public.TESTED, *public.EXEMPT) if name not in names] == []


def test_what_has_a_case_needs_no_excuse():
    assert sorted({*public.TESTED, *public.EXEMPT} & public.covered()) == []


def test_names_unknown_to_pytorch():
    """What only minigrad has is meant: it has a case that says what PyTorch is to compute instead, or is listed here."""
    own = [name for name in public.unknown_to_pytorch() if name not in public.EXEMPT]
    assert [name for name in own if name not in public.covered()] == ["show_config", "use_kernels"]
    assert public.without_reference() == []
