"""The reference: every public name with its signature and docstring, a page for each module; and the inside of the engine."""

import importlib
import inspect
import pkgutil
import types
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import minigrad.autograd

from .. import files
from . import formulas, markup, names

FIRST = ("minigrad", "minigrad.Tensor", "minigrad.nn", "minigrad.nn.functional", "minigrad.optim")
SMALL = 6  # a module with fewer names of its own stands on the page of the module above it

# What an explanation of the engine names, and no program calls: rooms of their own.
INSIDE = [
    *(f"minigrad.autograd.{found.name}" for found in pkgutil.iter_modules(minigrad.autograd.__path__)),
    "minigrad.storage", "minigrad.inplace", "minigrad.signature", "minigrad.public", "minigrad.random", "minigrad.tensor",
]  # fmt: skip


def _entry(kind: str, path: str, call: str, text: str, inner: str = "") -> str:
    body = formulas.paragraphs(text) if text.strip() else "(without a docstring)\n"
    return markup.directive(f"py:{kind}", f"{path}{call}", f"{body}\n{inner}")


def _methods(cls: type, path: str, known: set[str]) -> str:
    """The methods that a class itself defines, with a docstring."""
    parts = []
    for name, value in vars(cls).items():
        function = value.__func__ if isinstance(value, classmethod | staticmethod) else value
        if name.startswith("_") or not isinstance(function, types.FunctionType | property) or f"{path}.{name}" in known:
            continue
        text = inspect.getdoc(function)
        if text and name != "forward":
            kind, call = ("property", "") if isinstance(function, property) else ("method", names.signature(function))
            parts.append(_entry(kind, f"{path}.{name}", call, text))
    return "\n".join(parts)


def _documented(path: str, value: Any, known: set[str]) -> str:
    text = inspect.getdoc(value) or ""
    operations = sorted({page for cls in _operations_of(value) if (page := names.page_of(cls))})
    if operations:
        links = ", ".join(
            markup.link(markup.escape(page.rpartition(".")[2]), f"../operations/{page}.md") for page in operations
        )
        more = f"Operation: {links}\n"
    else:
        more = ""
    if isinstance(value, type):
        return _entry("class", path, names.signature(value), text, more + "\n" + _methods(value, path, known))
    kind = "property" if isinstance(value, property) else "function"
    return _entry(kind, path, "" if kind == "property" else names.signature(value), text, more)


def _operations_of(value: Any) -> set[type]:
    function = names.bare(value)
    return names.called(function) if isinstance(function, types.FunctionType) else set()


def _modules() -> dict[str, dict[str, Any]]:
    """The public names by module, each with its object."""
    found: dict[str, dict[str, Any]] = defaultdict(dict)
    for path, value in names.public().items():
        module, _, name = path.rpartition(".")
        found[f"minigrad.{module}" if module else "minigrad"][name] = value
    return found


def _order(module: str) -> tuple[int, str]:
    return (FIRST.index(module) if module in FIRST else len(FIRST), module)


def _sections(names_there: list[str], there: dict[str, Any], module: str) -> dict[str, list[str]]:
    """The names of the root by the file in which they are written; elsewhere they stand together."""
    if module != "minigrad":
        return {"": names_there}
    found: dict[str, list[str]] = defaultdict(list)
    for name in names_there:
        at = names.place(there[name]).partition(":")[0]
        found[at or "others"].append(name)
    return dict(sorted(found.items(), key=lambda item: (not item[0].startswith("minigrad/ops"), item[0])))


def _summary(module: str) -> str:
    try:
        text = inspect.getdoc(importlib.import_module(module)) or ""
    except ImportError:
        return ""
    return formulas.paragraphs(text) if text else ""


def write(source: Path, whole: bool = True) -> int:
    """Write all pages; how many names they hold. whole=False: only the inside of the engine."""
    modules = _modules() if whole else {}
    known = {f"minigrad.{path}" for path in names.public()}
    seen: dict[int, str] = {}  # by object, where it is documented
    pages: dict[str, list[str]] = defaultdict(list)
    count = 0
    for module in sorted(modules, key=_order):
        there = modules[module]
        own, same, constants = [], [], []
        for name, value in there.items():
            count += 1
            path = f"{module}.{name}"
            if names.is_constant(value):
                constants.append([markup.code(path), markup.code(_told(value))])
            elif module != "minigrad.Tensor" and id(names.bare(value)) in seen:
                same.append([markup.code(path), f"{{py:obj}}`{seen[id(names.bare(value))]}`"])
            else:
                seen.setdefault(id(names.bare(value)), path)
                own.append(name)
        above = module.rpartition(".")[0]
        home = above if len(own) < SMALL and module not in FIRST and above in pages else module
        title = f"{'#' if home == module else '##'} {markup.escape(module)}\n"
        parts = [title, _summary(module)]
        for heading, members in _sections(own, there, module).items():
            if heading:
                parts.append(f"## {markup.escape(heading)}\n")
            parts += [_documented(f"{module}.{name}", there[name], known) for name in members]
        if constants:
            parts += [
                f"{'##' if home == module else '###'} Values of {markup.escape(module)}\n",
                markup.table(("name", "value"), constants),
            ]
        if same:
            heading = f"{'##' if home == module else '###'} Other names in {markup.escape(module)}\n"
            parts += [heading, markup.table(("name", "is the same as"), same)]
        pages[home] += parts
    for module, parts in pages.items():
        files.write(source / "reference" / f"{module}.md", "\n".join(parts))
    files.write(
        source / "reference" / "engine.md",
        "\n".join(_inside(set(seen) or {id(names.bare(v)) for v in names.public().values()})),
    )
    order = [*sorted(pages, key=_order)]
    rows = [
        [
            markup.link(markup.code(module), f"{module}.md"),
            str(sum(m == module or _home(m, pages) == module for m in modules)),
        ]
        for module in order
    ]
    text = (
        f"# Reference\n\nEvery public name, {count} of them, from its docstring; a name that PyTorch has means there what it means here.\n"
        f"[Inside the engine](engine.md) has what no program calls and every reader of the source meets.\n\n"
        f"{markup.table(('module', 'modules on its page'), rows, right=(1,))}\n"
        f"{markup.directive('toctree', '', chr(10).join([*order, 'engine']), [('hidden', '')])}"
    )
    files.write(source / "reference" / "index.md", text)
    return count


def _home(module: str, pages: dict[str, list[str]]) -> str:
    return module if module in pages else module.rpartition(".")[0]


def _told(value: Any) -> str:
    text = repr(value)
    return text if " at 0x" not in text else type(value).__name__


def _defined(module: types.ModuleType) -> Iterator[tuple[str, Any]]:
    for name, value in vars(module).items():
        if (
            isinstance(value, types.FunctionType | type)
            and value.__module__ == module.__name__
            and not name.startswith("_")
        ):
            yield name, value


def _inside(public: set[int]) -> list[str]:
    parts = [
        "# Inside the engine\n",
        "What backpropagation is made of, file by file, in the order in which they may be read. `minigrad/autograd/graph.py` comes first.\n",
    ]
    for path in sorted(INSIDE, key=lambda p: (p != "minigrad.autograd.graph", p)):
        module = importlib.import_module(path)
        entries = []
        for name, value in _defined(module):
            text = inspect.getdoc(value)
            if not text or id(names.bare(value)) in public:
                continue
            kind = "class" if isinstance(value, type) else "function"
            inner = _methods(value, f"{path}.{name}", set()) if isinstance(value, type) else ""
            entries.append(_entry(kind, f"{path}.{name}", names.signature(value), text, inner))
        if entries:
            at = f"{path.replace('.', '/')}.py"
            parts += [f"## {markup.escape(at)}\n", formulas.paragraphs(inspect.getdoc(module) or ""), *entries]
    return parts
