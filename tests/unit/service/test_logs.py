"""Logs say what happened and to which request, and hold no credential."""

from __future__ import annotations

import json
import logging
from collections.abc import Iterator

import pytest
import structlog

from pmh_jupyter.service import logs


@pytest.fixture(autouse=True)
def _restored() -> Iterator[None]:
    root = logging.getLogger()
    handlers, level = root.handlers[:], root.level
    yield
    root.handlers[:], root.level = handlers, level
    structlog.reset_defaults()
    structlog.contextvars.clear_contextvars()


def test_a_line_is_json_with_its_request(capsys: pytest.CaptureFixture[str]) -> None:
    logs.configure_logging("info", as_json=True)
    structlog.contextvars.bind_contextvars(request_id="request-1")
    logs.log.info("graded", seconds=1.5)
    logs.log.debug("not at this level")
    (line,) = capsys.readouterr().err.splitlines()
    told = json.loads(line)
    assert (told["event"], told["request_id"], told["seconds"], told["level"]) == ("graded", "request-1", 1.5, "info")


def test_what_libraries_log_is_told_alike_and_without_credentials(capsys: pytest.CaptureFixture[str]) -> None:
    logs.configure_logging("info", as_json=True)
    logging.getLogger("jupyterhub").warning("failed with Authorization: token 0123456789abcdef")
    logging.getLogger("tornado.general").warning("Invalid cookie signature %r", b"cookie")
    (line,) = capsys.readouterr().err.splitlines()
    assert "0123456789abcdef" not in line and "token" in json.loads(line)["event"]


def test_a_traceback_holds_no_values(capsys: pytest.CaptureFixture[str]) -> None:
    logs.configure_logging("info", as_json=True)
    code = "".join(["pri", "vate"])
    try:
        raise ValueError("no")
    except ValueError:
        logs.log.exception("failed", length=len(code))
    told = capsys.readouterr().err
    assert "ValueError: no" in told and "private" not in told


@pytest.mark.parametrize("offered", [None, "", "short", "a" * 65, "with space", "line\nbreak", "ünicode-id", "x;drop"])
def test_an_id_that_does_not_belong_in_a_log_is_replaced(offered: str | None) -> None:
    made = logs.choose_request_id(offered)
    assert made != offered and len(made) == 32


def test_a_sane_id_is_kept() -> None:
    assert logs.choose_request_id("panel.4711-a_b") == "panel.4711-a_b"
