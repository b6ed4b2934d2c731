"""One lesson in one engine, in a process of its own: `python -m curriculum.worker LESSON KEY`."""

import runpy
import sys
import time

from . import draw, record


def main() -> None:
    path, key = sys.argv[1:]
    from . import engine  # noqa: F401

    draw.pyplot()
    # what was imported so far is not the lesson's time
    start = time.perf_counter()
    skipped = ""
    try:
        runpy.run_path(path, run_name="__main__")
    except record.Skipped as reason:
        skipped = str(reason)
    except ModuleNotFoundError as missing:
        sys.exit(f"the lesson needs {missing.name}, which is not installed: pip install {missing.name}")
    record.finish(time.perf_counter() - start, key, skipped)


if __name__ == "__main__":
    main()
