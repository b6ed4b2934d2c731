"""How far a long piece of work is: a bar in a terminal, a line now and then where there is none."""

from __future__ import annotations

import sys
import time
from collections.abc import Iterator, Sequence
from typing import TypeVar

from tqdm import tqdm

T = TypeVar("T")
SECONDS = 10.0  # between two lines


def shown(parts: Sequence[T], what: str, unit: str = "it") -> Iterator[T]:
    """The parts, one after the other; on standard error, so that what is printed can be read by a program."""
    if sys.stderr.isatty():
        yield from tqdm(parts, desc=what, unit=unit, leave=False)
        return
    begin = last = time.monotonic()
    for done, part in enumerate(parts, start=1):
        yield part
        now = time.monotonic()
        if now - last >= SECONDS and done < len(parts):
            left = (now - begin) * (len(parts) - done) / done
            print(
                f"{what}: {done:,} of {len(parts):,} {unit}, {now - begin:.0f} s, about {left:.0f} s left",
                file=sys.stderr,
                flush=True,
            )
            last = now
