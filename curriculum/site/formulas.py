"""The formulas of docstrings, `out = x · σ(x).  dx = grad / (1 + x²)`, as TeX; the words between them stay words.

A docstring is read from left to right. Where an expression begins that has an operator in it, it is a formula, as long as it goes;
everything else is text. Nothing is ever reordered, so that a formula says what the docstring says: `a / b` becomes a fraction by the
same precedence by which Python reads it, and parentheses that the line of a fraction replaces are left out.

    expression  = sum (relation sum)*
    sum         = ["-"] product (("+" | "-") product)*
    product     = power (("·" | "×" | "@" | "/" | nothing) power)*
    power       = atom superscript* ["^" ["-"] atom]
    atom        = number | word | call | "(" expression ")" | "|" expression "|" | "√" power | "Σ" power | ...
"""

import re
import textwrap
from dataclasses import dataclass
from functools import cache

from . import markup

GREEK = {
    "α": "alpha", "β": "beta", "γ": "gamma", "δ": "delta", "ε": "varepsilon", "ζ": "zeta", "η": "eta", "θ": "theta", "κ": "kappa",
    "λ": "lambda", "μ": "mu", "ν": "nu", "ξ": "xi", "π": "pi", "ρ": "rho", "σ": "sigma", "τ": "tau", "φ": "varphi", "χ": "chi",
    "ψ": "psi", "ω": "omega", "Γ": "Gamma", "Δ": "Delta", "Θ": "Theta", "Λ": "Lambda", "Φ": "Phi", "Ψ": "Psi", "Ω": "Omega",
    "∞": "infty",
}  # fmt: skip
SUPER = dict(zip("⁰¹²³⁴⁵⁶⁷⁸⁹⁺⁻⁽⁾ⁿⁱᵀᴬᵃᵇᶜᵈᵉᵍʰʲᵏˡᵐᵒᵖʳˢᵗᵘᵛʷˣʸᶻ", "0123456789+-()niTAabcdeghjklmoprstuvwxyz", strict=True))
SUB = dict(zip("₀₁₂₃₄₅₆₇₈₉₊₋₍₎ₐₑₕᵢⱼₖₗₘₙₒₚᵣₛₜᵤᵥₓ", "0123456789+-()aehijklmnoprstuvx", strict=True))
RELATIONS = {
    "=": "=",
    "≤": r"\le",
    "≥": r"\ge",
    "<": "<",
    ">": ">",
    "≠": r"\ne",
    "≈": r"\approx",
    ">=": r"\ge",
    "<=": r"\le",
}
FACTORS = {"·": r"\cdot", "×": r"\times", "@": r"\mathbin{@}"}
BIG = {"Σ": r"\sum", "Π": r"\prod", "∫": r"\int"}
PARTS = {"½": r"\tfrac12", "¼": r"\tfrac14", "⅓": r"\tfrac13"}
# Functions that are applied without parentheses: ln x, log |det A|.
NAMED = {
    "ln", "log", "exp", "sin", "cos", "tan", "sinh", "cosh", "tanh", "arcsin", "arccos", "arctan", "arsinh", "arcosh", "artanh",
    "arctanh", "det", "sign", "max", "min", "erf", "erfc", "diag", "trunc", "softmax",
}  # fmt: skip
ROMAN = {
    "ln",
    "log",
    "exp",
    "sin",
    "cos",
    "tan",
    "sinh",
    "cosh",
    "tanh",
    "arcsin",
    "arccos",
    "arctan",
    "det",
    "max",
    "min",
}
# Words that begin or go on with a sentence: never a variable, whatever stands beside them.
PROSE = {
    "an", "the", "what", "of", "each", "over", "where", "for", "with", "is", "are", "and", "or", "if", "else", "to", "in", "by", "as", "at",
    "from", "which", "whose", "that", "this", "its", "it", "their", "on", "than", "not", "no", "so", "all", "any", "none", "when", "then",
    "between", "through", "after", "before", "also", "either", "both", "but", "one",
}  # fmt: skip
HAT = "\u0302"
ITEM = r"(?:[-*]|\d\.) "  # of a list
TOKEN = re.compile(
    r"""(?P<space>\s+)
    | (?P<code>`[^`]*`)
    | (?P<quoted>"[^"]*")
    | (?P<verbatim>https?://\S+ | [A-Za-z_][A-Za-z0-9_]+(?:/[A-Za-z][A-Za-z0-9_.]+)+ | [A-Za-z_]\w*=[^\s=]\S* | [A-Za-z]+(?:-[A-Za-z]{2,})+
        | [A-Za-z_]\w*(?:\.[A-Za-z_]\w*)+)
    | (?P<dots>\.\.\.)
    | (?P<number>\d+(?:,\d{3})*(?:\.\d+)?(?:e-?\d+)?(?![\w]) | \d+(?:\.\d+)?)
    | (?P<super>[SUPER]+)
    | (?P<sub>[SUB]+)
    | (?P<word>[A-Za-z]\u0302 | [A-Za-z_][A-Za-z0-9_]*(?:'(?![A-Za-z]))?)
    | (?P<greek>[GREEK]'?)
    | (?P<symbol><= | >= | .)""".replace("SUPER", "".join(SUPER))
    .replace("SUB", "".join(SUB))
    .replace("GREEK", "".join(GREEK)),
    re.VERBOSE,
)


@dataclass(frozen=True)
class Token:
    kind: str
    text: str
    tight: bool  # no space before it


class _NoFormula(Exception):
    """What stands here is no expression."""


def _tokens(text: str) -> list[Token]:
    found, tight = [], False
    for match in TOKEN.finditer(text):
        kind = match.lastgroup or ""
        if kind == "space":
            tight = False
            continue
        found.append(Token(kind, match.group(), tight))
        tight = True
    return found


def _word(text: str) -> str:
    """An identifier: one letter as a variable, `a_i` with an index, others upright."""
    if text.endswith("'"):
        return _word(text[:-1]) + "'"
    if text.endswith(HAT):
        return rf"\hat{{{text[0]}}}"
    if len(text) == 1:
        return text
    one = re.fullmatch(r"([A-Za-z])_([A-Za-z0-9]{1,2})", text)
    if one:
        return f"{one[1]}_{{{one[2]}}}"
    differential = re.fullmatch(r"d([A-Za-z])(?:_?([a-z0-9]))?", text)
    if differential and text not in ("do", *NAMED):
        index = f"_{{{differential[2]}}}" if differential[2] else ""
        return rf"\mathrm{{d}}{differential[1]}{index}"
    if text in ROMAN:
        return rf"\{text}"
    return rf"\mathrm{{{text}}}".replace("_", r"\_")


class _Reader:
    """Reads one expression from `tokens`, from `at` on."""

    def __init__(self, tokens: list[Token], at: int) -> None:
        self.tokens, self.at, self.strength, self.depth = tokens, at, 0, 0

    def peek(self, ahead: int = 0) -> Token:
        place = self.at + ahead
        return self.tokens[place] if place < len(self.tokens) else Token("end", "", False)

    def mathy(self) -> bool:
        """Whether what comes next is a sign of mathematics, even with nothing between it and what stands before."""
        token, after = self.peek(), self.peek(1)
        if (
            token.kind in ("number", "greek", "dots")
            or token.text in PARTS
            or token.text in BIG
            or token.text in ("√", "∂")
        ):
            return True
        if token.kind == "word":
            short = re.fullmatch(r"[A-Za-z]'?|[A-Za-z]_[a-z0-9]{1,2}|d[A-Z]|d[A-Za-z]_?[a-z0-9]?'?", token.text)
            marked = after.tight and after.kind in ("super", "sub")
            known = token.text in NAMED or token.text == "grad" or token.text.endswith(HAT)
            return bool(short or marked or known) and token.text not in ("do", "dim", "I")
        return False

    def expression(self) -> str:
        parts = [self.sum()]
        while self.peek().text in RELATIONS and self.peek().kind == "symbol":
            before = self.at
            sign = RELATIONS[self.peek().text]
            self.at += 1
            try:
                right = self.sum()
            except _NoFormula:
                self.at = before
                break
            self.strength += 1
            parts += [sign, right]
        return " ".join(parts)

    def sum(self) -> str:
        parts = []
        if self.peek().text in ("-", "−", "±") and self.peek().kind == "symbol":
            self.at += 1
            parts.append("-")
        parts.append(self.product())
        while self.peek().text in ("+", "-", "−") and self.peek().kind == "symbol":
            if self.peek().tight != self.peek(1).tight:  # `a -b` is no difference
                break
            before, sign = self.at, "+" if self.peek().text == "+" else "-"
            self.at += 1
            try:
                right = self.product()
            except _NoFormula:
                self.at = before
                break
            self.strength += 1
            parts += [sign, right]
        return " ".join(parts)

    def product(self) -> str:
        latex, alone = self.close()
        while True:
            before, token = self.at, self.peek()
            if token.kind == "symbol" and (token.text in FACTORS or token.text == "/"):
                self.at += 1
                try:
                    right, right_alone = self.close()
                    if token.text == "/":  # a product below the line has parentheses; a call or a sum over it none
                        right = right_alone or right
                except _NoFormula:
                    self.at = before
                    return latex
                self.strength += 1
                latex = (
                    rf"\frac{{{alone or latex}}}{{{right}}}"
                    if token.text == "/"
                    else f"{latex} {FACTORS[token.text]} {right}"
                )
                alone = ""
                continue
            last = self.tokens[self.at - 1]
            side = last.kind in ("number", "greek", "super", "sub", "dots") or last.text in (")", "|", "]", *PARTS)
            side = side or (last.kind == "word" and not _word(last.text).startswith(r"\mathrm{" + last.text[:2]))
            opens = token.text == "(" and (self.depth > 0 or side) and (not token.tight or last.text == ")")
            if token.text == "|" and self.depth == 0:
                opens = False
            if not (
                (self.mathy() and (side or self.depth > 0))
                or opens
                or (self.depth > 0 and side and token.kind == "word")
            ):
                return latex
            try:
                right, _ = self.close()
            except _NoFormula:
                self.at = before
                return latex
            between = r"\," if re.match(r"[A-Za-z\\]", right) else " "
            latex, alone = f"{latex}{between}{right}", ""

    def close(self) -> tuple[str, str]:
        """A power; `1/π` without spaces is one too."""
        latex, alone = self.power()
        if self.peek().text == "/" and self.peek().tight and self.peek(1).tight:
            before, strength = self.at, self.strength
            self.at += 1
            try:
                right, right_alone = self.power()
            except _NoFormula:
                self.at, self.strength = before, strength
            else:
                self.strength += 1
                return rf"\frac{{{alone or latex}}}{{{right_alone or right}}}", ""
        return latex, alone

    def power(self) -> tuple[str, str]:
        """An atom with its exponents; second, where it is nothing but a group, what stands within the parentheses."""
        latex, alone = self.atom()
        while self.peek().kind in ("super", "sub") and self.peek().tight:
            token = self.peek()
            self.at += 1
            self.strength += 1
            table, sign = (SUPER, "^") if token.kind == "super" else (SUB, "_")
            inner = "".join(table[c] for c in token.text)
            inner = r"\top" if inner == "T" else inner.replace("-T", r"-\top")
            latex, alone = f"{latex}{sign}{{{inner}}}" if "^" not in latex[-4:] else f"{{{latex}}}{sign}{{{inner}}}", ""
        if self.peek().text == "[" and self.peek().tight:
            before, strength = self.at, self.strength
            try:
                latex, alone = latex + self.enclosed("[", "]", "[", "]"), ""
            except _NoFormula:
                self.at, self.strength = before, strength
        if self.peek().text == "^" and self.peek(1).tight:  # (`input ^ other` is bit by bit)
            before = self.at
            self.at += 1
            minus = ""
            if self.peek().text in ("-", "−"):
                self.at += 1
                minus = "-"
            try:
                inner, inner_alone = self.power()
            except _NoFormula:
                self.at = before
                return latex, alone
            self.strength += 1
            latex, alone = f"{{{latex}}}^{{{minus}{inner_alone or inner}}}", ""
        return latex, alone

    def enclosed(self, opening: str, closing: str, left: str, right: str) -> str:
        """Expressions with commas between them, within brackets."""
        if self.peek().text != opening:
            raise _NoFormula
        self.at += 1
        self.depth += 1
        parts = []
        try:
            while True:
                if self.peek().text == ":" and opening == "[":
                    self.at += 1
                    parts.append(":")
                else:
                    parts.append(self.expression())
                if self.peek().text == ",":
                    self.at += 1
                    continue
                if self.peek().text != closing:
                    raise _NoFormula
                self.at += 1
                return f"{left}{', '.join(parts)}{right}"
        finally:
            self.depth -= 1

    def atom(self) -> tuple[str, str]:
        token = self.peek()
        if token.kind in ("number", "dots"):
            self.at += 1
            return (r"\dots" if token.kind == "dots" else token.text.replace(",", "{,}")), ""
        if token.text in PARTS:
            self.at += 1
            self.strength += 1
            return PARTS[token.text], ""
        if token.text == "∂" or (token.text == "√"):
            self.at += 1
            self.strength += 1
            inner, alone = self.power()
            return (rf"\partial {inner}" if token.text == "∂" else rf"\sqrt{{{alone or inner}}}"), ""
        if token.text in BIG:
            self.at += 1
            self.strength += 1
            return self.over(BIG[token.text]), ""
        if token.text == "(":
            before, strength = self.at, self.strength
            try:
                inner = self.enclosed("(", ")", "", "")
            except _NoFormula:
                self.at, self.strength = before, strength
                raise
            return rf"\left({inner}\right)", inner
        if token.text in ("|", "‖", "⌊", "⌈"):
            pairs = {
                "|": ("|", r"\lvert ", r"\rvert "),
                "‖": ("‖", r"\lVert ", r"\rVert "),
                "⌊": ("⌋", r"\left\lfloor ", r"\right\rfloor "),
            }
            pairs["⌈"] = ("⌉", r"\left\lceil ", r"\right\rceil ")
            inner = self.enclosed(token.text, *pairs[token.text])
            self.strength += 1
            return inner, ""
        if token.kind in ("word", "greek") and token.text not in PROSE:
            self.at += 1
            if token.kind == "greek":
                self.strength += 1
            latex = rf"\{GREEK[token.text[0]]}{token.text[1:]}" if token.kind == "greek" else _word(token.text)
            index = ""
            if (
                self.peek().kind in ("super", "sub")
                and self.peek().tight
                and self.peek(1).text == "("
                and self.peek(1).tight
            ):
                there = self.peek()  # tanh²(s), I₀(x)
                self.at += 1
                self.strength += 1
                table, sign = (SUPER, "^") if there.kind == "super" else (SUB, "_")
                index = f"{sign}{{{''.join(table[c] for c in there.text)}}}"
            if self.peek().text == "(" and self.peek().tight:
                before, strength = self.at, self.strength
                try:
                    return latex + index + self.enclosed("(", ")", r"\left(", r"\right)"), ""
                except _NoFormula:
                    self.at, self.strength = before, strength
            if token.text in NAMED and (self.mathy() or self.peek().text in ("(", "|") or self.peek().kind == "word"):
                before, strength = self.at, self.strength
                try:
                    inner, _ = self.power()
                    self.strength += self.tokens[before].text in ("(", "|") or len(self.tokens[before].text) == 1
                    return rf"{latex}{index}\,{inner}", ""
                except _NoFormula:
                    self.at, self.strength = before, strength
            return latex + index, ""
        raise _NoFormula

    def over(self, sign: str) -> str:
        """A sum with what it runs over, if that is said, and the factor that is added up."""
        if self.peek().text == "_" or (
            self.peek().kind == "word" and self.peek().tight and self.peek().text.startswith("_")
        ):
            if self.peek().text == "_":
                self.at += 1
                inner = self.enclosed("{", "}", "", "")
            else:
                inner = self.peek().text[1:]
                self.at += 1
            sign = f"{sign}_{{{inner}}}"
        while self.peek().kind in ("sub", "super") and self.peek().tight:
            table, mark = (SUPER, "^") if self.peek().kind == "super" else (SUB, "_")
            sign += f"{mark}{{{''.join(table[c] for c in self.peek().text)}}}"
            self.at += 1
        if self.peek().kind == "end":
            return sign
        before, strength = self.at, self.strength
        try:
            inner, _ = self.power()
        except _NoFormula:
            self.at, self.strength = before, strength
            return sign
        return rf"{sign} {inner}"


@cache
def pieces(text: str) -> tuple[tuple[str, str, bool], ...]:
    """("text" | "code" | "math", content, whether a space stands before it), in order. Two spaces end an expression."""
    found: list[tuple[str, str, bool]] = []
    for part in re.split(r"\s{2,}", text.strip()):
        found += _pieces(_tokens(part))
    return tuple(found)


def markdown(text: str) -> str:
    """A paragraph of a docstring as Markdown: formulas typeset, code as code, everything else as it is."""
    parts = []
    for number, (kind, content, space) in enumerate(pieces(text)):
        if kind == "math":
            marked = f"{{math}}`{content}`"
        else:
            marked = markup.code(content) if kind == "code" else markup.escape(content)
        parts.append(" " * (space and number > 0) + marked)
    return "".join(parts)


def paragraphs(text: str) -> str:
    """A whole docstring, as `inspect.cleandoc` gives it: indented parts are code, lines that begin with a dash or a number a list."""
    parts = []
    for part in re.split(r"\n\s*\n", text.strip("\n")):
        lines = part.splitlines()
        if all(line.startswith(("    ", "\t")) for line in lines):
            parts.append(markup.block(textwrap.dedent(part)))
            continue
        for number, line in enumerate(lines[1:], 1):  # a sentence with its example under it
            if line.startswith("    ") and all(later.startswith("    ") for later in lines[number:]):
                parts += [markdown("\n".join(lines[:number])), markup.block(textwrap.dedent("\n".join(lines[number:])))]
                break
        else:
            if len(lines) > 1 and all(re.match(ITEM, line) or line.startswith(" ") for line in lines):
                mark = "1." if re.match(r"\d", part) else "-"
                parts.append(
                    "\n".join(f"{mark} {markdown(item)}" for item in re.split(rf"(?m)^{ITEM}", part) if item.strip())
                )
            else:
                parts.append(markdown(part))
    return "\n\n".join(parts) + "\n"


def _pieces(tokens: list[Token]) -> list[tuple[str, str, bool]]:
    found: list[tuple[str, str, bool]] = []
    at = 0
    while at < len(tokens):
        token = tokens[at]
        if token.kind == "code":
            found.append(("code", token.text[1:-1], not token.tight))
            at += 1
            continue
        if token.kind not in ("quoted", "verbatim"):
            reader = _Reader(tokens, at)
            try:
                latex = reader.expression()
            except _NoFormula:
                reader.strength = 0
            if reader.strength > 0:
                found.append(("math", latex, not token.tight))
                at = reader.at
                continue
        if found and found[-1][0] == "text":
            kind, before, space = found.pop()
            found.append((kind, before + ("" if token.tight else " ") + token.text, space))
        else:
            found.append(("text", token.text, not token.tight))
        at += 1
    return found
