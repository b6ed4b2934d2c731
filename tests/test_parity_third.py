"""The third opinion: minigrad and PyTorch always, JAX where it is installed."""

import json
import os
import subprocess
import sys

import numpy as np
import pytest

from parity import third
from parity.engines import ENGINES, MINIGRAD, TORCH


@pytest.fixture(scope="module")
def asked():
    if not third.installed():
        pytest.skip("JAX is not installed (pip install jax)")
    environment = os.environ | {"JAX_PLATFORMS": "cpu"}  # in a process of its own: JAX brings threads and settings
    done = subprocess.run(
        [sys.executable, "-m", "parity.third"], capture_output=True, text=True, check=True, env=environment
    )
    return json.loads(done.stdout)


@pytest.mark.parametrize("opinion", [*third.AGREED, *third.NETWORKS], ids=lambda o: o.name)
def test_minigrad_and_pytorch_agree(opinion):
    assert third.difference(third.gradients(MINIGRAD, opinion), third.gradients(TORCH, opinion)) < 1e-12


@pytest.mark.parametrize("convention", third.CONVENTIONS, ids=lambda c: c.opinion.name)
@pytest.mark.parametrize("engine", ENGINES, ids=lambda e: e.name)
def test_both_engines_keep_the_convention(engine, convention):
    for i, expected in enumerate(convention.ours):
        np.testing.assert_allclose(third._ones(engine, convention.opinion, i), expected, rtol=1e-14)


def test_jax_agrees(asked):
    assert {name: d for name, d in asked["agreed"].items() if not max(d.values()) < 1e-12} == {}
    assert len(asked["agreed"]) > 60


def test_jax_differs_where_the_table_says(asked):
    for convention in third.CONVENTIONS:
        given = asked["conventions"][convention.opinion.name]["JAX"]
        for got, expected in zip(given, convention.theirs, strict=True):
            np.testing.assert_allclose(got, expected, rtol=1e-12, err_msg=convention.opinion.name)


def test_the_networks_have_17_26_and_43_parameters():
    assert [sum(np.size(x) for x in o.at) for o in third.NETWORKS] == [17, 26, 43]
