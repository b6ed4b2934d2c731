"""Changes that are planted into a lesson's code, to see which of its claims notice.

Each is one place made wrong the way a learner or a careless author might: a training of one step, an update left out or uphill, a layer or
a nonlinearity missing, another number, sign, seed, order. The claims themselves, what is printed and what is drawn are left alone.
"""

import ast
import copy
import functools
from collections.abc import Callable, Iterator
from dataclasses import dataclass

# Tried in this order: those of planted_by_hand.py, then what spoils most first, so that few are left for the rest.
KINDS = ("hand", "steps", "update", "layer", "sign", "order", "choice", "number", "part", "words", "seed", "swap", "value")  # fmt: skip
# The lesson runs once for each pass, until all claims are refuted: how many seconds of the processor a change may compute, its kinds,
# and whether it is held against the claims of its own cell alone (of the next with claims, where its own has none).
PASSES = ((600.0, KINDS[:1], False), (1.5, KINDS[1:-1], True), (5.0, KINDS[1:-1], False), (600.0, KINDS[1:], False))
LAYERS = {
    "ReLU", "LeakyReLU", "Tanh", "Sigmoid", "GELU", "SiLU", "ELU", "Softmax", "LogSoftmax", "Dropout", "Dropout2d", "BatchNorm1d",
    "BatchNorm2d", "LayerNorm", "RMSNorm", "MaxPool2d", "AvgPool2d",
}  # fmt: skip
FUNCTIONS = {
    "relu", "tanh", "sigmoid", "softmax", "log_softmax", "gelu", "silu", "elu", "exp", "log", "sqrt", "square", "abs", "detach", "clone",
    "dropout", "normalize", "sorted", "set", "clip_grad_norm_", "ModuleList", "Parameter",
}  # fmt: skip
OPPOSITES = {
    "argmax": "argmin",
    "max": "min",
    "amax": "amin",
    "mean": "sum",
    "train": "eval",
    "zeros": "ones",
    "ones": "zeros",
}
OPPOSITES |= {b: a for a, b in OPPOSITES.items() if a not in OPPOSITES.values()} | {"eye": "ones"}
UPDATES = {
    "step",
    "zero_grad",
    "backward",
    "train",
    "eval",
    "append",
    "extend",
    "zero_",
    "copy_",
    "load_state_dict",
    "requires_grad_",
}
SIGNS: dict[type, Callable[[], ast.operator]] = {
    ast.Add: ast.Sub, ast.Sub: ast.Add, ast.Mult: ast.Add, ast.Div: ast.Mult, ast.Pow: ast.Mult, ast.FloorDiv: ast.Mult,
    ast.BitAnd: ast.BitOr, ast.BitOr: ast.BitAnd,
}  # fmt: skip
COMPARED: dict[type, Callable[[], ast.cmpop]] = {
    ast.Eq: ast.NotEq, ast.NotEq: ast.Eq, ast.Lt: ast.GtE, ast.GtE: ast.Lt, ast.Gt: ast.LtE, ast.LtE: ast.Gt,
    ast.In: ast.NotIn, ast.NotIn: ast.In, ast.Is: ast.IsNot, ast.IsNot: ast.Is,
}  # fmt: skip
RATES = {"lr", "rate", "learning_rate"}
SPOIL = "_spoiled"  # what the values of a claim's names go through, see claims.py


@dataclass(frozen=True)
class Change:
    kind: str
    line: int
    text: str  # "200 → 1"
    statement: int  # which statement of the lesson, from 0 on
    place: int  # which node of it, in ast.walk's order
    make: Callable[[ast.AST], ast.AST | None]  # the node that stands there instead; None: nothing

    def planted(self, statement: ast.stmt) -> list[ast.stmt]:
        """The lesson's statement with the change in it, as the statements that are run."""
        statement = copy.deepcopy(statement)
        target = list(ast.walk(statement))[self.place]
        new = self.make(target)
        if target is statement:
            made = [] if new is None else [new]
        else:
            replacing = _Replacing(target, new)
            made = [replacing.visit(statement)]
        return [ast.fix_missing_locations(node) for node in made]  # type: ignore[misc]

    def rest(self, body: list[ast.stmt], last: int) -> list[ast.stmt]:
        """The lesson with the change in it, from the changed statement to its `last` one."""
        return [*self.planted(body[self.statement]), *body[self.statement + 1 : last + 1]]


class _Replacing(ast.NodeTransformer):
    def __init__(self, target: ast.AST, new: ast.AST | None) -> None:
        self.target, self.new = target, new

    def visit(self, node: ast.AST) -> ast.AST:
        if node is self.target:
            new = ast.Pass() if self.new is None else self.new
            return ast.copy_location(new, node)
        return self.generic_visit(node)


def is_claim(node: ast.AST) -> bool:
    return isinstance(node, ast.Call) and ast.unparse(node.func) == "record.claim"


def _left_alone(node: ast.AST) -> bool:
    """What is said and shown, and what changes nothing."""
    if isinstance(node, ast.Call):
        name = ast.unparse(node.func)
        return name == "print" or (name.split(".")[0] in ("record", "draw") and name != "record.progress")
    return isinstance(node, ast.Import | ast.ImportFrom | ast.JoinedStr | ast.arguments)


def _reachable(statement: ast.stmt) -> set[int]:
    """The ids of the nodes that may be changed."""
    found, waiting = set(), [statement]
    while waiting:
        node: ast.AST = waiting.pop()
        if not _left_alone(node):
            found.add(id(node))
            waiting += ast.iter_child_nodes(node)  # type: ignore[arg-type]
    return found


def changes(body: list[ast.stmt]) -> Iterator[Change]:
    """Every change of the statements of a lesson."""
    for number, statement in enumerate(body):
        may = _reachable(statement)
        for place, node in enumerate(ast.walk(statement)):
            if id(node) in may:
                for kind, make in _of(node):
                    new = make(copy.deepcopy(node))
                    text = f"{_short(node)} → {_short(new) if new is not None else 'left out'}"
                    yield Change(kind, getattr(node, "lineno", statement.lineno), text, number, place, make)
        for place, node in enumerate(ast.walk(statement)):
            names = [] if isinstance(statement, ast.FunctionDef) else sorted(_claimed(node))
            if names:
                make = functools.partial(_with_other_values, names=names)
                yield Change("value", node.lineno, f"other values for {', '.join(names)}", number, place, make)  # type: ignore[attr-defined]


def _with_other_values(node: ast.AST, names: list[str]) -> ast.AST:
    spoil = ast.parse("\n".join(f"{name} = {SPOIL}({name})" for name in names)).body
    return ast.If(ast.Constant(True), [*spoil, node], [])  # type: ignore[list-item]


def _claimed(statement: ast.AST) -> set[str]:
    """The names whose values a claim is about; none where the statement is no claim."""
    if not (isinstance(statement, ast.Expr) and is_claim(statement.value)):
        return set()
    called = {id(node.func) for node in ast.walk(statement) if isinstance(node, ast.Call)}
    bound = {node.id for node in ast.walk(statement) if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store)}
    return {
        node.id
        for node in ast.walk(statement)
        if isinstance(node, ast.Name)
        and id(node) not in called
        and node.id not in bound | {"record", "torch", "np", "math"}
    }


def _short(node: ast.AST) -> str:
    text = " ".join(ast.unparse(node).split())
    return text if len(text) <= 60 else f"{text[:57]}..."


def _of(node: ast.AST) -> Iterator[tuple[str, Callable[[ast.AST], ast.AST | None]]]:
    """The changes of one node: their kinds, and what makes them."""
    if isinstance(node, ast.Call):
        name = node.func.attr if isinstance(node.func, ast.Attribute) else getattr(node.func, "id", "")
        if name == "range" and node.args:
            yield "steps", _range_of_one
        if name in LAYERS:
            yield "layer", lambda n: ast.parse("torch.nn.Identity()", mode="eval").body
        if name in FUNCTIONS and (node.args or isinstance(node.func, ast.Attribute)):
            yield "layer", _without_call
        if name in OPPOSITES:
            yield "order", _opposite
        if name in ("manual_seed", "seed", "default_rng", "Random") and node.args:
            yield "seed", _another_seed
        if len(node.args) > 1 and not all(isinstance(arg, ast.Constant | ast.Starred) for arg in node.args[:2]):
            yield "swap", _swapped
    elif isinstance(node, ast.Expr) and isinstance(node.value, ast.Call):
        if isinstance(node.value.func, ast.Attribute) and node.value.func.attr in UPDATES:
            yield "update", lambda n: None
    elif isinstance(node, ast.keyword) and node.arg in RATES:
        yield "update", _uphill
    elif isinstance(node, ast.AugAssign):
        yield "update", lambda n: None
        if type(node.op) in SIGNS:
            yield "sign", _other_sign
    elif isinstance(node, ast.BinOp):
        if type(node.op) in SIGNS:
            yield "sign", _other_sign
        yield "part", lambda n: n.left  # type: ignore[attr-defined]
        if isinstance(node.op, ast.Sub):
            yield "sign", lambda n: ast.BinOp(n.right, n.op, n.left)  # type: ignore[attr-defined]
    elif isinstance(node, ast.BoolOp):
        yield "part", lambda n: n.values[0]  # type: ignore[attr-defined]
    elif isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.USub | ast.Not):
        yield "sign", lambda n: n.operand  # type: ignore[attr-defined]
    elif isinstance(node, ast.Compare):
        yield "choice", _other_comparison
    elif isinstance(node, ast.If | ast.IfExp) and not isinstance(node.test, ast.Compare):
        yield "choice", _other_branch
    elif isinstance(node, ast.Subscript) and isinstance(node.slice, ast.Name) and isinstance(node.ctx, ast.Load):
        yield "order", _one_before
    elif isinstance(node, ast.Attribute) and node.attr == "T":
        yield "part", lambda n: n.value  # type: ignore[attr-defined]
    elif isinstance(node, ast.Constant):
        if isinstance(node.value, bool):
            yield "choice", lambda n: ast.Constant(not n.value)  # type: ignore[attr-defined]
        elif isinstance(node.value, int | float):
            yield "number", _another_number
        elif isinstance(node.value, str) and len(node.value.split()) > 1:
            yield "words", lambda n: ast.Constant(" ".join(reversed(n.value.split())))  # type: ignore[attr-defined]


def _range_of_one(node: ast.AST) -> ast.AST:
    assert isinstance(node, ast.Call)
    first = node.args[0] if len(node.args) > 1 else ast.Constant(0)
    node.args = [first, ast.BinOp(copy.deepcopy(first), ast.Add(), ast.Constant(1))]
    return node


def _without_call(node: ast.AST) -> ast.AST:
    """f(x) → x, x.f() → x."""
    assert isinstance(node, ast.Call)
    of_a_module = isinstance(node.func, ast.Attribute) and ast.unparse(node.func.value).split(".")[0] in (
        "torch",
        "np",
        "math",
        "F",
        "nn",
    )
    if isinstance(node.func, ast.Attribute) and not (of_a_module and node.args):
        return node.func.value
    return node.args[0]


def _opposite(node: ast.AST) -> ast.AST:
    assert isinstance(node, ast.Call)
    if isinstance(node.func, ast.Attribute):
        node.func.attr = OPPOSITES[node.func.attr]
    elif isinstance(node.func, ast.Name):
        node.func.id = OPPOSITES[node.func.id]
    return node


def _another_seed(node: ast.AST) -> ast.AST:
    assert isinstance(node, ast.Call)
    node.args[0] = ast.BinOp(node.args[0], ast.Add(), ast.Constant(1000))
    return node


def _swapped(node: ast.AST) -> ast.AST:
    assert isinstance(node, ast.Call)
    node.args[:2] = node.args[1], node.args[0]
    return node


def _uphill(node: ast.AST) -> ast.AST:
    assert isinstance(node, ast.keyword)
    node.value = ast.UnaryOp(ast.USub(), node.value)
    return node


def _other_sign(node: ast.AST) -> ast.AST:
    assert isinstance(node, ast.BinOp | ast.AugAssign)
    node.op = SIGNS[type(node.op)]()
    return node


def _other_comparison(node: ast.AST) -> ast.AST:
    assert isinstance(node, ast.Compare)
    if len(node.ops) > 1:
        return ast.UnaryOp(ast.Not(), node)
    node.ops = [COMPARED[type(node.ops[0])]()]  # of arrays too, element by element
    return node


def _one_before(node: ast.AST) -> ast.AST:
    assert isinstance(node, ast.Subscript)
    node.slice = ast.BinOp(node.slice, ast.Sub(), ast.Constant(1))  # type: ignore[arg-type]
    return node


def _other_branch(node: ast.AST) -> ast.AST:
    assert isinstance(node, ast.If | ast.IfExp)
    node.test = ast.UnaryOp(ast.Not(), node.test)
    return node


def _another_number(node: ast.AST) -> ast.AST:
    assert isinstance(node, ast.Constant)
    value = node.value
    assert isinstance(value, int | float)
    if isinstance(value, int):
        return ast.Constant(1 if value > 1 else value + 1)
    return ast.Constant(-value or 1.0)


# -- what depends on what


def slices(body: list[ast.stmt]) -> dict[int, set[int]]:
    """For each statement with claims the statements that may decide them, itself among them."""
    uses = [_names(statement, ast.Load) for statement in body]
    sets = [_names(statement, ast.Store) | _touched(statement) for statement in body]
    found = {}
    for number, statement in enumerate(body):
        if any(map(is_claim, ast.walk(statement))):
            if isinstance(statement, ast.FunctionDef):  # it claims when it is called, and that may be anywhere
                found[number] = set(range(len(body)))
                continue
            wanted, inside = set(uses[number]), {number} | {n for n in range(number) if _seeds(body[n])}
            grown = True
            while grown:
                more = {n for n in range(number) if n not in inside and sets[n] & wanted}
                grown = bool(more)
                inside |= more
                wanted |= {name for n in more for name in uses[n]}
            found[number] = inside
    return found


def _seeds(statement: ast.stmt) -> bool:
    """Whether the statement begins the random stream of all that follows."""
    calls = (node.func for node in ast.walk(statement) if isinstance(node, ast.Call))
    return not isinstance(statement, ast.FunctionDef) and any(
        isinstance(called, ast.Attribute) and called.attr in ("manual_seed", "seed") for called in calls
    )


_EVERYWHERE = {"torch", "nn", "np", "record", "draw", "math", "print", "range", "len", "float", "F"}


def _names(statement: ast.stmt, context: type) -> set[str]:
    names = {node.id for node in ast.walk(statement) if isinstance(node, ast.Name) and isinstance(node.ctx, context)}
    if context is ast.Store and isinstance(statement, ast.FunctionDef | ast.ClassDef):
        names = {statement.name}
    return names - _EVERYWHERE


def _touched(statement: ast.stmt) -> set[str]:
    """The names of things that the statement may change: it calls their methods, or hands them to a function and keeps no answer."""
    if isinstance(statement, ast.FunctionDef | ast.ClassDef):
        return set()
    found = set()
    for node in ast.walk(statement):
        if isinstance(node, ast.Attribute | ast.Subscript) and isinstance(node.value, ast.Name):
            called = isinstance(node, ast.Attribute) and isinstance(node.ctx, ast.Load)
            if isinstance(node.ctx, ast.Store) or called:
                found.add(node.value.id)
        if isinstance(node, ast.Expr) and isinstance(node.value, ast.Call) and not _left_alone(node.value):
            found |= {name.id for name in ast.walk(node) if isinstance(name, ast.Name)}
    return found - _EVERYWHERE
