r"""Formulas in a terminal: the LaTeX of the lessons as a line of plain characters, `\frac{dL}{dw}` as `dL/dw`."""

import re

SYMBOLS = {
    "alpha": "α", "beta": "β", "gamma": "γ", "delta": "δ", "epsilon": "ε", "eta": "η", "theta": "θ", "lambda": "λ",
    "mu": "μ", "pi": "π", "rho": "ρ", "sigma": "σ", "tau": "τ", "phi": "φ", "chi": "χ", "psi": "ψ", "omega": "ω",
    "Delta": "Δ", "Sigma": "Σ", "sum": "Σ", "prod": "∏", "partial": "∂", "nabla": "∇", "int": "∫", "infty": "∞",
    "cdot": "·", "times": "×", "pm": "±", "approx": "≈", "le": "≤", "leq": "≤", "ge": "≥", "geq": "≥", "ne": "≠",
    "neq": "≠", "in": "∈", "to": "→", "rightarrow": "→", "leftarrow": "←", "Rightarrow": "⇒", "odot": "⊙", "circ": "∘",
    "propto": "∝", "sim": "∼", "top": "ᵀ", "dots": "…", "ldots": "…", "cdots": "⋯", "mid": "|", "vert": "|",
    "lVert": "‖", "rVert": "‖", "Vert": "‖", "lfloor": "⌊", "rfloor": "⌋", "lceil": "⌈", "rceil": "⌉", "ell": "ℓ",
    "quad": "   ", "qquad": "     ", ",": " ", ";": " ", ":": " ", "!": "", " ": " ", "\\": "\n", "{": "{", "}": "}",
    "%": "%", "_": "_", "&": "&", "#": "#", "$": "$", "|": "‖",
}  # fmt: skip
LEFT_OUT = {"left", "right", "bigl", "bigr", "Bigl", "Bigr", "big", "Big", "displaystyle", "limits", "nolimits"}
AS_WRITTEN = {"text", "operatorname", "mathrm", "mathbf", "mathbb", "mathcal", "boldsymbol", "underbrace"}
ACCENTS = {"hat": "\u0302", "bar": "\u0304", "tilde": "\u0303", "dot": "\u0307", "vec": "\u20d7", "widehat": "\u0302"}
RAISED = dict(zip("0123456789+-=()nitkTLdm", "⁰¹²³⁴⁵⁶⁷⁸⁹⁺⁻⁼⁽⁾ⁿⁱᵗᵏᵀᴸᵈᵐ", strict=True)) | {"ᵀ": "ᵀ", "′": "′", "*": "*"}
LOWERED = dict(zip("0123456789+-=()aehijklmnoprstuvx", "₀₁₂₃₄₅₆₇₈₉₊₋₌₍₎ₐₑₕᵢⱼₖₗₘₙₒₚᵣₛₜᵤᵥₓ", strict=True)) | {"β": "ᵦ"}
TOKEN = re.compile(r"\\[a-zA-Z]+|\\.|[{}^_]|\s+|.", re.DOTALL)


def plain(formula: str) -> str:
    """The formula in plain characters. What has no plain form stays as it was written."""
    return re.sub(r"(?<=\S) {1,2}(?=\S)", " ", _Reader(formula).all()).strip()


class _Reader:
    def __init__(self, formula: str) -> None:
        self.tokens: list[str] = TOKEN.findall(formula)
        self.place = 0

    def all(self, closing: str = "") -> str:
        """Everything up to `closing`, or to the end."""
        parts = []
        while self.place < len(self.tokens):
            if self.tokens[self.place] == closing:
                self.place += 1
                break
            parts.append(self.one())
        return "".join(parts)

    def argument(self) -> str:
        """What a command or an index takes: a group, or one token."""
        while self.place < len(self.tokens) and self.tokens[self.place].isspace():
            self.place += 1
        return self.one() if self.place < len(self.tokens) else ""

    def one(self) -> str:
        token = self.tokens[self.place]
        self.place += 1
        if token == "{":
            return self.all("}")
        if token == "^":
            return _index(self.argument(), RAISED, "^")
        if token == "_":
            return _index(self.argument(), LOWERED, "_")
        if token.isspace():
            return " "
        if token == "'":
            return "′"
        if not token.startswith("\\"):
            return token
        name = token[1:]
        if name == "frac":
            return f"{_group(self.argument())}/{_group(self.argument())}"
        if name == "sqrt":
            return f"√{_group(self.argument())}"
        if name in ACCENTS:
            letter = self.argument()
            return f"{letter}{ACCENTS[name]}"
        if name == "underbrace":
            below = self.argument()
            self.place += 1  # its _
            return f"{below} [{self.argument()}]"
        if name in AS_WRITTEN:
            return self.argument()
        if name in LEFT_OUT:
            return ""
        following = self.tokens[self.place] if self.place < len(self.tokens) else ""
        if name == "partial" and following.isspace():
            self.place += 1
        # \log, \max, \sin, ... are written as they are
        return SYMBOLS[name] if name in SYMBOLS else (f"{name} " if following.startswith("\\") else name)


def _group(text: str) -> str:
    """In parentheses, where something stands in it that would not hold together."""
    text = text.strip()
    held = re.fullmatch(r"[^\s+\-·/=,]+(\([^()]*\))?", text) or re.fullmatch(r"\([^()]*\)", text)
    return text if held else f"({text})"


def _index(text: str, forms: dict[str, str], sign: str) -> str:
    text = text.strip()
    if text and all(letter in forms for letter in text):
        return "".join(forms[letter] for letter in text)
    return f"{sign}{text}" if re.fullmatch(r"\w+", text) else f"{sign}({text})"
