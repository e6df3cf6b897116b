"""Log lines name the event and the request, and contain no credentials."""

from __future__ import annotations

import json
import logging
from collections.abc import Iterator

import pytest
import structlog

from pmh_jupyter.service import logs


@pytest.fixture(autouse=True)
def _restore_logging() -> Iterator[None]:
    root = logging.getLogger()
    handlers, level = root.handlers[:], root.level
    yield
    root.handlers[:], root.level = handlers, level
    structlog.reset_defaults()
    structlog.contextvars.clear_contextvars()


def test_log_line_is_json_with_request_id(capsys: pytest.CaptureFixture[str]) -> None:
    logs.configure_logging("info", is_json=True)
    structlog.contextvars.bind_contextvars(request_id="request-1")
    logs.log.info("grading finished", seconds=1.5)
    logs.log.debug("below the log level")
    (line,) = capsys.readouterr().err.splitlines()
    event = json.loads(line)
    assert (event["event"], event["request_id"], event["seconds"], event["level"]) == (
        "grading finished",
        "request-1",
        1.5,
        "info",
    )


def test_library_log_records_are_json_without_credentials(capsys: pytest.CaptureFixture[str]) -> None:
    logs.configure_logging("info", is_json=True)
    logging.getLogger("jupyterhub").warning("failed with Authorization: token 0123456789abcdef")
    logging.getLogger("tornado.general").warning("Invalid cookie signature %r", b"cookie")
    (line,) = capsys.readouterr().err.splitlines()
    assert "0123456789abcdef" not in line
    assert json.loads(line)["event"] == "failed with Authorization: token [redacted]"


def test_traceback_contains_no_local_values(capsys: pytest.CaptureFixture[str]) -> None:
    logs.configure_logging("info", is_json=True)
    code = "".join(["pri", "vate"])
    try:
        raise ValueError("no")
    except ValueError:
        logs.log.exception("failed", length=len(code))
    output = capsys.readouterr().err
    assert "ValueError: no" in output and "private" not in output


@pytest.mark.parametrize("proposed", [None, "", "short", "a" * 65, "with space", "line\nbreak", "ünicode-id", "x;drop"])
def test_unsafe_request_id_is_replaced(proposed: str | None) -> None:
    request_id = logs.choose_request_id(proposed)
    assert request_id != proposed and len(request_id) == 32


def test_safe_request_id_is_kept() -> None:
    assert logs.choose_request_id("panel.4711-a_b") == "panel.4711-a_b"
