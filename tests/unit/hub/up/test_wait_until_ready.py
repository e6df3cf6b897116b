"""Waiting until a hub is ready, against a real HTTP server."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from pmh_jupyter.errors import Unavailable
from pmh_jupyter.hub.up.wait_until_ready import HealthCheck, wait_until_healthy
from tests.support.hub.hub_process import free_ports

Answers = list[tuple[int, bytes]]


class Server(ThreadingHTTPServer):
    """Sends the answers in order, and repeats the last one."""

    answers: Answers

    def next_answer(self) -> tuple[int, bytes]:
        return self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_port}/services/pmh/ready"


class Handler(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        assert isinstance(self.server, Server)
        status, body = self.server.next_answer()
        self.send_response(status)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        """Log nothing."""


@pytest.fixture
def server() -> Iterator[Server]:
    with Server(("127.0.0.1", 0), Handler) as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        yield server
        server.shutdown()
        thread.join()


def test_wait_ends_at_the_first_answer_200(server: Server) -> None:
    server.answers = [(503, b"{}"), (404, b"nothing here yet"), (200, b"{}")]
    wait_until_healthy(HealthCheck("grading", server.url), lambda: True, timeout_seconds=30)
    assert server.answers == [(200, b"{}")]


def test_timeout_reports_the_last_answer(server: Server) -> None:
    components = {"database": {"ready": True}, "grading": {"ready": False, "message": "No sandbox can be had."}}
    server.answers = [(503, json.dumps({"ready": False, "components": components}).encode())]
    with pytest.raises(Unavailable, match=r"Grading is not ready after 0 s: No sandbox can be had\. \(503\)"):
        wait_until_healthy(HealthCheck("grading", server.url), lambda: True, timeout_seconds=0)


@pytest.mark.parametrize(
    "body", [b"<html>", b"[]", b"{}", b'{"components": {"grading": {}}}', b'{"components": []}', b"\xff"]
)
def test_answer_of_another_program_is_reported_by_its_status(server: Server, body: bytes) -> None:
    server.answers = [(502, body)]
    with pytest.raises(Unavailable, match="status 502"):
        wait_until_healthy(HealthCheck("the Hub", server.url), lambda: True, timeout_seconds=0)


def test_refused_connection_is_reported() -> None:
    [port] = free_ports(1)
    with pytest.raises(Unavailable, match="refused"):
        wait_until_healthy(
            HealthCheck("the Hub", f"http://127.0.0.1:{port}/hub/health"), lambda: True, timeout_seconds=0
        )


def test_ended_hub_is_not_waited_for(server: Server) -> None:
    server.answers = [(503, b"{}")]
    with pytest.raises(Unavailable, match="ended before the Hub answered"):
        wait_until_healthy(HealthCheck("the Hub", server.url), lambda: False, timeout_seconds=600)


def test_proxy_settings_of_the_machine_are_ignored(server: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("http_proxy", "http://127.0.0.1:9")
    server.answers = [(503, b"{}"), (200, b"{}")]
    wait_until_healthy(HealthCheck("the Hub", server.url), lambda: True, timeout_seconds=30)
    assert server.answers == [(200, b"{}")], "the server itself was asked"
