"""Files that are either whole or absent: written under another name in the same folder, then renamed."""

from __future__ import annotations

import os
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO


@contextmanager
def replacing(path: Path, *, sync: bool = False, keep: Path | None = None) -> Iterator[BinaryIO]:
    """A binary file that becomes `path` when the block ends; if the block raises, all stays as it was.

    Who reads meanwhile sees the old file or the new one, never half of one. sync: have the system put the content on the
    disk before the renaming, else a power cut may leave the name without it. keep: the name for the file that was there.
    """
    partial = path.with_name(f".{path.name}.{os.getpid()}.{threading.get_ident()}.partial")
    try:
        with partial.open("wb") as file:
            yield file
            if sync:
                file.flush()
                os.fsync(file.fileno())
        if keep is not None and path.exists():
            os.replace(path, keep)
        os.replace(partial, path)
    finally:
        partial.unlink(missing_ok=True)


def write(path: Path, content: bytes | str) -> None:
    """Write `content` to `path`, whole or not at all; its folder is made where there is none."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with replacing(path) as file:
        file.write(content.encode() if isinstance(content, str) else content)
