"""Ctrl-C at any moment: what is under way ends or was never begun, every later result is right, and nothing hangs.

Interrupted programs run in processes of their own, which start with Python's own handler of SIGINT (a program that a shell
starts with & would ignore it). HYPOTHESIS_PROFILE=deep sends 500 interrupts to one process, with one thread and with two, and one to each of 80 fresh ones.
"""

import ast
import dis
import functools
import inspect
import os
import random
import signal
import subprocess
import sys
import threading
from pathlib import Path

import numpy as np
import pytest

import minigrad
from minigrad import kernels, quiet, storage, threads
from minigrad.autograd import graph
from minigrad.compiler import run

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="signals of POSIX")
DEEP = os.environ.get("HYPOTHESIS_PROFILE") == "deep"

WORK = """
import os, random, signal, sys, threading, time
import numpy as np
import minigrad as torch
from minigrad import kernels
from minigrad.autograd import fused

fused.COMPILING = 0  # no loop waits until it is worth compiling
signal.signal(signal.SIGINT, signal.default_int_handler)
F = torch.nn.functional
torch.set_num_threads(int(sys.argv[1]))
kernels._PER_THREAD = 1 << 12  # so that small arrays are shared too, and more interrupts meet a hand-off
torch.manual_seed(0)
X, G, W = torch.randn(220, 180), torch.randn(220, 180), torch.randn(12, 8, 3, 3)
IMAGES = torch.randn(4, 8, 24, 24)


def through(function, *inputs):
    def run():
        leaves = [x.clone().requires_grad_() for x in inputs]
        out = function(*leaves)
        (out * out.detach()).sum().backward()
        return [out.detach().numpy(), *(x.grad.numpy() for x in leaves)]
    return run


def adam():
    p = X.clone().requires_grad_()
    optimizer = torch.optim.Adam([p], lr=0.1)
    for step in (1, 2):
        p.grad = G.clone()
        try:
            optimizer.step()
        except KeyboardInterrupt:
            LEFT.append(p.detach().numpy())
            raise
        ADAM[step] = p.detach().numpy().copy()
    return [p.detach().numpy()]


def check_updates():
    # An interrupted update was made whole or not at all; what a whole one gives is known when one was made.
    assert len(ADAM) == 3, "no update was made"
    for left in LEFT:
        assert any(left.tobytes() == whole.tobytes() for whole in ADAM.values()), "an update was left half done"
    LEFT.clear()


def drawn():
    return [torch.randperm(50_000, generator=torch.Generator().manual_seed(1)).numpy()]


LSTM, SEQUENCES = torch.nn.LSTM(9, 30), torch.randn(12, 10, 9)


def lstm():
    LSTM.zero_grad()
    x = SEQUENCES.clone().requires_grad_()
    out = LSTM(x)[0]
    (out * out.detach()).sum().backward()
    return [y.detach().numpy() for y in (out, x.grad, *(p.grad for p in LSTM.parameters()))]


ADAM, LEFT = {0: X.numpy()}, []  # the parameter after so many steps, and where a step was interrupted
PROGRAMS = [through(lambda x: torch.softmax(x, -1), X), through(F.relu, X), through(lambda x: F.layer_norm(x, (180,)), X),
            through(F.gelu, X), through(lambda x: torch.exp(x).sum(0) @ x.T, X), adam, drawn]
if len(sys.argv) > 3:
    PROGRAMS.append(through(lambda x, w: F.max_pool2d(F.conv2d(x, w), 2), IMAGES, W))


def check(expected):
    for program, wanted in zip(PROGRAMS, expected):
        for a, b in zip(program(), wanted):
            assert a.tobytes() == b.tobytes(), "a wrong number"
    assert torch.is_grad_enabled()
    assert np.geterr()["divide"] == "warn", np.geterr()
"""

MANY = (
    WORK
    + """
PROGRAMS.append(lstm)
expected = [program() for program in PROGRAMS]
wanted, received, sent, rng = int(sys.argv[2]), 0, 0, random.Random(int(sys.argv[1]))
inside = False  # where an interrupt is caught


def send():
    global sent
    while sent < wanted:
        time.sleep(rng.uniform(0.0005, 0.02))
        while not inside:
            time.sleep(0.0005)
        sent += 1
        os.kill(os.getpid(), signal.SIGINT)
        while received < sent:
            time.sleep(0.0005)


sender = threading.Thread(target=send, daemon=True)
sender.start()
while received < wanted:
    try:
        inside = True
        while True:
            check(expected)
    except KeyboardInterrupt:
        inside = False
        received += 1
check(expected)
check_updates()
print("received", received, flush=True)
"""
)

ONCE = (
    WORK
    + """
print("ready", flush=True)
try:
    while True:
        first = [program() for program in PROGRAMS]
except KeyboardInterrupt:
    pass
again = [program() for program in PROGRAMS]
check(again)
check_updates()
with torch.use_kernels("numpy"):
    for program, found in zip(PROGRAMS, again):
        for a, b in zip(program(), found):
            np.testing.assert_allclose(a, b, rtol=1e-3, atol=1e-4)
print("right", flush=True)
"""
)


def start(code, *arguments, **environment):
    return subprocess.Popen(
        [sys.executable, "-c", code, *map(str, arguments)],
        env=os.environ | environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, restore_signals=True,
        start_new_session=True,
    )  # fmt: skip


def ended(process, within):
    try:
        out, err = process.communicate(timeout=within)
    except subprocess.TimeoutExpired:
        process.kill()
        pytest.fail(f"it hangs: {process.communicate()}")
    assert process.returncode == 0, (out, err[-3000:])
    return out


@pytest.mark.parametrize("count", [1, 2])
def test_many_interrupts_of_one_process(count):
    wanted = 500 if DEEP else 60
    assert f"received {wanted}" in ended(start(MANY, count, wanted), 600 if DEEP else 240)


@pytest.mark.parametrize("cache", ["warm", "empty"])
def test_one_interrupt_of_a_fresh_process(cache, tmp_path):
    """While Numba is imported, while a kernel is compiled or loaded, between and after."""
    rng = random.Random(cache)
    for i in range((60 if cache == "warm" else 20) if DEEP else 2):
        environment = {"NUMBA_CACHE_DIR": str(tmp_path / str(i))} if cache == "empty" else {}
        process = start(ONCE, i % 2 + 1, 0, **environment)
        assert process.stdout.readline() == "ready\n"
        threading.Event().wait(rng.uniform(0, 2.5))
        process.send_signal(signal.SIGINT)
        assert "right" in ended(process, 240)


# -- the same, at every point at which Python lets an interrupt come: a trace function raises it there


class Interrupt(BaseException):
    pass


INTERRUPTIBLE = (
    "RESUME",
    "CALL",
    "CALL_FUNCTION_EX",
    "CALL_KW",
    "JUMP_BACKWARD",
)  # after these Python looks for signals


@functools.cache
def interruptible(code):
    return {i.offset for i in dis.get_instructions(code) if i.opname in INTERRUPTIBLE}


@functools.cache
def handler(code, offset):
    """Where an error of this instruction is dealt with. A signal is an error of the instruction after which it is seen, what
    a trace raises is one of the next: so an interrupt between two that differ cannot be played."""
    return next((e.target for e in dis._parse_exception_table(code) if e.start <= offset < e.end), None)


def interrupted_at(point, function, inside):
    """function(), interrupted at the point of that number in the code for which inside(code); whether it came so far."""
    seen, last = 0, {}

    def trace(frame, event, argument):
        nonlocal seen
        if not inside(frame.f_code):
            return None
        frame.f_trace_opcodes = True
        if event == "opcode":
            before = last.get(frame)
            last[frame] = frame.f_lasti
            code, now = frame.f_code, frame.f_lasti
            if before in interruptible(code) and handler(code, before) == handler(code, now):
                seen += 1
                if seen == point:
                    raise Interrupt
        return trace

    before = sys.gettrace()
    sys.settrace(trace)
    try:
        function()
    except Interrupt:
        return True
    finally:
        sys.settrace(before)
        last.clear()
    assert not 0 < point <= seen, f"the interrupt at point {point} was lost"
    return False


def of_the_hand_off(code):
    return code.co_filename in (threads.__file__, kernels.__file__)


@pytest.mark.parametrize("in_place", [False, True])
def test_an_interrupt_at_every_step_of_a_hand_off(in_place, monkeypatch):
    """Whatever was begun has ended when the interrupt is raised; a change in place was made whole or not at all."""
    monkeypatch.setattr(kernels, "_PER_THREAD", 1)
    monkeypatch.setattr(kernels, "get_num_threads", lambda: 3)
    kernels.split(9, 9, lambda a, b: None, in_place=True)  # the workers are there
    points = 0
    for point in range(1, 100_000):
        under_way, done = [], []

        def run(a, b, under_way=under_way, done=done):
            under_way.append(a)
            threading.Event().wait(0.0005)
            done.append((a, b))
            under_way.remove(a)

        came = interrupted_at(point, lambda run=run: kernels.split(9, 9, run, in_place=in_place), of_the_hand_off)
        assert not under_way, f"a part is still running after an interrupt at step {point}"
        assert len(set(done)) == len(done), "a part was done twice"
        if not came:
            assert sorted(done) == [(0, 3), (3, 6), (6, 9)]
            break
        points += 1
        if in_place:
            assert len(done) in (0, 3), f"done in part after an interrupt at step {point}"
        found = []
        kernels.split(9, 9, lambda a, b, found=found: found.append((a, b)))
        assert sorted(found) == [(0, 3), (3, 6), (6, 9)]
    assert points > 15


def test_what_runs_apart_is_not_cut_short():
    for point in range(1, 100_000):
        steps = []

        def run(steps=steps):
            steps.append("begun")
            threading.Event().wait(0.0005)
            steps.append("ended")
            return 7

        came = interrupted_at(point, lambda run=run: threads.apart(run), of_the_hand_off)
        assert steps in ([], ["begun", "ended"])
        if not came:
            assert steps
            break
    assert threads.apart(lambda: 7) == 7
    with pytest.raises(ZeroDivisionError):
        threads.apart(lambda: 1 / 0)


def test_a_backward_pass_leaves_its_thread_as_it_found_it():
    x = minigrad.ones(3, requires_grad=True)
    walk = inspect.unwrap(graph.walk).__code__
    with np.errstate(divide="raise"):
        for point in range(1, 100_000):
            out = (x * 2).sum()
            came = interrupted_at(point, out.backward, lambda code: code is walk or code.co_filename == quiet.__file__)
            assert minigrad.is_grad_enabled(), f"recording is off after an interrupt at point {point}"
            assert np.geterr()["divide"] == "raise", f"the program's state is lost after an interrupt at point {point}"
            if not came:
                break
    assert point > 15


@pytest.mark.parametrize("calls", [0, 1, 2], ids=["recorded", "compared", "run"])
def test_an_interrupted_step_is_compiled_all_the_same(calls):
    """Its turn is free again, also while somebody (a notebook) keeps the error with all its frames."""
    x, kept = minigrad.ones(3), []
    inside = {run.__file__, threads.__file__}
    for point in range(1, 100_000):
        step = minigrad.compile(lambda x: (x * 2).sum())
        for _ in range(calls):
            step(x)

        def call(step=step):
            try:
                step(x)
            except Interrupt as error:
                kept.append(error)
                raise

        came = interrupted_at(point, call, lambda code: code.co_filename in inside)
        for _ in range(3):
            assert step(x).item() == 6
        assert step.source(), "there is a program"
        assert "ran eagerly" not in step.explain(), f"after an interrupt at point {point}"
        if not came:
            break
    assert point > 5


def test_what_an_array_leaves_behind_is_tidied_up_without_python():
    """An interrupt that is raised where a weak reference is called is lost, as Python cannot pass it on: the program goes on.

    Such a call is therefore one of a built-in function, in which Python does not look for signals.
    """
    called = []
    for path in Path(minigrad.__file__).parent.rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.FunctionDef):
                assert node.name != "__del__", path  # (called in the same way)
            if isinstance(node, ast.Call) and ast.unparse(node.func) in ("weakref.ref", "ref") and len(node.args) == 2:
                called.append(
                    ast.unparse(node.args[1].func).rpartition(".")[2] if isinstance(node.args[1], ast.Call) else ""
                )
            assert not (isinstance(node, ast.Attribute) and node.attr.startswith("Weak")), (
                path
            )  # the like, with functions of Python's
    assert len(called) > 3
    assert set(called) == {"forgetting"}
    forget = storage.forgetting({1: "one"}, 1)
    assert isinstance(forget, functools.partial)
    assert inspect.isbuiltin(forget.func)
