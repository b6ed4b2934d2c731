"""What an engine really ran in a step: its operations in order, which of them were fused or compiled, and where two differ.

`watch` looks at one step from outside, after all timing, and changes nothing in it:

    minigrad   Python's profile hook sees each `forward` and `backward` begin (their first argument is the node, whose class
               says whether it is `Fused`) and each compiled loop that is called inside
    PyTorch    its profiler gives the tree of dispatched operators; the first one on each branch that is not itself composed
               of others (CompositeImplicitAutograd) is an operation, unless it only views its input

`unlike` sets the two lists side by side, and what remains is where one engine takes fewer passes than the other.
"""

from __future__ import annotations

import functools
import importlib
import itertools
import sys
from collections import Counter
from collections.abc import Callable, Iterator
from difflib import SequenceMatcher
from typing import Any

Ran = list[tuple[str, str]]  # by operation, in order: its name, and "compiled", "fused" or "operation"


def watch(engine: str, step: Callable[[], Any]) -> dict[str, Any] | None:
    """Run one step: {"operations": [[name, form, how often in a row], ...], "optimizer": [[name, form], ...]}.

    In the optimizer's update each name stands once, for it is the same for each parameter. None for an engine into which
    nobody can look.
    """
    if engine.startswith("minigrad"):
        operations, optimizer = _minigrad(step)
    elif engine.startswith("torch"):
        operations, optimizer = _torch(step)
    else:
        return None
    runs = [[*key, len(list(group))] for key, group in itertools.groupby(operations)]
    return {"operations": runs, "optimizer": [list(pair) for pair in dict.fromkeys(optimizer)]}


# -- minigrad


def _minigrad(step: Callable[[], Any]) -> tuple[Ran, Ran]:
    from minigrad.autograd.fused import Fused
    from minigrad.autograd.graph import Operation
    from minigrad.optim import Optimizer

    loaded = sys.modules.get("minigrad.kernels.compiled")  # not before an operation has asked for a compiled loop
    compiled = loaded.Kernel.__call__.__code__ if loaded else None
    ran: list[list[str]] = []
    optimizer: Ran = []
    of_node: dict[int, list[str]] = {}  # by the node's id: its entry in `ran`, for what its backward will show
    open_frames: list[tuple[Any, list[str] | None]] = []  # with the entry; None for an optimizer's step

    def hook(frame: Any, event: str, _: Any) -> None:
        code = frame.f_code
        if event == "return":
            if open_frames and open_frames[-1][0] is frame:
                open_frames.pop()
        elif event != "call":
            return
        elif code is compiled:
            entry = open_frames[-1][1] if open_frames else None
            loop = frame.f_locals["self"].name.rpartition(".")[2].lstrip("_")
            if entry is not None:
                entry[1] = "compiled"
            elif open_frames:
                optimizer.append((loop, "compiled"))
            else:
                ran.append([loop, "compiled"])
        elif code.co_name in ("forward", "backward", "step") and code.co_argcount:
            first = frame.f_locals.get(code.co_varnames[0])
            if isinstance(first, Optimizer):
                open_frames.append((frame, None))
            elif isinstance(first, Operation):
                if open_frames:  # a step within a step: part of the outer one
                    open_frames.append((frame, open_frames[-1][1]))
                elif code.co_name == "backward":
                    open_frames.append((frame, of_node.get(id(first), ["", ""])))
                else:
                    entry = [type(first).__qualname__, "fused" if isinstance(first, Fused) else "operation"]
                    of_node[id(first)] = entry
                    open_frames.append((frame, entry))
                    if not first.is_view:
                        ran.append(entry)

    before = sys.getprofile()
    sys.setprofile(hook)
    try:
        step()
    finally:
        sys.setprofile(before)
    return [(name, form) for name, form in ran], optimizer


# -- PyTorch


def _torch(step: Callable[[], Any]) -> tuple[Ran, Ran]:
    profiler = importlib.import_module("torch.profiler")
    with profiler.profile(activities=[profiler.ProfilerActivity.CPU]) as profile:
        step()
    events = profile.events()
    recorded = any(event.name.startswith(_BACKWARD) for event in events)
    ran: Ran = []
    optimizer: Ran = []
    for top in _in_order(event for event in events if event.cpu_parent is None):
        if top.name.startswith("Optimizer.step"):
            optimizer += [(_title(event.name), "operation") for event in _operations(top)]
        elif top.name.startswith("Torch-Compiled Region"):
            ran.append(("Torch-Compiled Region", "compiled"))
        elif not top.name.startswith(_BACKWARD):
            # Where a graph is recorded, only what stands in it: not the 1 from which backward starts.
            ran += [(_title(e.name), "operation") for e in _operations(top) if not recorded or e.sequence_nr >= 0]
    return ran, optimizer


_BACKWARD = "autograd::engine"


def _in_order(events: Any) -> list[Any]:
    return sorted(events, key=lambda event: event.time_range.start)


def _operations(event: Any) -> Iterator[Any]:
    """The operators on the way down from this event that are not composed of others, without views."""
    is_operator, composed, computes = _operator(event.name)
    if is_operator and not composed:
        if computes:
            yield event
        return
    for child in _in_order(event.cpu_children):
        yield from _operations(child)


@functools.cache
def _operator(name: str) -> tuple[bool, bool, bool]:
    """Whether an event is an operator; is composed of others; computes from a tensor more than a view, by its schema."""
    if not name.startswith("aten::"):
        return False, False, False
    c = importlib.import_module("torch")._C
    full = {f"{name}.{s.overload_name}".removesuffix("."): s for s in c._jit_get_schemas_for_operator(name)}
    full = {n: s for n, s in full.items() if c._dispatch_has_kernel(n)}  # without TorchScript's of Python's numbers
    schemas = full.values()
    composed = any(c._dispatch_has_kernel_for_dispatch_key(n, "CompositeImplicitAutograd") for n in full)
    takes = any("Tensor" in str(argument.type) for s in schemas for argument in s.arguments)
    gives = all(not s.returns or any("Tensor" in str(r.type) for r in s.returns) for s in schemas)  # nothing: it writes
    views = any(r.alias_info is not None and not r.alias_info.is_write for s in schemas for r in s.returns)
    return (
        True,
        composed,
        takes and gives and not views and name != "aten::_unsafe_view",
    )  # a view by all but its schema


def _title(name: str) -> str:
    """aten::_log_softmax -> LogSoftmax, as in the names of nodes."""
    return "".join(part[:1].upper() + part[1:] for part in name.removeprefix("aten::").split("_"))


# -- side by side


def count(ran: dict[str, Any]) -> str:
    """In few words, for a column: "5 operations, 2 compiled, 1 fused". Of a bare update, its own operations."""
    forms: Counter[str] = Counter()
    for _, form, times in ran["operations"] or [[*pair, 1] for pair in ran["optimizer"]]:
        forms[form] += times
    total = sum(forms.values())
    words = [f"{total} operation{'s' if total != 1 else ''}"] if total else []
    words += [form if total == 1 else f"{forms[form]} {form}" for form in ("compiled", "fused") if forms[form]]
    return ", ".join(words)


def unlike(ours: dict[str, Any], theirs: dict[str, Any]) -> list[tuple[Ran, Ran]]:
    """Where one engine ran fewer operations than the other: (ours, theirs), each such place once.

    Names differ between engines (Linear, Addmm). Where as many of one stand for as many of the other between equal
    neighbours, they are taken as the same from there on; so no list of synonyms is kept.
    """
    a, b = ([(n, f) for n, f, times in ran["operations"] for _ in range(times)] for ran in (ours, theirs))
    left, right = [name for name, _ in a], [name for name, _ in b]
    while True:
        blocks = [] if left == right else SequenceMatcher(None, left, right, autojunk=False).get_opcodes()
        same = {
            y: x
            for tag, i, j, k, m in blocks
            if tag == "replace" and j - i == m - k
            for x, y in zip(left[i:j], right[k:m], strict=True)
            if x not in right and y not in left
        }
        if not same:
            break
        right = [same.get(name, name) for name in right]
    places = [(a[i:j], b[k:m]) for tag, i, j, k, m in blocks if tag == "replace" and j - i != m - k]
    return [place for n, place in enumerate(places) if place not in places[:n]]


def differences(figures: dict[str, Any]) -> list[str]:
    """Of one workload's figures: each place where minigrad and PyTorch did not run like for like, in a line."""
    lines = []
    for ours, theirs in itertools.product(("minigrad", "minigrad-plain"), ("torch", "torch-compile")):
        a, b = (figures.get(engine, {}).get("ran") for engine in (ours, theirs))
        if not a or not b:
            continue
        places = [(len(x) - len(y), _told(x), _told(y)) for x, y in unlike(a, b)]
        if len(places) > 3 or any(len(x) + len(y) > 20 for _, x, y in places):  # more than anybody would read
            total = [sum(times for *_, times in ran["operations"]) for ran in (a, b)]
            places = [(total[0] - total[1], [count(a)], [count(b)])]
        for more, x, y in places:
            few, many = ((ours, x), (theirs, y)) if more < 0 else ((theirs, y), (ours, x))
            lines.append(f"{few[0]} runs {', '.join(few[1])} where {many[0]} composes {', '.join(many[1])}")
        if a["optimizer"] and len(b["optimizer"]) > len(a["optimizer"]):
            loops, steps = (", ".join(_told([tuple(pair) for pair in ran["optimizer"]])) for ran in (a, b))
            lines.append(f"{ours} updates by {loops} where {theirs} composes {steps}")
    return lines


def _told(ran: Ran) -> list[str]:
    """["Linear x 3", "CrossEntropyLoss (fused)"]"""
    return [
        name + (f" x {times}" if times > 1 else "") + (f" ({form})" if form != "operation" else "")
        for (name, form), times in Counter(ran).items()
    ]
