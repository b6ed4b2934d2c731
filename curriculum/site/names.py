"""Where the site's lists come from: the public names, the operations, and which name leads to which operation."""

import ast
import importlib
import inspect
import re
import sys
import textwrap
import types
from collections.abc import Iterator
from functools import cache, lru_cache
from pathlib import Path
from typing import Any

import minigrad
from minigrad.autograd.fused import Fused
from minigrad.autograd.graph import Operation

ROOT = Path(minigrad.__file__).parent.parent


@lru_cache(maxsize=1)
def public() -> dict[str, Any]:
    """Every public name with its object, as the comparison with PyTorch lists them."""
    from parity import public as names

    return names.public()


def bare(value: Any) -> Any:
    """A function without what reads its arguments (minigrad/signature.py)."""
    return vars(value).get("reads", value) if isinstance(value, types.FunctionType) else value


def is_constant(value: Any) -> bool:
    return not (isinstance(value, types.FunctionType | type | property) or callable(value)) or isinstance(
        value, int | float
    )


def signature(value: Any) -> str:
    """How it is called, without addresses of objects."""
    try:
        text = str(inspect.signature(bare(value)))
    except (TypeError, ValueError):
        return ""
    text = re.sub(r"(: |-> )'([^']*)'", r"\1\2", text)
    text = re.sub(
        r"<(?:function|class|built-in function) '?([\w.]+)'?(?: at 0x[0-9a-f]+)?>",
        lambda m: m[1].rpartition(".")[2],
        text,
    )
    text = re.sub(r"\.<locals>", "", text)
    text = re.sub(r"<[^<>]* at 0x[0-9a-f]+>", "...", text)
    return re.sub(r"^\((self|cls)(?:: [^,)]*)?(?:, )?", "(", text)


@cache
def _classes(path: Path) -> dict[str, tuple[int, int]]:
    """The first and the last line of every class of a file, by its qualified name. (inspect reads the file anew for each.)"""
    found: dict[str, tuple[int, int]] = {}

    def visit(node: ast.AST, inside: str) -> None:
        for child in ast.iter_child_nodes(node):
            if isinstance(child, ast.ClassDef):
                first = min([child.lineno, *(decorator.lineno for decorator in child.decorator_list)])
                found.setdefault(inside + child.name, (first, child.end_lineno or first))
                visit(child, f"{inside}{child.name}.")
            elif isinstance(child, ast.FunctionDef):
                visit(child, f"{inside}{child.name}.<locals>.")

    visit(ast.parse(path.read_text(encoding="utf-8")), "")
    return found


def _written(thing: Any) -> tuple[Path, int, list[str]] | None:
    """The file, the line and the lines in which something is written; None for what is not written in the project."""
    thing = bare(thing)
    try:
        if isinstance(thing, type):
            path = Path(sys.modules[thing.__module__].__file__ or "").resolve()
            first, last = _classes(path)[thing.__qualname__]
            lines = path.read_text(encoding="utf-8").splitlines(keepends=True)[first - 1 : last]
        else:
            path = Path(inspect.getsourcefile(inspect.unwrap(thing)) or "").resolve()
            lines, first = inspect.getsourcelines(thing)
    except (OSError, TypeError, KeyError, AttributeError):
        return None
    return (path, first, lines) if path.is_relative_to(ROOT.resolve()) else None


def place(thing: Any) -> str:
    """Where it is written, as minigrad/ops/norm.py:12; nothing for what is not written in the project."""
    found = _written(thing)
    return f"{found[0].relative_to(ROOT.resolve())}:{found[1]}" if found else ""


def source(thing: Any) -> str:
    """The text of a class or function, without indentation."""
    found = _written(thing)
    return textwrap.dedent("".join(found[2])) if found else ""


# -- operations


def _below(cls: type) -> Iterator[type]:
    inner: type
    for inner in cls.__subclasses__():
        yield inner
        yield from _below(inner)


def formula(cls: type) -> type | None:
    """The class whose docstring has the formulas of an operation: itself, or what it is a special case of."""
    shown = (
        base
        for base in cls.__mro__
        if not base.__module__.startswith(("minigrad.autograd.function", "minigrad.kernels"))
    )
    return next(
        (
            base
            for base in shown
            if "= " in (vars(base).get("__doc__") or "") or "≤" in (vars(base).get("__doc__") or "")
        ),
        None,
    )


@lru_cache(maxsize=1)
def operations() -> dict[str, type]:
    """Every operation of the engine by the name of its page, "arithmetic.Mul": what can run, with formulas, and no compiled twin."""
    public()  # whose rooms are imported when they are asked for
    found: dict[str, type] = {}
    for cls in _below(Operation):
        home = cls.__module__
        runs = getattr(cls, "forward", None) not in (
            None,
            getattr(Operation, "forward", None),
            getattr(Fused, "forward", None),
        )
        if (
            not home.startswith("minigrad.")
            or home.startswith("minigrad.kernels")
            or not vars(cls).get("__doc__")
            or not runs
        ):
            continue
        if cls.__qualname__.startswith("_") or "<locals>" in cls.__qualname__ or formula(cls) is None:
            continue
        name = f"{home.rpartition('.')[2]}.{cls.__qualname__}"
        found[name if found.get(name, cls) is cls else f"{home.removeprefix('minigrad.')}.{cls.__qualname__}"] = cls
    return dict(sorted(found.items()))


@cache
def page_of(cls: type) -> str | None:
    """The name of an operation's page; of a compiled form, that of the form whose formulas stand there."""
    pages = {c: name for name, c in operations().items()}
    return next((pages[base] for base in cls.__mro__ if base in pages), None)


def _names_in(code: types.CodeType) -> Iterator[str]:
    yield from code.co_names
    for inner in code.co_consts:
        if isinstance(inner, types.CodeType):
            yield from _names_in(inner)


@lru_cache(maxsize=1)
def _everything_public() -> set[int]:
    return {id(bare(value)) for value in public().values()}


def called(function: types.FunctionType, depth: int = 2) -> set[type]:
    """The operations that a function's text names, or the helpers that it calls: what is public stands for itself."""
    found: set[type] = set()
    for cell in function.__closure__ or ():  # what reads `inplace=`, and then calls the function proper
        if isinstance(cell.cell_contents, types.FunctionType) and depth:
            found |= called(cell.cell_contents, depth - 1)
    for name in set(_names_in(function.__code__)):
        value = function.__globals__.get(name)
        if isinstance(value, type) and issubclass(value, Operation):
            found.add(value)
        elif depth and isinstance(value, types.FunctionType) and value.__module__.startswith("minigrad.ops"):
            found |= called(value, depth - 1) if id(bare(value)) not in _everything_public() else set()
    return found


@lru_cache(maxsize=1)
def names_by_operation() -> dict[str, list[str]]:
    """By operation the public functions whose text leads to it, the plainest name first."""
    found: dict[str, list[str]] = {name: [] for name in operations()}
    for path, value in public().items():
        function = bare(value)
        if isinstance(function, types.FunctionType) and function.__module__.startswith("minigrad"):
            for page in {page for cls in called(function) if (page := page_of(cls))}:
                found[page].append(path)
    return {
        name: sorted(paths, key=lambda p: (p.startswith("Tensor."), p.count("."), p)) for name, paths in found.items()
    }


def compiled_form(cls: type) -> type | None:
    """The class in minigrad/kernels/ that runs in its place where arrays are large."""
    named = getattr(cls, "compiled", None)
    if not isinstance(named, str):
        return None
    module, _, name = named.rpartition(".")
    try:
        return getattr(importlib.import_module(f"minigrad.kernels.{module}"), name, None)
    except ImportError:  # Numba is missing, or kernels are switched off
        return None
