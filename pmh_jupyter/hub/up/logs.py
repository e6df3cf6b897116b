"""The hub's logs, one file per start: `<data>/logs/hub.log`, and those of the last `MAX_OLD_LOGS` starts beside it."""

from __future__ import annotations

from collections import deque
from pathlib import Path

MAX_OLD_LOGS = 5
TAIL_LINES = 25


def rotate_log(data_dir: Path) -> Path:
    """Create an empty `logs/hub.log`. Earlier logs become hub.log.1 (the latest) to hub.log.5."""
    folder = data_dir / "logs"
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    log = folder / "hub.log"
    for number in range(MAX_OLD_LOGS, 0, -1):
        previous_log = folder / f"hub.log.{number - 1}" if number > 1 else log
        if previous_log.exists():
            previous_log.replace(folder / f"hub.log.{number}")
    log.touch(mode=0o600)
    return log


def read_tail(log: Path) -> str:
    """Return the last TAIL_LINES lines of a log, or in parentheses why there are none."""
    try:
        with open(log, encoding="utf-8", errors="replace") as file:
            return "".join(deque(file, maxlen=TAIL_LINES)).rstrip() or f"({log} is empty)"
    except OSError as error:
        return f"({log} cannot be read: {error.strerror})"
