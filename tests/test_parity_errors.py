"""Bad calls: both engines raise, and the same class."""

import warnings

import pytest

from parity.agreement import builtin_class
from parity.engines import MINIGRAD, TORCH
from parity.errors import BAD


def _error(engine, fn):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            fn(engine.module)
        except Exception as error:
            return error
    return None


@pytest.mark.parametrize("name", BAD)
def test_both_raise(name):
    theirs = _error(TORCH, BAD[name])
    assert theirs is not None, "PyTorch accepts this: it does not belong here"
    ours = _error(MINIGRAD, BAD[name])
    assert ours is not None, f"minigrad is silent; PyTorch says {type(theirs).__name__}: {theirs}"
    assert builtin_class(ours) is builtin_class(theirs), (
        f"minigrad says {type(ours).__name__}: {ours}; PyTorch says {type(theirs).__name__}: {theirs}"
    )
    assert str(ours), "an error must say what was wrong"


def test_there_are_many():
    assert len(BAD) >= 400
