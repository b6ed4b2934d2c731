"""The first calls of a compiled step in a fresh process, and the call from which its loop runs: nothing waits that need not.

The machine code of a tape's loops is kept on the disk, and runs in the next process without Numba, with the same numbers. The
loop over rows is compiled in a process beside this one, and takes over at a call that no compiler's speed decides.
"""

import json
import os
import random
import shutil
import subprocess
import sys
import time

import numpy as np
import pytest

pytest.importorskip("numba")
from minigrad.kernels import ahead, native

PROGRAM = """
import hashlib, json, sys
import minigrad as mg
from minigrad.compiler import part
nn, F = mg.nn, mg.nn.functional
mg.manual_seed(0)
model = nn.Sequential(nn.Linear(2, 3), nn.Tanh(), nn.Linear(3, 1))
adam = mg.optim.Adam(model.parameters(), lr=0.01)
x, y = mg.randn(70, 2), mg.randn(70, 1)

@mg.compile
def step():
    adam.zero_grad()
    loss = F.mse_loss(model(x), y)
    loss.backward()
    adam.step()
    return loss

def say(**more):
    bits = hashlib.sha256(b"".join(p.detach().numpy().tobytes() for p in model.parameters())).hexdigest()
    print(json.dumps({"numba": "numba" in sys.modules, "bits": bits, **more}), flush=True)
"""
SIX = PROGRAM + "\nfor _ in range(6): step()\nsay(ran=step._ready[-1].calls, fused=step._ready[-1].fused is not None)"


def started(folder, program, **environment):
    env = os.environ | {"NUMBA_CACHE_DIR": str(folder)} | environment
    return subprocess.Popen(
        [sys.executable, "-c", program], env=env, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )


def ended(process, within=240):
    """What the program printed, line by line; it must end well."""
    out, err = process.communicate(timeout=within)
    assert process.returncode == 0, err[-3000:]
    assert "Traceback" not in err
    return [json.loads(line) for line in out.splitlines()], err


@pytest.fixture(scope="module")
def kept(tmp_path_factory):
    """A folder in which the machine code of tapes lies, and what the program printed that compiled it."""
    folder = tmp_path_factory.mktemp("kept")
    (told,), _ = ended(started(folder, SIX))
    assert told["numba"]
    assert told["ran"] == 4
    assert told["fused"]
    return folder, told


def files(folder, name="tape.*.kernel"):
    return sorted(folder.rglob(name))


def test_a_second_process_needs_no_numba_and_gives_the_same_bits(kept):
    folder, first = kept
    assert len(files(folder)) == 2
    before = [(p, p.stat().st_mtime_ns) for p in files(folder)]
    (told,), err = ended(started(folder, SIX))
    assert told == first | {"numba": False}
    assert err == ""
    assert [(p, p.stat().st_mtime_ns) for p in files(folder)] == before


def damaged(path, how):
    content = bytearray(path.read_bytes())
    if how == "a bit":
        content[random.Random(0).randrange(32, len(content))] ^= 4
    elif how == "another's":
        content = next(p for p in files(path.parent) if p != path).read_bytes()
    path.write_bytes(content)


def test_damaged_code_is_thrown_away_and_compiled_anew(kept, tmp_path):
    folder, first = kept
    for how in ("a bit", "another's"):
        copy = tmp_path / how
        shutil.copytree(folder, copy)
        inner = files(copy, "tape.adam32*")[0]
        damaged(inner, how)
        for numba in (True, False):
            (told,), _ = ended(started(copy, SIX))
            assert told == first | {"numba": numba}


def test_code_that_calls_what_is_not_there_is_refused(kept):
    content = files(kept[0], "tape.adam32*")[0].read_bytes()[32:]
    head, _, code = content.partition(b"\n")
    told = json.loads(head)
    native.Code(**told, content=code)
    with pytest.raises(LookupError, match="nothing here is called no_such_function"):
        native.Code(told["symbol"], [*told["calls"], "no_such_function"], code)


def test_an_interrupt_while_the_code_is_loaded_leaves_nothing_half_done(kept):
    """Ctrl-C at any moment of it: it can be loaded afterwards, and runs."""
    program = """
import json, os, signal, time
import minigrad
from minigrad.autograd.fused import _load
signal.signal(signal.SIGALRM, signal.default_int_handler)
signal.setitimer(signal.ITIMER_REAL, float(os.environ["AFTER"]))
hit, loops = 0, None
while not hit or loops is None:
    try:
        loops = [_load("native.follow")(False), _load("native.adam")(False)]
        time.sleep(0.001)
    except KeyboardInterrupt:
        hit += 1
loops[1].frame([0] * 6).run()  # of no parameters
print(json.dumps({"hit": hit}))
"""
    processes = [started(kept[0], program, AFTER=str(0.01 * k)) for k in (1, 2, 4, 8)]
    for process in processes:
        (told,), _ = ended(process)
        assert told["hit"] == 1


# -- the loop over rows


TRAINING = (
    PROGRAM
    + """
part.CALLS_BEFORE_COMPILING, part.CALLS_BEFORE_LOOPS = 5, 9
# before
for k in range(14):
    step()
    ready = step._ready[-1]
    if ready.program is not None and ready.calls == 6:
        say(explain=ready.what_comes())
        # middle
say(loops=ready.loops is not None, calls=ready.calls)
"""
)


def training(before="", middle=""):
    return TRAINING.replace("# before", before).replace("# middle", middle)


def test_the_loop_is_compiled_beside_and_takes_over_at_its_call(kept, tmp_path):
    """With the same numbers whether another process had compiled it by then, this one had to, or it lay on the disk."""
    folder = tmp_path / "a"
    shutil.copytree(kept[0], folder)
    (middle, last), _ = ended(started(folder, training(middle="ready.ahead.wait()")))
    assert middle["explain"] == "from call 9 on one compiled loop, which another process is compiling"
    assert last["loops"]
    assert last["calls"] == 12
    assert len(files(folder, "step.*.kernel")) == 1
    bits = last["bits"]
    # It lies on the disk: nobody compiles.
    (middle, last), _ = ended(started(folder, training("part.ahead.start = None")))
    assert middle["explain"] == "from call 9 on one compiled loop"
    assert last["bits"] == bits
    # No process can be had.
    folder = tmp_path / "b"
    shutil.copytree(kept[0], folder)
    (_, last), err = ended(started(folder, training("sys.executable = '/no/such/file'")))
    assert last["bits"] == bits
    assert last["loops"]
    assert "compiling a step as one loop, once on this machine" in err


def test_the_end_of_the_program_ends_what_is_compiled_for_it(kept, tmp_path):
    shutil.copytree(kept[0], tmp_path / "a")
    program = training(middle="say(pid=ready.ahead.pid); break")
    process = started(tmp_path / "a", program)
    start = time.monotonic()
    (_, told, _), _ = ended(process)
    assert time.monotonic() - start < 60
    with pytest.raises(ProcessLookupError):
        os.kill(told["pid"], 0)


def test_an_interrupt_of_the_program_does_not_reach_it_and_a_fork_does_not_wait_for_it(kept, tmp_path):
    shutil.copytree(kept[0], tmp_path / "a")
    program = training(middle="""
        import os, signal, time
        try:
            os.killpg(os.getpgid(0), signal.SIGINT)
            time.sleep(1)
        except KeyboardInterrupt:
            pass
        begun = time.monotonic()
        child = os.fork()
        if child == 0:
            sys.exit(0)  # (which runs what is to be done at the end)
        os.waitpid(child, 0)
        say(lives=ready.ahead.poll() is None, forked=time.monotonic() - begun)
""")  # fmt: skip
    env = os.environ | {"NUMBA_CACHE_DIR": str(tmp_path / "a")}
    process = subprocess.Popen(
        [sys.executable, "-c", program], env=env, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, start_new_session=True
    )  # fmt: skip
    (_, told, last), _ = ended(process)
    assert told["lives"]
    assert told["forked"] < 10
    assert last["loops"]


def test_what_decides_how_a_loop_is_compiled_is_what_numba_sees():
    step = pytest.importorskip("minigrad.kernels.step")
    import numba

    arrays = [np.ones((3, 4), t) for t in (np.float32, np.float64)] + [
        np.ones(()),
        np.ones(5)[::2],
        np.asfortranarray(np.ones((3, 4))),
    ]
    arrays += [
        np.ones((0, 4)),
        np.ones((1, 1)),
        np.broadcast_to(np.ones(3, np.float32), (2, 3)),
        np.ones((6, 8))[::2, ::2],
    ]
    for x in [*arrays, 0.5]:
        told = json.loads(json.dumps(ahead.kind_of(x)))
        assert step.type_of(told) == numba.typeof(x), told


def test_the_number_of_threads_makes_no_other_machine_code(monkeypatch):
    """A lesson's process, which has one thread, takes what `warm` compiled with two; other settings of Numba are others."""
    from minigrad.kernels import native

    names = set()
    for threads in ("1", "2"):
        monkeypatch.setenv("NUMBA_NUM_THREADS", threads)
        names.add(native._identity("tape.follow32"))
    assert len(names) == 1
    monkeypatch.setenv("NUMBA_OPT", "1")
    assert native._identity("tape.follow32") not in names
