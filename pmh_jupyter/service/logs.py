"""Structured logging: one line per event, as JSON or, on a terminal, as text.

The request id is bound once per request and passed on to threads, jobs and the grader. No line contains a token, a student's code or the
name of a hidden test: events have ids and codes only. Log records of libraries are included from level WARNING, but those of
`tornado.general` only from ERROR, because it logs cookies that it cannot verify.
"""

from __future__ import annotations

import logging
import re
import sys
import uuid
from collections.abc import MutableMapping
from typing import Any

import structlog

_REQUEST_ID_PATTERN = re.compile(r"[A-Za-z0-9._-]{6,64}")
_SECRET_PATTERN = re.compile(r"(?i)(token|bearer|code|code_verifier|_xsrf)([=\s:]+)[A-Za-z0-9._|%+/-]{8,}")

log: structlog.stdlib.BoundLogger = structlog.get_logger("pmh.service")


def configure_logging(level: str = "info", is_json: bool = False) -> None:
    """Configure structlog and the standard library's logging for this process. JSON is also used if stderr is not a terminal."""
    shared_processors: list[structlog.typing.Processor] = [
        structlog.contextvars.merge_contextvars,
        structlog.stdlib.add_log_level,
        structlog.stdlib.add_logger_name,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        structlog.processors.format_exc_info,
        _redact_secrets,
    ]
    use_json = is_json or not sys.stderr.isatty()
    renderer: structlog.typing.Processor = (
        structlog.processors.JSONRenderer() if use_json else structlog.dev.ConsoleRenderer()
    )
    structlog.configure(
        processors=[*shared_processors, structlog.stdlib.ProcessorFormatter.wrap_for_formatter],
        wrapper_class=structlog.stdlib.BoundLogger,
        logger_factory=structlog.stdlib.LoggerFactory(),
        cache_logger_on_first_use=False,
    )
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=shared_processors,
            processors=[structlog.stdlib.ProcessorFormatter.remove_processors_meta, renderer],
        )
    )
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(logging.WARNING)
    logging.getLogger("pmh").setLevel(level.upper())
    logging.getLogger("tornado.general").setLevel(logging.ERROR)


def choose_request_id(proposed_id: str | None) -> str:
    """Return the proposed id if it is safe to log, else a new one."""
    if proposed_id and _REQUEST_ID_PATTERN.fullmatch(proposed_id):
        return proposed_id
    return uuid.uuid4().hex


def _redact_secrets(_logger: Any, _method: str, event: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    """Remove everything that looks like a credential from the event's texts, as a last safeguard."""
    for key, value in event.items():
        if isinstance(value, str):
            event[key] = _SECRET_PATTERN.sub(r"\1\2[redacted]", value)
    return event
