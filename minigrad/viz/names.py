"""What the nodes of a graph are called: by the modules that own their parameters, and by the variables of the program."""

from __future__ import annotations

import gc
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from ..autograd.variable import Variable
from ..nn.module import Module


class Names:
    """Names of leaves and of other tensors, and who owns which parameter.

    variables: `locals()` of the program, or any other dict from names to tensors and modules. Modules are looked for
    without being named too: those that are alive and own one of the leaves.
    """

    def __init__(self, leaves: Iterable[Variable], variables: Mapping[str, Any] | None = None) -> None:
        self.leaves: dict[int, str] = {}  # by id of the tensor
        self.owners: dict[
            int, tuple[Module, str]
        ] = {}  # by id of the parameter: the outermost module, and the path in it
        self.at: dict[tuple[int, str], Module] = {}  # by id of an outermost module and path: the module there
        self.tensors: dict[int, str] = {}  # by id of an array: the variable
        self.named: list[tuple[str, Variable]] = []  # the tensors among the variables
        self.roots: list[tuple[str, Module]] = []  # outermost modules with their names, "" where nobody named them
        self.parameters: list[tuple[str, Variable]] = []  # all parameters of these modules
        self._alive: list[Any] = []
        for name, value in (variables or {}).items():
            if not str(name).startswith("__") and name != "_":
                self._variable(str(name), value)
        self._modules({id(leaf) for leaf in leaves})

    def _variable(self, name: str, value: Any) -> None:
        if isinstance(value, Variable):
            self.named.append((name, value))
            self.tensors.setdefault(id(value.array), name)
            self.leaves.setdefault(id(value), name)
            self._alive.append(value)
        elif isinstance(value, Module):
            self.roots.append((name, value))
        elif isinstance(value, list | tuple) and len(value) <= 1000:
            for i, part in enumerate(value):
                if isinstance(part, Variable | Module):
                    self._variable(f"{name}[{i}]", part)
        elif isinstance(value, dict) and len(value) <= 1000:
            for key, part in value.items():
                if isinstance(part, Variable | Module):
                    self._variable(f"{name}[{key!r}]", part)

    def _modules(self, wanted: set[int]) -> None:
        """Add the modules that nobody named, and name the parameters of all."""
        inside = {id(part) for _, root in self.roots for _, part in tree(root)}
        found = [
            m
            for m in (_alive_modules() if wanted else [])
            if id(m) not in inside and any(id(p) in wanted for _, part in tree(m) for _, p in own_parameters(part))
        ]
        below = {
            id(child) for _, m in [*self.roots, *(("", m) for m in found)] for _, child in tree(m) if child is not m
        }
        self.roots = [
            (name, m) for name, m in self.roots if "[" not in name or id(m) not in below
        ]  # a list's are named by their owner
        self.roots += [("", m) for m in found if id(m) not in below]
        for name, root in self.roots:
            for path, module in tree(root):
                self.at[id(root), path] = module
                for own, parameter in own_parameters(module):
                    full = ".".join(part for part in (path, own) if part)
                    full = f"{name}.{full}" if name and len(self.roots) > 1 else full
                    if id(parameter) not in self.owners:
                        self.owners[id(parameter)] = (root, path)
                        self.leaves[id(parameter)] = full
                        self.parameters.append((full, parameter))

    def of_leaf(self, leaf: Variable) -> str:
        return self.leaves.get(id(leaf), "")


# Modules are read here as they lie in memory, and none of their own code runs: of those that nobody handed over, some are
# broken, half made or another library's trick, and a graph that has nothing to do with them is drawn all the same.


def _table(module: Module, name: str) -> list[tuple[str, Any]]:
    """A table of a module: what lies there under a name; nothing where there is no such table."""
    table = object.__getattribute__(module, "__dict__").get(name)
    return [item for item in dict.items(table) if type(item[0]) is str] if issubclass(type(table), dict) else []


def own_parameters(module: Module) -> list[tuple[str, Variable]]:
    """The parameters that the module itself holds."""
    return [(name, p) for name, p in _table(module, "_parameters") if issubclass(type(p), Variable)]


def tree(root: Module) -> Iterator[tuple[str, Module]]:
    """The module and all below it, each once, with their paths: `root.named_modules()`, passing by what is no module."""
    seen, waiting = set(), [("", root)]
    while waiting:
        path, module = waiting.pop()
        if id(module) not in seen:
            seen.add(id(module))
            yield path, module
            parts = [(name, part) for name, part in _table(module, "_modules") if issubclass(type(part), Module)]
            waiting += [(f"{path}.{name}" if path else name, part) for name, part in reversed(parts)]


def _alive_modules() -> list[Module]:
    """Every module of the program that is alive."""
    return [x for x in gc.get_objects() if issubclass(type(x), Module)]  # not x.__class__, which may be code
