"""Settings for all tests.

Hypothesis profiles, chosen by the environment variable HYPOTHESIS_PROFILE:
    ci (the default)  the same examples in every run, few enough that all tests take minutes
    deep              thousands of new examples
"""

import gc
import os
import sys

import pytest
from hypothesis import HealthCheck, settings

COMMON = {
    "deadline": None,
    "print_blob": True,
    "suppress_health_check": [HealthCheck.too_slow, HealthCheck.data_too_large],
}
settings.register_profile("ci", max_examples=200, derandomize=True, database=None, **COMMON)
settings.register_profile("deep", max_examples=5000, **COMMON)
settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "ci"))


def pytest_configure(config):
    import torch

    torch.set_num_threads(1)  # the tests run in several processes, and on small tensors

    from minigrad.autograd import fused

    fused.COMPILING = 0  # no loop waits until it is worth compiling: the tests are to see it (but test_first_use.py)

    # 1/0 is inf in silence: no warning of NumPy's leaves the engine.
    config.addinivalue_line("filterwarnings", r"error::RuntimeWarning:minigrad\..*")


def pytest_collection_finish():
    """What was imported and collected stays to the end: the garbage collector need not look through it again and again."""
    gc.collect()
    gc.freeze()


@pytest.fixture(autouse=True)
def _clean_state():
    """Every test starts from float32, recording, and a known seed in both engines, and leaves no setting behind."""
    import torch

    import minigrad

    for engine in (torch, minigrad):
        engine.set_default_dtype(engine.float32)
        engine.default_generator.manual_seed(
            0
        )  # torch.manual_seed takes half a millisecond: see parity.engines.Engine.seed
        if f"{engine.__name__}.distributions" in sys.modules:  # PyTorch's compiler switches its checks off for good
            engine.distributions.Distribution.set_default_validate_args(True)
    yield
    for engine in (torch, minigrad):
        engine.set_default_dtype(engine.float32)
    assert minigrad.is_grad_enabled(), "the test left recording switched off"
