"""The house: which way imports run, what the first file to read holds, and that documentation names what is there."""

import ast
import re
import tomllib
from collections.abc import Iterator
from pathlib import Path

import pytest

import minigrad
from minigrad.autograd import graph
from minigrad.public import FUNCTIONAL, MINIGRAD

ROOT = Path(__file__).parent.parent
PACKAGES = ("minigrad", "parity", "curriculum", "benchmarks")
SOURCES = sorted(path for package in PACKAGES for path in (ROOT / package).rglob("*.py"))
ENGINE = [path for path in SOURCES if path.is_relative_to(ROOT / "minigrad")]


def name_of(path: Path) -> str:
    """The module's name, a package's without `__init__`."""
    parts = path.relative_to(ROOT).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


MODULES = {name_of(path): path for path in SOURCES}


class Import:
    def __init__(self, target: str, local: bool, checking: bool, name: str = "") -> None:
        self.target, self.local, self.checking, self.name = target, local, checking, name


def imports_of(path: Path, tree: ast.Module | None = None) -> list[Import]:
    """Every import of a file, also those inside functions (`local`) and under TYPE_CHECKING (`checking`)."""
    found: list[Import] = []
    package = name_of(path).split(".") if path.name == "__init__.py" else name_of(path).split(".")[:-1]

    def visit(node: ast.AST, local: bool, checking: bool) -> None:
        if isinstance(node, ast.Import):
            found.extend(Import(alias.name, local, checking) for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            base = package[: len(package) - node.level + 1] if node.level else []
            start = ".".join([*base, *([node.module] if node.module else [])])
            for alias in node.names:
                inner = f"{start}.{alias.name}"
                found.append(Import(inner if inner in MODULES else start, local, checking, alias.name))
        elif isinstance(node, ast.If) and "TYPE_CHECKING" in ast.unparse(node.test):
            for child in node.body:
                visit(child, local, True)
            for child in node.orelse:
                visit(child, local, checking)
        else:
            local = local or isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda)
            for child in ast.iter_child_nodes(node):
                visit(child, local, checking)

    visit(tree or ast.parse(path.read_text(encoding="utf-8")), False, False)
    return found


IMPORTS = {name: imports_of(path) for name, path in MODULES.items()}
EDGES = {
    name: {i.target for i in imports if i.target in MODULES and not i.checking and i.target != name}
    for name, imports in IMPORTS.items()
}


def circles(edges: dict[str, set[str]]) -> list[list[str]]:
    """The strongly connected components of more than one module (Tarjan 1972)."""
    index: dict[str, int] = {}
    low: dict[str, int] = {}
    stack: list[str] = []
    found: list[list[str]] = []

    def connect(v: str) -> None:
        index[v] = low[v] = len(index)
        stack.append(v)
        for w in edges.get(v, ()):
            if w not in index:
                connect(w)
                low[v] = min(low[v], low[w])
            elif w in stack:
                low[v] = min(low[v], index[w])
        if low[v] == index[v]:
            component = []
            while (w := stack.pop()) != v:
                component.append(w)
            if component:
                found.append(sorted([v, *component]))

    for v in edges:
        if v not in index:
            connect(v)
    return found


def test_no_circle_of_imports() -> None:
    """Over all imports, local ones included; those for type checkers are looked at below."""
    assert circles(EDGES) == []


def test_a_circle_would_be_found(tmp_path: Path) -> None:
    assert circles({"a": {"b"}, "b": {"c"}, "c": {"b"}, "d": {"a"}}) == [["b", "c"]]
    # One local import back into tensor.py, as there were many, closes a circle.
    source = "def f():\n    from ..tensor import Tensor\n    return Tensor\n"
    back = imports_of(ROOT / "minigrad" / "ops" / "arithmetic.py", ast.parse(source))
    assert [(i.target, i.local) for i in back] == [("minigrad.tensor", True)]
    planted = EDGES | {"minigrad.ops.arithmetic": EDGES["minigrad.ops.arithmetic"] | {i.target for i in back}}
    assert any("minigrad.tensor" in circle for circle in circles(planted))


def test_local_imports_are_of_heavy_libraries() -> None:
    """Inside a function the engine imports only what is not its own (Numba, PyTorch's files, threads, ...)."""
    own = [
        f"{name}: {i.target}"
        for name, imports in IMPORTS.items()
        if name.startswith("minigrad")
        for i in imports
        if i.local and i.target.partition(".")[0] == "minigrad"
    ]
    assert own == []


def test_imports_for_type_checkers_name_what_stands_above() -> None:
    """The one kind that cannot be avoided: a function says that it returns a Tensor, an edge that it leads to a Node."""
    names = {
        (i.target, i.name) for name, imports in IMPORTS.items() if name.startswith("minigrad") for i in imports
        if i.checking and i.target in MODULES
    }  # fmt: skip
    assert names <= {("minigrad.tensor", "Tensor"), ("minigrad.autograd.node", "Node")}


def test_no_module_is_entered_by_a_private_name() -> None:
    """A function stands where those that need it can import it: nobody puts it into another module from outside."""
    entered = []
    for name in filter(lambda name: name.startswith("minigrad"), MODULES):
        tree = ast.parse(MODULES[name].read_text(encoding="utf-8"))
        imported = {(a.asname or a.name).partition(".")[0] for n in ast.walk(tree) if isinstance(n, ast.Import | ast.ImportFrom) for a in n.names}  # fmt: skip
        for node in ast.walk(tree):
            targets = node.targets if isinstance(node, ast.Assign) else [node.target] if isinstance(node, ast.AnnAssign | ast.AugAssign) else []  # fmt: skip
            entered += [
                f"{name}, line {node.lineno}: {ast.unparse(t)}"
                for t in targets
                if isinstance(t, ast.Attribute) and t.attr.startswith("_") and not t.attr.endswith("__")
                if isinstance(t.value, ast.Name) and t.value.id in imported
            ]
    assert entered == []


# From below to above. A module imports its own group and those before it.
GROUPS = [
    [
        "public",
        "quiet",
        "sums",
        "dtypes",
        "errors",
        "foreign",
        "storage",
        "process",
        "missing",
        "size",
        "device",
        "equal_steps",
        "threads",
        "memory_order",
        "selection",
        "geometry",
        "random",
        "warn",
    ],
    ["files"],
    ["autograd"],
    ["tensor_options", "out", "signature"],
    ["ops"],
    ["kernels"],  # (but its command line) beside ops: the compiled forms are subclasses of the NumPy forms
    ["autograd.functional", "inplace", "inplace_functions", "resize"],
    ["creation", "sampling", "printing", "storages"],
    ["tensor"],
    [],  # everything else: nn, optim, utils, linalg, serialization, ...
    ["compiler"],  # looks at all of it from above: nothing knows it
]


def group_of(module: str) -> int:
    inner = module.removeprefix("minigrad").removeprefix(".")
    if inner.endswith("__main__"):
        return len(GROUPS) - 2
    fits = [(len(name), k) for k, names in enumerate(GROUPS) for name in names if (inner + ".").startswith(name + ".")]
    return max(fits)[1] if fits else len(GROUPS) - 2


def test_imports_run_one_way() -> None:
    """sums, dtypes, storage -> autograd -> ops -> inplace -> tensor -> nn, optim, utils."""
    against = [
        f"{name} imports {target}"
        for name, targets in EDGES.items()
        for target in targets
        if name.startswith("minigrad") and target.startswith("minigrad") and group_of(target) > group_of(name)
    ]
    assert against == []


def test_operations_know_nothing_of_kernels() -> None:
    for path in ENGINE:
        if path.is_relative_to(ROOT / "minigrad" / "ops"):
            assert not any("kernels" in i.target.split(".") for i in imports_of(path)), path
            assert not re.search(r"\b_edges\b", path.read_text(encoding="utf-8")), f"{path}: use ctx.needs_input_grad"


def test_the_heart_is_short() -> None:
    """graph.py: apply, the walk, leaves, and nothing else."""
    source = (ROOT / "minigrad" / "autograd" / "graph.py").read_text(encoding="utf-8")
    assert len(source.splitlines()) <= 260
    tree = ast.parse(source)
    defined = [node.name for node in tree.body if isinstance(node, ast.ClassDef | ast.FunctionDef)]
    assert defined == ["Operation", "gradient_edge", "leaf_node", "plain_walk", "walk", "AccumulateGrad"]
    plain = next(node for node in tree.body if isinstance(node, ast.FunctionDef) and node.name == "plain_walk")
    assert plain.end_lineno is not None
    assert len(ast.unparse(plain.body[1:]).splitlines()) <= 9


def misplaced(source: str) -> list[str]:
    """Operations under which another function stands before the one that is public or applies them."""
    body = [node for node in ast.parse(source).body if isinstance(node, ast.ClassDef | ast.FunctionDef)]
    found, run = [], set()  # run: the classes since the last function
    for node in body:
        if isinstance(node, ast.ClassDef):
            run.add(node.name)
            continue
        named = {x.value.id for x in ast.walk(node) if isinstance(x, ast.Attribute) and isinstance(x.value, ast.Name)}
        public = any("public" in ast.unparse(decorator) for decorator in node.decorator_list)
        applied = {name for name in run if re.search(rf"\b{name}\.apply\(|\({name}, ", source)}
        if applied and not public and not run & named:
            found.append(f"{node.name} stands under {', '.join(sorted(run))}")
        run = set()
    return found


def test_functions_stand_directly_under_their_operations() -> None:
    """In ops/ the first function under an operation is public or applies it; helpers stand above the class or below."""
    for path in sorted((ROOT / "minigrad" / "ops").glob("*.py")):
        assert misplaced(path.read_text(encoding="utf-8")) == [], path


def test_a_helper_in_between_would_be_found() -> None:
    operation, helper = "class Double(Operation):\n    pass\n", "def _check(x):\n    return x\n"
    function = "@public\ndef double(x):\n    return Double.apply(_check(x))\n"
    assert misplaced(operation + function + helper) == []
    assert misplaced(operation + helper + function) == ["_check stands under Double"]


def test_no_file_of_operations_is_long() -> None:
    for path in sorted((ROOT / "minigrad" / "ops").rglob("*.py")):
        assert len(path.read_text(encoding="utf-8").splitlines()) <= 510, path


def test_autograd_shows_public_names_only() -> None:
    shown = dir(minigrad.autograd)
    assert shown == sorted(shown)
    assert not any(name.startswith("_") for name in shown)
    assert {"Function", "Variable", "backward", "grad", "gradcheck", "functional", "graph", "no_grad"} <= set(shown)
    assert all(getattr(minigrad.autograd, name) is not None for name in shown)
    assert isinstance((minigrad.ones(1, requires_grad=True) * 2).grad_fn, minigrad.autograd.graph.Node)


def needs_its_module(tree: ast.Module) -> list[int]:
    """Lines of what runs when an object goes (weakref's callbacks, `__del__`) and reads a name of its module.

    As Python ends, modules' names become None before the last objects go, so such a callback would end in a traceback.
    """
    above = [node for node in tree.body if not isinstance(node, ast.FunctionDef | ast.ClassDef)]
    names = {n.id for node in above for n in ast.walk(node) if isinstance(n, ast.Name) and isinstance(n.ctx, ast.Store)}
    names |= {a.asname or a.name for node in above if isinstance(node, ast.Import | ast.ImportFrom) for a in node.names}
    last: list[ast.AST] = []
    for node in ast.walk(tree):
        if isinstance(node, ast.Call) and ast.unparse(node.func) in ("weakref.ref", "weakref.finalize"):
            last += [argument.body for argument in node.args[1:] if isinstance(argument, ast.Lambda)]
        elif isinstance(node, ast.FunctionDef) and node.name == "__del__":
            last.append(node)
    return [n.lineno for node in last for n in ast.walk(node) if isinstance(n, ast.Name) and n.id in names]


def test_what_runs_when_an_object_goes_needs_no_module() -> None:
    for path in ENGINE:
        assert needs_its_module(ast.parse(path.read_text(encoding="utf-8"))) == [], path


def test_a_callback_that_needs_its_module_would_be_found() -> None:
    text = "import weakref\nseen = {}\ndef note(x, key):\n    return weakref.ref(x, lambda _: seen.pop(key, None))\n"
    assert needs_its_module(ast.parse(text)) == [4]
    assert needs_its_module(ast.parse(text.replace("_: seen.pop", "_, forget=seen.pop: forget"))) == []


def test_files_of_packages_are_listed() -> None:
    """The docstrings of ops/, kernels/ and autograd/ list their files, each once, and no others."""
    for package in ("ops", "kernels", "autograd"):
        folder = ROOT / "minigrad" / package
        text = ast.get_docstring(ast.parse((folder / "__init__.py").read_text(encoding="utf-8"))) or ""
        listed = re.findall(r"^ {4}(\w+\.py) ", text, re.MULTILINE)
        files = {path.name for path in folder.glob("*.py")} - {"__init__.py", "__main__.py"}
        assert sorted(listed) == sorted(files), package


def test_public_functions_stand_in_the_file_that_marks_them() -> None:
    for name, function in {**MINIGRAD, **FUNCTIONAL}.items():
        assert callable(function), name
        if name in MINIGRAD:
            assert getattr(minigrad, name) is MINIGRAD[name], name
        if name in FUNCTIONAL:
            assert getattr(minigrad.nn.functional, name) is FUNCTIONAL[name], name
        assert function.__doc__, name


def test_type_checking_holds_for_whole_packages() -> None:
    """No error code of mypy is switched off for a package of the engine or of the proof."""
    settings = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["tool"]["mypy"]
    assert "disable_error_code" not in settings
    for override in settings.get("overrides", []):
        modules = override["module"] if isinstance(override["module"], list) else [override["module"]]
        if override.get("disable_error_code") or override.get("ignore_errors"):
            assert all(module.startswith("curriculum.") for module in modules), override


# -- paths in documentation

MADE_BY_READERS = {"mine.py", "difference.py", "reviews.csv"}  # files that a documented command makes or is given


def texts() -> Iterator[tuple[Path, str]]:
    """What people read: Markdown, and of Python the docstrings and comments."""
    for path in [ROOT / "README.md", *(p for package in PACKAGES for p in (ROOT / package).rglob("*.md"))]:
        yield path, path.read_text(encoding="utf-8")
    for path in SOURCES:
        source = path.read_text(encoding="utf-8")
        comments = [line.partition("#")[2] for line in source.splitlines() if "#" in line]
        docs = [
            ast.get_docstring(node) or ""
            for node in ast.walk(ast.parse(source))
            if isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef)
        ]
        yield path, "\n".join(comments + docs)


def missing_paths(path: Path, text: str) -> list[str]:
    places = (ROOT, ROOT / "minigrad", path.parent, *path.parent.parents)
    return [
        found
        for found in re.findall(r"(?<![\w/.<>*])(?:\w+/)*\w+\.py\b", text)
        if found not in MADE_BY_READERS and not any((place / found).is_file() for place in places)
    ]


def test_every_path_that_documentation_names_is_there() -> None:
    wrong = [f"{path.relative_to(ROOT)}: {found}" for path, text in texts() for found in missing_paths(path, text)]
    assert wrong == []


def test_a_path_that_is_not_there_would_be_found() -> None:
    assert missing_paths(ROOT / "README.md", "see `minigrad/autograd.py`, `tensor.py` and graph.py") == [
        "minigrad/autograd.py", "graph.py",
    ]  # fmt: skip


@pytest.mark.parametrize("name", ["Operation", "plain_walk", "walk", "AccumulateGrad"])
def test_the_first_docstring_introduces_what_the_file_holds(name: str) -> None:
    assert f"`{name}" in (graph.__doc__ or "")
    assert r"\\\\" not in (graph.__doc__ or "")
