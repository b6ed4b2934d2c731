"""Starlette and uvicorn, for one page and one question, on this machine alone, where any client may treat them badly.

The libraries speak HTTP, route, run the model beside the loop and say no to what is no request. Added here is what neither
has: a client has so long to say what it wants, however it says it; a question has a most size; and other pages in the same
browser are kept out: the Host must be this machine's (else a stranger's name that is made to point here could read the
answers), and a question must come from this page (Origin) as JSON, which no form can send.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import socket
from collections.abc import Callable
from pathlib import Path
from typing import Any

import uvicorn
from anyio import CapacityLimiter, to_thread
from starlette.applications import Starlette
from starlette.datastructures import Headers
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.requests import ClientDisconnect, Request
from starlette.responses import HTMLResponse, JSONResponse, Response
from starlette.routing import Mount, Route
from starlette.staticfiles import StaticFiles
from starlette.types import ASGIApp, Message, Receive, Scope, Send
from uvicorn.protocols.http.h11_impl import H11Protocol

from .errors import Refused

MOST = 200_000  # bytes of a question
CLIENTS = 32  # at once
SECONDS = 15.0  # to send a question

HEADERS = {
    b"content-security-policy": b"default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; img-src data:; frame-ancestors 'none'",
    b"x-content-type-options": b"nosniff",
    b"connection": b"close",  # the next question comes with a time of its own
}

Judge = Callable[[dict[str, Any]], dict[str, Any]]


def no(code: int, why: str) -> Response:
    return JSONResponse({"error": why}, code)


class Guard:
    """Lets through what this machine's own page asks; every answer gets HEADERS."""

    def __init__(self, app: ASGIApp, hosts: set[str]) -> None:
        self.app, self.hosts = app, hosts

    def refusal(self, headers: Headers) -> Response | None:
        hosts, origins = headers.getlist("host"), headers.getlist("origin")
        if len(hosts) != 1 or hosts[0].lower() not in self.hosts:
            return no(403, f"This page is http://{min(self.hosts)}/, not {', '.join(hosts)[:100] or 'without a Host'}.")
        if any(origin.lower().removeprefix("http://") not in self.hosts or "//" not in origin for origin in origins):
            return no(403, "Only this page itself may ask.")
        return None

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            return await self.app(scope, receive, send)

        async def send_with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                message["headers"] = [*message.get("headers", []), *HEADERS.items()]
            await send(message)

        await (self.refusal(Headers(scope=scope)) or self.app)(scope, receive, send_with_headers)


async def question(request: Request, seconds: float) -> bytes:
    """The body of a request. Errors: HTTPException, with what is wrong with it."""
    if request.headers.get("content-type", "").partition(";")[0].strip().lower() != "application/json":
        raise HTTPException(415, "Wanted is JSON: Content-Type: application/json.")
    length = request.headers.get("content-length", "")
    if "transfer-encoding" in request.headers or not length.isdecimal():
        raise HTTPException(411, "Wanted is one Content-Length, a whole number.")
    too_much = len(length) > 12 or not 0 < int(length) <= MOST
    content = bytearray()
    try:
        # what is too much is read a little too: to close before would destroy the answer on its way
        async with asyncio.timeout(min(seconds, 0.5) if too_much else seconds):
            async for part in request.stream():
                content = bytearray(part) if too_much else content + part
    except TimeoutError:
        if not too_much:
            raise HTTPException(408, f"Only {len(content)} of {length} bytes have come.") from None
    if too_much:
        raise HTTPException(413, f"Wanted are 1 to {MOST:,} bytes.")
    return bytes(content)


def answer(judge: Judge, content: bytes) -> Response:
    """What the model says to a question."""
    try:
        asked = json.loads(content)
        if not isinstance(asked, dict):
            raise Refused("Wanted is a JSON object.")
        return JSONResponse(judge(asked))
    except RecursionError:
        return no(400, "The JSON is nested too deeply.")
    except (Refused, ValueError) as error:
        return no(400, " ".join(str(error).split())[:500])
    except Exception as error:  # of the model: the next question may fare better
        return no(500, f"The model could not judge this ({type(error).__name__}).")


def application(page: str, folder: Path, judge: Judge, hosts: set[str], seconds: float = SECONDS) -> Starlette:
    """GET / is `page`, GET /static/NAME a file of the folder, POST /predict `judge` of the JSON object, one at a time."""
    one = CapacityLimiter(1)

    async def show(request: Request) -> Response:
        return HTMLResponse(page)

    async def predict(request: Request) -> Response:
        try:
            content = await question(request, seconds)
        except ClientDisconnect:
            return no(400, "The client went away.")  # nobody reads it
        return await to_thread.run_sync(answer, judge, content, limiter=one)

    def refuse(request: Request, error: Exception) -> Response:
        assert isinstance(error, HTTPException)
        where = {404: "There are / and /predict here.", 405: f"{request.method} is not for {request.url.path[:100]}."}
        return no(error.status_code, where.get(error.status_code, error.detail))

    return Starlette(
        routes=[
            Route("/", show),
            Route("/predict", predict, methods=["POST"]),
            Mount("/static", StaticFiles(directory=folder)),
        ],
        middleware=[Middleware(Guard, hosts=hosts)],
        exception_handlers={HTTPException: refuse},
    )


def protocol(seconds: float) -> type[H11Protocol]:
    """uvicorn's protocol, which by itself waits for ever for a request to begin, or for the rest of its head."""

    class Impatient(H11Protocol):
        answering = False

        def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
            super().connection_made(transport)
            self.watch = self.loop.call_later(seconds, self.late)

        def late(self) -> None:
            if self.cycle is None or self.answering:  # it has not asked, or does not take the answer
                self.transport.abort()
            else:
                self.answering = self.cycle.response_started
                self.watch = self.loop.call_later(seconds, self.late)

        def connection_lost(self, exc: Exception | None) -> None:
            self.watch.cancel()
            super().connection_lost(exc)

    return Impatient


class Server:
    """Serves on 127.0.0.1 from `serve_forever` on, until `shutdown` or Ctrl-C. Errors: Refused where the port is not to be had."""

    def __init__(self, port: int, page: str, folder: Path, judge: Judge, seconds: float = SECONDS) -> None:
        if not 0 <= port <= 65535:
            raise Refused(f"--port {port}: give a number from 1 to 65535, or 0 for a free one.")
        try:
            self.socket = socket.create_server(("127.0.0.1", port), backlog=2 * CLIENTS)
        except OSError as error:
            raise Refused(
                f"--port {port} cannot be taken ({error.strerror or error}): give another, or 0 for a free one."
            ) from None
        self.port = self.socket.getsockname()[1]
        self.address = f"http://127.0.0.1:{self.port}/"
        hosts = {f"{name}:{self.port}" for name in ("127.0.0.1", "localhost")}
        if self.port == 80:
            hosts |= {"127.0.0.1", "localhost"}
        self.uvicorn = uvicorn.Server(
            uvicorn.Config(
                application(page, folder, judge, hosts, seconds), http=protocol(seconds), ws="none", lifespan="off",
                log_config=None, log_level="critical", access_log=False, server_header=False, limit_concurrency=CLIENTS + 1,
                timeout_graceful_shutdown=2, proxy_headers=False,
            )
        )  # fmt: skip

    def serve_forever(self) -> None:
        with contextlib.suppress(KeyboardInterrupt):
            self.uvicorn.run(sockets=[self.socket])

    def shutdown(self) -> None:
        self.uvicorn.should_exit = True
