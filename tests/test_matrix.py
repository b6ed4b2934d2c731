"""What `make test-matrix` runs where minigrad was installed, here under the Python of the tests."""

import subprocess
import sys
from pathlib import Path

PROGRAM = Path(__file__).parent / "matrix" / "installed.py"


def test_the_program_that_uses_what_was_installed(tmp_path):
    run = subprocess.run([sys.executable, "-I", PROGRAM], cwd=tmp_path, capture_output=True, text=True)
    assert run.returncode == 0, run.stdout + run.stderr
    assert "FAIL" not in run.stdout
    assert run.stdout.count("ok ") == 11


def test_it_ends_with_1_where_something_is_wrong(tmp_path):
    run = subprocess.run(
        [sys.executable, "-I", PROGRAM, "--without-numba"], cwd=tmp_path, capture_output=True, text=True
    )
    assert run.returncode == 1
    assert "FAIL Numba is not there" in run.stdout
