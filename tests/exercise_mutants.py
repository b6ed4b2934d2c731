"""Wrong answers to the exercises, made from the solutions: one place changed, or what comes back spoiled."""

import ast
import copy
from collections.abc import Iterator

OPERATORS = {
    ast.Add: ast.Sub, ast.Sub: ast.Add, ast.Mult: ast.Div, ast.Div: ast.Mult, ast.Pow: ast.Mult, ast.FloorDiv: ast.Mult,
    ast.BitAnd: ast.BitOr, ast.MatMult: ast.Mult,
}  # fmt: skip
COMPARISONS = {
    ast.Gt: ast.GtE, ast.GtE: ast.Gt, ast.Lt: ast.LtE, ast.LtE: ast.Lt, ast.Eq: ast.NotEq, ast.NotEq: ast.Eq,
    ast.In: ast.NotIn, ast.NotIn: ast.In,
}  # fmt: skip
METHODS = {
    "mean": "sum",
    "sum": "mean",
    "relu": "abs",
    "sqrt": "abs",
    "exp": "abs",
    "log1p": "log",
    "rand": "randn",
    "randn": "rand",
}


def changed(source: str) -> Iterator[tuple[str, str]]:
    """(what was changed, the text) for every small change of the solution's functions."""
    tree = ast.parse(source)
    nodes = [node for node in ast.walk(tree) if not isinstance(node, ast.Module | ast.Import | ast.ImportFrom)]
    for place, node in enumerate(nodes):
        for what, change in _changes(node):
            other = copy.deepcopy(tree)
            target = [n for n in ast.walk(other) if not isinstance(n, ast.Module | ast.Import | ast.ImportFrom)][place]
            change(target)
            yield f"line {getattr(node, 'lineno', '?')}: {what}", ast.unparse(ast.fix_missing_locations(other))


def _changes(node):
    def set_(name, value):
        return lambda target: setattr(target, name, value)

    if isinstance(node, ast.BinOp | ast.AugAssign) and type(node.op) in OPERATORS:
        yield f"{type(node.op).__name__} turned", set_("op", OPERATORS[type(node.op)]())
    if isinstance(node, ast.BinOp):
        for side, other in (("left", "right"), ("right", "left")):
            yield (
                f"only the {side} of {type(node.op).__name__}",
                lambda target, other=other: target.__dict__.update(op=ast.Add(), **{other: ast.Constant(0)}),
            )
    if isinstance(node, ast.Compare) and type(node.ops[0]) in COMPARISONS:
        yield "comparison turned", lambda target: target.ops.__setitem__(0, COMPARISONS[type(target.ops[0])]())
    if isinstance(node, ast.BoolOp):
        yield "and for or", set_("op", ast.And() if isinstance(node.op, ast.Or) else ast.Or())
    if isinstance(node, ast.Constant) and isinstance(node.value, bool):
        yield f"{node.value} turned", set_("value", not node.value)
    elif isinstance(node, ast.Constant) and isinstance(node.value, int | float):
        for value in (node.value + 1, 0 if node.value else -1):
            yield f"{node.value} became {value}", set_("value", value)
    if isinstance(node, ast.UnaryOp):
        yield (
            "sign or not dropped",
            lambda target: target.__dict__.update(op=ast.UAdd() if isinstance(target.op, ast.USub) else ast.Not()),
        )
    if isinstance(node, ast.Attribute) and node.attr in METHODS:
        yield f".{node.attr} became .{METHODS[node.attr]}", set_("attr", METHODS[node.attr])
    if isinstance(node, ast.Call):
        for place, word in enumerate(node.keywords):
            if word.arg:
                yield f"without {word.arg}=", lambda target, place=place: target.keywords.pop(place)
        if len(node.args) == 2:
            yield "arguments exchanged", lambda target: target.args.reverse()
    if isinstance(node, ast.Tuple) and len(node.elts) == 2 and isinstance(node.ctx, ast.Load):
        yield "tuple exchanged", lambda target: target.elts.reverse()
    body = getattr(node, "body", None)
    if isinstance(body, list):
        for place, line in enumerate(body):
            if isinstance(line, ast.Expr | ast.Assign | ast.AugAssign | ast.If | ast.For) and not (
                isinstance(line, ast.Expr) and isinstance(line.value, ast.Constant)
            ):
                yield (
                    f"line {line.lineno} left out",
                    lambda target, place=place: target.body.__setitem__(place, ast.Pass()),
                )


SPOILED = {
    "returns nothing": "return None",
    "returns what is of NumPy": "return deep(found, lambda v: v.detach().numpy() if hasattr(v, 'detach') else numpy.asarray([v]))",
    "returns NaN": "return deep(found, lambda v: v * float('nan'))",
    "a dimension too many": "return deep(found, lambda v: v.unsqueeze(0) if hasattr(v, 'unsqueeze') else [v])",
    "a little off": "return deep(found, lambda v: v * 1.02 if not hasattr(v, 'is_floating_point') or v.is_floating_point() else v + 1)",
    "answers as the first time": "first.setdefault(0, found); return first[0]",
}


def spoiled(source: str, names: list[str], how: str) -> str:
    """The solution with what its functions return spoiled: `how` of SPOILED."""
    return f"""{source}

import numpy


def deep(value, change):
    if isinstance(value, tuple | list):
        return type(value)(deep(part, change) for part in value)
    if isinstance(value, dict):
        return {{name: deep(part, change) for name, part in value.items()}}
    return change(value)


def spoil(function):
    first = {{}}

    def spoiled(*arguments, **options):
        found = function(*arguments, **options)
        {SPOILED[how]}

    return spoiled


for name in {names!r}:
    globals()[name] = spoil(globals()[name])
"""
