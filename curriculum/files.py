"""Where lessons and training at full scale leave their files."""

import json
import math
import shutil
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Any, BinaryIO


def is_left(path: Path) -> bool:
    """Whether it is what a process left that was killed while it wrote."""
    from minigrad import files

    return files.is_left(path)


def left_name(folder: Path, name: str) -> Path:
    """The name of a folder that is removed again: who finds it later knows by `is_left` that a process died there."""
    from minigrad import files

    return folder / f".{name}{files.SUFFIX}"


def remove_left(folder: Path) -> None:
    """Remove what processes left in the folder that were killed while they wrote; what one still writes stays."""
    from minigrad import files

    for path in filter(files.is_left, folder.iterdir()):
        if path.is_dir() and not path.is_symlink():
            shutil.rmtree(path, ignore_errors=True)
        else:
            files.remove_if_left(path)


def write(path: Path, content: bytes | str) -> None:
    """Write `content` to `path`; who reads meanwhile sees the old file or the new one, never half of one."""
    # Here and not above: importing minigrad changes how a process keeps memory, and PyTorch's runs shall begin without.
    from minigrad import files

    files.write(path, content)


def replacing(path: Path) -> AbstractContextManager[BinaryIO]:
    """A binary file that becomes `path` when the block ends."""
    from minigrad import files

    return files.replacing(path)


def shown(path: Path) -> str:
    """The path as a person names it from here."""
    try:
        return str(path.resolve().relative_to(Path.cwd()))
    except ValueError:
        return str(path)


def as_json(value: Any, indent: int | None = None) -> str:
    """JSON of the value, with null for numbers that JSON does not know: NaN and the infinities."""
    return json.dumps(_known(value), indent=indent, allow_nan=False)


def _known(value: Any) -> Any:
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    if isinstance(value, dict):
        return {name: _known(inner) for name, inner in value.items()}
    return [_known(inner) for inner in value] if isinstance(value, list | tuple) else value
