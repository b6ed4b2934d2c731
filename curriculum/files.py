"""Files that are either whole or absent: written under another name, then renamed."""

import os
from pathlib import Path


def write(path: Path, content: bytes | str) -> None:
    """Write `content` to `path`; who reads meanwhile sees the old file or the new one, never half of one."""
    path.parent.mkdir(parents=True, exist_ok=True)
    partial = path.with_name(f".{path.name}.{os.getpid()}.partial")
    try:
        partial.write_bytes(content.encode() if isinstance(content, str) else content)
        os.replace(partial, path)
    finally:
        partial.unlink(missing_ok=True)
