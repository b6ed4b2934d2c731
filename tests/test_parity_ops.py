"""Every case of the table against PyTorch, and that everything public has a case."""

import warnings

import pytest
from hypothesis import given

from parity import public, strategies
from parity.agreement import Tally, check_case, check_example
from parity.case import CASES
from parity.cases import FAMILIES
from parity.engines import POSITIONS

assert FAMILIES  # importing them fills the table


@pytest.mark.parametrize("case", CASES.values(), ids=list(CASES))
@given(source=strategies.sources())
def test_case(case, source):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        check_example(case, source)


@pytest.mark.parametrize("family", sorted({case.family for case in CASES.values()}))
def test_every_form_runs(family):
    """Seeded draws reach each public spelling of each case and each form of fused operations, and most compute something."""
    positions = set()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        for case in (c for c in CASES.values() if c.family == family):
            tally = Tally()
            check_case(case, 12 * len(case.forms), seed=1000, tally=tally)
            positions |= set(tally.positions)
            unused = {form.label for form in case.forms} - set(tally.forms)
            assert not unused, f"{case.name}: never called as {unused}"
            assert tally.raised < 0.8 * tally.examples, f"{case.name}: {tally.raised} of {tally.examples} draws raise"
    assert positions == set(POSITIONS)


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
