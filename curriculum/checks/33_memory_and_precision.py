"""Checks exercise 33."""

import itertools
from typing import Any

import numpy as np

from curriculum.check import Wrong
from curriculum.engine import torch

nn: Any = torch.nn


def _bytes(step_bytes: Any) -> None:
    for widths, batch, optimizer, size in (
        ([10, 20, 30, 5], 8, "sgd", 4), ([10, 20, 30, 5], 8, "adam", 4), ([10, 20, 30, 5], 8, "momentum", 2), ([3, 2], 100, "adam", 8),
    ):  # fmt: skip
        parameters = sum((m + 1) * n for m, n in itertools.pairwise(widths))
        bare = sum(m * n for m, n in itertools.pairwise(widths))
        state = {"sgd": 0, "momentum": 1, "adam": 2}[optimizer]
        hidden = batch * sum(widths[1:-1])
        wanted = ((2 + state) * parameters + hidden) * size
        found = step_bytes(widths, batch, optimizer, size)
        if size == 4 and step_bytes(widths, batch, optimizer) != found:
            raise Wrong("Unless told otherwise a number has 4 bytes.")
        named = f"step_bytes({widths}, {batch}, {optimizer!r}, {size})"
        for other, hint in (
            (wanted // size, "that counts numbers; a number has several bytes"),
            (((2 + state) * bare + hidden) * size, "each layer has a bias: n (m + 1) parameters"),
            (((1 + state) * parameters + hidden) * size, "the gradients are as many again as the parameters"),
            (((2 + state) * parameters + hidden // batch) * size, "the activations are kept for every example of the batch"),
            ((2 * parameters + hidden) * size, f"{optimizer} keeps {state} numbers for each parameter"),
            (((2 + state) * parameters + batch * sum(widths[1:])) * size, "no tanh follows the last layer: its result is not counted"),
            (((2 + state) * parameters + batch * sum(widths[:-1])) * size, "the inputs are data, and are not counted"),
        ):  # fmt: skip
            if found == other != wanted:
                raise Wrong(f"{named} is {found}, wanted is {wanted}: {hint}.")
        if found != wanted:
            raise Wrong(f"{named} is {found}, wanted is {wanted}.")


def _accumulate(accumulate: Any) -> None:
    torch.manual_seed(3)
    model = nn.Sequential(nn.Linear(4, 8), nn.Tanh(), nn.Linear(8, 3))
    x, y = torch.randn(10, 4), torch.randint(0, 3, (10,))
    seen: list[int] = []

    def loss_of(output: Any, y: Any) -> Any:
        seen.append(len(output))
        return nn.functional.cross_entropy(output, y)

    whole = loss_of(model(x), y)
    wanted = torch.autograd.grad(whole, list(model.parameters()))
    for p in model.parameters():
        p.grad = torch.ones_like(p)
    before = [p.detach().clone() for p in model.parameters()]
    seen.clear()
    found = accumulate(model, loss_of, x, y, 4)
    if any(not torch.equal(p.detach(), old) for p, old in zip(model.parameters(), before, strict=True)):
        raise Wrong("accumulate moved the weights: it fills the gradients, no more.")
    if max(seen, default=0) > 4:
        raise Wrong(f"A piece has at most 4 rows here; loss_of was given {max(seen)}.")
    if sum(seen) != 10:
        raise Wrong(f"Every row counts once; {sum(seen)} of 10 were seen. The last piece may be smaller.")
    got = [p.grad for p in model.parameters()]
    eps = 50 * torch.finfo(x.dtype).eps

    def near(a: Any, b: Any) -> bool:
        return all(float((s - t).abs().max()) < eps * (1 + float(t.abs().max())) for s, t in zip(a, b, strict=True))

    if any(g is None for g in got):
        raise Wrong("A gradient is None: call backward() for each piece.")
    if near(got, [w + 1 for w in wanted]):
        raise Wrong("What was in the gradients before does not count: clear them first.")
    parts = [torch.autograd.grad(nn.functional.cross_entropy(model(a), b), list(model.parameters()))
             for a, b in zip(x.split(4), y.split(4), strict=True)]  # fmt: skip
    if near(got, [sum(g) for g in zip(*parts, strict=True)]):
        raise Wrong("The pieces' means were added up: each counts by its share of the rows.")
    if near(got, [sum(g) / 3 for g in zip(*parts, strict=True)]):
        raise Wrong("Each piece was given a third; the last one has 2 rows of 10, and counts by that.")
    if near(got, parts[-1]):
        raise Wrong("Only the last piece is there: gradients were cleared between the pieces.")
    if not near(got, wanted):
        raise Wrong("The gradient is not that of the mean loss over all rows.")
    if not isinstance(found, float) or abs(found - whole.item()) > eps * 10:
        raise Wrong(f"accumulate returns the mean loss, a float: {whole.item():.6f}, not {found}.")


def _bfloat16(to_bfloat16: Any) -> None:
    values = np.array(
        [1.0, 1.001, 1.00390625, 1.01171875, -1.005, 1e-40, 3.4e38, -0.0, np.inf, -np.inf, np.nan, 1e38], np.float32
    )
    kept = values.copy()
    found = to_bfloat16(values)
    if not isinstance(found, np.ndarray) or found.dtype != np.float32:
        raise Wrong("to_bfloat16 returns an array of float32.")
    if values.tobytes() != kept.tobytes():
        raise Wrong("to_bfloat16 changed its input: view() shows the same memory, so work on a copy.")
    bits = values.view(np.uint32)
    cut = (bits & 0xFFFF0000).astype(np.uint32).view(np.float32)
    half_up = ((bits + 0x8000) & 0xFFFF0000).astype(np.uint32).view(np.float32)
    rounded = ((bits + 0x7FFF + ((bits >> 16) & 1)) & 0xFFFF0000).astype(np.uint32).view(np.float32)
    plain = slice(0, 8)
    if np.array_equal(found[plain], cut[plain]):
        raise Wrong(f"The lower bits were cut off: 3.4e38 becomes {found[6]:.6g}, and {rounded[6]:.6g} is nearer.")
    if np.array_equal(found[plain], half_up[plain]):
        raise Wrong(f"1.00390625 lies in the middle of 1 and 1.0078125: the even one is 1, not {found[2]}.")
    if not np.isnan(found[10]):
        raise Wrong(f"NaN stays NaN; it became {found[10]}.")
    if not np.array_equal(found[8:10], values[8:10]):
        raise Wrong(f"Infinities stay; they became {found[8:10].tolist()}.")
    if np.signbit(found[7]) != np.True_:
        raise Wrong("-0.0 keeps its sign.")
    spoiled = np.array([0x7FFFFFFF], np.uint32).view(np.float32)  # a NaN whose bits are all ones
    if not np.isnan(to_bfloat16(spoiled)).all():
        raise Wrong(
            "A NaN whose bits are all ones overflows when it is rounded, and becomes a number: treat NaN apart."
        )
    if not np.array_equal(found[plain], rounded[plain]) or found[11] != rounded[11]:
        raise Wrong(
            f"to_bfloat16 of {values[plain].tolist()} is {found[plain].tolist()}, wanted is {rounded[plain].tolist()}."
        )


def _scaler(kind: Any) -> None:
    w = nn.Parameter(torch.tensor([1.0, 2.0]))
    unused = nn.Parameter(torch.zeros(1))
    optimizer = torch.optim.SGD([w, unused], lr=0.5)
    scaler = kind(8.0, 2)
    loss = (w * torch.tensor([1.0, 3.0])).sum()
    if abs(float(scaler.scaled(loss)) - 8 * float(loss)) > 1e-5:
        raise Wrong("scaled(loss) is the loss times the scale.")
    scaler.scaled(loss).backward()
    if scaler.step(optimizer) is not True:
        raise Wrong("step returns True where every gradient is finite (a parameter without one does not matter).")
    if w.tolist() != [0.5, 0.5]:
        raise Wrong(
            f"After a step with gradient [1, 3] and rate 0.5 the weight is [0.5, 0.5], not {w.tolist()}: divide by the scale first."
        )
    if scaler.scale != 8:
        raise Wrong(f"One good step of two leaves the scale at 8, not {scaler.scale}.")
    optimizer.zero_grad()
    scaler.scaled((w * torch.tensor([1.0, float("inf")])).sum()).backward()
    if scaler.step(optimizer) is not False:
        raise Wrong("step returns False where a gradient is infinite.")
    if w.tolist() != [0.5, 0.5]:
        raise Wrong("A step with an infinite gradient moves nothing, not even the weights whose gradient is finite.")
    if scaler.scale != 4:
        raise Wrong(f"A skipped step halves the scale: 4, not {scaler.scale}.")
    fresh, grown = kind(1.0, 2), []
    for _ in range(4):
        optimizer.zero_grad()
        fresh.scaled(w.sum()).backward()
        fresh.step(optimizer)
        grown.append(fresh.scale)
    if grown != [1, 2, 2, 4]:
        raise Wrong(
            f"Four good steps from 1 on, with an interval of 2, make the scale 1, 2, 2, 4, not {grown}: count anew after each."
        )
    if (kind().scale, kind().interval) != (65536.0, 3):
        raise Wrong("Unless told otherwise the scale begins at 65,536 and the interval is 3.")
    scales = []
    for number in range(5):
        optimizer.zero_grad()
        scaler.scaled((w * (float("nan") if number == 3 else 1.0)).sum()).backward()
        scaler.step(optimizer)
        scales.append(scaler.scale)
    if scales[0] == 8:
        raise Wrong("A skipped step begins the count anew: two good ones in a row double the scale.")
    if scales[3] >= scales[2]:
        raise Wrong("A gradient that is NaN is not finite either.")
    if scales != [4, 8, 8, 4, 4]:
        raise Wrong(f"After good, good, good, NaN, good the scales are 4, 8, 8, 4, 4; they are {scales}.")


CHECKS = {
    "the bytes of a step": lambda solution: _bytes(solution["step_bytes"]),
    "gradients of unequal parts": lambda solution: _accumulate(solution["accumulate"]),
    "rounding to bfloat16": lambda solution: _bfloat16(solution["to_bfloat16"]),
    "a loss scaler": lambda solution: _scaler(solution["Scaler"]),
}
