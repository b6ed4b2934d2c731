"""python -m curriculum: list, run, report, claims, site, notebook, notebooks, playground, check."""

import argparse
import os
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

try:
    from rich.markup import escape
    from rich.table import Table

    from . import apart, catalog, claims, commands, compare, data, files, notebook, planted_table, report, runner
    from .catalog import Lesson
    from .runner import Setting
    from .terminal import Telling, Voice, Working
except ModuleNotFoundError as missing:
    if missing.name and missing.name.split(".")[0] == "curriculum":
        raise
    raise SystemExit(
        f"`python -m curriculum` needs {missing.name}, which this Python ({sys.executable}) does not have. `make lessons` "
        "installs all it needs into .venv: type `source .venv/bin/activate` first (Windows: .venv\\Scripts\\activate), "
        "or call .venv/bin/python. Without make: pip install -e '.[lessons]'."
    ) from None

ENGINES, DTYPES = ["minigrad", "torch"], ["float32", "float64"]


class Parser(argparse.ArgumentParser):
    def error(self, message: str) -> Any:
        """A line, without the list of all options: `--help` has that."""
        raise SystemExit(f"{self.prog}: {commands.plainly(message)}")


def parser() -> Parser:
    top = Parser(prog="python -m curriculum", description="Lessons that run in minigrad and in PyTorch from one text.")
    subcommands = top.add_subparsers(dest="command", required=True, parser_class=Parser, metavar="COMMAND")

    cores = os.cpu_count() or 1

    def settings(command: argparse.ArgumentParser, out: Any = commands.folder_to_write) -> None:
        command.add_argument("--engine", choices=ENGINES, help="only this engine (default: both, then compared)")
        command.add_argument("--dtype", choices=DTYPES, help="only this dtype (default: both)")
        command.add_argument("--seed", type=commands.seed, default=0, help="seed of the random stream (0)")
        command.add_argument("--out", type=out, default="runs", metavar="FOLDER", help="folder of the results (runs)")

    command = subcommands.add_parser("list", help="the lessons, and which of them have been run")
    settings(command)
    command = subcommands.add_parser("run", help="run lessons and compare the engines")
    command.add_argument("lessons", nargs="*", metavar="LESSON", help="01, 02, ...")
    command.add_argument("--all", action="store_true", help="all lessons, then the report")
    command.add_argument("--fresh", action="store_true", help="run again even where nothing changed")
    command.add_argument(
        "--data-dir",
        type=commands.folder_to_read,
        metavar="FOLDER",
        help="folder of real data (default: MINIGRAD_DATA)",
    )
    command.add_argument("--full", action="store_true", help="with the long trainings on real data, which take minutes")
    command.add_argument("--quiet", action="store_true", help="of one lesson too only the table, not its text")
    command.add_argument("--code", action="store_true", help="of one lesson the code too, not only its text and output")
    command.add_argument(
        "--jobs", type=commands.whole(), default=min(2, cores), help="lessons at a time (2, on one core 1)"
    )
    settings(command)
    command = subcommands.add_parser("report", help="write one HTML page of what was run")
    settings(command)
    command.add_argument(
        "--table",
        action="store_true",
        help="instead: the table of how far the engines lie apart, in curriculum/README.md",
    )
    command = subcommands.add_parser("claims", help="plant changes into lessons, and say which of their claims notice")
    command.add_argument("lessons", nargs="*", metavar="LESSON", help="of these lessons alone (all)")
    command.add_argument(
        "--out", type=commands.folder_to_write, default="runs", metavar="FOLDER", help="folder of the results (runs)"
    )
    command.add_argument(
        "--seconds",
        type=commands.above_zero,
        default=120.0,
        help="of the processor that a lesson's changes may take (120)",
    )
    command.add_argument(
        "--table", action="store_true", help="instead: the table of what was found, in curriculum/README.md"
    )
    command = subcommands.add_parser("site", help="make the course a site that opens from the disk")
    command.add_argument("lessons", nargs="*", metavar="LESSON", help="of these lessons alone (all)")
    command.add_argument(
        "--out", type=commands.folder_to_write, default="runs/site", metavar="FOLDER", help="where to (runs/site)"
    )
    command.add_argument(
        "--results",
        type=commands.folder_to_read,
        default=Path("runs"),
        metavar="FOLDER",
        help="folder of the lessons' results (runs)",
    )
    command = subcommands.add_parser("notebook", help="write a lesson as a Jupyter notebook")
    command.add_argument("lesson", metavar="LESSON")
    command.add_argument(
        "--to", type=commands.file_to_write, metavar="FILE", help="where to (default: the lesson's name, here)"
    )
    command.add_argument("--engine", choices=ENGINES, default="minigrad", help="the engine it runs in (minigrad)")
    command.add_argument("--dtype", choices=DTYPES, default="float32", help="its default dtype (float32)")
    command.add_argument("--seed", type=commands.seed, default=0, help="seed of the random stream (0)")
    command.add_argument("--empty", action="store_true", help="without running it: no outputs")
    command = subcommands.add_parser("notebooks", help="make the notebooks of curriculum/notebooks anew")
    command.add_argument("lessons", nargs="*", metavar="LESSON", help="only these (default: all)")
    command.add_argument(
        "--jobs", type=commands.whole(), default=min(2, cores), help="lessons at a time (2, on one core 1)"
    )
    command = subcommands.add_parser("check", help="check the exercise of a lesson")
    command.add_argument("lesson", metavar="LESSON")
    command.add_argument("--file", type=Path, help="check this file instead of the one in curriculum/exercises/")
    command = subcommands.add_parser(
        "playground", help="write the playground: two spirals, learned by many networks, as a page"
    )
    command.add_argument(
        "--to",
        type=commands.file_to_write,
        metavar="FILE",
        default="playground.html",
        help="where to (playground.html)",
    )
    command.add_argument("--steps", type=commands.whole(), default=200, help="of each training (200)")
    return top


def list_lessons(engines: list[str], dtypes: list[str], seed: int, out: Path, console: Voice) -> None:
    table = Table(box=None, pad_edge=False)
    for name in ("lesson", "question", "run", "seconds"):
        table.add_column(name)
    for lesson in catalog.lessons():
        wanted = [Setting(engine, dtype, seed) for dtype in dtypes for engine in engines]
        found = [(s, there) for s in wanted if (there := runner.result(out, lesson, s)) is not None]
        current = sum(there["key"] == runner.key(lesson, s) and not there["skipped"] for s, there in found)
        reasons = {there["skipped"] for _, there in found if there["skipped"]}
        ran = [there for _, there in found if not there["skipped"]]
        state = f"{current} of {len(wanted)}" if ran else f"skipped: {min(reasons)}" if reasons else "no"
        seconds = f"{sum(there['seconds'] for there in ran):.1f}" if ran else ""
        table.add_row(f"{lesson.number} {lesson.title}", lesson.question, escape(state), seconds)
    console.print(table)


def make_notebooks(lessons: list[Lesson], jobs: int, console: Voice) -> bool:
    """Make the notebooks that lie ready to open; True if every lesson came to its end."""
    good = True
    with Working(console) as working:

        def one(lesson: Lesson) -> None:
            with working.on(f"{lesson.number} {lesson.title}") as show:
                notebook.write(lesson, notebook.ready(lesson), notebook.READY, embedded=True, show=show)

        with ThreadPoolExecutor(jobs) as pool:
            futures = [pool.submit(one, lesson) for lesson in lessons]
            for lesson, future in zip(lessons, futures, strict=True):
                try:
                    future.result()
                except runner.Failed as problem:
                    good = False
                    console.print(f"{lesson.number}: failed; its notebook stays as it was", style="red")
                    console.print(escape(str(problem)), highlight=False, soft_wrap=True)
                    continue
                console.print(f"wrote {files.shown(notebook.ready(lesson))}", highlight=False, soft_wrap=True)
    return good


def run_lessons(
    lessons: list[Lesson], engines: list[str], dtypes: list[str], seed: int, out: Path, fresh: bool, jobs: int,
    console: Voice, telling: Telling | None = None,
) -> bool:  # fmt: skip
    """Run, compare, print the summary; True if every lesson ran, every claim holds and the engines agree.

    `telling` tells the lesson while the first of its runs goes on.
    """
    good = True
    threads = max(1, (os.cpu_count() or 1) // jobs) if jobs > 1 else None  # alone, a lesson takes what it wants
    results: dict[tuple[str, str, str], dict[str, Any]] = {}
    with Working(console) as working:

        def one(lesson: Lesson, setting: Setting) -> tuple[dict[str, Any], bool]:
            hear = telling.hear if telling and setting == wanted[0][1] else runner.unheard
            with working.on(f"{lesson.number} {setting.engine} {setting.dtype}") as show:
                drawn = (setting.engine, setting.dtype) == (engines[0], dtypes[0])  # one run's pictures are enough
                return runner.run(lesson, setting, out, show, fresh, threads, hear, drawn)

        pool = ThreadPoolExecutor(jobs)
        wanted = [(lesson, Setting(e, d, seed)) for lesson in lessons for d in dtypes for e in engines]
        futures = [pool.submit(one, lesson, setting) for lesson, setting in wanted]
        try:
            for (lesson, setting), future in zip(wanted, futures, strict=True):  # reported in the lessons' order
                title = f"{lesson.number} {setting.engine} {setting.dtype}"
                try:
                    there, reused = future.result()
                except runner.Failed as problem:
                    good = False
                    console.print(f"{title}: failed", style="red")
                    console.print(escape(str(problem)), highlight=False, soft_wrap=True)
                    continue
                if telling and not results:
                    if reused:
                        telling.repeat(there["said"])
                    telling.tell()
                results[lesson.name, setting.engine, setting.dtype] = there
                if (
                    len(engines) == 2
                    and (lesson.name, engines[0], setting.dtype) in results
                    and setting.engine != engines[0]
                ):
                    with working.on(f"{lesson.number} comparing {setting.dtype}"):
                        sides = [Setting(e, setting.dtype, seed).folder(out, lesson) for e in engines]
                        compare.folders(sides[0], sides[1], setting.dtype)  # kept for the table and the report
                note = "reused, nothing changed" if reused else f"{there['seconds']:.2f} s"
                if there["skipped"]:
                    note = f"skipped: {there['skipped']}"
                console.print(f"{title}: {note}", highlight=False)
                for claim in there["claims"]:
                    if not claim["passed"]:
                        good = False
                        text = f"  fails: {claim['text']} (measured: {claim['measured']})"
                        console.print(escape(text), style="red", soft_wrap=True)
        finally:  # after an interruption nothing new starts, and what runs ends
            pool.shutdown(wait=False, cancel_futures=True)
            runner.stop()
            pool.shutdown()
    good &= summary(lessons, engines, dtypes, seed, out, results, console)
    return good


def examine_claims(lessons: list[Lesson], out: Path, seconds: float, console: Voice) -> bool:
    """Which planted change refutes each claim; True if there is one for all, or a reason why there is none."""
    found: dict[Lesson, dict[str, Any]] = {}
    with Working(console) as working:
        for lesson in lessons:
            try:
                with working.on(f"{lesson.number} {lesson.title}") as show:
                    found[lesson] = claims.examine(lesson, out, seconds, show)
            except runner.Failed as problem:
                console.print(
                    f"{lesson.number}: {problem}", style="yellow", highlight=False, markup=False, soft_wrap=True
                )
                continue
            for claim in found[lesson]["claims"]:
                by = claim["by"]
                how = (
                    f"fails with line {by['line']}: {by['change']}"
                    if by
                    else f"no change refutes it: {why}"
                    if (why := planted_table.excused(lesson, claim))
                    else "NEVER fails"
                    if claim["passed"]
                    else "does not hold"
                )
                console.print(f"{lesson.number}: {claim['text']}: {how}", highlight=False, markup=False, soft_wrap=True)
    text = claims.summary({lesson.number: of for lesson, of in found.items()})
    path = out / "claims" / "summary.md"
    files.write(path, text)
    console.print(f"\n{text}", highlight=False, markup=False, soft_wrap=True)
    console.print(f"claims: {path}", highlight=False, soft_wrap=True)
    return all(
        claim["by"] or planted_table.excused(lesson, claim) for lesson, of in found.items() for claim in of["claims"]
    )


def say_what_full_lacks(lessons: list[Lesson], console: Voice) -> None:
    """With --full: which lessons have no long training, or find no real data for it."""
    folder = os.environ.get("MINIGRAD_DATA")
    for lesson in lessons:
        wanted = data.wanted_in_full(lesson.path.read_text(encoding="utf-8"))
        missing = [name for name in wanted if data.real(name) is None]
        where = f"in {folder}" if folder else "since no folder is named (--data-dir, or MINIGRAD_DATA)"
        if missing:
            text = f"{lesson.number}: --full finds no {' and no '.join(missing)}, {where}: runs on what it brings."
        elif not wanted and len(lessons) == 1:
            text = f"{lesson.number}: --full changes nothing, this lesson has no long training."
        else:
            continue
        console.print(text, style="yellow", highlight=False, markup=False, soft_wrap=True)


def summary(
    lessons: list[Lesson], engines: list[str], dtypes: list[str], seed: int, out: Path,
    results: dict[tuple[str, str, str], dict[str, Any]], console: Voice,
) -> bool:  # fmt: skip
    """The closing table; True if the engines agree wherever both were run."""
    table = Table(title="What was learned", title_justify="left", show_lines=True)
    table.add_column("lesson")
    table.add_column("claim and number", ratio=1)
    if len(engines) == 2:
        table.add_column("worst difference")
    for engine in engines:
        table.add_column(f"{engine} s", justify="right")
    agree, remarks = True, []
    for lesson in lessons:
        done = [results[lesson.name, e, d] for d in dtypes for e in engines if (lesson.name, e, d) in results]
        if not done:
            continue
        claims = "\n".join(f"{c['text']}: {c['measured']}" for c in done[0]["claims"])
        if done[0]["skipped"]:
            table.add_row(f"{lesson.number} {lesson.title}", escape(f"skipped: {done[0]['skipped']}"))
            continue
        row = [f"{lesson.number} {lesson.title}", escape(claims)]
        if len(engines) == 2:
            lines = []
            for dtype in dtypes:
                if any((lesson.name, engine, dtype) not in results for engine in engines):
                    continue
                ours, theirs = (Setting(e, dtype, seed).folder(out, lesson) for e in engines)
                found = compare.folders(ours, theirs, dtype)
                lines += [dtype, *(f"  {kind} {found.worst[kind]:.0e}" for kind in compare.KINDS)]
                if found.first_rounding:
                    remarks.append(f"{lesson.number} {dtype}: rounding shows first at {found.first_rounding}")
                for why in found.wrong:
                    agree = False
                    remarks.append(f"{lesson.number} {dtype}: the engines do NOT agree: {why}")
            row.append("\n".join(lines))
        for engine in engines:
            times = [results[lesson.name, engine, d]["seconds"] for d in dtypes if (lesson.name, engine, d) in results]
            row.append(f"{sum(times):.2f}")
        table.add_row(*row)
    console.print(table)
    for remark in remarks:
        console.print(escape(remark), highlight=False, soft_wrap=True)
    if len(engines) == 2 and "float64" in dtypes and agree:
        console.print(
            f"float64: losses and weights of both engines agree to {compare.FLOAT64_LIMIT:g}", highlight=False
        )
    return agree


def refuse_idle(top: argparse.ArgumentParser, given: list[str], chosen: argparse.Namespace) -> None:
    """Refuse by name what was given and means nothing beside the rest. Errors: SystemExit."""
    assert top._subparsers is not None
    command = top._subparsers._group_actions[0].choices[chosen.command]  # type: ignore[index, call-overload]

    def refuse(where: str, *names: str) -> None:
        commands.refuse_beside(command, given[1:], names, where)

    if chosen.command == "report" and chosen.table:
        refuse("beside --table, which is of both engines and both dtypes", "engine", "dtype")
    if chosen.command == "claims" and chosen.table:
        refuse("beside --table, which examines nothing", "seconds")
        if chosen.lessons:
            command.error(
                f"beside --table no lesson is named (here {' '.join(chosen.lessons)}): it has a line for each"
            )
    if chosen.command == "run":
        if chosen.all or len(set(chosen.lessons)) > 1:
            refuse("of several lessons, of which only the table is shown", "quiet", "code")
        elif chosen.quiet:
            refuse("beside --quiet, which leaves the lesson's text out", "code")


def main(argv: list[str] | None = None) -> int:
    arguments = (sys.argv[1:] if argv is None else argv) or ["list"]
    top = parser()
    chosen = top.parse_args(arguments)
    refuse_idle(top, arguments, chosen)
    # Where the output is no terminal, lines are as long as their text needs, up to what a log shows.
    console = Voice() if sys.stdout.isatty() else Voice(width=120)
    if chosen.command == "notebook":
        lesson = catalog.find(chosen.lesson)
        path = chosen.to or Path(f"{lesson.name}.ipynb")
        try:
            setting = Setting(chosen.engine, chosen.dtype, chosen.seed)
            with Working(console) as working, working.on(f"{lesson.number} {lesson.title}") as show:
                notebook.write(lesson, path, setting, run=not chosen.empty, show=show)
        except runner.Failed as problem:
            console.print(f"{lesson.number}: failed; {path} was not written", style="red")
            console.print(escape(str(problem)), highlight=False, soft_wrap=True)
            return 1
        console.print(f"wrote {path}", highlight=False, soft_wrap=True)
        return 0
    if chosen.command == "notebooks":
        named = catalog.find_all(chosen.lessons)
        return 0 if make_notebooks(named, chosen.jobs, console) else 1
    if chosen.command == "check":
        from . import check

        lesson = catalog.find(chosen.lesson)
        with Working(console) as working, working.on(f"checking exercise {lesson.number}"):
            good, text = check.check(lesson, chosen.file)
        console.print(escape(text), highlight=False, soft_wrap=True)
        return 0 if good else 1
    if chosen.command == "playground":
        from . import playground

        playground.write(chosen.to, steps=chosen.steps, progress=playground.bar)
        print(f"playground: {chosen.to} (open it in a browser)")
        return 0

    if chosen.command == "site":
        from .site import build

        lessons = catalog.find_all(chosen.lessons)
        return build.main(chosen.out, lessons, chosen.results)

    if chosen.command == "claims":
        if chosen.table:
            found = {lesson: of for lesson in catalog.lessons() if (of := claims.kept(lesson, chosen.out)) is not None}
            missing = planted_table.write(found, catalog.lessons())
            for number in missing:
                console.print(f"no new figures: lesson {number} was not examined", style="yellow", highlight=False)
            console.print(f"table: {files.shown(planted_table.README)}", highlight=False, soft_wrap=True)
            return 1 if missing else 0
        lessons = catalog.find_all(chosen.lessons)
        return 0 if examine_claims(lessons, chosen.out, chosen.seconds, console) else 1

    engines = [chosen.engine] if chosen.engine else ENGINES
    dtypes = [chosen.dtype] if chosen.dtype else DTYPES
    out: Path = chosen.out
    if chosen.command == "list":
        list_lessons(engines, dtypes, chosen.seed, out, console)
        return 0
    if chosen.command == "report" and chosen.table:
        missing = apart.write(apart.README, catalog.lessons(), chosen.seed, out)
        for line in missing:
            console.print(f"no new figures: {line}", style="yellow", highlight=False, markup=False, soft_wrap=True)
        console.print(f"table: {files.shown(apart.README)}", highlight=False, soft_wrap=True)
        return 1 if missing else 0
    if chosen.command == "report":
        with Working(console) as working, working.on("report") as show:
            path = report.write(catalog.lessons(), engines, dtypes, chosen.seed, out, show)
        console.print(f"report: {path}", highlight=False, soft_wrap=True)
        return 0

    if chosen.data_dir is not None:
        os.environ["MINIGRAD_DATA"] = str(chosen.data_dir.resolve())
    if chosen.full:
        os.environ["MINIGRAD_FULL"] = "1"
    if chosen.all == bool(chosen.lessons):
        raise SystemExit("Name the lessons to run, as in `run 01`, or say `run --all`.")
    lessons = catalog.find_all(chosen.lessons)
    if chosen.full:
        say_what_full_lacks(lessons, console)
    began = time.time()
    telling = None if len(lessons) > 1 or chosen.quiet else Telling(lessons[0], console, chosen.code)
    good = run_lessons(lessons, engines, dtypes, chosen.seed, out, chosen.fresh, chosen.jobs, console, telling)
    if telling and not chosen.code:
        path = files.shown(lessons[0].path)
        console.print(f"code:     {path} (with --code it is shown here)", highlight=False, soft_wrap=True)
    drawn = Setting(engines[0], dtypes[0], chosen.seed).folder(out, lessons[0])
    where = drawn if len(lessons) == 1 else out / "LESSON" / drawn.name
    console.print(f"pictures: {where}{os.sep}", highlight=False, soft_wrap=True)
    if telling:
        for page in sorted((Path(out) / lessons[0].name).glob(f"minigrad-{dtypes[0]}-{chosen.seed}/*.html")):
            console.print(f"page:     {page} (open it in a browser)", highlight=False, soft_wrap=True)
    if chosen.all:
        apart.note(out, time.time() - began, chosen.jobs)
        with Working(console) as working, working.on("report") as show:
            path = report.write(lessons, engines, dtypes, chosen.seed, out, show)
        console.print(f"report:   {path}", highlight=False, soft_wrap=True)
    return 0 if good else 1


if __name__ == "__main__":
    try:
        sys.exit(commands.run(main))
    except KeyboardInterrupt:
        print("\nInterrupted. Finished results are kept; the same command goes on where it stopped.", file=sys.stderr)
        sys.exit(130)
