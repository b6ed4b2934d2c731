"""Whole programs, as people publish them, run in both engines: the same program and seed give the same numbers.

`scripts/` holds them: old style and new, each written from its paper and ending in `results`. A program imports `torch`; for
minigrad only that word changes. Each runs in float32 and, with the default dtype set before its first line, in float64.
"""

import random
import re
import warnings
from pathlib import Path

import numpy as np
import pytest
import torch

import minigrad

SCRIPTS = sorted((Path(__file__).parent / "scripts").glob("*.py"))
ENGINES = {"torch": torch, "minigrad": minigrad}
# Rounding grows over a training's steps; a wrong gradient or another draw moves the numbers by far more.
BOUNDS = {"float64": 1e-8, "float32": 5e-3}


def program(source, engine):
    """The source with its imports of torch turned to `engine`."""
    if engine == "torch":
        return source
    source = re.sub(r"^(\s*)import torch$", r"\1import minigrad as torch", source, flags=re.M)
    source = re.sub(r"^(\s*)import torch\.([\w.]+)$", r"\1import minigrad as torch, minigrad.\2", source, flags=re.M)
    return re.sub(r"^(\s*)(import|from) torch\b", r"\1\2 minigrad", source, flags=re.M)


def run(path, engine, dtype):
    """`results` of the program, as arrays of float64 by name."""
    before = ENGINES[engine].get_default_dtype()
    ENGINES[engine].set_default_dtype(getattr(ENGINES[engine], dtype))
    random.seed(0)
    np.random.seed(0)
    names = {"__name__": "__main__", "__file__": str(path)}
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", UserWarning)
            exec(compile(program(path.read_text(encoding="utf-8"), engine), str(path), "exec"), names)
    finally:
        ENGINES[engine].set_default_dtype(before)
    return {name: array(value) for name, value in names["results"].items()}


def array(value):
    if isinstance(value, list | tuple):
        return np.concatenate([array(v).ravel() for v in value])
    return np.asarray(value.detach().numpy() if hasattr(value, "detach") else value, dtype=np.float64)


def test_there_are_many():
    assert len(SCRIPTS) >= 60


@pytest.mark.parametrize("dtype", BOUNDS)
@pytest.mark.parametrize("path", SCRIPTS, ids=lambda path: path.stem)
def test_same_numbers(path, dtype, monkeypatch, tmp_path):
    monkeypatch.chdir(tmp_path)  # some save a checkpoint
    expected, got = (run(path, engine, dtype) for engine in ENGINES)
    assert expected, f"{path.name} shows no results"
    assert expected.keys() == got.keys()
    for name, value in expected.items():
        assert np.isfinite(value).all(), f"{name} is not finite: it would hide a difference"
        assert value.shape == got[name].shape, name
        np.testing.assert_allclose(got[name], value, rtol=BOUNDS[dtype], atol=BOUNDS[dtype], err_msg=name)
