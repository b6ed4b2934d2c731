"""`make test-matrix`: minigrad as people install it, under each Python and with the oldest and the newest of what it needs.

    nox --list            what there is
    nox -s oldest-3.12    one of them

A Python that this machine lacks is skipped, and nox says so.
"""

from __future__ import annotations

import tomllib
from pathlib import Path

import nox

ROOT = Path(__file__).parent
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
PYTHONS = ["3.11", "3.12", "3.13", "3.14"]
INSTALLED = str(ROOT / "tests" / "matrix" / "installed.py")

nox.options.error_on_missing_interpreters = False
nox.options.reuse_existing_virtualenvs = False


def build(session: nox.Session, ending: str) -> str:
    """The path of the wheel (".whl") or sdist (".tar.gz") of this tree; the wheel is made from the sdist."""
    session.install("build")
    out = Path(session.create_tmp()) / "built"
    session.run("python", "-m", "build", "--outdir", str(out), str(ROOT), silent=True)
    (file,) = out.glob(f"*{ending}")
    return str(file.resolve())


def check(session: nox.Session, *arguments: str) -> None:
    """Run the program that uses what was installed, from a folder from which this tree cannot be imported."""
    session.chdir(session.create_tmp())
    session.run("python", "-I", INSTALLED, *arguments)


@nox.session(python=PYTHONS)
def wheel(session: nox.Session) -> None:
    """The wheel with the newest of its dependencies, without PyTorch."""
    session.install("--upgrade", build(session, ".whl"))
    check(session)


@nox.session(python=PYTHONS)
def sdist(session: nox.Session) -> None:
    """The sdist, with what `save` adds."""
    session.install(build(session, ".tar.gz") + "[save]")
    check(session)


@nox.session(python=PYTHONS[:3])  # the oldest Numba knows no newer Python
def oldest(session: nox.Session) -> None:
    """The wheel with the oldest dependencies that pyproject.toml allows."""
    lowest = [d.replace(">=", "==") for d in PROJECT["dependencies"] + PROJECT["optional-dependencies"]["save"]]
    session.install(*lowest)
    session.install("--no-deps", build(session, ".whl"))
    check(session)


@nox.session(python=PYTHONS)
def without_numba(session: nox.Session) -> None:
    """The wheel with NumPy alone: every operation has a form for it."""
    session.install(next(d for d in PROJECT["dependencies"] if d.startswith("numpy")))
    session.install("--no-deps", build(session, ".whl"))
    check(session, "--without-numba")


@nox.session(python=PYTHONS)
def suite(session: nox.Session) -> None:
    """All tests, with the versions of requirements.lock."""
    session.install("-r", "requirements.lock")
    session.install("--no-deps", "-e", ".")
    session.run("python", "-m", "pytest", "-n", "2", "-q", *session.posargs)
