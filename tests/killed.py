"""Trainings that are killed, or whose disk fills up, and go on: run as a program, it prints what went wrong and what was done.

    python killed.py KIND HOW COUNT SEED FOLDER      KIND: engine, fullscale, reviews, export     HOW: kill, moments, torn, limit, disk
    python killed.py KIND                            the rest is read: a line of JSON each, [HOW, COUNT, SEED, FOLDER]

It starts each training as a fork of itself, which has imported everything: a kill then costs milliseconds.

    kill       at a random moment, by SIGKILL and SIGTERM in turn
    moments    just before it opens, renames or removes a file of its folder: before each such operation in turn, from the first
               to the last, as far as COUNT reaches; every second time what goes on from there is killed too
    torn       in the middle of a write, when a file has reached a size
    limit      the system refuses files beyond a size
    disk       FOLDER is on a file system of its own, made by `mount`, which must be allowed
"""

import contextlib
import importlib
import json
import os
import random
import resource
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

STEPS = 12
MARKER = ".minigrad-fullscale.json"  # from this file on a folder is a run, which wants --resume
EPOCHS = {
    "kill": 12,
    "moments": 4,
    "torn": 4,
    "limit": 12,
    "disk": 12,
}  # of the command line; each change of a file is a kill
IMPORTS = {
    "engine": ["minigrad"],
    "fullscale": ["curriculum.fullscale.mnist_cnn"],
    "reviews": ["curriculum.fullscale.distilbert_imdb", "curriculum.fullscale.predict", "curriculum.fullscale.export"],
    "export": ["curriculum.fullscale.export", "fullscale_runs"],
}


def engine(folder):
    """A training of minigrad that saves after every step, and goes on where it finds a checkpoint."""
    import minigrad as torch

    path = folder / "last.ckpt"
    torch.manual_seed(0)
    x, y = torch.randn(32, 20), torch.randint(0, 10, (32,))
    model = torch.nn.Sequential(
        torch.nn.Linear(20, 8000), torch.nn.ReLU(), torch.nn.Dropout(0.3), torch.nn.Linear(8000, 10)
    )
    optimizer = torch.optim.AdamW(model.parameters(), lr=1e-2)
    begin = 0
    if path.exists():
        state = torch.load(path)
        model.load_state_dict(state["model"])
        optimizer.load_state_dict(state["optimizer"])
        torch.set_rng_state(state["rng"])
        begin = state["step"]
    for step in range(begin, STEPS):
        optimizer.zero_grad()
        torch.nn.functional.cross_entropy(model(x), y).backward()
        optimizer.step()
        now = {
            "model": model.state_dict(),
            "optimizer": optimizer.state_dict(),
            "rng": torch.get_rng_state(),
            "step": step + 1,
        }
        torch.save(now, path)
    torch.save(model.state_dict(), folder / "final.pt")


def reviews(folder):
    """A fine-tuning of the command line with all that it writes, its words measured and exported at last."""
    import torch

    from curriculum.fullscale.__main__ import main

    torch.set_num_threads(1)
    encoder, run = folder.with_name("encoder"), folder / "run"
    if not encoder.exists():
        import fullscale_runs

        shutil.move(fullscale_runs.reviews(folder.with_name("made")) / "encoder", encoder)
    tiny = ["distilbert-imdb", "--model", str(encoder), "--data", "embedded", "--limit", "48", "--test-limit", "16", "--max-length", "16"]  # fmt: skip
    tiny += ["--epochs", "2", "--batch-size", "16", "--save-every", "2", "--lora", "2", "--out", str(run)]
    for command in (
        [*tiny, *(["--resume"] if (run / MARKER).exists() else [])],
        ["predict", "--run", str(run), "--check", "2", "--data", "embedded"],
        ["export", "--run", str(run), "--samples", "2", "--data", "embedded", *(["--overwrite"] if (run / "export").exists() else [])],
    ):  # fmt: skip
        if code := main(command):
            os._exit(code)


def export(folder):
    """A finished run is exported, and exported anew where that was killed."""
    import fullscale_runs
    import torch

    from curriculum.fullscale.__main__ import main

    torch.set_num_threads(1)
    run, made = folder / "run", folder.with_name("made")
    if not run.exists():
        shutil.rmtree(made, ignore_errors=True)
        fullscale_runs.reviews(made).rename(run)
    again = ["--overwrite"] if (run / "export").exists() else []
    if code := main(["export", "--run", str(run), "--samples", "2", "--data", "embedded", *again]):
        os._exit(code)


HOW = "kill"
INSIDE = None  # a pipe in which a training says that its loop has begun, and that it has ended


def fullscale(folder):
    """A training of the command line, which saves every third step."""
    import torch

    from curriculum.fullscale import pictures
    from curriculum.fullscale.__main__ import main

    train = pictures.train

    def told(*given):
        os.write(INSIDE, b"(")
        found = train(*given)
        os.write(INSIDE, b")")
        return found

    if INSIDE is not None:
        pictures.train = told
    torch.set_num_threads(1)
    torch.manual_seed(0)
    run = folder / "run"
    tiny = [
        "mnist-cnn",
        "--data",
        "embedded",
        "--limit",
        "160",
        "--epochs",
        str(EPOCHS[HOW]),
        "--batch-size",
        "32",
        "--width",
        "4",
    ]
    resume = ["--resume"] if (run / MARKER).exists() else []
    code = main([*tiny, "--save-every", "3", "--out", str(run), *resume])
    if code:
        os._exit(code)


def what_it_made(folder):
    """The content that must be the same however often it was killed."""
    made = {}
    for path in sorted(folder.rglob("*")):
        name = str(path.relative_to(folder))
        if "tfevents" in name:  # a file for each sitting, with its time in its name
            made["run/tensorboard"] = "there"
        elif name == "run/metrics.jsonl":
            rows = [json.loads(line) for line in path.read_text().splitlines()]
            timed = ("seconds", "samples_per_second")
            made[name] = [{k: v for k, v in row.items() if k not in timed} for row in rows]
        elif path.is_file():
            whole = path.name in ("final.pt", "model.safetensors", "report.txt", "model.onnx", "predict.py")
            made[name] = path.read_bytes() if whole else "there"
    return made


WRITES = os.O_WRONLY | os.O_RDWR | os.O_CREAT | os.O_TRUNC
CHANGES = ("os.rename", "os.remove", "os.mkdir", "os.rmdir", "os.truncate", "os.link", "os.symlink")


def at_moment(folder, number, told=None):
    """Let this process die before its `number`-th change of a file under the folder; told: where to write how many there were."""
    seen = [0]

    def heard(event, given):
        if not (event in CHANGES or (event == "open" and isinstance(given[2], int) and given[2] & WRITES)):
            return
        path = given[0]
        if isinstance(path, bytes):
            path = os.fsdecode(path)
        if isinstance(path, str | os.PathLike) and os.path.abspath(path).startswith(str(folder) + os.sep):
            seen[0] += 1
            if told is not None:
                os.pwrite(told, str(seen[0]).encode(), 0)
            if seen[0] == number:
                os.kill(os.getpid(), signal.SIGKILL)

    sys.addaudithook(heard)


def fork(training, folder, limit=None, pipe=None, moment=None, told=None, torn=None):
    """The number of a process that trains; its words go to FOLDER.txt."""
    global INSIDE
    INSIDE = pipe
    sys.stdout.flush()
    child = os.fork()
    if child:
        return child
    code = 3
    try:
        said = os.open(f"{words(folder)}", os.O_CREAT | os.O_TRUNC | os.O_WRONLY)
        os.dup2(said, 1)
        os.dup2(said, 2)
        if limit is not None:
            resource.setrlimit(resource.RLIMIT_FSIZE, (limit, resource.RLIM_INFINITY))
        if torn is not None:  # whoever writes beyond it is killed by the system, with the first bytes written
            signal.signal(signal.SIGXFSZ, signal.SIG_DFL)
            resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
            resource.setrlimit(resource.RLIMIT_FSIZE, (torn, resource.RLIM_INFINITY))
        if moment is not None:
            at_moment(folder, moment, told)
        training(folder)
        code = 0
    except OSError as error:
        print(f"OSError: {error}", file=sys.stderr)
    except BaseException:
        import traceback

        code = 4
        traceback.print_exc()
    sys.stderr.flush()
    sys.stdout.flush()
    os._exit(code)


def words(folder):
    return folder.with_name(folder.name + ".txt") if not os.path.ismount(folder) else folder.parent / "words.txt"


def ended(child):
    return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])


def steps_done(folder):
    """As the measured rows say; a row that was being written is none."""
    try:
        return (folder / "run" / "metrics.jsonl").read_bytes().count(b'"lr"')
    except FileNotFoundError:
        return 0


def lines_of(folder):
    path = folder / "run" / "metrics.jsonl"
    return path.read_text().splitlines() if path.exists() else []


def killed_inside(training, folder, rng, seconds, steps, sign):
    """Kill a training at a random moment of its loop, or of all its time; (how it ended, whether the loop was running)."""
    get, put = os.pipe()
    left = 1 - min(steps_done(folder) / steps, 1)
    child = fork(training, folder, pipe=put)
    os.close(put)
    anywhere = rng.random() < 0.1  # also while it begins, and while it writes its results
    inside = False
    if anywhere:
        time.sleep(rng.uniform(0, 2 * seconds))
        os.kill(child, sign)
    elif os.read(get, 1) == b"(":  # nothing where it ended without training
        time.sleep(rng.uniform(0, seconds * left))
        os.kill(child, sign)
    code = ended(child)
    if not anywhere:
        inside = os.read(get, 1) == b""
    os.close(get)
    return code, inside


def imported(training, folder):
    """Train once, and import here what that imported: the forks that follow need not."""

    def and_tells(folder):
        training(folder)
        folder.with_name("modules").write_text("\n".join(sys.modules))

    assert ended(fork(and_tells, folder)) == 0, words(folder).read_text()
    for name in folder.with_name("modules").read_text().split():
        with contextlib.suppress(Exception):  # some names in it are no modules of their own
            importlib.import_module(name)
    emptied(folder)


def changes_of(training, folder):
    """How many changes of files a training makes."""
    told = os.open(folder.with_name("told"), os.O_CREAT | os.O_TRUNC | os.O_RDWR)
    assert ended(fork(training, folder, moment=-1, told=told)) == 0, words(folder).read_text()
    number = int(os.pread(told, 20, 0))
    os.close(told)
    emptied(folder)
    return number


def emptied(folder):
    for path in folder.iterdir():
        shutil.rmtree(path) if path.is_dir() else path.unlink()


def main(kind, *asked):
    os.environ["MINIGRAD_KERNELS"] = "0"  # to load them takes longer than the training
    for name in IMPORTS[kind]:
        importlib.import_module(name)
    for number, each in enumerate([asked] if asked else map(json.loads, sys.stdin)):
        print(json.dumps(tried(globals()[kind], *each, first=not number)), flush=True)


def tried(training, how, count, seed, folder, first):
    """Stop trainings in one way, so many times; what went wrong and what was done. first: nothing was trained here yet."""
    global HOW
    HOW = how
    folder, rng, count = Path(folder), random.Random(seed), int(count)
    folder.mkdir(parents=True, exist_ok=True)
    if first:
        imported(training, folder)
    begin = time.monotonic()
    assert ended(fork(training, folder)) == 0
    duration = time.monotonic() - begin
    steps, inside = steps_done(folder), 0
    looped = sum(json.loads(line).get("seconds", 0) for line in rows[-2:-1]) if (rows := lines_of(folder)) else 0
    expected = what_it_made(folder)
    largest = max(path.stat().st_size for path in folder.rglob("*") if path.is_file())
    whole = sum(path.stat().st_size for path in folder.rglob("*") if path.is_file())
    emptied(folder)
    faults, done, runs, left, saved, moments = [], 0, 0, 0, 0, 0

    def compare(what):
        made = what_it_made(folder)
        if made != expected:
            other = [name for name in sorted(made.keys() | expected.keys()) if made.get(name) != expected.get(name)]
            faults.append(f"{what}: {other} differ")
        emptied(folder)

    if how == "kill":
        while done < count:
            sign = signal.SIGKILL if done % 2 else signal.SIGTERM
            if training is fullscale:
                code, in_loop = killed_inside(training, folder, rng, looped, steps, sign)
                inside += in_loop and code in (-sign, 128 + sign)
            else:
                child = fork(training, folder)
                time.sleep(rng.uniform(0, 0.7 * duration))  # one gone on with is shorter
                os.kill(child, sign)
                code = ended(child)
            if code in (
                -sign,
                128 + sign,
            ):  # in the middle of a training SIGTERM is obeyed after the step, which is saved
                done += 1
                saved += code > 0
                left += any("partial" in path.name for path in folder.rglob("*"))
            elif code:
                faults.append(f"kill {done}: {words(folder).read_text()[-300:]}")
                emptied(folder)
            else:
                runs += 1
                compare(f"after {done} kills")
        if code := ended(fork(training, folder)):
            faults.append(f"the last: {code} {words(folder).read_text()[-300:]}")
        else:
            runs += 1
            compare("the last")
    if how in ("moments", "torn"):
        if how == "moments":
            moments = changes_of(training, folder)
        places = sorted({1 + i * (moments - 1) // max(count - 1, 1) for i in range(min(count, moments))})
        sizes = sorted(rng.randrange(1, largest) for _ in range(count if how == "torn" else 0))
        for number, (place, size) in enumerate([(place, None) for place in places] + [(None, size) for size in sizes]):
            code = ended(fork(training, folder, moment=place, torn=size))
            what = f"before change {place} of {moments}" if size is None else f"at byte {size:,} of a file"
            twice = number % 2 and code < 0
            if twice:  # what goes on is killed as well
                again = rng.randrange(1, 40)
                what += f", then before change {again}"
                twice = ended(fork(training, folder, moment=again)) < 0
            done += (code < 0) + twice
            left += any("partial" in path.name for path in folder.rglob("*"))
            if code > 0:
                faults.append(f"{what}: {code} {words(folder).read_text()[-300:]}")
            if code := ended(fork(training, folder)):
                faults.append(f"{what}, gone on: {code} {words(folder).read_text()[-600:]}")
                emptied(folder)
            else:
                runs += 1
                compare(what)
    for _ in range(count if how in ("limit", "disk") else 0):
        size = int(rng.uniform(0, 1.1 if how == "limit" else 2.0) * (largest if how == "limit" else whole))
        if how == "disk":
            subprocess.run(
                ["mount", "-t", "tmpfs", "-o", f"size={max(size // 4096, 1) * 4096}", "tmpfs", folder], check=True
            )
        code = ended(fork(training, folder, size if how == "limit" else None))
        said = words(folder).read_text()
        if code:
            done += 1
        if code not in (0, 2, 3) or "Traceback" in said or (code and not said.strip()):
            faults.append(f"size {size}: {code} {said[-400:]}")
        if any("partial" in path.name for path in folder.rglob("*")):
            faults.append(f"size {size}: {[path.name for path in folder.rglob('*partial*')]} are left")
        if how == "disk":
            subprocess.run(["mount", "-o", "remount,size=100m", folder], check=True)
        if code := ended(fork(training, folder)):
            faults.append(f"size {size}, gone on: {code} {words(folder).read_text()[-400:]}")
            emptied(folder)
        else:
            runs += 1
            compare(f"size {size}")
        if how == "disk":
            subprocess.run(["umount", folder], check=True)
    return {
        "faults": faults,
        "stopped": done,
        "saved": saved,
        "inside_the_loop": inside,
        "steps": steps,
        "compared": runs,
        "changes_of_files": moments,
        "left_before_going_on": left,
        "seconds": duration,
    }


if __name__ == "__main__":
    main(*sys.argv[1:])
