"""Lessons forked from a process that has imported everything: the same results as in one of their own, and no run harms another."""

import os
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest

from curriculum import catalog, processes, runner
from curriculum.runner import Setting

ROOT = Path(__file__).parents[1]
DEEP = os.environ.get("HYPOTHESIS_PROFILE") == "deep"
forks = pytest.mark.skipif(not processes.FORKS, reason="lessons are forked on Linux alone")

TRAINING = """
# %%
import os
import sys
from pathlib import Path

from curriculum import draw, record
from curriculum.engine import dtype, engine, seed, torch

# %%
model = torch.nn.Sequential(torch.nn.Linear(5, 300), torch.nn.Tanh(), torch.nn.Linear(300, 1))
optimizer = torch.optim.Adam(model.parameters(), lr=0.01)
x = torch.randn(400, 5)
for number in record.progress(range(5), "steps"):
    loss = ((model(x) - x.prod(dim=1, keepdim=True)) ** 2).mean()
    loss.backward()
    optimizer.step()
    record.step(loss=loss, model=model)
    optimizer.zero_grad()
record.figure(draw.curves({"loss": [float(loss)]}, "step", "loss"), "99_loss")
record.claim("a number", float(loss), loss > 0)

# %%
print(engine, dtype, seed, os.environ["OMP_NUM_THREADS"], Path.cwd().name, sys.argv[1:], os.environ.get("MINIGRAD_FULL"))
print("to the other stream", file=sys.stderr)
"""


SHORT = """
from curriculum import record
from curriculum.engine import torch

record.claim("a number", float(torch.ones(3).sum()), True)
"""


@pytest.fixture(autouse=True, scope="module")
def _end():
    """To the end the tests share their servers, as lessons do."""
    yield
    runner.stop()


@pytest.fixture
def _anew():
    runner.stop()
    yield
    runner.stop()


def lesson(folder: Path, text: str, name: str = "99_lesson") -> catalog.Lesson:
    path = folder / f"{name}.py"
    path.write_text(text, encoding="utf-8")
    return catalog.Lesson("99", path)


def run(wanted: catalog.Lesson, out: Path, setting: Setting, threads: int | None = 1) -> tuple:
    shown, heard = [], []
    result, _ = runner.run(
        wanted, setting, out, lambda *part: shown.append(part), True, threads, lambda *line: heard.append(line)
    )
    return {name: value for name, value in result.items() if name != "seconds"}, shown, heard


def contents(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in folder.iterdir() if path.name != "result.json"}


@forks
@pytest.mark.parametrize(("engine", "dtype"), [("minigrad", "float32"), ("torch", "float64")])
def test_a_forked_run_leaves_what_one_of_its_own_leaves(engine, dtype, tmp_path, monkeypatch):
    wanted, setting = lesson(tmp_path, TRAINING), Setting(engine, dtype, 3)
    found = []
    for forked in (True, False):
        monkeypatch.setattr(processes, "FORKS", forked)
        found.append(
            (run(wanted, tmp_path / str(forked), setting), contents(setting.folder(tmp_path / str(forked), wanted)))
        )
    assert found[0] == found[1]
    assert set(found[0][1]) == {"steps.npz", "output.txt", "99_loss.png"}
    (_, shown, heard), _ = found[0]
    assert shown == [(number, 5, "steps") for number in range(5)]
    assert heard[-1] == (
        2,
        f"{engine} {dtype} 3 1 {Path.cwd().name} {[str(wanted.path), runner.key(wanted, setting)]} None\n",
    )


@pytest.mark.skipif(not (processes.FORKS and DEEP), reason="each lesson twice takes long: with HYPOTHESIS_PROFILE=deep")
@pytest.mark.parametrize("wanted", catalog.lessons(), ids=lambda wanted: wanted.name)
@pytest.mark.parametrize("engine", ["minigrad", "torch"])
def test_each_lesson_forked_is_the_lesson_by_itself(wanted, engine, tmp_path, monkeypatch):
    setting = Setting(engine, "float32", 0)
    steps = []
    for forked in (True, False):
        monkeypatch.setattr(processes, "FORKS", forked)
        run(wanted, tmp_path / str(forked), setting)
        steps.append((setting.folder(tmp_path / str(forked), wanted) / "steps.npz").read_bytes())
    assert steps[0] == steps[1]


@forks
def test_what_differs_between_runs_differs_between_children(tmp_path, monkeypatch):
    """Variables of the environment and the folder are those of the moment at which the run was asked for."""
    text = "import os\nfrom curriculum.engine import engine, dtype, seed\nprint(engine, dtype, seed, os.environ.get('MINIGRAD_FULL'), os.environ['NUMBA_NUM_THREADS'], os.getcwd(), os.getppid())"
    wanted, seen = lesson(tmp_path, text), []
    for number, threads, full in ((1, 1, None), (2, 1, None), (3, 2, "1")):
        if full is None:
            monkeypatch.delenv("MINIGRAD_FULL", raising=False)
        else:
            monkeypatch.setenv("MINIGRAD_FULL", full)
            monkeypatch.chdir(tmp_path)
        _, _, heard = run(wanted, tmp_path / "out", Setting("minigrad", "float64", number), threads)
        *told, parent = heard[-1][1].split()
        assert told == ["minigrad", "float64", str(number), str(full), str(threads), str(Path.cwd())]
        seen.append(int(parent))
    assert os.getpid() not in seen
    assert seen[0] == seen[1] != seen[2], "the number of threads is read by imports"


@forks
@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("import os, signal\nos.kill(os.getpid(), signal.SIGSEGV)", "the process ended with status -11"),
        ("import os\nos._exit(7)", "the process ended with status 7"),
        ("1 / 0", "ZeroDivisionError: division by zero"),
        ("raise SystemExit('that is missing')", "that is missing"),
        ("import absent_package", "the lesson needs absent_package, which is not installed"),
        ("import sys\nsys.stderr.write('line\\n' * 100_000)\nraise KeyboardInterrupt", "KeyboardInterrupt"),
    ],
)
def test_a_lesson_that_breaks_breaks_alone(text, why, tmp_path):
    good, bad = lesson(tmp_path, SHORT), lesson(tmp_path, text, "99_bad")
    setting = Setting("minigrad", "float32", 0)
    found: list = []
    other = threading.Thread(target=lambda: found.append(run(good, tmp_path / "out", setting)))
    other.start()
    with pytest.raises(runner.Failed) as failed:
        run(bad, tmp_path / "out", setting)
    assert why in str(failed.value)
    other.join()
    assert found[0][0]["claims"][0]["passed"]
    again = run(good, tmp_path / "again", setting)
    assert again[0]["claims"] == found[0][0]["claims"]


@forks
@pytest.mark.usefixtures("_anew")
def test_where_the_server_has_threads_each_lesson_has_a_process_of_its_own(tmp_path, monkeypatch):
    (tmp_path / "numba").mkdir()
    (tmp_path / "numba" / "__init__.py").write_text(
        "import threading, time\nthreading.Thread(target=time.sleep, args=(60,), daemon=True).start()\nraise ImportError"
    )
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    text = "import os\nfrom curriculum.engine import torch\nprint(os.getppid())"
    _, _, heard = run(lesson(tmp_path, text), tmp_path / "out", Setting("minigrad", "float32", 0))
    assert int(heard[-1][1]) == os.getpid()


@forks
@pytest.mark.usefixtures("_anew")
def test_when_the_server_is_killed_its_lesson_ends_and_the_next_runs(tmp_path):
    long = lesson(tmp_path, "import os, time\nprint(os.getpid(), flush=True)\ntime.sleep(60)", "99_long")
    setting, pids, failed = Setting("minigrad", "float32", 0), [], []

    def wait() -> None:
        try:
            runner.run(long, setting, tmp_path / "out", lambda *part: None, True, 1, lambda _, line: pids.append(line))
        except runner.Failed as problem:
            failed.append(str(problem))

    thread = threading.Thread(target=wait)
    thread.start()
    until(lambda: pids[1:])
    (server,) = processes._servers.values()
    server.process.kill()
    os.kill(int(pids[1]), signal.SIGKILL)  # it went on: the server could not end it any more
    thread.join(20)
    assert failed == ["the process ended with status -9"]
    assert run(lesson(tmp_path, SHORT), tmp_path / "out", setting)[0]["claims"][0]["passed"]


def until(true, seconds: float = 60) -> None:
    end = time.monotonic() + seconds
    while not true():
        assert time.monotonic() < end
        time.sleep(0.05)


def alive(pid: int) -> bool:
    try:
        return (Path("/proc") / str(pid) / "stat").read_text().rsplit(")", 1)[1].split()[0] != "Z"
    except OSError:
        return False


@forks
@pytest.mark.parametrize("how", ["Ctrl-C", "killed"])
def test_nothing_is_left_running(how, tmp_path):
    """Ctrl-C, which a terminal sends to the whole group, and the death of the program that asked, end its lessons and what made them."""
    pids = tmp_path / "pids"
    text = f"import os, time\nfrom curriculum import files\nopen({str(pids)!r}, 'a').write(f'{{os.getpid()}} {{os.getppid()}}\\n')\ntime.sleep(120)"
    wanted = lesson(tmp_path, text)
    program = (
        "import sys\nfrom pathlib import Path\nfrom curriculum import __main__ as main, catalog\nfrom curriculum.terminal import Voice\n"
        f"lesson = catalog.Lesson('99', Path({str(wanted.path)!r}))\n"
        f"main.run_lessons([lesson], ['minigrad'], ['float32', 'float64'], 0, Path({str(tmp_path / 'out')!r}), False, 2, Voice())"
    )
    environment = os.environ | {"PYTHONPATH": str(ROOT)}
    process = subprocess.Popen(
        [sys.executable, "-c", program], env=environment, cwd=ROOT, start_new_session=True,
        stdout=subprocess.PIPE, stderr=subprocess.STDOUT, preexec_fn=lambda: signal.signal(signal.SIGINT, signal.default_int_handler),
    )  # fmt: skip
    until(lambda: pids.is_file() and len(pids.read_text().splitlines()) == 2)
    involved = {int(pid) for pid in pids.read_text().split()}
    assert process.pid not in involved
    assert len(involved) == 3, "one server for both"
    if how == "Ctrl-C":
        os.killpg(process.pid, signal.SIGINT)
    else:
        process.kill()
    process.communicate(timeout=60)
    until(lambda: not any(map(alive, involved)), 20)


def test_a_result_is_kept_only_when_whole(tmp_path):
    """A run that fails leaves no result of the one before."""
    setting = Setting("minigrad", "float32", 0)
    run(lesson(tmp_path, SHORT), tmp_path / "out", setting)
    bad = lesson(tmp_path, SHORT + "1 / 0\n")
    with pytest.raises(runner.Failed, match="ZeroDivisionError"):
        run(bad, tmp_path / "out", setting)
    folder = setting.folder(tmp_path / "out", bad)
    assert not (folder / "result.json").exists()
    assert runner.result(tmp_path / "out", bad, setting) is None
    assert (folder / "steps.npz").is_file()
