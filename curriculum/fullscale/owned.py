"""Folders and files that are ours: what this program wrote is listed, and nothing else is replaced or removed."""

from __future__ import annotations

import contextlib
import json
import os
import shutil
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

from curriculum import archives, files

from .errors import Refused

MARKER = ".minigrad-fullscale.json"  # in every folder that is ours: what it holds and what of it we wrote
MADE_BY = "python -m curriculum.fullscale"  # the mark of a page or a picture that stands alone


def read_json(path: Path, *names: str, advice: str) -> dict[str, Any]:
    """The JSON object in a file, which must have these names. Errors: Refused, with the advice."""
    try:
        found = json.loads(path.read_bytes())
        if not isinstance(found, dict):
            raise ValueError(f"it holds a {type(found).__name__}, not an object")
        if lacking := [name for name in names if name not in found]:
            raise ValueError(f"it lacks {', '.join(lacking)}")
    except (OSError, ValueError, RecursionError) as error:
        raise Refused(f"{path} cannot be read ({archives.why(error)}): {advice}.") from None
    return found


def outputs(files_of: Mapping[Path, str], *, overwrite: bool) -> None:
    """Check, before anything is computed, that these files may be written: what each holds is its mark, by which it is known.

    A file that is there is replaced only with --overwrite, and only where its first bytes hold the mark: what this program
    did not write, it does not replace. Errors: Refused.
    """
    places: dict[Path, Path] = {}
    for path, mark in files_of.items():
        real = path.resolve()
        if real in places:
            raise Refused(f"{path} would be written twice, for two things: give a name with another ending.")
        places[real] = path
        if path.is_dir():
            raise Refused(f"{path} is a folder: give the name of a file in it.")
        if path.exists():
            if not overwrite:
                raise Refused(f"{path} is there: give another name, or --overwrite.")
            if not path.is_file():
                raise Refused(f"{path} is a device, a pipe or a socket: give the name of a file.")
            with path.open("rb") as file:
                if mark.encode() not in file.read(4096):
                    raise Refused(
                        f"{path} was not written by this command, and is not replaced: give another name, or move it away."
                    )
        above = next(parent for parent in (real, *real.parents) if parent.exists())
        if not os.access(above, os.W_OK) or (above != real and not above.is_dir()):
            raise Refused(f"{path} cannot be written: {above} is no folder that may be written.")


class Owned:
    """A folder that this program writes in: what it wrote is listed in MARKER, and nothing else is replaced or removed.

    A name is listed before its file is written, so that a process that dies leaves nothing unlisted. A listed name may hold
    `*` (files that a library names) and may end in `/` (a folder with a list of its own, which belongs to this one).
    """

    def __init__(self, path: Path, kind: str, *, resume: bool, overwrite: bool, writes: bool = True):
        """Look at the folder, and change nothing. kind: "run", "export", ... Errors: Refused where it may not be used."""
        self.path, self.kind, self.writes, self.marked = path, kind, writes, {}
        self.names: list[str] = []
        self.begun = (path / MARKER).exists()
        if self.begun:
            advice = "nothing in this folder is touched; take another --out"
            self.marked = read_json(path / MARKER, "kind", "files", advice=advice)
            names = self.marked["files"]
            if not isinstance(names, list) or not all(isinstance(name, str) for name in names):
                raise Refused(f"{path / MARKER} is damaged: {advice}.")
            self.names = list(names)
            if self.marked["kind"] != kind:
                raise Refused(f"{path} holds {_a(self.marked['kind'])}, no {kind}: take another --out.")
            if not resume and not overwrite:
                goes_on = "--resume goes on with it, " if kind == "run" else ""
                raise Refused(f"{path} holds {_a(kind)}: {goes_on}--overwrite begins anew, --out takes another folder.")
        elif resume:
            raise Refused(f"{path} holds no {kind} to resume: leave --resume away, or correct --out.")
        elif path.is_symlink() and not path.exists():
            raise Refused(f"{path} is a link to nothing: take another --out.")
        elif path.exists() and (not path.is_dir() or not all(map(files.is_left, path.iterdir()))):
            raise Refused(f"{path} is there and is no {kind} of ours: take another --out.")

    def begin(self, *, anew: bool, **marked: Any) -> None:
        """Make it ours: remove what we wrote there (anew), and write the marker, with `marked` in it."""
        if not self.writes:
            return
        if anew and self.begun:
            _remove_own(self.path, self.names)
            self.names = []
        if self.begun:
            files.remove_left(self.path)
        self.marked |= {"made_by": MADE_BY, "kind": self.kind} | marked
        self._mark()

    def _mark(self) -> None:
        files.write(self.path / MARKER, json.dumps(self.marked | {"files": self.names}, indent=1) + "\n")

    def claim(self, *names: str) -> None:
        """Say that these names are to be ours. Errors: Refused where one is there that we did not write."""
        new = [name for name in names if name not in self.names]
        if not self.writes or not new:
            return
        for name in new:
            for path in self.path.glob(name) if "*" in name else [self.path / name]:
                if (
                    os.path.lexists(path)
                    and not files.is_left(path)
                    and not (name.endswith("/") and _may_be_ours(path))
                ):
                    raise Refused(f"{path} is there and is not ours: move it away; nothing is written over it.")
        self.names += new
        self._mark()

    def write(self, name: str, content: str | bytes) -> None:
        """A file, whole or absent."""
        if self.writes:
            self.claim(name)
            files.write(self.path / name, content)

    def fill(self, name: str, writer: Callable[[Path], object]) -> None:
        """A folder of files that a library writes: `writer` gets an empty folder, whose files then become ours under `name`."""
        if not self.writes:
            return
        with self.scratch(name) as made:
            writer(made)
            written = sorted(path for path in made.rglob("*") if path.is_file())
            to = {path: f"{name}/{path.relative_to(made).as_posix()}" for path in written}
            self.claim(*to.values())
            for path, place in to.items():
                (self.path / place).parent.mkdir(parents=True, exist_ok=True)
                self.take(path, place)

    @contextlib.contextmanager
    def scratch(self, name: str) -> Iterator[Path]:
        """An empty folder in this one, which is gone afterwards; where a process dies in between, the next `begin` removes it."""
        made = files.left_name(self.path, name)
        files.remove_left(self.path)
        made.mkdir()
        try:
            yield made
        finally:
            shutil.rmtree(made, ignore_errors=True)

    def take(self, path: Path, name: str) -> None:
        """A file from elsewhere under a name that was claimed, whole or absent.

        Copied, not renamed: some writers of weights let only the owner read.
        """
        assert name in self.names, name
        with files.replacing(self.path / name) as file, path.open("rb") as source:
            shutil.copyfileobj(source, file)


def _a(kind: object) -> str:
    return f"{'an' if str(kind)[:1] in tuple('aeiou') else 'a'} {kind}"


def _may_be_ours(folder: Path) -> bool:
    """Whether a folder has a list of its own, which says what in it is ours, or holds nothing."""
    whole = folder.is_dir() and not folder.is_symlink()
    return whole and ((folder / MARKER).exists() or all(map(files.is_left, folder.iterdir())))


def claim_in_run(run: Path, name: str) -> None:
    """Say that a file which is written into a finished run is the run's, so that --overwrite removes it with the rest.

    A run that was copied without its marker owns nothing. Errors: Refused where one is there that we did not write.
    """
    if (run / MARKER).exists():
        Owned(run, "run", resume=True, overwrite=False).claim(name)
    elif os.path.lexists(run / name) and not (name.endswith("/") and _may_be_ours(run / name)):
        raise Refused(f"{run / name} is there, and {MARKER}, which would say whose it is, is not: move it away.")


def _remove_own(folder: Path, names: list[str]) -> None:
    """Remove the listed files, and the folders in it that are empty then. Nothing that lies elsewhere, by `..` or by a link."""
    root = folder.resolve()
    folders: set[Path] = set()
    for name in names:
        for path in sorted(folder.glob(name)) if "*" in name else [folder / name]:
            parent = path.parent.resolve()
            if not parent.is_relative_to(root) or path.name in ("", "..", MARKER):
                continue
            if name.endswith("/"):
                if path.is_symlink() or not (path / MARKER).exists():
                    continue
                inner = read_json(path / MARKER, "files", advice=f"nothing in it is removed; move {path} away")
                _remove_own(path, [str(each) for each in inner["files"]])
                (path / MARKER).unlink()
                folders.add(path.resolve())
            elif path.is_symlink() or path.is_file():
                path.unlink()
            folders |= {above for above in (parent, *parent.parents) if above != root and above.is_relative_to(root)}
    for path in sorted(folders, key=lambda path: -len(path.parts)):
        with contextlib.suppress(OSError):  # something else lies in it
            path.rmdir()
