"""Text as Markdown that shows exactly that text, whatever stands in it."""

import re
from collections.abc import Iterable, Sequence

PUNCTUATION = re.compile(r"([!-/:-@\[-`{-~])")  # of ASCII: what CommonMark lets a backslash stand before


def escape(text: str) -> str:
    """The text, none of it read as Markdown or HTML; its lines become one."""
    return PUNCTUATION.sub(r"\\\1", " ".join(text.split()))


def code(text: str) -> str:
    """As code within a line."""
    text = " ".join(text.split())
    if not text:
        return ""
    fence = "`" * (_longest_run(text) + 1)
    pad = " " if text.startswith("`") or text.endswith("`") else ""
    return f"{fence}{pad}{text}{pad}{fence}"


def block(text: str, language: str = "text") -> str:
    """As a block of code: python with colours, text without."""
    fence = "`" * max(3, _longest_run(text) + 1)
    return f"{fence}{{code-block}} {language}\n\n{text.rstrip()}\n{fence}\n"


def directive(name: str, argument: str, body: str, options: Iterable[tuple[str, str]] = ()) -> str:
    """A MyST directive, fenced so that whatever the body holds stays within."""
    fence = "`" * max(3, _longest_run(body) + 1)
    told = "".join(f":{key}: {value}\n" for key, value in options)
    return f"{fence}{{{name}}} {argument}\n{told}\n{body.rstrip()}\n{fence}\n"


def _longest_run(text: str) -> int:
    return max((len(run) for run in re.findall(r"`+", text)), default=0)


def cell(marked: str) -> str:
    """Markdown within a cell of a table: there a bar would end the cell, escaped as it may be within code."""
    return re.sub(r"(?<!\\)\|", r"\\|", marked).replace("\n", " ")


def table(head: Sequence[str], rows: Iterable[Sequence[str]], right: Iterable[int] = ()) -> str:
    """A table; cells are Markdown already. `right`: columns of numbers."""
    right = set(right)
    lines = [head, ["---:" if i in right else "---" for i in range(len(head))], *rows]
    return "\n".join(f"| {' | '.join(map(cell, line))} |" for line in lines) + "\n"


def link(text: str, target: str) -> str:
    """`text` is Markdown already."""
    return f"[{text}]({target})"


def anchor(name: str) -> str:
    """A place that others may point at, in front of what follows."""
    return f"({name})=\n"


def slug(text: str) -> str:
    """A name of a file or an anchor."""
    return re.sub(r"[^A-Za-z0-9_.-]+", "-", text).strip("-")
