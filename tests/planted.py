"""Faults planted in the guards of full scale, to check their tests: run as a program, it prints which no test noticed.

    python planted.py FOLDER [NUMBER ...]     FOLDER: for copies of the source; NUMBER: of these faults alone

A fault is a piece of source that another takes the place of: a check left out, a comparison turned, a claim skipped. Each is
tried in a fork, which has imported the large libraries, on a copy of the source, with the tests that are named with it.
"""

import contextlib
import importlib
import json
import os
import shutil
import sys
from pathlib import Path

ROOT = Path(__file__).parents[1]
DATA, TRAIN, OWNED, IMAGES, TEXT = (
    f"tests/test_fullscale_{name}.py" for name in ("data", "train", "owned", "images", "text")
)

# (file of curriculum/fullscale, what stands there, what is planted, file of tests, which of them)
FAULTS = [
    ("owned.py", "if not isinstance(found, dict):", "if False:", DATA, "damaged_config or damaged_marker"),
    ("owned.py", "        if real in places:", "        if False:", DATA, "replaced_only_where"),
    ("owned.py", "if mark.encode() not in file.read(4096):", "if False:", DATA, "replaced_only_where"),
    ("owned.py", "            if not overwrite:", "            if overwrite:", DATA, "replaced_only_where"),
    ("owned.py", "        if path.is_dir():", "        if False:", DATA, "replaced_only_where"),
    ("owned.py", "            if not path.is_file():", "            if False:", DATA, "replaced_only_where"),
    ("owned.py", "            if self.marked[\"kind\"] != kind:", "            if False:", OWNED, "another_kind"),
    ("owned.py", "        elif resume:", "        elif False:", OWNED, "not_resumed"),
    ("owned.py", "elif path.exists() and (not path.is_dir() or not all(map(files.is_left, path.iterdir()))):", "elif False:", DATA, "holds_no_run_of_ours"),
    ("owned.py", "if not parent.is_relative_to(root) or path.name in (\"\", \"..\", MARKER):", "if path.name in (\"\", \"..\", MARKER):", DATA, "only_its_own_files"),
    ("owned.py", "            self.claim(name)\n            files.write", "            files.write", DATA, "not_written_over or removed_with_it"),
    ("owned.py", "            self.claim(*to.values())\n", "", DATA, "not_written_over or what_a_library_writes"),
    ("owned.py", "        self.names += new\n        self._mark()", "        self.names += new", DATA, "removed_with_it"),
    ("owned.py", "        files.remove_left(self.path)\n        made.mkdir()", "        made.mkdir(exist_ok=True)", DATA, "what_a_library_writes"),
    ("owned.py", "        if self.begun:\n            files.remove_left(self.path)\n", "", DATA, "what_the_dead_left"),
    ("owned.py", "        Owned(run, \"run\", resume=True, overwrite=False).claim(name)", "        pass", OWNED, "finished_run or somebody_else"),
    ("runs.py", "return found if found.get(\"model_sha256\") == self.results.get(\"model_sha256\") else None", "return found", OWNED, "other_weights"),
    ("folder.py", "            if other:", "            if False:", TRAIN, "more_epochs"),
    ("folder.py", "self.marked.get(\"data\") not in (None, data)", "False", DATA, "not_resumed_with_other_data"),
    ("splits.py", "            place[own[0]] = -1.0\n", "", DATA, "stratified"),
    ("splits.py", "int(counts.min()) // 2", "int(counts.max())", DATA, "balanced"),
    ("splits.py", "np.maximum(counts, 1)", "np.maximum(counts, 2)", DATA, "class_weights"),
    ("calibration.py", "len(logits) < ENOUGH or", "", DATA, "calibrates_nothing"),
    ("calibration.py", "(np.abs(share - mean) * numbers)", "((share - mean) * numbers)", DATA, "its_definition"),
    ("tables.py", "        if len(places) != 1:", "        if not places:", DATA, "table_is_read or hostile"),
    ("tables.py", "    if \"\\0\" in text:", "    if False:", DATA, "table_is_read"),
    ("tables.py", "            if len(row) > width:", "            if False:", DATA, "table_is_read"),
    ("own.py", "        if not label:", "        if False:", DATA, "cannot_be_trained_on"),
    ("own.py", "    if len(counts) < 2:", "    if False:", DATA, "cannot_be_trained_on"),
    ("own.py", "    if unknown:", "    if False:", DATA, "cannot_be_trained_on"),
    ("own.py", "    if counts.min() < 3:", "    if counts.min() < 1:", DATA, "cannot_be_trained_on"),
    ("settings.py", "return \"bf16\" if major >= 8 else", "return \"bf16\" if major >= 7 else", TRAIN, "bf16_is_chosen"),
    ("settings.py", "if together > 1 and device.index != int(local or 0):", "if False:", TRAIN, "share_a_card"),
    ("transfer.py", "low > 0 for low, _ in ends", "high > 0 for _, high in ends", DATA, "beyond_the_spread"),
    ("recommend.py", "half = z *", "half = 0 *", TEXT, "wilson"),
]  # fmt: skip


def noticed(number: int, folder: Path) -> bool:
    """Whether one of its tests fails."""
    file, there, planted, tests, which = FAULTS[number]
    source = ROOT / "curriculum" / "fullscale" / file
    content = source.read_text(encoding="utf-8")
    assert content.count(there) == 1, f"fault {number}: {there!r} stands {content.count(there)} times in {file}"
    place = folder / str(number)
    for name in ("curriculum", "tests", "benchmarks"):
        shutil.copytree(ROOT / name, place / name, ignore=shutil.ignore_patterns("__pycache__"))
    (place / "curriculum" / "fullscale" / file).write_text(content.replace(there, planted), encoding="utf-8")
    child = os.fork()
    if not child:
        log = os.open(place / "log.txt", os.O_CREAT | os.O_WRONLY)
        os.dup2(log, 1)
        os.dup2(log, 2)
        os.chdir(place)
        sys.path[:0] = [str(place), str(place / "tests"), str(ROOT)]
        import pytest

        code = pytest.main([tests, "-k", which, "-x", "-q", "-p", "no:cacheprovider", "--rootdir", str(place), "--basetemp", str(place / "tmp")])  # fmt: skip
        os._exit(int(code))
    code = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
    assert code in (0, 1), (place / "log.txt").read_text()[-2000:]  # else no test ran
    shutil.rmtree(place)
    return code == 1


def main(folder: str, *numbers: str) -> None:
    for name in ("torch", "pandas", "sklearn.metrics", "transformers", "pytest", "hypothesis", "matplotlib.pyplot"):
        with contextlib.suppress(ImportError):
            importlib.import_module(name)
    tried = [int(number) for number in numbers] or range(len(FAULTS))
    missed = []
    for number in tried:
        if not noticed(number, Path(folder)):
            missed.append(FAULTS[number][:3])
        print(number, FAULTS[number][0], "MISSED" if missed and missed[-1] == FAULTS[number][:3] else "noticed", file=sys.stderr, flush=True)  # fmt: skip
    print(json.dumps({"planted": len(tried), "missed": missed}))


if __name__ == "__main__":
    main(*sys.argv[1:])
