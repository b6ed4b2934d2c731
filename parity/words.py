"""The sentences of `parity.check`'s report: what was compared, what is wrong and where, and what could not be told."""

from __future__ import annotations

from typing import Any

import numpy as np

from minigrad.counted import counted

from .agreement import differ
from .answers import Answer, Report
from .case import REDUCED
from .differences import Numeric, Target
from .trace import Unanswerable


def close(a: np.ndarray, b: np.ndarray, relative: float) -> bool:
    size = float(np.abs(b[np.isfinite(b)]).max(initial=0.0))
    return bool(np.allclose(a, b, rtol=0, atol=relative * size, equal_nan=True))


def report_on(runs: list[Answer], dtype: str) -> Report:
    first = runs[0]
    both = len(runs) == 2
    numerical = f"central differences of its own values in {' and '.join(r.name for r in runs)}"
    if any(r.refused for r in runs):
        lines = [f"in {r.name}: {r.refused}" for r in runs if r.refused]
        lines += [f"    {hint}" for hint in {_refusal(r.refused) for r in runs if r.refused} if hint]
        lines += [f"in {r.name} it does not" for r in runs if not r.refused]
        return Report(False, numerical, lines, refused=True)
    if not both and first.first is not None and not first.first.told:
        raise Unanswerable(f"differences do not tell: {first.first.untold or _untold(first.first.targets)}")
    report = Report(True, numerical)
    trusted = both and not any(r.handwritten for r in runs)
    if both:
        report.against = "PyTorch running the same function" + (
            "" if trusted else ", and central differences of its own values: its backward is its own"
        )
        _between(report, runs[0], runs[1], 1e-3 if dtype == "float32" else REDUCED.relative, trusted)
    trusted = trusted and report.ok
    for run in runs:
        _by_differences(report, run, trusted, both)
    for run in runs:
        for line in run.single:
            report.ok = False
            report.lines.append(f"{line}{f' ({run.name})' if both else ''}")
    for line in dict.fromkeys(run.single_told for run in runs if run.single_told):
        names = [run.name for run in runs if run.single_told == line]
        report.lines.append(line + (f" ({' and '.join(names)})" if both else ""))
    report.second = not report.ok and only_second(runs) and not any(run.single for run in runs)
    if report.second and any(run.handwritten for run in runs):
        report.lines.append(
            "note: autograd sees nothing of what forward computes, so a backward that uses it has no derivative by the inputs through "
            "it: save the inputs, and compute from them in backward"
        )
    report.lines += [f"note: {note}" for note in dict.fromkeys(n for run in runs for n in run.notes)]
    return report


def only_second(runs: list[Answer]) -> bool:
    """Whether by differences a second derivative is wrong and no first one."""
    first, second = (
        [t.wrong for numeric in all_of if numeric for t in numeric.targets]
        for all_of in ([r.first for r in runs], [r.numeric2 for r in runs])
    )
    return any(second) and not any(first)


def _refusal(text: str) -> str:
    if "inplace operation" in text:
        return "something that the backward pass needs was changed in place"
    if "shape" in text and ("gradient" in text or "Mismatch" in text):
        return "a backward gives for each input a gradient of that input's shape"
    if "number of gradients" in text:
        return "a backward gives as many gradients as forward takes inputs, None for those without"
    return ""


def _between(report: Report, ours: Answer, theirs: Answer, allowed: float, trusted: bool) -> None:
    """The two engines' values and derivatives held against each other."""
    a, b = ours.traced, theirs.traced
    if a.names != b.names:
        report.ok = False
        report.lines.append(f"minigrad gives {', '.join(a.names)}; PyTorch {', '.join(b.names)}")
        return
    same = True
    for name, x, y, types in zip(a.names, a.values, b.values, zip(a.dtypes, b.dtypes, strict=True), strict=True):
        order = 100 * _noise(y)  # sums in another order
        same &= _tell(report.lines, f"value of {name}", x, y, allowed + order)
        if types[0] != types[1]:
            same = False
            report.lines.append(f"value of {name}: is {types[0]} in minigrad, {types[1]} in PyTorch")
    if a.recorded != b.recorded:
        same = False
        report.lines.append(
            f"autograd recorded in minigrad {', '.join(a.names[i] for i in a.recorded)}; in PyTorch "
            f"{', '.join(b.names[i] for i in b.recorded)}"
        )
    if not same:
        report.ok = False
        return
    names = [leaf.name for leaf in a.leaves]
    if names != [leaf.name for leaf in b.leaves]:
        return  # a module's parameters are in the engine that it was written for
    rounding = [np.maximum(x, y) for x, y in zip(ours.spread, theirs.spread, strict=True)]
    rounding2 = [np.maximum(x, y) for x, y in zip(ours.spread2, theirs.spread2, strict=False)]
    pairs = [("gradient", ours.gradients, theirs.gradients, ours.first, theirs.first, rounding)]
    if ours.second is not None and theirs.second is not None:
        pairs.append(("second derivative", ours.second, theirs.second, ours.numeric2, theirs.numeric2, rounding2))
    for what, mine, other, mine_told, other_told, near in pairs:
        if not report.ok:
            return  # a wrong gradient's derivative says nothing
        for i, name in enumerate(names):
            lines: list[str] = []
            if _tell(lines, f"{what} by {name}", mine[i], other[i], allowed):
                report.lines += lines
                continue
            sides = [n.targets[i] for n in (mine_told, other_told) if n is not None]
            if sides and not any(t.wrong for t in sides):
                kinks = [t for t in sides if t.kinks]
                why = (
                    "has a kink there, and each takes a slope between its two sides" if kinks else "is ill-conditioned"
                )
                # How far PyTorch's own is from differences tells how well it is conditioned.
                far = 5 * other_told.targets[i].worst * other_told.targets[i].typical if other_told is not None else 0.0
                if kinks or (near and _within(mine[i], other[i], near[i] + far / 20)):
                    report.lines.append(f"{what} by {name}: the engines choose differently: the function {why}")
                    continue
            report.ok = False
            if any(t.wrong for t in sides):
                continue  # what follows says which of the two
            report.lines += [*lines, "    differences do not tell which of the two is wrong"]
            _point(report, a.leaves[i].place, mine[i], other[i])


def _noise(x: np.ndarray) -> float:
    return float(np.finfo(np.float64).eps) * max(x.size, 1) ** 0.5


def _within(a: np.ndarray, b: np.ndarray, rounding: np.ndarray) -> bool:
    """Whether two derivatives are as near as rounding of the inputs leaves them."""
    if a.shape != b.shape:
        return False
    size = float(np.abs(b[np.isfinite(b)]).max(initial=0.0))
    with np.errstate(invalid="ignore"):
        return bool(((a == b) | (np.isnan(a) & np.isnan(b)) | (np.abs(a - b) <= 20 * rounding + 1e-8 * size)).all())


def _point(report: Report, place: int | str, got: np.ndarray, expected: np.ndarray) -> None:
    if report.wrong is None and got.shape == expected.shape:
        index = differ(got.astype(float), expected.astype(float), per_element=False, floor=1e-12).index
        report.wrong = place, index


def _by_differences(report: Report, run: Answer, trusted: bool, both: bool) -> None:
    """Sentences on what differences say. trusted: the engines' own operations only, and they agree: differences that do not
    are told, but are no fault, unless the gradient is not a number."""
    orders = [("gradient", run.first), ("second derivative", run.numeric2)]
    where = f" ({run.name})" if both else ""
    for what, numeric in orders:
        if numeric is None:
            continue
        wrong = [found for target in numeric.targets for _, found in target.wrong]
        if what == "gradient":
            counts = not trusted or any(np.isnan(found.got) for found in wrong)
        else:  # a derivative that is not there, of operations whose gradients are as they should be
            counts = not trusted and (run.handwritten or not all(np.isnan(found.got) for found in wrong))
        if not numeric.right and not counts:
            target = next(t for t in numeric.targets if t.wrong)
            index, found = target.wrong[0]
            if np.isnan(found.got):
                report.lines.append(f"note{where}: the {what} by {target.name} is nan at {list(index)}")
                continue
            report.departs = report.departs or what
            report.lines.append(
                f"note{where}: the {what} by {target.name} is not the derivative of the values (at {list(index)} {found.got:.6g}, "
                f"differences say {found.expected:.6g}): something on the way is not recorded (detach, no_grad, item, rounding) "
                "or changes gradients (a hook). Both engines do the same"
            )
            continue
        if numeric.directions and numeric.right:
            _directions(report, what, numeric, where)
        for target in numeric.targets:
            if target.wrong:
                report.ok = False
                _wrong(report, what, target, where, run)
            elif numeric.right and numeric.directions:
                _marked(report, what, target, where)
            elif not numeric.directions:
                if both and trusted:
                    continue
                if target.looked > len(target.untold) or not target.got.size:
                    report.lines.append(f"{what} by {target.name}: agrees to {target.worst:.1g}{where}")
                _marked(report, what, target, where)
        if both and trusted and not numeric.directions and numeric.right:
            worst = max((t.worst for t in numeric.targets), default=0.0)
            looked = sum(t.looked - len(t.untold) for t in numeric.targets)
            report.lines.append(
                f"{what}, against differences at {counted(looked, 'element')}: agrees to {worst:.1g}{where}"
            )
            for target in numeric.targets:
                _marked(report, what, target, where)
    if run.twice:
        report.lines.append(f"double backward does not apply{where}: {run.twice}")


def _directions(report: Report, what: str, numeric: Numeric, where: str) -> None:
    if numeric.untold:
        report.lines.append(f"{what}: could not be told by differences{where}: {numeric.untold}")
        return
    beside = ", in blocks, beside these inputs, where it has kinks" if numeric.beside else ""
    report.lines.append(
        f"{what}: agrees to {numeric.worst:.1g} along {numeric.directions} random directions through all "
        f"{counted(numeric.elements, 'element', form=',')}{beside}, and at {sum(t.looked for t in numeric.targets)} of them one by one{where}"
    )


def _marked(report: Report, what: str, target: Target, where: str) -> None:
    """Kinks, and what could not be told."""
    if target.kinks:
        index, found = target.kinks[0]
        many = f" and at {counted(len(target.kinks) - 1, 'other')}" if len(target.kinks) > 1 else ""
        place = f"at {list(index)}{many}" if index else "here"
        said = {
            "kink": f"the function has a kink {place}: {found.got:.6g} lies between the slopes of its two sides, "
            f"{found.low:.6g} and {found.high:.6g}, and any such is right",
            "jump": f"there is a jump {place}: {found.got:.6g} is the slope beside it",
            "infinite": f"it is infinite {place}, as the slope grows without bound",
        }
        report.lines.append(f"{what} by {target.name}: {said[found.kind]}{where}")
    if target.untold:
        report.lines.append(f"{what} by {target.name}: {_untold([target])}{where}")


def _untold(targets: list[Target]) -> str:
    some = [(index, found) for t in targets for index, found in t.untold]
    if not some:
        return "nothing was measured"
    index, found = some[0]
    why = {
        "infinite": "the slope grows without bound there",
        "undefined": "the function has no value on either side",
        "no second": "the gradient jumps or is infinite there",
        "noise": f"differences are good to {found.error:.1g} only there",
    }.get(found.kind, "differences do not settle there")
    place = f"at {list(index)}" if index else "here"
    more = f" and {counted(len(some) - 1, 'other')}" if len(some) > 1 else ""
    return f"could not be told {place}{more}: {why}"


def _wrong(report: Report, what: str, target: Target, where: str, run: Answer) -> None:
    index, found = target.wrong[0]
    at = f" at {list(index)}" if index else ""
    report.lines.append(
        f"{what} by {target.name}: wrong{at}: got {found.got:.10g}, expected {_wanted(found)} "
        f"({max(target.bad, 1)} of {counted(target.got.size, 'element')} differ){where}"
    )
    if what == "second derivative" and run.unrecorded:
        report.lines.append(
            "    the gradient does not depend on it in a way that was recorded: the backward detaches, or uses what forward "
            "computed and did not save with save_for_backward"
        )
    elif hint := _hint(target.got, target.expected, found):
        report.lines.append(f"    {hint}")
    if not run.handwritten and what == "gradient" and not np.isnan(found.got):
        report.lines.append(
            "    all operations are the engine's own, so something on the way is not recorded: detach(), no_grad, item(), "
            "numpy() or rounding; or a hook changes the gradient"
        )
    if report.wrong is None:
        report.wrong = target.place, index


def _wanted(found: Any) -> str:
    if found.kind in ("kink", "jump") and found.high > found.low:
        return f"{found.low:.10g} to {found.high:.10g} (a kink)"
    return f"{found.expected:.10g}"


def _tell(lines: list[str], what: str, got: np.ndarray, expected: np.ndarray, allowed: float) -> bool:
    """Add a sentence; whether the two agree."""
    if got.shape != expected.shape:
        lines.append(f"{what}: has shape {list(got.shape)}, expected {list(expected.shape)}")
        return False
    size = float(np.abs(expected[np.isfinite(expected)]).max(initial=0.0)) if expected.size else 0.0
    d = differ(got.astype(float), expected.astype(float), per_element=False, floor=min(1e-3, size) or 1e-300)
    if d.relative <= allowed:
        lines.append(f"{what}: agrees to {d.relative:.1g}")
        return True
    place = f" at {list(d.index)}" if d.index else ""
    wrong = int((~np.isclose(got, expected, rtol=1e-5, atol=1e-8 * size, equal_nan=True)).sum())
    lines.append(
        f"{what}: wrong{place}: got {got[d.index]:.10g}, expected {expected[d.index]:.10g} "
        f"({max(wrong, 1)} of {counted(got.size, 'element')} differ)"
    )
    if hint := _hint(got, expected):
        lines.append(f"    {hint}")
    return False


def _hint(got: np.ndarray, expected: np.ndarray, found: Any = None) -> str:
    """What the two have to do with each other, if that is simple."""
    if not np.isfinite(got).all() and np.isfinite(expected).all():
        return "it is infinite or nan where it should be finite: a division by zero, or 0 · inf, in the backward"
    if found is not None and np.isnan(found.got):
        return "it is nan where the function has a value: a division by zero, or 0 · inf, in the backward"
    if not got.any():
        return "it is zero everywhere: the gradient is lost on the way"
    size = np.abs(expected[np.isfinite(expected)]).max(initial=0.0)
    differs = ~np.isclose(got, expected, rtol=1e-5, atol=1e-8 * size, equal_nan=True) & (np.abs(expected) > 1e-6 * size)
    with np.errstate(all="ignore"):
        ratio = (got / expected)[differs]
    if ratio.size and np.isfinite(ratio).all() and np.ptp(ratio) < 1e-5 * abs(ratio[0]):
        some = "" if ratio.size == got.size else ", where it differs"
        return f"it is {ratio[0]:.6g} times what it should be{some}"
    return "its difference has no constant ratio" if ratio.size > 1 else ""
