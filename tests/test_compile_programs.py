"""Random programs, compiled: whatever they do, the numbers are eager's; and the printed source gives them with NumPy alone."""

import inspect
import os
import types
import warnings

import numpy as np
import pytest

import minigrad as mg
from minigrad.compiler.written import printed
from parity import programs
from parity.inputs import Seeded

DEEP = os.environ.get("HYPOTHESIS_PROFILE") == "deep"
CALLS = 5


def body(program):
    """The program as the text of a function: all results, and a backward pass from their sum."""
    lines = ["def step():", *(f"    {name}.grad = None" for name in program.inputs if name not in program.frozen)]
    for line in program.lines:
        lines += [f"    {part}" for part in line.split("\n")]
    results = ", ".join(program.results)
    lines += [f"    results = [{results}]", "    loss = results[0].sum()"]
    lines += [f"    loss = loss + ({name} * {name}).sum()" for name in program.results[1:]]
    lines += ["    loss.backward()", "    return [r.detach() * 1 for r in results], loss"]
    return "\n".join(lines)


def calls(program, text, compiled):
    """What the step gives at a few calls, between which its inputs change; and the compiled step."""
    space = {"torch": mg}
    for name, x in program.inputs.items():
        space[name] = mg.tensor(np.array(x), dtype=mg.float64, requires_grad=name not in program.frozen)
    exec(text, space)
    step = mg.compile(space["step"]) if compiled else space["step"]
    found = []
    for k in range(CALLS):
        try:
            out = [np.array(t.array) for t in step()[0]]
        except Exception as error:
            out = [type(error).__name__]
        gradients = [None if space[n].grad is None else np.array(space[n].grad.array) for n in program.inputs]
        found.append((out, gradients))
        for name in program.inputs:
            space[name].array[...] *= 1 - 0.3 * (k == 1)
            space[name].array[...] += 0.01 * k
    return found, step, space


def same(a, b):
    return all(
        (x is y or x == y)
        if x is None or isinstance(x, str) or y is None or isinstance(y, str)
        else np.array_equal(x, y, equal_nan=True)
        for x, y in zip(a, b, strict=True)
    )


def near(a, b):
    """Equal up to the rounding of exp, tanh and log in compiled loops, and of what is computed from it."""
    return all(
        (x is y or x == y)
        if x is None or isinstance(x, str) or y is None or isinstance(y, str)
        else np.allclose(
            x, y, rtol=1e-10, atol=1e-12 * max(1, np.abs(x[np.isfinite(x)]).max(initial=1)), equal_nan=True
        )
        for x, y in zip(a, b, strict=True)
    )


FORMS = (
    "torch.tanh({0})", "{0}.sigmoid()", "torch.relu({0})", "{0}.sin() - {1}", "{0} * {1}", "{0} + {1}.cos()", "{0} - 0.5 * {1}",
    "{0} / ({1} * {1} + 1)", "torch.exp(torch.tanh({0}))", "({0} * {0} + 0.5).log()", "({0} * {0} + 1).sqrt()", "{0} ** 3", "-{0}",
    "{0} * {1}.mean()", "{0} + {1}.sum(0)", "{0} - {1}.mean(1, keepdim=True)", "{0} @ {1}.transpose(0, 1) @ {1} * 0.1",
    "{0}.reshape(-1).reshape(4, 4)", "torch.nn.functional.linear({0}, {1}, {1}[0] * 0.0 + 1.0) * 0.1", "torch.softmax({0}, 1)",
    "{0}.detach() * {1}", "1 / (1 + {0} * {0})", "torch.nn.functional.mse_loss({0}, {1}) + {0}",
)  # fmt: skip


def straight(seed):
    """A program of operations that have a text, without branches."""
    rng = np.random.default_rng(seed)
    program = programs.Program({n: rng.standard_normal((4, 4)) for n in "ab"}, set(), position="numpy")
    names = ["a", "b"]
    for k in range(int(rng.integers(2, 12))):
        form = FORMS[int(rng.integers(len(FORMS)))].replace("{1}[0] * 0.0 + 1.0", "{1}.sum(0)")
        program.lines.append(f"v{k} = {form.format(*(names[int(i)] for i in rng.integers(len(names), size=2)))}")
        names.append(f"v{k}")
    program.results = names[2:]
    return program


def numpy_alone(step):
    """The gradients that the printed source gives, run where there is nothing but NumPy; by name of the leaf."""
    program = step._ready[-1].program
    source = step.source()
    alone = {}
    exec(source, alone)
    imported = {name for name, x in alone.items() if isinstance(x, types.ModuleType)}
    assert imported == {"np"}, source
    state = mg.get_rng_state()
    given = {v.name: np.array(v.tensor.array) for v in program.inputs if v.tensor is not None}
    given |= {
        line.out.name: eval(line.expression(), step._ready[-1].space) for line in program.lines if line.kind == "draw"
    }
    mg.set_rng_state(state)
    function = alone[step.__name__]
    with np.errstate(all="ignore"):
        found = function(**{n: x for n, x in given.items() if n in inspect.signature(function).parameters})
    return {name: np.asarray(x) for name, x in (found if isinstance(found, dict) else found[-1]).items()}


def check(seed, draw=lambda seed: programs.draw(Seeded(seed)), position=None):
    """Compare; whether a program ran (None where there is none to run), and whether its source is NumPy alone. Without compiled loops bit by bit."""
    program = draw(seed)
    text = body(program)
    position = position or (program.position if program.position != "fastest" else "numpy")
    equal = same if position in ("numpy", "definition") else near
    with warnings.catch_warnings(), mg.use_kernels(position):
        warnings.simplefilter("ignore")
        eager, _, _ = calls(program, text, False)
        compiled, step, space = calls(program, text, True)
        for k, (a, b) in enumerate(zip(eager, compiled, strict=True)):
            assert equal(a[0], b[0]), f"seed {seed}, call {k}: values\n{text}\n{step.explain()}"
            assert equal(a[1], b[1]), f"seed {seed}, call {k}: gradients\n{text}\n{step.explain()}"
        ready = [r for r in step._ready if r.program is not None]
        if not ready:  # (None: eager refuses it too)
            return (None if isinstance(eager[0][0][0], str) else False), False
        if any(line.kind == "call" for line in printed(ready[-1].program)):
            return True, False
        gradients = numpy_alone(step)
        step()
        for name in program.inputs:
            if name in gradients:
                found, expected = gradients[name], space[name].grad.array
                assert found.dtype == expected.dtype, (seed, name)
                size = max(1, np.abs(expected[np.isfinite(expected)]).max(initial=1))
                assert np.allclose(found, expected, rtol=1e-9, atol=1e-12 * size, equal_nan=True), (seed, name)
        return True, True


@pytest.mark.parametrize("part", range(20 if DEEP else 1))
def test_random_programs_compiled_give_eager_s_numbers(part):
    n = 100 if DEEP else 40
    told = [check(1_000 * part + k) for k in range(n)]
    most_run_and_all_of_these_are_numpy_alone(told, [programs.draw(Seeded(1_000 * part + k)) for k in range(n)])


def most_run_and_all_of_these_are_numpy_alone(told, drawn):
    """All programs but those that branch on a value, or that raise."""
    plain = [
        ran
        for (ran, _), program in zip(told, drawn, strict=True)
        if "item()" not in "".join(program.lines) and ran is not None
    ]
    assert sum(plain) >= 0.85 * len(plain) > 0
    assert all(alone for ran, alone in told if ran)


@pytest.mark.parametrize("part", range(20 if DEEP else 1))
@pytest.mark.parametrize("draw", [straight, lambda seed: programs.draw(Seeded(seed))], ids=["straight", "any"])
def test_random_programs_fused_give_eager_s_numbers_up_to_rounding(draw, part):
    n = 100 if DEEP else 25
    told = [check(500_000 + 1_000 * part + k, draw, "fastest") for k in range(n)]
    most_run_and_all_of_these_are_numpy_alone(told, [draw(500_000 + 1_000 * part + k) for k in range(n)])


@pytest.mark.parametrize("part", range(20 if DEEP else 1))
def test_straight_programs_run_and_their_source_runs_alone(part):
    n = 100 if DEEP else 40
    told = [check(1_000 * part + k, straight) for k in range(n)]
    assert all(ran for ran, _ in told)
    assert all(alone for _, alone in told)
