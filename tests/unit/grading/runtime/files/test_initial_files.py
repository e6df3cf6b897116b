"""The transfer of the files of a work folder: in parts, and without the files that cannot be written."""

from __future__ import annotations

import base64
import socket
import threading
from pathlib import Path

import pytest

from pmh_jupyter.grading.runtime.files.initial_files import PART_BYTES, receive_files, send_files
from pmh_jupyter.grading.runtime.transport.framing import Link, PeerLost


def _transfer(folder: Path, monkeypatch: pytest.MonkeyPatch, files: dict[str, bytes]) -> dict[str, bytes]:
    """Send files over a link whose frames hold little more than a part. Return the files that have arrived below the folder."""
    monkeypatch.chdir(folder)
    encoded = [{"path": path, "content": base64.b64encode(content).decode()} for path, content in files.items()]
    judge_socket, student_socket = socket.socketpair()
    with judge_socket, student_socket:
        sender = threading.Thread(target=send_files, args=(Link(judge_socket, PART_BYTES + 9_000), encoded))
        sender.start()
        receive_files(Link(student_socket, PART_BYTES + 9_000))
        sender.join()
    return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def test_files_larger_than_a_message_arrive(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    files = {"large.bin": bytes(range(256)) * 10_000, "part.bin": b"x" * PART_BYTES, "sub/empty": b""}
    assert _transfer(tmp_path, monkeypatch, files) == files


def test_file_that_cannot_be_written_costs_no_other(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    files = {"x" * 300: b"1", "a/" + "y" * 300: b"2" * (2 * PART_BYTES), "own": b"3", "own/below": b"4"}
    assert _transfer(tmp_path, monkeypatch, files | {"last": b"5"}) == {"own": b"3", "last": b"5"}


def test_unsafe_path_is_skipped(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "work").mkdir()
    outside = tmp_path / "outside"
    files = {"../outside": b"1", str(outside): b"2", "inside": b"3"}
    assert _transfer(tmp_path / "work", monkeypatch, files) == {"inside": b"3"}
    assert not outside.exists()


def test_end_of_the_link_is_a_loss(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    judge_socket, student_socket = socket.socketpair()
    with student_socket:
        judge_socket.close()
        with pytest.raises(PeerLost):
            receive_files(Link(student_socket))
