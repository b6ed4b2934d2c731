"""Compiled loops on disk, as Numba wants them kept: one file for each kernel and types of arguments (disk.py says where).

    file:  SHA-256 of (what it is, what follows) · the loop as Numba pickles it

"What it is" names everything that the loop was made from: the kernel and its sources, the types, the processor, the
versions of Python and Numba.
"""

from __future__ import annotations

import contextlib
import functools
import hashlib
import os
import pickle
import re
import sys
from pathlib import Path
from typing import Any

import numba
from numba.core.caching import NullCache
from numba.core.compiler import CompileResult
from numba.core.serialize import dumps

from .disk import folders, found, keep

config: Any = numba.config  # (which makes its attributes when it is imported)


@functools.cache
def kept(file: str) -> bool:
    """Whether a loop of the file kernels/`file`.py lies on the disk, so that its first use need not wait for the compiler.

    It may turn out to be of other types, or of an older version; then that wait comes after all. Looked at once in a process.
    """
    return any(any(folder.glob(f"{file}.*.kernel")) for folder in folders(Path(__file__)))


class Store(NullCache):
    """The files of one kernel. Numba asks it before it compiles, and gives it what it has compiled.

    Of kernels that are written for one program there may come ever more: `at_most` is how many files stay whose names begin
    as this one's, up to the first point; those that were used least lately go.
    """

    def __init__(self, name: str, source: Path, sources: str, at_most: int | None = None) -> None:
        self.name, self.source, self.sources, self.at_most = name, source, sources, at_most

    def _tidy(self, folder: Path) -> None:
        """Remove the oldest files of this family: only whole ones of our own naming."""
        if self.at_most is None:
            return
        family = re.compile(re.escape(self.name.partition(".")[0]) + r"\.[0-9a-f]{20}-[0-9a-f]{16}\.kernel")
        found: list[tuple[float, Path]] = []
        for path in folder.iterdir():
            if family.fullmatch(path.name):
                with contextlib.suppress(OSError):  # another process has removed it
                    found.append((path.stat().st_mtime, path))
        for _, path in sorted(found)[: max(0, len(found) - self.at_most)]:
            with contextlib.suppress(OSError):
                path.unlink()

    @property
    def cache_path(self) -> str:
        return str(next(iter(folders(self.source))))

    def load_overload(self, sig: Any, target_context: Any) -> Any:
        """The loop for these types, ready to run; None where there is none that is sound."""
        target_context.refresh()
        name, what = self._identity(sig, target_context.codegen())
        for path, body in found(self.source, name, what):
            if self.at_most is not None:
                with contextlib.suppress(OSError):
                    os.utime(path)  # it is in use: others go first
            with contextlib.suppress(Exception):  # whole and ours, and yet Numba cannot make a loop of it
                return CompileResult._rebuild(target_context, *pickle.loads(body))
        return None

    def save_overload(self, sig: Any, data: Any) -> None:
        """Keep a loop in the first folder that takes it."""
        if data.library.has_dynamic_globals or any(not lifted.can_cache for lifted in data.lifted):
            return
        name, what = self._identity(sig, data.codegen)
        folder = keep(self.source, name, what, dumps(data._reduce()))
        if folder is not None:
            with contextlib.suppress(OSError):
                self._tidy(folder)

    def _identity(self, sig: Any, codegen: Any) -> tuple[str, str]:
        """The name of the file, which a later version overwrites, and all that the loop was made from."""
        options = config.OPT, config.BOUNDSCHECK
        variant = repr((str(sig), codegen.magic_tuple(), str(options), sys.implementation.cache_tag))
        name = f"{self.name}-{hashlib.sha256(variant.encode()).hexdigest()[:16]}.kernel"
        return name, repr((self.name, self.sources, variant, sys.version, numba.__version__))
