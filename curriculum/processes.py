"""A process for each run of a lesson: forked from one that has imported everything (see server.py), or begun anew.

Forked where the system forks safely, which is Linux: Windows cannot, and on macOS the system's own libraries start threads.
"""

import json
import os
import signal
import socket
import subprocess
import sys
import tempfile
import threading
from contextlib import suppress
from typing import IO, Protocol

FORKS = sys.platform.startswith("linux")
# What a lesson's process reads when the lesson begins; all other variables may be read by an import, and belong to the server.
PER_RUN = ("MINIGRAD_ENGINE", "MINIGRAD_DTYPE", "MINIGRAD_SEED", "CURRICULUM_FOLDER", "CURRICULUM_PICTURES")


class Process(Protocol):
    """What is asked of a lesson's process; subprocess.Popen is one."""

    stdout: IO[str] | None
    stderr: IO[str] | None

    def kill(self) -> None: ...

    def poll(self) -> int | None: ...

    def wait(self) -> int: ...


class Forked:
    """A child of a server."""

    def __init__(self, pid: int, stdout: IO[str], stderr: IO[str], told: IO[str]) -> None:
        self.pid, self.told = pid, told
        self.stdout: IO[str] | None = stdout
        self.stderr: IO[str] | None = stderr
        self.status: int | None = None
        self.waiting = threading.Lock()

    def kill(self) -> None:
        if self.status is None:
            with suppress(ProcessLookupError):
                os.kill(self.pid, signal.SIGKILL)

    def poll(self) -> int | None:
        return self.status

    def wait(self) -> int:
        with self.waiting:
            if self.status is None:
                line = self.told.readline()
                if not line:  # the server was killed: nobody will tell how its child ends
                    self.kill()
                self.status = int(line.split()[1]) if line else -signal.SIGKILL
                self.told.close()
            return self.status


class Server:
    """A process that forks lessons' processes."""

    def __init__(self, engine: str, environment: dict[str, str]) -> None:
        self.control, other = socket.socketpair()
        self.lock = threading.Lock()
        with other:
            self.process = subprocess.Popen(
                [sys.executable, "-m", "curriculum.server", str(other.fileno()), engine], env=environment, pass_fds=[other.fileno()],
                stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
            )  # fmt: skip

    def fork(self, arguments: list[str], environment: dict[str, str]) -> Forked | None:
        """A lesson's process; None if the server makes none."""
        out, errors, told = os.pipe(), os.pipe(), os.pipe()
        ours = [os.fdopen(pipe[0], encoding="utf-8") for pipe in (out, errors, told)]
        try:
            with tempfile.TemporaryFile("w+", encoding="utf-8") as request:
                json.dump({"arguments": arguments, "environment": environment}, request)
                request.seek(0)
                with self.lock:
                    socket.send_fds(self.control, [b"r"], [request.fileno(), out[1], errors[1], told[1]])
        except OSError:
            pass  # it has ended: the pipe that tells has no other end
        finally:
            for pipe in (out, errors, told):
                os.close(pipe[1])
        answer = ours[2].readline().split()
        if answer[:1] == ["pid"]:
            return Forked(int(answer[1]), *ours)
        for file in ours:
            file.close()
        return None

    def end(self) -> None:
        """End the server and its children."""
        with self.lock:
            self.control.close()
        try:
            self.process.wait(2)
        except subprocess.TimeoutExpired:  # it is still importing, and has forked nothing yet
            self.process.kill()
            self.process.wait()


_servers: dict[tuple[str, str, frozenset[tuple[str, str]]], Server] = {}  # by engine, folder and environment
_starting = threading.Lock()


def start(engine: str, arguments: list[str], environment: dict[str, str]) -> Process:
    """A process that runs `curriculum.worker` with these arguments in this environment."""
    if FORKS:
        lasting = {name: value for name, value in environment.items() if name not in PER_RUN}
        with _starting:
            key = engine, os.getcwd(), frozenset(lasting.items())
            if key not in _servers:
                _servers[key] = Server(engine, lasting)
            server = _servers[key]
        if (forked := server.fork(arguments, environment)) is not None:
            return forked
    return subprocess.Popen(
        [sys.executable, "-m", "curriculum.worker", *arguments],
        env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, encoding="utf-8",
    )  # fmt: skip


def end() -> None:
    """End the servers, and with them what they forked."""
    with _starting:
        servers = list(_servers.values())
        _servers.clear()
    for server in servers:
        server.end()
