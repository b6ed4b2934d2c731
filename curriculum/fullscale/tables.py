"""Tables of users: .csv and .tsv as spreadsheets and databases write them, read right or refused in one line.

The reader is pandas' in its strict form: a quote that is never closed, or closed in the middle of a field, is an error and
not a guess. What is decided here: the encoding, by its mark; the delimiter, as that under which the header names the columns
that are wanted; how a quote inside quotes is written.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from curriculum.archives import why

from .errors import Refused

SUFFIXES = (".csv", ".tsv")
DELIMITERS = (",", ";", "\t", "|")
MARKS = {b"\xef\xbb\xbf": "utf-8-sig", b"\xff\xfe": "utf-16", b"\xfe\xff": "utf-16"}  # what a file's first bytes say


@dataclass(frozen=True)
class Table:
    """Rows of text, and the columns' names as the file writes them. Columns are found by name in any case."""

    path: Path
    names: list[str]
    rows: list[list[str]]
    lines: list[int]  # the number of each row, the header being row 1; blank rows are counted and left out

    def once(self, name: str) -> bool:
        """Whether there is one column of this name."""
        return [each.casefold() for each in self.names].count(name.strip().casefold()) == 1

    def column(self, name: str) -> list[str]:
        """The fields under a name. Errors: Refused where the name is not there, or twice."""
        places = [i for i, each in enumerate(self.names) if each.casefold() == name.strip().casefold()]
        if len(places) != 1:
            there = f"{len(places)} columns" if places else "no column"
            raise Refused(f"{self.path} has {there} `{name}`: it has {_listed(self.names)}.")
        return [row[places[0]] for row in self.rows]


def decoded(path: Path) -> str:
    """The text of a file: UTF-8, or UTF-16 where its first bytes say so. Errors: Refused."""
    try:
        content = path.read_bytes()
    except FileNotFoundError:
        raise Refused(f"There is no file {path}.") from None
    except OSError as error:
        raise Refused(f"{path} cannot be read: {error.strerror}.") from None
    encoding = next((name for mark, name in MARKS.items() if content.startswith(mark)), "utf-8")
    try:
        text = content.decode(encoding)
    except UnicodeDecodeError as error:
        line = content[: error.start].count(b"\n") + 1
        raise Refused(
            f"{path}, line {line}, cannot be read as {encoding.removesuffix('-sig').upper()} text ({error.reason}): save it as UTF-8."
        ) from None
    if "\0" in text:
        line = text[: text.index("\0")].count("\n") + 1
        raise Refused(f"{path}, line {line}, holds a null character: it is no text, or cut off; save it as UTF-8.")
    return text


def read(path: Path, *wanted: str) -> Table:
    """The table in a .csv or .tsv file with a header that names the wanted columns, in any case. Errors: Refused."""
    text = decoded(path)
    first, _, rest = text.partition("\n")
    if first[:4].lower() == "sep=" and len(first.strip("\r")) == 5:  # how Excel is told the delimiter
        tried, text = [first[4]], rest
    else:
        tried = ["\t"] if path.suffix.lower() == ".tsv" else list(DELIMITERS)
    headers = {delimiter: _header(text, delimiter) for delimiter in tried}
    fold = {name.strip().casefold() for name in wanted}
    fitting = [d for d, names in headers.items() if fold <= {name.casefold() for name in names}]
    if not fitting:
        names = max(headers.values(), key=len, default=[])
        lacking = ", ".join(f"`{n}`" for n in wanted if n.strip().casefold() not in {each.casefold() for each in names})
        raise Refused(f"{path} has no column {lacking}: its first row names {_listed(names)}.")
    delimiter = max(fitting, key=lambda d: len(headers[d]))
    try:
        rows, lines = _rows(text, delimiter, escape=None)
    except ValueError as error:
        if '\\"' not in text:
            raise Refused(f"{path}, {why(error)}.") from None
        try:  # as databases write it: a quote inside quotes is \" and not ""
            rows, lines = _rows(text, delimiter, escape="\\")
        except ValueError:
            raise Refused(f"{path}, {why(error)}.") from None
    if len(rows) < 2:
        raise Refused(f"{path} has a header and no row below it.")
    return Table(path, _stripped(rows[0]), rows[1:], lines[1:])


def _header(text: str, delimiter: str) -> list[str]:
    try:
        with _long_fields():
            return _stripped(
                next((row for row in csv.reader(io.StringIO(text, newline=""), delimiter=delimiter) if row), [])
            )
    except csv.Error:
        return []


def _stripped(names: list[str]) -> list[str]:
    return [name.strip().removeprefix("\ufeff").strip() for name in names]


def _rows(text: str, delimiter: str, escape: str | None) -> tuple[list[list[str]], list[int]]:
    """Rows of equal length and their numbers. Errors: ValueError, with the row and what to do."""
    import pandas

    with _long_fields():
        try:
            frame = pandas.read_csv(
                io.StringIO(text, newline=""), sep=delimiter, header=None, dtype=object, keep_default_na=False,
                engine="python", on_bad_lines="error", skip_blank_lines=False, escapechar=escape,
                doublequote=escape is None, index_col=False, names=range(len(_header(text, delimiter))),
            )  # fmt: skip
        except (pandas.errors.ParserError, pandas.errors.EmptyDataError, csv.Error) as error:
            raise ValueError(_where(text, delimiter, escape) or why(error)) from None
    rows: list[list[str]] = []
    lines: list[int] = []
    for number, row in enumerate(frame.itertuples(index=False, name=None), start=1):
        there = [field for field in row if isinstance(field, str)]
        if not "".join(there).strip():
            continue
        if len(there) < len(row):
            raise ValueError(f"row {number}: {len(there)} fields, and the header has {len(row)}; complete it")
        rows.append(there)
        lines.append(number)
    return rows, lines


def _where(text: str, delimiter: str, escape: str | None) -> str:
    """What is wrong with a table that pandas refuses, and in which row."""
    reader = csv.reader(
        io.StringIO(text, newline=""), delimiter=delimiter, strict=True, escapechar=escape, doublequote=escape is None
    )
    width, number, line = 0, 0, 0
    try:
        for number, row in enumerate(reader, start=1):
            width = width or len(row)
            if len(row) > width:
                return f"row {number}: {len(row)} fields, and the header has {width}; put a field that holds {delimiter!r} in quotes"
            line = reader.line_num
    except csv.Error as error:
        return f"row {number + 1}, which begins in line {line + 1}: a quote is not closed, or not doubled ({error}); correct that row"
    return ""


@contextmanager
def _long_fields() -> Iterator[None]:
    """Python's reader of .csv refuses fields of more than 131,072 characters, unless told otherwise."""
    before = csv.field_size_limit(2**31 - 1)
    try:
        yield
    finally:
        csv.field_size_limit(before)


def lines(path: Path) -> list[str]:
    """The lines of a text file. They end at a line feed, a carriage return, or both: not at U+0085 or U+2028, which texts hold."""
    return [line.rstrip("\n") for line in io.StringIO(decoded(path), newline=None)]


def _listed(names: list[str]) -> str:
    """Names in a message: no line of their own, and not without end."""
    shown = " ".join(", ".join(names).split())
    return (shown[:200] + " ..." if len(shown) > 200 else shown) or "none"
