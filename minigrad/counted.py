"""Numbers of things in words: 1 call, 2 calls."""

from __future__ import annotations


def counted(n: int, noun: str, nouns: str = "", form: str = "") -> str:
    """The number and the noun in its number. nouns: the plural where it is not the noun and an s. form: of the number, as in f"{n:,}"."""
    return f"{n:{form}} {noun if n == 1 else nouns or noun + 's'}"
