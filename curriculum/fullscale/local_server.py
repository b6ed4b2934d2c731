"""A web server for one page and one question, on this machine alone, that any client may treat badly.

Every request gets an answer, a wrong one too. A client has so long to say what it wants, and so many may be here at once.
Other pages in the same browser are kept out: the Host must be this machine's (else a stranger's name that is made to point
here could read the answers), and a question must come from this page (Origin) as JSON, which no form can send.
"""

from __future__ import annotations

import contextlib
import json
import socket
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import BoundedSemaphore, Lock, Timer
from typing import Any

from .errors import Refused

MOST = 200_000  # bytes of a question
CLIENTS = 32  # at once
SECONDS = 15.0  # to send a question, and to take an answer

_POLICY = "default-src 'none'; script-src 'unsafe-inline'; style-src 'unsafe-inline'; connect-src 'self'; frame-ancestors 'none'"


class Handler(BaseHTTPRequestHandler):
    server: Server

    def setup(self) -> None:
        self.request.settimeout(self.server.seconds)
        super().setup()
        self.watch = Timer(self.server.seconds, self._late)  # a byte now and then would never meet the timeout
        self.watch.daemon = True
        self.watch.start()

    def finish(self) -> None:
        self.watch.cancel()
        with contextlib.suppress(OSError):
            super().finish()
            self._let_go()

    def _late(self) -> None:
        with contextlib.suppress(OSError):
            self.connection.shutdown(socket.SHUT_RD)  # whoever reads finds the end, and the client can be told

    def _let_go(self) -> None:
        """Take what is still being sent: to close before would destroy the answer on its way."""
        self.connection.shutdown(socket.SHUT_WR)
        self.connection.settimeout(0.5)
        for _ in range(20):
            if not self.connection.recv(65536):
                break

    def reply(self, code: int, kind: str, body: bytes) -> None:
        self.send_response(code)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(body)))
        self.send_header("Content-Security-Policy", _POLICY)
        self.send_header("X-Content-Type-Options", "nosniff")
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body)

    def send_error(self, code: int, message: str | None = None, explain: str | None = None) -> None:
        """How the library answers what it cannot read; as JSON, like all else."""
        self.close_connection = True
        body = json.dumps({"error": message or self.responses[code][0]}).encode()  # type: ignore[index]
        if not hasattr(self, "request_version") or self.request_version == "HTTP/0.9":
            self.request_version = "HTTP/1.0"
        self.reply(code, "application/json", body)

    def _is_ours(self) -> bool:
        """Whether the request is for this machine; the answer to another is sent."""
        hosts = self.headers.get_all("Host") or []
        if len(hosts) != 1 or hosts[0].lower() not in self.server.hosts:
            self.send_error(
                403, f"This page is {self.server.address}, not {', '.join(hosts)[:100] or 'without a Host'}."
            )
            return False
        return True

    def do_GET(self) -> None:
        if not self._is_ours():
            return
        if self.path.split("?")[0] == "/":
            self.reply(200, "text/html; charset=utf-8", self.server.page)
        else:
            self.send_error(404, "There is only / here.")

    do_HEAD = do_GET

    def do_POST(self) -> None:
        if not self._is_ours():
            return
        origins = self.headers.get_all("Origin") or []
        if any(origin.lower() not in self.server.origins for origin in origins):
            return self.send_error(403, "Only this page itself may ask.")
        if self.path != "/predict":
            return self.send_error(404, "Questions go to /predict.")
        if self.headers.get_content_type() != "application/json":
            return self.send_error(415, "Wanted is JSON: Content-Type: application/json.")
        lengths = self.headers.get_all("Content-Length") or []
        if (
            "Transfer-Encoding" in self.headers
            or len(lengths) != 1
            or not lengths[0].isascii()
            or not lengths[0].isdigit()
        ):
            return self.send_error(411, "Wanted is one Content-Length, a whole number.")
        if len(lengths[0]) > 12 or not 0 < int(lengths[0]) <= MOST:
            return self.send_error(413, f"Wanted are 1 to {MOST:,} bytes.")
        try:
            content = self.rfile.read(int(lengths[0]))
        except OSError:  # its time is over
            content = b""
        if len(content) < int(lengths[0]):
            return self.send_error(408, f"Only {len(content)} of {lengths[0]} bytes have come.")
        self.watch.cancel()
        code, answer = self._answer(content)
        self.reply(code, "application/json", json.dumps(answer).encode())

    def _answer(self, content: bytes) -> tuple[int, dict[str, Any]]:
        try:
            asked = json.loads(content)
            if not isinstance(asked, dict):
                raise Refused("Wanted is a JSON object.")
            with self.server.judging:
                return 200, self.server.judge(asked)
        except RecursionError:
            return 400, {"error": "The JSON is nested too deeply."}
        except (Refused, ValueError) as error:
            return 400, {"error": str(error)[:500]}
        except Exception as error:  # of the model: the next question may fare better
            return 500, {"error": f"The model could not judge this ({type(error).__name__})."}

    def log_message(self, *_: Any) -> None:
        pass


class Server(ThreadingHTTPServer):
    """Answers GET / with `page` and POST /predict with `judge` of the JSON object, one at a time.

    Errors: Refused where the port is taken.
    """

    daemon_threads = True
    request_queue_size = 2 * CLIENTS  # with fewer, a client that comes while many do waits for a second

    def __init__(
        self, port: int, page: bytes, judge: Callable[[dict[str, Any]], dict[str, Any]], seconds: float = SECONDS
    ) -> None:
        self.page, self.judge, self.seconds = page, judge, seconds
        self.judging, self.free = Lock(), BoundedSemaphore(CLIENTS)
        try:
            super().__init__(("127.0.0.1", port), Handler)
        except (OSError, OverflowError) as error:
            why = getattr(error, "strerror", None) or error
            raise Refused(f"--port {port} cannot be taken ({why}): give another, or 0 for a free one.") from None
        port = self.server_address[1]
        self.hosts = {f"{name}:{port}" for name in ("127.0.0.1", "localhost")}
        if port == 80:
            self.hosts |= {"127.0.0.1", "localhost"}
        self.origins = {f"http://{host}" for host in self.hosts}
        self.address = f"http://127.0.0.1:{port}/"

    def process_request(self, request: Any, client_address: Any) -> None:
        if self.free.acquire(blocking=False):
            super().process_request(request, client_address)
            return
        with contextlib.suppress(OSError):
            request.settimeout(0.1)
            request.recv(65536)
        with contextlib.suppress(OSError):
            request.sendall(b"HTTP/1.0 503 Service Unavailable\r\nRetry-After: 5\r\nContent-Length: 0\r\n\r\n")
        self.shutdown_request(request)

    def process_request_thread(self, request: Any, client_address: Any) -> None:
        try:
            super().process_request_thread(request, client_address)
        finally:
            self.free.release()

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Clients that went away are no news."""
