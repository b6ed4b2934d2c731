"""Compiled loops on disk: where they lie, and that what is found there is believed only if it is whole and ours.

    file:  SHA-256 of (what it is, what follows) · what follows

"What it is" names everything that the loop was made from. A file that was cut short or changed, that another version wrote
or that is another's, has another digest; it is thrown away and the loop compiled anew. Nothing that a disk does to a program
is an error here: without a place to write, loops are compiled in every process, which is said once.

They lie in NUMBA_CACHE_DIR, if that is set; else beside the sources, in __pycache__, or where that cannot be written, in
the user's folder for such things (XDG_CACHE_HOME, ~/.cache). Nothing here imports Numba.
"""

from __future__ import annotations

import contextlib
import functools
import hashlib
import os
import re
import sys
from collections.abc import Iterator
from pathlib import Path

from ..files import write

_LARGEST = 1 << 26  # bytes: no loop has as many
_said = False
_IMPORT = re.compile(r"^from (?:\.|minigrad\.kernels\b\.?)(\w*) import (\([^)]*\)|.*)", re.MULTILINE)


@functools.cache
def sources(path: Path) -> str:
    """A digest of a file and of those of this folder that it imports, and they: its loops are made of them. And of compiled.py."""
    found: dict[Path, bytes] = {}
    todo = [path, Path(__file__).with_name("compiled.py")]
    while todo:
        file = todo.pop()
        if file not in found:
            found[file] = file.read_bytes()
            words = re.findall(r"\w+", str(_IMPORT.findall(found[file].decode())))
            todo += [inner for word in set(words) if (inner := Path(__file__).with_name(f"{word}.py")).is_file()]
    return hashlib.sha256(b"".join(found[file] for file in sorted(found, key=lambda f: f.name))).hexdigest()


def folders(source: Path) -> Iterator[Path]:
    """Where a loop of the file `source` may be, in the order in which they are looked into."""
    inner = f"minigrad_{hashlib.sha256(str(source.parent).encode()).hexdigest()[:16]}"
    numba = sys.modules.get("numba")
    if folder := os.environ.get("NUMBA_CACHE_DIR") if numba is None else numba.config.CACHE_DIR:  # (what it has read)
        yield Path(folder) / inner
        return
    yield source.parent / "__pycache__"
    with contextlib.suppress(RuntimeError):  # nobody knows the user's home
        yield Path(os.environ.get("XDG_CACHE_HOME") or Path("~/.cache").expanduser()) / inner


def written(text: str) -> str:
    """What the files of a step that was written as this text are called by."""
    return hashlib.sha256(text.encode()).hexdigest()[:20]


def found(source: Path, name: str, what: str) -> Iterator[tuple[Path, bytes]]:
    """The files of this name that are what they should be, and what they hold; others, and those not taken, are removed."""
    for folder in folders(source):
        path = folder / name
        try:
            if not path.is_file():
                continue
            if path.stat().st_size <= _LARGEST:
                content = path.read_bytes()
                if content[:32] == _digest(what, content[32:]):
                    yield path, content[32:]
        except OSError:  # it cannot be read: as if it were not there
            continue
        with contextlib.suppress(OSError):
            path.unlink()


def keep(source: Path, name: str, what: str, body: bytes) -> Path | None:
    """Keep a loop in the first folder that takes it; the folder, None where there is none, which is said."""
    problem: OSError | None = None
    for folder in folders(source):
        with contextlib.suppress(OSError):
            (folder / name).unlink()  # one that may not be read or written is in the way
        try:
            write(folder / name, _digest(what, body) + body)
            return folder
        except OSError as error:
            problem = problem or error
    _say(problem)
    return None


def _digest(what: str, body: bytes) -> bytes:
    return hashlib.sha256(what.encode() + b"\0" + body).digest()


def _say(problem: OSError | None) -> None:
    global _said
    if not _said:
        _said = True
        print(
            f"minigrad: compiled kernels cannot be kept ({problem}), so every process compiles its own; set NUMBA_CACHE_DIR "
            "to a folder that can be written",
            file=sys.stderr,
        )
