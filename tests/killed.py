"""Trainings that are killed, or whose disk fills up, and go on: run as a program, it prints what went wrong and what was done.

    python killed.py KIND HOW COUNT SEED FOLDER      KIND: engine, fullscale     HOW: kill, limit, disk

It starts each training as a fork of itself, which has imported everything: a kill then costs milliseconds. disk: FOLDER is on a
file system of its own, made by `mount`, which must be allowed; limit: the system refuses files beyond a size.
"""

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
    tiny = ["mnist-cnn", "--data", "embedded", "--limit", "160", "--epochs", "12", "--batch-size", "32", "--width", "4"]
    resume = ["--resume"] if (run / "config.json").exists() else []
    code = main([*tiny, "--save-every", "3", "--out", str(run), *resume])
    if code:
        os._exit(code)


def what_it_made(folder):
    """The content that must be the same however often it was killed."""
    made = {}
    for path in sorted(folder.rglob("*")):
        name = str(path.relative_to(folder))
        if name == "run/metrics.jsonl":
            rows = [json.loads(line) for line in path.read_text().splitlines()]
            timed = ("seconds", "samples_per_second")
            made[name] = [{k: v for k, v in row.items() if k not in timed} for row in rows]
        elif path.is_file():
            made[name] = path.read_bytes() if path.name in ("final.pt", "model.safetensors", "report.txt") else "there"
    return made


def fork(training, folder, limit=None, pipe=None):
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


def emptied(folder):
    for path in folder.iterdir():
        shutil.rmtree(path) if path.is_dir() else path.unlink()


def main(kind, how, count, seed, folder):
    os.environ["MINIGRAD_KERNELS"] = "0"  # to load them takes longer than the training
    training, folder, rng, count = globals()[kind], Path(folder), random.Random(seed), int(count)
    __import__("minigrad") if kind == "engine" else __import__("curriculum.fullscale.mnist_cnn")
    folder.mkdir(parents=True, exist_ok=True)
    assert ended(fork(training, folder)) == 0, words(folder).read_text()
    emptied(folder)
    begin = time.monotonic()
    assert ended(fork(training, folder)) == 0
    duration = time.monotonic() - begin
    steps, inside = steps_done(folder), 0
    looped = sum(json.loads(line).get("seconds", 0) for line in rows[-2:-1]) if (rows := lines_of(folder)) else 0
    expected = what_it_made(folder)
    largest = max(path.stat().st_size for path in folder.rglob("*") if path.is_file())
    whole = sum(path.stat().st_size for path in folder.rglob("*") if path.is_file())
    emptied(folder)
    faults, done, runs, left, saved = [], 0, 0, 0, 0

    def compare(what):
        made = what_it_made(folder)
        if made != expected:
            other = [name for name in sorted(made.keys() | expected.keys()) if made.get(name) != expected.get(name)]
            faults.append(f"{what}: {other} differ")
        emptied(folder)

    if how == "kill":
        while done < count:
            sign = signal.SIGKILL if done % 2 else signal.SIGTERM
            if kind == "fullscale":
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
    for _ in range(count if how != "kill" else 0):
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
    print(
        json.dumps(
            {
                "faults": faults,
                "stopped": done,
                "saved": saved,
                "inside_the_loop": inside,
                "steps": steps,
                "compared": runs,
                "left_before_going_on": left,
                "seconds": duration,
            }
        )
    )


if __name__ == "__main__":
    main(*sys.argv[1:])
