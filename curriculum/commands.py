"""What the command lines of the course, of parity and of the benchmarks share.

Numbers and paths are looked at while the line is read, before anything is measured or trained, by the types below, which are argparse's
`type=`. What cannot be done ends with one line, which says what was given, what is wanted and what to do, and with status 2 (`run`).
"""

import argparse
import math
import os
import re
import sys
import tempfile
from collections.abc import Callable, Iterable
from pathlib import Path

LARGEST = 2**63 - 1  # of a seed, and of any count


def whole(least: int = 1, most: int = LARGEST) -> Callable[[str], int]:
    """Whole numbers from `least` to `most`."""

    def read(text: str) -> int:
        try:
            number = int(text)
        except ValueError:
            number = least - 1
        if not least <= number <= most:
            raise argparse.ArgumentTypeError(f"{text}: give a whole number from {least} {_end(most)}")
        return number

    return read


def _end(most: int) -> str:
    return "on" if most == LARGEST else f"to {most}"


seed = whole(0)


def above_zero(text: str) -> float:
    """A number above 0 that is not infinite."""
    try:
        number = float(text)
    except ValueError:
        number = math.nan
    if not 0 < number < math.inf:
        raise argparse.ArgumentTypeError(f"{text}: give a number above 0")
    return number


def plain_name(text: str) -> str:
    """A name under which files are kept in a folder that the command knows."""
    if not text or text != Path(text).name or text.startswith("."):
        raise argparse.ArgumentTypeError(
            f"{text}: give a name without a folder, as in {Path(text).name.strip('.') or 'mine'}"
        )
    return text


def file_to_read(text: str) -> Path:
    if not Path(text).exists():
        raise argparse.ArgumentTypeError(f"{text}: there is no such file; give the path of one that is there")
    if Path(text).is_dir():
        raise argparse.ArgumentTypeError(f"{text} is a folder: give the name of a file")
    return Path(text)


def file_to_write(text: str) -> Path:
    """Where a file is written, or will be; folders above it are made when it is."""
    path = Path(text)
    if path.is_dir() or text.endswith(os.sep):
        raise argparse.ArgumentTypeError(f"{text} is a folder: give the name of a file")
    if path.exists() and not (path.is_file() and os.access(path, os.W_OK)):
        raise argparse.ArgumentTypeError(f"{text} may not be written: give the name of another file")
    _require_room(path.parent, text)
    return path


def folder_to_read(text: str) -> Path:
    if not Path(text).is_dir():
        raise argparse.ArgumentTypeError(f"{text}: there is no such folder; give the path of one that is there")
    return Path(text)


def folder_to_write(text: str) -> Path:
    """A folder that files are written into; it is made when they are."""
    _require_room(Path(text), text)
    return Path(text)


def _require_room(folder: Path, text: str) -> None:
    """ArgumentTypeError where no file can be made in the folder, or it cannot be made itself."""
    there = folder.absolute()
    try:
        while not os.path.lexists(there):
            there = there.parent
        with tempfile.TemporaryFile(dir=there):
            pass
    except OSError as error:
        wanted = "that is no folder" if isinstance(error, NotADirectoryError) else f"no file can be made in {there}"
        raise argparse.ArgumentTypeError(f"{text} cannot be written: {wanted}; give a place that can") from None


def plainly(message: str) -> str:
    """What argparse says of an option's value, as it was typed: `--jobs 0: give ...` for `argument --jobs: 0: give ...`."""
    return re.sub(r"^argument (-\S+): ", r"\1 ", message)


def named(parser: argparse.ArgumentParser, given: list[str]) -> set[str]:
    """Of the options that a line names, also with their default, where they are kept (`dest`)."""
    unsaid = object()
    before = {action.dest: None if type(action).__name__ == "_AppendAction" else unsaid for action in parser._actions}
    after = vars(parser.parse_args(given, argparse.Namespace(**before)))
    return {dest for dest, value in before.items() if after[dest] is not value}


def refuse_beside(parser: argparse.ArgumentParser, given: list[str], idle: Iterable[str], where: str) -> None:
    """End with a line where the line names options that mean nothing there. idle: where those are kept (`dest`)."""
    said = {action.dest: action.option_strings[-1] for action in parser._actions if action.option_strings}
    found = named(parser, given)
    names = [said[dest] for dest in idle if dest in found]
    if names:
        one = len(names) == 1
        parser.error(
            f"{' and '.join(names)} {'means' if one else 'mean'} nothing {where}: leave {'it' if one else 'them'} out"
        )


def counted(n: int, noun: str, nouns: str = "", form: str = "") -> str:
    """1 call, 2 calls: see minigrad/counted.py."""
    # Here and not above: importing minigrad changes how a process keeps memory (files.py).
    from minigrad.counted import counted as said

    return said(n, noun, nouns, form)


def run(main: Callable[[], int]) -> int:
    """The exit status of a command: 2 with one line where what was asked cannot be done, 130 where it was interrupted."""
    try:
        return main()
    except SystemExit as ended:
        if isinstance(ended.code, str):  # a line of the command's own
            print(ended.code, file=sys.stderr)
            return 2
        raise
    except OSError as error:  # a full disk, a folder that may not be written
        if (
            not isinstance(error.strerror, str) and type(error).__name__ != "NotWritten"
        ):  # (minigrad/files.py: a line that says it all)
            raise
        said = (
            f"{error.filename or 'A file'} cannot be read or written: {error.strerror}"
            if error.strerror
            else str(error)
        )
        print(f"{said}.", file=sys.stderr)
        return 2
