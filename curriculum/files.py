"""Where lessons and training at full scale leave their files."""

from pathlib import Path


def is_left(path: Path) -> bool:
    """Whether it is what a process left that was killed while it wrote."""
    from minigrad import files

    return files.is_left(path)


def write(path: Path, content: bytes | str) -> None:
    """Write `content` to `path`; who reads meanwhile sees the old file or the new one, never half of one."""
    # Here and not above: importing minigrad changes how a process keeps memory, and PyTorch's runs shall begin without.
    from minigrad import files

    files.write(path, content)
