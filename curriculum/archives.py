"""Reading what was downloaded: no more memory is taken than the file's own size allows, whatever it says of itself."""

from __future__ import annotations

import gzip
import io
import tarfile
import zlib
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

# What reading comes to at files that are damaged. RecursionError and NotImplementedError are RuntimeErrors.
DAMAGED = (
    OSError,
    EOFError,
    ValueError,
    LookupError,
    OverflowError,
    MemoryError,
    RuntimeError,
    tarfile.TarError,
    zlib.error,
)

_PART = 64 * 2**20  # bytes of a member
_RATIO = 50  # a packed text is a fifth of itself; zeros are a thousandth


def why(error: BaseException) -> str:
    """An error in one line."""
    return " ".join(str(error).split())[:300] or type(error).__name__


class _Bounded(io.RawIOBase):
    """A packed file that refuses to unpack to more than `_RATIO` times itself, or a large part at once."""

    def __init__(self, path: Path) -> None:
        self.most = max(_PART, _RATIO * path.stat().st_size)
        self.file: Any = gzip.open(path)  # noqa: SIM115  closed below

    def read(self, count: int = -1) -> bytes:
        if not 0 <= count <= _PART + tarfile.RECORDSIZE:
            raise ValueError(f"a part of it has {count:,} bytes")
        self._check(self.file.tell() + count)
        return self.file.read(count)

    def seek(self, place: int, whence: int = 0) -> int:
        self._check(place)
        return self.file.seek(place, whence)

    def tell(self) -> int:
        return self.file.tell()

    def close(self) -> None:
        self.file.close()
        super().close()

    def _check(self, place: int) -> None:
        if place > self.most + tarfile.RECORDSIZE:
            raise ValueError(f"it unpacks to more than {self.most:,} bytes")


def members(path: Path, wanted: Callable[[str], Any]) -> Iterator[tuple[str, Any, bytes]]:
    """(name, what `wanted` says of it, content) of the members of a .tar.gz of whose names `wanted` says something true.

    Nothing is unpacked to disk. Errors: those of DAMAGED, with the member where it is one's fault.
    """
    with _Bounded(path) as packed, tarfile.open(fileobj=packed, mode="r:") as archive:
        for member in archive:
            found = wanted(member.name)
            if not found:
                continue
            if not member.isreg() or member.issparse():
                raise ValueError(f"{member.name} is a link, a device, a folder or a file with holes, not a plain file")
            if member.size > _PART:
                raise ValueError(f"{member.name} has {member.size:,} bytes, more than {_PART:,}")
            file = archive.extractfile(member)
            content = b"" if file is None else file.read()
            if len(content) != member.size:
                raise EOFError(f"it ends within {member.name}")
            yield member.name, found, content
        while packed.read(2**20):  # to the end, where gzip's checksum is compared
            pass


def idx(path: Path, rank: int) -> tuple[tuple[int, ...], bytes]:
    """The shape and the bytes of a packed IDX file, MNIST's format: two zeros, 8 for unsigned bytes, the rank, the sizes, the bytes.

    Source: Y. LeCun, C. Cortes, C. Burges, "The MNIST database". Errors: those of DAMAGED.
    """
    with gzip.open(path) as file:
        head = file.read(4 + 4 * rank)
        if len(head) < 4 + 4 * rank or head[:4] != bytes((0, 0, 8, rank)):
            raise ValueError(f"it begins with the bytes {list(head[:4])}; wanted are [0, 0, 8, {rank}]")
        shape = tuple(int.from_bytes(head[4 * i : 4 * i + 4], "big") for i in range(1, rank + 1))
        count = 1
        for size in shape:
            count *= size
        if count > 1100 * path.stat().st_size:  # more than can be packed into it
            raise ValueError(f"its header says {shape}, which are more bytes than it can hold")
        content = file.read(count + 1)  # one more, so that the end and its checksum are read
    if len(content) != count:
        more = "more than " * (len(content) > count)
        raise ValueError(f"its header says {shape}, {count:,} bytes; there are {more}{min(len(content), count):,}")
    return shape, content
