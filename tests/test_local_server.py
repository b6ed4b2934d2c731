"""The page that `serve` shows, under clients that mean it badly or are broken."""

import contextlib
import http.client
import json
import socket
import threading
import time

import numpy as np
import pytest

from curriculum.fullscale.errors import Refused
from curriculum.fullscale.local_server import CLIENTS, MOST, Server
from curriculum.fullscale.shown import STATIC


def judge(asked):
    if "fail" in asked:
        raise RuntimeError("a fault of the model")
    if "text" not in asked:
        raise Refused("The review is empty.")
    return {"label": "positive", "text": asked["text"]}


@pytest.fixture
def site():
    server = Server(0, "<html>page</html>", STATIC, judge, seconds=2.0)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    yield server.port
    server.shutdown()
    thread.join(10)
    assert not thread.is_alive()


def send(port, raw, wait=6.0):
    """What comes back for these bytes."""
    with socket.create_connection(("127.0.0.1", port), timeout=wait) as client:
        with contextlib.suppress(OSError):
            client.sendall(raw)
        parts = []
        with contextlib.suppress(ConnectionResetError):
            while part := client.recv(65536):
                parts.append(part)
    return b"".join(parts)


def status(answer):
    assert answer.startswith(b"HTTP/1.1 "), answer[:200]
    return int(answer.split()[1])


def question(port, body=b'{"text": "x"}', **headers):
    lines = {"Host": f"127.0.0.1:{port}", "Content-Type": "application/json", "Content-Length": str(len(body))}
    lines |= {name.replace("_", "-"): value for name, value in headers.items()}
    text = "".join(f"{name}: {value}\r\n" for name, value in lines.items() if value is not None)
    return b"POST /predict HTTP/1.1\r\n" + text.encode() + b"\r\n" + body


def short(value):
    """The name of a case: not all its bytes."""
    return str(value)[:40]


def test_page_and_answer(site):
    connection = http.client.HTTPConnection("localhost", site, timeout=10)
    connection.request("GET", "/")
    reply = connection.getresponse()
    assert (reply.status, reply.read()) == (200, b"<html>page</html>")
    assert "frame-ancestors 'none'" in reply.headers["Content-Security-Policy"]
    connection = http.client.HTTPConnection("localhost", site, timeout=10)
    headers = {"Content-Type": "application/json; charset=utf-8", "Origin": f"http://localhost:{site}"}
    connection.request("POST", "/predict", json.dumps({"text": "é"}), headers)
    reply = connection.getresponse()
    assert (reply.status, json.load(reply)["text"]) == (200, "é")
    assert status(send(site, f"HEAD / HTTP/1.1\r\nHost: localhost:{site}\r\n\r\n".encode())) == 200


def test_other_hosts_and_origins_are_kept_out(site):
    """DNS rebinding: a stranger's name that points here. Cross-site posts: another page of the same browser asks."""
    for host in (
        "evil.example",
        f"evil.example:{site}",
        "127.0.0.1",
        "localhost:1",
        f"127.0.0.1.evil.example:{site}",
        "",
    ):
        assert status(send(site, f"GET / HTTP/1.1\r\nHost: {host}\r\n\r\n".encode())) == 403
        assert status(send(site, question(site, Host=host))) == 403
    assert status(send(site, b"GET / HTTP/1.0\r\n\r\n")) == 403
    assert status(send(site, b"GET / HTTP/1.1\r\n\r\n")) == 400  # uvicorn itself
    two = f"GET / HTTP/1.1\r\nHost: localhost:{site}\r\nHost: evil.example\r\n\r\n"
    assert status(send(site, two.encode())) == 400
    assert status(send(site, two.replace("1.1", "1.0").encode())) in (400, 403)
    for origin in (
        "http://evil.example",
        "null",
        f"https://127.0.0.1:{site}",
        f"http://127.0.0.1:{site}.evil.example",
        "",
    ):
        assert status(send(site, question(site, Origin=origin))) == 403
    for kind in ("text/plain", "application/x-www-form-urlencoded", "multipart/form-data", None):
        assert status(send(site, question(site, Content_Type=kind))) == 415


@pytest.mark.parametrize(
    ("headers", "body", "code"),
    [
        ({"Content-Length": "-1"}, b"{}", 400), ({"Content-Length": "x"}, b"{}", 400), ({"Content-Length": "1e3"}, b"{}", 400),
        ({"Content-Length": None}, b"", 411), ({"Content-Length": "٣"}, b"{}", 400), ({"Content-Length": "0"}, b"", 413),
        ({"Content-Length": "9" * 5000}, b"{}", 400), ({"Content-Length": str(10**12)}, b"{}", 413), ({}, b" " * (MOST + 1), 413),
        ({"Transfer-Encoding": "chunked"}, b"2\r\n{}\r\n0\r\n\r\n", 411), ({"Content-Length": "50"}, b"{}", 408),
        ({}, b"nothing", 400), ({}, b"[1]", 400), ({}, b"\xff\xfe", 400), ({}, b"[" * 100_000, 400), ({}, b'{"a":' * 30_000, 400),
        ({}, b"9" * 5000, 400), ({}, b"{}", 400), ({}, b'{"fail": 1}', 500), ({}, b"NaN", 400),
    ],
    ids=short,
)  # fmt: skip
def test_malformed_questions(site, headers, body, code):
    answer = send(site, question(site, body, **headers))
    assert status(answer) == code
    said = answer.partition(b"\r\n\r\n")[2].decode()
    if (
        "application/json" in answer.partition(b"\r\n\r\n")[0].decode()
    ):  # ours; what is no HTTP, uvicorn refuses by itself
        said = json.loads(said)["error"]
    assert said
    assert len(said.splitlines()) == 1
    assert status(send(site, question(site))) == 200


@pytest.mark.parametrize(
    "raw",
    [
        b"\r\n\r\n", b"x\r\n\r\n", b"GET\r\n\r\n", b"GET /\r\n\r\n", b"GET / HTTP/9.9\r\n\r\n", b"GET / HTTP/x\r\n\r\n", b"GET / / HTTP/1.1\r\n\r\n",
        b"BREW / HTTP/1.1\r\n\r\n", b"PUT / HTTP/1.1\r\n\r\n", b"OPTIONS * HTTP/1.1\r\n\r\n", b"GET /" + b"x" * 70_000 + b" HTTP/1.1\r\n\r\n",
        b"GET / HTTP/1.1\r\n" + b"a: b\r\n" * 200 + b"\r\n", b"GET / HTTP/1.1\r\na: " + b"b" * 70_000 + b"\r\n\r\n", b"\x16\x03\x01\x02\x00\x01",
        b"GET / HTTP/1.1\r\nbroken header\r\n\r\n", bytes(300) + b"\r\n\r\n", "GET /ü HTTP/1.1\r\nHost: ü\r\n\r\n".encode(),
    ],
    ids=short,
)  # fmt: skip
def test_malformed_requests(site, raw):
    answer = send(site, raw)
    if (
        raw.strip(b"\r\n") and b"\n" in raw
    ):  # an empty line, or none, is no request yet: it is waited for, and then closed
        assert 400 <= status(answer) < 600
    assert status(send(site, question(site))) == 200


def test_random_bytes(site):
    rng = np.random.default_rng(0)
    whole = question(site)
    for _ in range(150):
        raw = bytearray(whole)
        for _ in range(rng.integers(1, 5)):
            raw[rng.integers(len(raw))] = rng.integers(256)
        if raw.count(b"\r\n\r\n") and raw.count(
            f"Content-Length: {len(whole.partition(bytes((13, 10, 13, 10)))[2])}".encode()
        ):
            assert status(send(site, bytes(raw))) in range(200, 600)
    assert status(send(site, question(site))) == 200


def test_slow_clients_are_not_waited_for(site):
    """A byte now and then would keep a connection for ever."""
    begin = time.monotonic()
    with socket.create_connection(("127.0.0.1", site), timeout=10) as client:
        client.sendall(question(site, b" " * 1000)[:-900])
        answer, reset = b"", False
        for _ in range(100):
            with contextlib.suppress(OSError):
                client.sendall(b" ")
            client.settimeout(0.1)
            with contextlib.suppress(TimeoutError):
                try:
                    part = client.recv(65536)
                except (
                    ConnectionResetError
                ):  # closed while a byte of ours was on its way, which may take the answer with it
                    reset = True
                    break
                answer += part
                if not part:
                    break
        assert status(answer) == 408 if answer else reset
    assert time.monotonic() - begin < 6
    with socket.create_connection(("127.0.0.1", site), timeout=10) as client:
        client.sendall(b"GET / HT")
        client.recv(65536)  # an answer or the end
    assert time.monotonic() - begin < 12


def test_many_clients(site):
    """Those that are too many are told so, and when the others are gone all is as before."""
    clients = [socket.create_connection(("127.0.0.1", site), timeout=10) for _ in range(CLIENTS)]
    time.sleep(0.3)
    assert status(send(site, question(site))) == 503
    for client in clients:
        client.close()
    for _ in range(50):
        if status(send(site, question(site))) == 200:
            break
        time.sleep(0.1)
    else:
        raise AssertionError("nobody is served any more")


def test_a_port_that_is_taken(site):
    for port in (site, 70_000, -1):
        with pytest.raises(Refused, match="--port"):
            Server(port, "", STATIC, judge)
