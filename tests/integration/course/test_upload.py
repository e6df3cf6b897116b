"""`pmh course release` against an HTTP server that reads the request as the service does."""

from __future__ import annotations

import base64
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from threading import Thread

import pytest

from pmh_jupyter.cli import main
from pmh_jupyter.wire.base import ErrorReply, ProblemReply
from pmh_jupyter.wire.staff import CourseReleaseReply, CourseUpload, ReleasedLesson
from tests.support.repository import TEST_COURSE

DONE = CourseReleaseReply(
    course="odd",
    version=3,
    lessons=(
        ReleasedLesson(slug="odd-cases", release_id="a" * 64, is_changed=True),
        ReleasedLesson(slug="classic", release_id="b" * 64, is_changed=False),
    ),
)
REFUSED = ErrorReply(
    code="invalid-course",
    message="The course cannot be released.",
    advice="Fix it.",
    problems=(ProblemReply(file="n.ipynb", cell="a", message="It is odd.", remedy="Even it out."),),
)


class Service(HTTPServer):
    """Answers every POST with `answer` and keeps what it was sent."""

    answer: tuple[int, bytes] = (201, DONE.model_dump_json().encode())
    path = token = ""
    upload: CourseUpload

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_port}/services/pmh"


class Handler(BaseHTTPRequestHandler):
    server: Service

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"]))
        self.server.path, self.server.token = self.path, self.headers["Authorization"]
        self.server.upload = CourseUpload.model_validate_json(body)
        status, answer = self.server.answer
        self.send_response(status)
        self.send_header("Content-Length", str(len(answer)))
        self.end_headers()
        self.wfile.write(answer)

    def log_message(self, format: str, *args: object) -> None:
        """Suppress the log."""


@pytest.fixture
def service() -> Iterator[Service]:
    with Service(("127.0.0.1", 0), Handler) as server:
        thread = Thread(target=server.serve_forever)
        thread.start()
        yield server
        server.shutdown()
        thread.join()


@pytest.fixture(autouse=True)
def environment(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("JUPYTERHUB_API_TOKEN", "PMH_SERVICE_URL", "MINE"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("PMH_TOKEN", "secret")


def release(*arguments: str) -> int:
    return main(["course", "release", str(TEST_COURSE), *arguments])


def test_whole_folder_is_uploaded(service: Service, capsys: pytest.CaptureFixture[str]) -> None:
    assert release("--url", service.url + "/", "--classroom", "demo", "--classroom", "evening") == 0
    assert (service.path, service.token) == ("/services/pmh/api/courses/odd/releases", "token secret")
    assert service.upload.classrooms == ("demo", "evening")
    sent = {file.path: base64.b64decode(file.content) for file in service.upload.files}
    assert sent["odd-cases/data/numbers.csv"] == (TEST_COURSE / "odd-cases" / "data" / "numbers.csv").read_bytes()
    assert "course.toml" in sent
    output = capsys.readouterr().out
    assert "odd, version 3" in output
    assert "odd-cases: new release aaaaaaaaaaaa" in output and "classic: unchanged bbbbbbbbbbbb" in output


def test_address_comes_from_the_settings(service: Service, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PMH_SERVICE_URL", service.url)
    assert release() == 0
    assert service.upload.classrooms == ()


@pytest.mark.parametrize(
    ("variables", "arguments", "token"),
    [
        ({"PMH_TOKEN": "a", "JUPYTERHUB_API_TOKEN": "b"}, [], "a"),
        ({"PMH_TOKEN": "", "JUPYTERHUB_API_TOKEN": "b"}, [], "b"),
        ({"PMH_TOKEN": "a", "MINE": "c"}, ["--token-env", "MINE"], "c"),
    ],
)
def test_named_token_variable_precedes_the_others(
    service: Service,
    monkeypatch: pytest.MonkeyPatch,
    variables: dict[str, str],
    arguments: list[str],
    token: str,
) -> None:
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    assert release("--url", service.url, *arguments) == 0
    assert service.token == f"token {token}"


def test_nothing_is_sent_without_a_token(service: Service, capsys: pytest.CaptureFixture[str]) -> None:
    assert release("--url", service.url, "--token-env", "MINE") == 2
    assert "There is no token in MINE." in capsys.readouterr().err
    assert service.path == ""


def test_refusal_shows_the_services_message(service: Service, capsys: pytest.CaptureFixture[str]) -> None:
    service.answer = (422, REFUSED.model_dump_json().encode())
    assert release("--url", service.url) == 2
    output = capsys.readouterr().err
    assert "The course cannot be released." in output and "Fix it." in output
    assert "n.ipynb, a: It is odd. Even it out." in output


@pytest.mark.parametrize(
    ("answer", "says"),
    [((502, b"<html>Bad gateway"), "answered 502"), ((201, b"<html>Hello"), "is not the service")],
)
def test_reply_of_another_server_is_reported(
    service: Service, capsys: pytest.CaptureFixture[str], answer: tuple[int, bytes], says: str
) -> None:
    service.answer = answer
    assert release("--url", service.url) == 2
    assert says in capsys.readouterr().err


def test_unreachable_service_is_reported(service: Service, capsys: pytest.CaptureFixture[str]) -> None:
    with HTTPServer(("127.0.0.1", 0), Handler) as closed:
        port = closed.server_port
    assert release("--url", f"http://127.0.0.1:{port}/services/pmh") == 2
    assert "does not answer" in capsys.readouterr().err


@pytest.mark.parametrize("url", ["file:///etc/passwd", "hub.example"])
def test_invalid_address_is_reported(url: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert release("--url", url) == 2
    assert "is not the address of a service" in capsys.readouterr().err


def test_invalid_course_is_not_sent(service: Service, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "course.toml").write_text("slug =", encoding="utf-8")
    assert main(["course", "release", str(tmp_path), "--url", service.url]) == 2
    assert "It is not TOML" in capsys.readouterr().err
    assert service.path == ""
