"""Files that are either whole or absent: written under another name in the same folder, then renamed.

A process that is killed while it writes leaves the file of the other name behind. The next that writes to the same place
removes it: the names are few and known, and who writes holds a lock on his file, which the system takes from the dead.
"""

from __future__ import annotations

import os
import stat
import zlib
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import BinaryIO

try:
    import fcntl
except ImportError:  # Windows has no such locks: what the killed leave stays there
    fcntl = None  # type: ignore[assignment]

SUFFIX = ".minigrad-partial"
_WRITERS = 16  # names for one place; what more writers than that leave, nobody looks for


class NotWritten(OSError, RuntimeError):
    """A path at which no file can be written. Python's own functions raise OSError there, torch.save RuntimeError."""


@contextmanager
def replacing(path: Path | str, *, sync: bool = False, keep: Path | None = None) -> Iterator[BinaryIO]:
    """A binary file that becomes `path` when the block ends; if the block raises, all stays as it was.

    Who reads meanwhile sees the old file or the new one, never half of one. A link is followed; mode and owner of a file that
    was there are kept. sync: have the system put the content on the disk before the renaming, else a power cut may leave the
    name without it. keep: the name for the file that was there. Errors: NotWritten where there is no folder, or something
    else than a file that may be written.
    """
    path = _place(path)
    partial, lock = _begin(path)
    try:
        with open(os.dup(lock), "wb") as file:
            with suppress(FileNotFoundError):
                _take_over(lock, path.stat())
            yield file
            if sync:
                file.flush()
                os.fsync(lock)
        if keep is not None and path.exists():
            os.replace(path, keep)
        if fcntl is None:
            os.close(lock)  # Windows renames no file that is open
        os.replace(partial, path)
        if sync and fcntl is not None:
            _sync_folder(path.parent)
    except BaseException:
        with suppress(OSError):  # after the renaming the name may be another writer's
            if fcntl is None or os.path.samestat(os.fstat(lock), partial.lstat()):
                partial.unlink()
        raise
    finally:
        with suppress(OSError):
            os.close(lock)


def require_place(path: Path | str) -> None:
    """NotWritten, in words, unless `path` names a file that can be written, or a place in a folder where one can be made."""
    found = _place(path)
    if not os.access(found.parent, os.W_OK | os.X_OK):
        raise NotWritten(f"{path} cannot be written: the folder {found.parent} may not be changed; give another place")


def write(path: Path, content: bytes | str) -> None:
    """Write `content` to `path`, whole or not at all; its folder is made where there is none."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with replacing(path) as file:
        file.write(content.encode() if isinstance(content, str) else content)


def _place(path: Path | str) -> Path:
    """Where the file itself lies that `path` names, through links. Errors: NotWritten."""
    found = Path(os.path.realpath(path))
    try:
        mode = found.stat().st_mode
    except FileNotFoundError:
        if str(path).endswith(os.sep):
            raise NotWritten(f"{path} names a folder: give the name of a file") from None
        if not found.parent.is_dir():
            raise NotWritten(f"{path} cannot be written: there is no folder {found.parent}; make it first") from None
        return found
    except OSError as error:
        raise NotWritten(f"{path} cannot be written: {error.strerror}") from None
    if stat.S_ISDIR(mode):
        raise NotWritten(f"{path} is a folder: give the name of a file in it")
    if not stat.S_ISREG(mode):
        raise NotWritten(f"{path} is a device, a pipe or a socket, not a file: to write into it, open it and give that")
    if not os.access(found, os.W_OK):
        raise NotWritten(f"{path} may not be written: change its permissions, or give another name")
    return found


def _take_over(descriptor: int, before: os.stat_result) -> None:
    """Owner and mode of the file that was there; the owner only where the system lets us."""
    if fcntl is None:
        return
    with suppress(OSError):
        os.fchown(descriptor, before.st_uid, before.st_gid)
    os.fchmod(descriptor, stat.S_IMODE(before.st_mode))


def _sync_folder(folder: Path) -> None:
    with suppress(OSError):  # not every system can
        descriptor = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)


# -- the other name


def _names(path: Path) -> list[Path]:
    """The names under which `path` is written; a long name is shortened, as a name has at most 255 bytes."""
    name = path.name
    if len(os.fsencode(name)) > 200:
        name = f"{name[:40]}~{zlib.crc32(os.fsencode(name)):08x}"
    return [path.with_name(f".{name}.{n}{SUFFIX}") for n in range(_WRITERS)]


def is_left(path: Path) -> bool:
    """Whether the name is one under which a file is written: who was killed there left it behind."""
    return path.name.startswith(".") and path.name.endswith(SUFFIX)


def _begin(path: Path) -> tuple[Path, int]:
    """A new file under one of these names, and a descriptor that holds its lock."""
    names = _names(path)
    for name in names:
        remove_if_left(name)
    while True:
        for name in [*names, path.with_name(f".{os.urandom(8).hex()}{SUFFIX}")]:
            flags = os.O_CREAT | os.O_EXCL | os.O_WRONLY | getattr(os, "O_BINARY", 0) | getattr(os, "O_CLOEXEC", 0)
            try:
                descriptor = os.open(name, flags, 0o666)  # less the umask, as any new file
            except FileExistsError:
                continue
            except OSError as error:  # who asked for the file knows no other name
                error.filename = str(path)
                raise
            if _locked(descriptor, where_there_are_none=True) and os.fstat(descriptor).st_nlink:
                return name, descriptor
            os.close(descriptor)  # between these two lines another writer took it for one that was left


def _locked(descriptor: int, where_there_are_none: bool) -> bool:
    """Take the lock of an open file, unless another process holds it."""
    if fcntl is None:
        return where_there_are_none
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    except OSError:  # a file system without locks
        return where_there_are_none
    return True


def remove_if_left(name: Path) -> None:
    """Remove the file of this name if it is one of ours that nobody writes any more."""
    try:
        there = name.lstat()
    except OSError:
        return
    if fcntl is None or not stat.S_ISREG(there.st_mode) or there.st_uid != os.getuid():
        return
    with suppress(OSError):
        descriptor = os.open(name, os.O_RDONLY | os.O_NOFOLLOW | os.O_CLOEXEC)
        try:
            # With its lock held, the name can change no more; before, another may have finished and begun anew.
            if _locked(descriptor, where_there_are_none=False) and os.path.samestat(os.fstat(descriptor), name.lstat()):
                name.unlink()
        finally:
            os.close(descriptor)
