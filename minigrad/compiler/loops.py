"""A small network's whole step as one loop over blocks of rows: the compiled form of a program.

NumPy makes a pass over memory for each line, and of a small network's step nearly all is the start of these passes. Most of
it can be done for one row of the batch at a time, from the input to the gradients: only sums over the rows tie them together.

    for each block of 64 rows:                 the rows of a block lie side by side (lanes): x[k, lane]
        lines of the forward pass               elementwise runs are one loop, their values stay in registers
        lines of the backward pass
        sums over the rows: + into an accumulator with a place for each lane
    add the lanes up

A line that needs a sum over all rows (such as the loss itself) starts another loop over the blocks. The arithmetic is that of
the lines, in another order of adding up, and with exp, log and tanh of minigrad/kernels: equal to them up to rounding.
"""

from __future__ import annotations

import ast
import math
from typing import Any

import numpy as np

from .program import Line, Program, Var

LANES = 64
_UNROLLED = 8  # terms of a product that are written out
_WORK = 8_000_000  # products of all matrices of a step, above which BLAS is quicker
_SUMS = 16384  # elements of a weight's gradient
_IN_TILES = 256  # of these, from which tiles are quicker than an accumulator for each of 16 lanes


class Unfit(Exception):
    """The program is not one that this form serves; the reason is for people."""


class Loops:
    """The text of the loop over blocks, its inputs and its results."""

    def __init__(self, program: Program) -> None:
        self.p = program
        self.kept = [v for line in program.lines for v in [line.out] if v in program.kept]
        self.rows: dict[Var, int] = {}  # of a value by row: how wide a row is
        self.level: dict[Var, int] = {}
        self.alias: dict[Var, Var] = {}
        self.constant: dict[Var, float] = {}
        self.memory: dict[Var, str] = {}
        self.starts: dict[str, int] = {}  # where a name's part of the workspace begins
        self.size = 0  # of the workspace, in rows of LANES elements
        self.head: list[str] = []
        self._classify()
        self.text = self._write()

    # -- what is by row, and when it is known

    def _classify(self) -> None:
        p = self.p
        if any(v in p.kept for v in p.inputs):
            raise Unfit("an input is a result")
        types = {v.dtype for v in [*p.inputs, *(line.out for line in p.lines if line.kind != "check")]}
        if len(types) != 1 or next(iter(types)).char not in "fd":
            raise Unfit("values of several types")
        self.dtype = next(iter(types))
        if any(0 in v.shape for v in [*p.inputs, *(line.out for line in p.lines)]):
            raise Unfit("a value without elements")
        products = [line for line in p.lines if line.kind == "dot"]
        if not products:
            raise Unfit("there is no product of matrices, and so no rows")
        self.n = products[0].inputs[0].shape[0]
        n = self.n
        if n < 2:
            raise Unfit("a single row")
        work = 0
        for v in p.inputs:
            if v.shape and v.shape[0] == n and not (v.tensor is not None and v.tensor._requires_grad):
                self.rows[v] = self._width(v)
            elif math.prod(v.shape) > 4096:
                raise Unfit("a large input that is not by row")
            self.level[v] = 0
        for line in p.lines:
            of_rows = [v for v in line.inputs if self._of(v) in self.rows]
            level = max([self.level[self._of(v)] for v in line.inputs] or [0])
            out = line.out
            if line.kind == "elementwise":
                if of_rows:
                    self._by_row(out)
                    for v in line.inputs:
                        self._check_operand(v, out)
                elif any(v.shape not in ((), out.shape) for v in line.inputs):
                    raise Unfit("broadcasting of small values")
            elif line.kind == "dot":
                work += math.prod(out.shape) * line.inputs[0].shape[0 if line.more["ta"] else 1]
                a, b = line.inputs[:2]
                by_row = self._of(a) in self.rows, self._of(b) in self.rows
                if by_row == (True, False) and not line.more["ta"]:
                    self._by_row(out)
                elif by_row == (True, True) and line.more["ta"] and not line.more["tb"] and len(line.inputs) == 2:
                    if math.prod(out.shape) > _SUMS:
                        raise Unfit("a weight whose gradient is large")
                    level += 1
                else:
                    raise Unfit("a product that is not of rows")
            elif line.kind in ("rows", "all"):
                if not of_rows:
                    raise Unfit("a sum of something that is not by row")
                level += 1
            elif line.kind == "check":
                level += 1
                if not of_rows or line.inputs[0].dtype != self.dtype:
                    raise Unfit("a check of something that is not by row")
            elif line.kind == "view":
                self._view(line)
            elif line.more.get("one"):
                self.constant[out] = 1.0
            else:
                raise Unfit(f"{line.note}: {line.text}")
            self.level[out] = level
        if work > _WORK:
            raise Unfit("products that BLAS does quicker")

    def _width(self, v: Var) -> int:
        if len(v.shape) > 2:
            raise Unfit("more than two dimensions")
        return v.shape[1] if len(v.shape) == 2 else 1

    def _by_row(self, out: Var) -> None:
        if not out.shape or out.shape[0] != self.n:
            raise Unfit("a value with another number of rows")
        self.rows[out] = self._width(out)

    def _check_operand(self, v: Var, out: Var) -> None:
        width, v = self.rows[out], self._of(v)
        if v in self.constant:
            return
        if v in self.rows:
            if self.rows[v] not in (width, 1) or len(v.shape) != len(out.shape):
                raise Unfit("broadcasting of rows")
        elif v.shape not in ((), (1,), (width,), (1, width), (1, 1)) or (
            len(out.shape) == 1 and v.shape not in ((), (1,))
        ):
            raise Unfit("broadcasting of a small value")

    def _view(self, line: Line) -> None:
        source, out = self._of(line.inputs[0]), line.out
        how = line.more["how"]
        if how == "broadcast" and source.shape == ():
            self.alias[out] = source
        elif how == "reshape" and source in self.rows and self._is_row(out) and self._width(out) == self.rows[source]:
            self.rows[out] = self.rows[source]
            self.alias[out] = source
        else:
            raise Unfit("a view of another order")
        if out in self.p.kept:
            raise Unfit("a view that is a result")

    def _is_row(self, v: Var) -> bool:
        return 0 < len(v.shape) <= 2 and v.shape[0] == self.n

    def _of(self, v: Var) -> Var:
        while v in self.alias:
            v = self.alias[v]
        return v

    # -- the text

    def _write(self) -> str:
        p = self.p
        body: list[str] = []
        levels = max(self.level.values()) + 1
        self.inputs = list(p.inputs)
        self.names = {v: f"i{k}" for k, v in enumerate(p.inputs)}
        for k, v in enumerate(self.kept):
            self.names[v] = f"o{k}"
        for k, line in enumerate(p.lines):
            self.names.setdefault(line.out, f"v{k}")
        self.used_at: dict[Var, set[int]] = {}
        for line in p.lines:
            for v in line.inputs:
                self.used_at.setdefault(self._of(v), set()).add(self._runs_at(line))
        bad = any(line.kind == "check" for line in p.lines)
        for level in range(levels):
            for line in p.lines:
                if line.kind == "elementwise" and line.out not in self.rows and self.level[line.out] == level:
                    body += self._small(line)
            mine = [
                line
                for line in p.lines
                if line.kind != "view"
                and not line.more.get("one")
                and self._runs_at(line) == level
                and self._in_loop(line)
            ]
            if mine:
                body += self._loop(mine, level)
            if level == 0 and bad:
                body += ["if bad[0, 0] != 0:", "    return 1"]
        head = [
            f"def step({', '.join([*self.names_of(self.inputs), 'W', *self.names_of(self.kept)])}):",
            "    full_width()",
        ]
        head += [f"    {line}" for line in self.head]
        return "\n".join([*head, *(f"    {line}" for line in body), "    return 0"]) + "\n"

    def with_adam(self, places: list[tuple[Any, int]]) -> str:
        """The text, and after it Adam's step on parameters (in this order) with the results of these numbers as gradients.

        am, av: the running means of all parameters, one after the other. An empty `am`: no step.
        """
        by_tensor = {id(v.tensor): self.names[v] for v in self.inputs if v.tensor is not None}
        head, _, rest = self.text.partition("):\n")
        lines: list[str] = []
        start = 0
        for p, k in places:
            n = math.prod(self.kept[k].shape)
            lines.append(
                f"    adam({by_tensor[id(p)]}.reshape({n}), o{k}.reshape({n}), am[{start}:{start + n}], av[{start}:{start + n}], near, keep, new, eps, rate)"
            )
            start += n
        update = "    if am.size != 0:\n" + "".join(f"    {line}\n" for line in lines)
        return f"{head}, am, av, near, keep, new, eps, rate):\n" + rest.replace(
            "    return 0\n", update + "    return 0\n"
        )

    def names_of(self, variables: list[Var]) -> list[str]:
        return [self.names[v] for v in variables]

    def _in_loop(self, line: Line) -> bool:
        return line.out in self.rows or line.kind in ("dot", "rows", "all", "check")

    def _runs_at(self, line: Line) -> int:
        """The loop in which a line runs: sums are known one later."""
        late = line.kind in ("rows", "all", "check") or (line.kind == "dot" and line.out not in self.rows)
        return self.level[line.out] - (1 if late else 0)

    def _room(self, name: str, *shape: int) -> str:
        """A part of the workspace, under a name: rows of it, or, of a small value, its first elements."""
        self.starts[name] = self.size
        if shape[-1] == LANES:
            rows = math.prod(shape[:-1])
            text = f"W[{self.size}:{self.size + rows}]" + (f".reshape({shape!r})" if len(shape) != 2 else "")
        else:
            n = math.prod(shape)
            rows = -(-n // LANES)
            text = f"W[{self.size}:{self.size + rows}].reshape({rows * LANES})[:{n}]"
        self.head.append(f"{name} = {text}")
        self.size += rows
        return name

    def _small(self, line: Line) -> list[str]:
        """A line of values that are not by row."""
        out = line.out
        n = math.prod(out.shape)
        if out not in self.kept:
            self._room(self.names[out], max(n, 1))
        at = (
            "[()]"
            if out in self.kept and not out.shape
            else ".flat[e]"
            if out in self.kept and len(out.shape) > 1
            else "[e]"
        )
        operands = [self._small_element(v, out) for v in line.inputs]
        return [f"for e in range({max(n, 1)}):", f"    {self.names[out]}{at} = {scalar(line.formula(), operands)}"]

    def _small_element(self, v: Var, out: Var) -> str:
        v = self._of(v)
        if v in self.constant:
            return f"R({self.constant[v]!r})"
        name = self.names[v]
        if v in self.kept or v.line is None:
            return f"{name}[()]" if not v.shape else f"{name}.flat[e]" if len(v.shape) > 1 else f"{name}[e]"
        return f"{name}[0]" if not v.shape else f"{name}[e]"

    # -- one loop over the blocks

    def _loop(self, lines: list[Line], level: int) -> list[str]:
        n, blocks = self.n, -(-self.n // LANES)
        body: list[str] = []
        after: list[str] = []
        loaded: set[Var] = set()
        groups = self._groups(lines)
        for group in groups:
            inside = {line.out for line in group}
            for line in group:
                for v in line.inputs:
                    v = self._of(v)
                    if v in self.rows and v not in inside and v not in loaded and v.line is None:
                        loaded.add(v)
                        body += self._load(v)
            if group[0].kind == "dot" and (group[0].out not in self.rows or not self._written_out(group[0])):
                body += self._product(group[0], after)
            else:
                body += self._run(group, groups, level, after)
        text = [f"for block in range({blocks}):", f"    s = block * {LANES}", f"    lanes = min({LANES}, {n} - s)"]
        return [*text, *(f"    {line}" for line in body), *after]

    def _load(self, v: Var) -> list[str]:
        """The rows of a block, turned so that they lie side by side."""
        width, name = self.rows[v], self._place(v)
        if width == 1 and len(v.shape) == 1:
            return ["for b in range(lanes):", f"    {name}[0, b] = {self.names[v]}[s + b]"]
        return [f"turn({name}, {self.names[v]}, s, lanes)"]

    def _place(self, v: Var) -> str:
        """Where a value by row is kept: for this block, or, if a later loop reads it, for all blocks."""
        v = self._of(v)
        if v not in self.memory:
            name = f"m_{self.names[v]}"
            if v.line is not None and any(at > self.level[v] for at in self.used_at.get(v, ())):
                self._room(name, -(-self.n // LANES), self.rows[v], LANES)
                self.memory[v] = f"{name}[block]"
            else:
                self._room(name, self.rows[v], LANES)
                self.memory[v] = name
        return self.memory[v]

    def _lane(self, v: Var, j: str) -> str:
        """Element (j, lane) of a value by row. All are parts of one array, at distances that the compiler knows: so it sees
        that none overlaps another, and takes 16 lanes at a time."""
        place = self._place(v)
        name, _, block = place.partition("[")
        return self._at(name, j, self.rows[self._of(v)] if block else 0)

    def _at(self, name: str, j: str, width: int = 0) -> str:
        start = self.starts[name]
        if j.isdigit():
            start, j = start + int(j), ""
        return f"W[{start}" + (f" + block * {width}" if width else "") + (f" + {j}" if j else "") + ", b]"

    def _written_out(self, line: Line) -> bool:
        return line.inputs[0].shape[1] <= _UNROLLED

    def _groups(self, lines: list[Line]) -> list[list[Line]]:
        """Runs of lines that one loop over (column, lane) does."""
        groups: list[list[Line]] = []
        width: int | None = None
        for line in lines:
            mine: int | None
            if line.kind == "dot":
                mine = self.rows[line.out] if line.out in self.rows and self._written_out(line) else None
            else:
                mine = self.rows[self._of(line.inputs[0])] if line.kind != "elementwise" else self.rows[line.out]
            inside = {made.out for made in groups[-1]} if groups else set()
            joins = mine is not None and mine == width
            if joins and line.kind == "dot":
                joins = self._of(line.inputs[0]) not in inside
            if joins and any(self._of(v) in inside and self.rows.get(self._of(v)) != mine for v in line.inputs):
                joins = False
            if joins:
                groups[-1].append(line)
            else:
                groups.append([line])
            width = mine
        return groups

    def _run(self, group: list[Line], groups: list[list[Line]], level: int, after: list[str]) -> list[str]:
        """One loop for a run of lines."""
        first = group[0]
        width = self.rows[first.out] if first.out in self.rows else self.rows[self._of(first.inputs[0])]
        inside = {line.out for line in group}
        elsewhere = {self._of(v) for line in self.p.lines if line not in group for v in line.inputs}
        inner: list[str] = []
        weights: list[str] = []
        for line in group:
            out = line.out
            name = f"t{self.names[out]}"
            if line.kind == "elementwise":
                operands = [self._element(v, inside) for v in line.inputs]
                inner.append(f"{name} = {scalar(line.formula(), operands)}")
            elif line.kind == "dot":
                a = self._of(line.inputs[0])
                k_range = range(a.shape[1])
                for k in k_range:
                    weights.append(f"{name}_{k} = {self._weight(line, 'j', str(k))}")
                terms = " + ".join(f"{name}_{k} * {self._lane(a, str(k))}" for k in k_range)
                if len(line.inputs) == 3:
                    weights.append(f"{name}_b = {self._column(line.inputs[2], 'j')}")
                    terms += f" + {name}_b"
                inner.append(f"{name} = {terms}")
            else:
                inner += self._sum(line, inside, after)
            if out in self.rows and out in elsewhere:
                inner.append(f"{self._lane(out, 'j')} = {name}")
            if out in self.rows and out in self.kept:
                inner.append(f"{self.names[out]}[s + b{', j' if len(out.shape) == 2 else ''}] = {name}")
        return [
            f"for j in range({width}):",
            *(f"    {w}" for w in weights),
            "    for b in range(lanes):",
            *(f"        {i}" for i in inner),
        ]

    def _element(self, v: Var, inside: set[Var]) -> str:
        v = self._of(v)
        if v in self.constant:
            return f"R({self.constant[v]!r})"
        if v in inside:
            return f"t{self.names[v]}"
        if v in self.rows:
            return self._lane(v, "0" if self.rows[v] == 1 else "j")
        return self._column(v, "j")

    def _column(self, v: Var, j: str) -> str:
        """An element of a small value that is broadcast over the rows."""
        v = self._of(v)
        name = self.names[v]
        if v.line is not None and v not in self.kept:
            return f"{name}[{j if math.prod(v.shape) > 1 else '0'}]"
        if not v.shape:
            return f"{name}[()]"
        j = j if v.shape[-1] > 1 else "0"
        return f"{name}[{j}]" if len(v.shape) == 1 else f"{name}[0, {j}]"

    def _weight(self, line: Line, j: str, k: str) -> str:
        b = self._of(line.inputs[1])
        if b.line is not None and b not in self.kept:
            raise Unfit("a product with a computed matrix")
        return f"{self.names[b]}[{j}, {k}]" if line.more["tb"] else f"{self.names[b]}[{k}, {j}]"

    def _sum(self, line: Line, inside: set[Var], after: list[str]) -> list[str]:
        """A sum over rows, or a check: each lane adds up what it sees."""
        out = line.out
        value = self._element(line.inputs[0], inside)
        if line.kind == "check":
            if "bad" not in {text.split(" ")[0] for text in self.head}:
                self._room("bad", 1, LANES)
                self.head.append("bad[:] = R(0)")
            low, high = f"R({line.more['low']!r})", f"R({line.more['high']!r})"
            if "fold(bad, bad[0])" not in after:
                after.append("fold(bad, bad[0])")
            return [f"{self._at('bad', '0')} += R(0) if ({value} >= {low}) & ({value} <= {high}) else R(1)"]
        acc = self._accumulator(out, after)
        return [f"{self._at(acc, 'j' if line.kind == 'rows' else '0')} += {value}"]

    def _lanes_up(self, out: Var, acc: str) -> list[str]:
        name, shape = self.names[out], out.shape
        if out not in self.kept:
            self._room(name, max(math.prod(shape), 1))
            return [f"fold({acc}, {name})"]
        return [f"fold({acc}, {name}.reshape({max(math.prod(shape), 1)}))"]

    def _product(self, line: Line, after: list[str]) -> list[str]:
        """A product of matrices that is too large to be written out, or a weight's gradient."""
        a, b, out = self._of(line.inputs[0]), self._of(line.inputs[1]), line.out
        if out not in self.rows and math.prod(out.shape) > _IN_TILES:
            rows, columns = out.shape
            width = -(-columns // LANES) * LANES  # whole tiles
            acc, turned = f"a_{self.names[out]}", f"y_{self.names[out]}"
            self._room(acc, rows * width // LANES, LANES)
            self._room(turned, width, LANES)  # (64 lanes of `width` elements)
            self.head += [
                f"{acc} = {acc}.reshape({(rows, width)!r})",
                f"{acc}[:] = R(0)",
                f"{turned}[:] = R(0)",
                f"{turned} = {turned}.reshape({(LANES, width)!r})",
            ]
            if out not in self.kept:
                raise Unfit("a product of rows that is computed with")
            after.append(f"{self.names[out]}[:] = {acc}[:, :{columns}]")
            return [f"outer_in_tiles({acc}, {self._place(a)}, {self._place(b)}, {turned}, lanes)"]
        if out not in self.rows:  # aᵀ b: for each pair of columns the sum over rows
            acc = self._accumulator(out, after, 16)
            return [f"outer({acc}, {self._place(a)}, {self._place(b)}, lanes)"]
        if b.line is not None:
            raise Unfit("a product with a computed matrix")
        width, x, to = self.rows[out], self._place(a), self._place(out)
        if b.strides != (b.shape[1] * b.dtype.itemsize, b.dtype.itemsize):
            raise Unfit("a weight that is not in one line of memory")
        weight = f"{self.names[b]}.reshape({math.prod(b.shape)}), " + (
            f"{b.shape[1]}, 1" if line.more["tb"] else f"1, {b.shape[1]}"
        )
        if len(line.inputs) == 3:
            start = self.names[self._of(line.inputs[2])]
        else:
            start = self._room(f"z_{self.names[out]}", width)
            self.head += [f"{start}[:] = R(0)"]
        text = [f"times({to}, {x}, {weight}, {start})"]
        if out in self.kept:
            text += [
                f"for j in range({width}):",
                "    for b in range(lanes):",
                f"        {self.names[out]}[s + b, j] = {to}[j, b]",
            ]
        return text

    def _accumulator(self, out: Var, after: list[str], places: int = LANES) -> str:
        """An accumulator for each element of a sum, with a place for each lane (or for several lanes)."""
        acc, n = f"a_{self.names[out]}", max(math.prod(out.shape), 1)
        if places == LANES:
            self._room(acc, n, LANES)
        else:
            rows = -(-n * places // LANES)
            self.head.append(
                f"{acc} = W[{self.size}:{self.size + rows}].reshape({rows * LANES // places}, {places})[:{n}]"
            )
            self.size += rows
        self.head.append(f"{acc}[:] = R(0)")
        after += self._lanes_up(out, acc)
        return acc


class _Scalar(ast.NodeTransformer):
    """NumPy's functions and numbers as those of one element."""

    def __init__(self, operands: list[str]) -> None:
        self.operands = [ast.parse(text, mode="eval").body for text in operands]

    def visit_Name(self, node: ast.Name) -> Any:
        return self.operands[int(node.id[4:])] if node.id.startswith("arg_") else node

    def visit_Constant(self, node: ast.Constant) -> Any:
        return ast.parse(f"R({node.value!r})", mode="eval").body

    def visit_Attribute(self, node: ast.Attribute) -> Any:
        if isinstance(node.value, ast.Name) and node.value.id == "np":
            if node.attr in ("inf", "nan"):
                return ast.parse(f"R(np.{node.attr})", mode="eval").body
            if node.attr in (
                "exp",
                "log",
                "log1p",
                "expm1",
                "tanh",
                "sqrt",
                "sin",
                "cos",
                "abs",
                "maximum",
                "minimum",
                "where",
                "power",
            ):
                return ast.Name(node.attr, ast.Load())
        raise Unfit(f"{ast.unparse(node)} has no compiled form")

    def visit_BinOp(self, node: ast.BinOp) -> Any:
        if isinstance(node.op, ast.Pow):
            return ast.Call(ast.Name("power", ast.Load()), [self.visit(node.left), self.visit(node.right)], [])
        return self.generic_visit(node)


def scalar(text: str, operands: list[str]) -> str:
    """A line's formula for one element."""
    tree = ast.parse(text, mode="eval")
    return ast.unparse(_Scalar(operands).visit(tree.body))


def results_for(loops: Loops) -> list[np.ndarray]:
    """Fresh memory for what the step gives."""
    return [np.empty(v.shape, v.dtype) for v in loops.kept]
