"""The hub's logs: one file per start, and a limited number of old ones."""

from __future__ import annotations

from pathlib import Path

from pmh_jupyter.hub.up.logs import MAX_OLD_LOGS, TAIL_LINES, read_tail, rotate_log


def test_logs_are_rotated_and_old_ones_deleted(tmp_path: Path) -> None:
    for start in range(MAX_OLD_LOGS + 3):
        rotate_log(tmp_path).write_text(f"start {start}")
    logs = tmp_path / "logs"
    assert (logs / "hub.log").read_text() == f"start {MAX_OLD_LOGS + 2}"
    assert (logs / "hub.log.1").read_text() == f"start {MAX_OLD_LOGS + 1}"
    assert (logs / f"hub.log.{MAX_OLD_LOGS}").read_text() == "start 2"
    assert len(list(logs.iterdir())) == MAX_OLD_LOGS + 1


def test_new_log_is_empty_and_closed_to_others(tmp_path: Path) -> None:
    log = rotate_log(tmp_path)
    assert log.read_bytes() == b""
    assert log.stat().st_mode & 0o077 == 0


def test_tail_is_the_last_lines(tmp_path: Path) -> None:
    log = tmp_path / "hub.log"
    log.write_text("".join(f"line {number}\n" for number in range(100)))
    assert read_tail(log).splitlines() == [f"line {number}" for number in range(100 - TAIL_LINES, 100)]


def test_invalid_utf8_in_a_log_is_replaced(tmp_path: Path) -> None:
    log = tmp_path / "hub.log"
    log.write_bytes(b"\xff\n")
    assert read_tail(log) == "\N{REPLACEMENT CHARACTER}"


def test_tail_distinguishes_an_empty_log_from_a_missing_one(tmp_path: Path) -> None:
    log = rotate_log(tmp_path)
    assert "is empty" in read_tail(log)
    log.unlink()
    assert "cannot be read" in read_tail(log)
