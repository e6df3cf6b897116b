"""Reading in a separate process: a submission that makes it slow, large or crash affects only itself."""

from __future__ import annotations

import errno
import os
import pickle
import signal
import threading
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from pmh_jupyter.authoring.submission_folder import read_submission
from pmh_jupyter.domain.course import File
from pmh_jupyter.errors import InvalidNotebook, Unavailable, UnreadableSubmission
from pmh_jupyter.grading import reader_process, submission_reader
from pmh_jupyter.grading.assemble import assemble_submission
from pmh_jupyter.grading.submission_reader import SubmissionReader
from tests.support.grading.lesson import NOTEBOOK, RIGHT, fill_in_answers, make_notebook_file, make_task
from tests.unit.grading import hostile_reading


@pytest.fixture
def reader() -> Iterator[SubmissionReader]:
    with SubmissionReader(timeout_seconds=60) as reader:
        yield reader


def test_submission_is_assembled_as_in_this_process(reader: SubmissionReader) -> None:
    original = make_task(make_notebook_file(fill_in_answers(RIGHT)), File("data.csv", b"1"))
    assert reader.assemble(original) == assemble_submission(original)


def test_half_characters_cross(reader: SubmissionReader) -> None:
    original = make_task(make_notebook_file(fill_in_answers(RIGHT | {"double": "def double(x): return '\ud800'"})))
    assert reader.assemble(original) == assemble_submission(original)


def test_error_of_a_submission_keeps_its_words(reader: SubmissionReader, tmp_path: Path) -> None:
    (tmp_path / "lesson.ipynb").write_text("{")
    with pytest.raises(InvalidNotebook, match=r"lesson\.ipynb is not a notebook") as caught:
        reader.call(read_submission, str(tmp_path))
    assert caught.value.advice == InvalidNotebook.advice


def test_process_is_reused(reader: SubmissionReader) -> None:
    assert len({reader.call(os.getpid) for _ in range(3)} - {os.getpid()}) == 1


@pytest.mark.parametrize(
    ("function", "reason"),
    [
        (hostile_reading.crash, "ended the process"),
        (hostile_reading.exit_process, "ended the process"),
        (hostile_reading.use_much_memory, "too much memory"),
        (hostile_reading.recurse, "nested too deeply"),
        (hostile_reading.raise_bug, "an unexpected ZeroDivisionError"),
        (hostile_reading.reply_with_code, "ended the process"),
    ],
)
def test_next_submission_is_read_after_one_that_fails(reader: SubmissionReader, function: Any, reason: str) -> None:
    with pytest.raises(UnreadableSubmission, match=reason):
        reader.call(function)
    assert reader.call(os.getpid) != os.getpid()


def test_endless_reading_is_ended_by_its_computing_time(
    reader: SubmissionReader, monkeypatch: pytest.MonkeyPatch
) -> None:
    with pytest.raises(UnreadableSubmission, match="takes too long"):
        reader.call(hostile_reading.compute_forever_after_a_second)
    assert reader.call(os.getpid) != os.getpid()


def test_waiting_forever_is_ended_by_the_clock() -> None:
    with SubmissionReader(timeout_seconds=0.5) as reader, pytest.raises(UnreadableSubmission, match="takes too long"):
        reader.call(signal.pause)


def test_process_that_has_grown_is_replaced(reader: SubmissionReader) -> None:
    first_pid = reader.call(os.getpid)
    assert reader.call(hostile_reading.keep_memory, reader_process.MAX_GROWTH_BYTES + (1 << 20)) == first_pid
    assert reader.call(os.getpid) != first_pid


@pytest.mark.parametrize(
    "function",
    [hostile_reading.handle_memory_error, hostile_reading.analyze_nested_signs, hostile_reading.read_nested_notebook],
)
def test_process_in_which_memory_or_stack_ran_out_is_replaced(reader: SubmissionReader, function: Any) -> None:
    first_pid = reader.call(os.getpid)
    assert reader.call(function) == first_pid
    assert reader.call(os.getpid) != first_pid


def test_process_that_read_submissions_with_mistakes_is_reused(reader: SubmissionReader, tmp_path: Path) -> None:
    first_pid = reader.call(os.getpid)
    broken_cell = "def double(x:\n    return ((((2 * x))))"
    reader.assemble(make_task(make_notebook_file(fill_in_answers(RIGHT | {"double": broken_cell}))))
    (tmp_path / "lesson.ipynb").write_text("{")
    with pytest.raises(InvalidNotebook):
        reader.call(read_submission, str(tmp_path))
    reader.assemble(make_task(File(NOTEBOOK, b'{"cells": [' + b"[[[[" * 20 + b"]]]]" * 20 + b"]}")))
    assert reader.call(os.getpid) == first_pid


def test_reading_remembers_no_result_that_came_from_a_lack_of_memory(reader: SubmissionReader) -> None:
    reader.assemble(make_task(make_notebook_file(fill_in_answers(RIGHT))))
    assert reader.call(hostile_reading.list_other_caches) == []


def test_slow_submission_does_not_hold_up_another(reader: SubmissionReader, tmp_path: Path) -> None:
    """The slow one waits for a file that is written only after the other has been read."""
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    slow = threading.Thread(target=reader.call, args=(hostile_reading.wait_for_writer, str(pipe)))
    slow.start()
    try:
        assert reader.call(os.getpid) != os.getpid()
    finally:
        pipe.write_bytes(b"x")
        slow.join()


def test_reader_that_does_not_start_is_an_error_of_the_grader() -> None:
    with SubmissionReader(preload=("pmh_jupyter.no_such_module",)) as reader, pytest.raises(Unavailable):
        reader.call(os.getpid)


def test_process_that_cannot_be_started_does_not_count_as_busy(
    reader: SubmissionReader, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*arguments: object, **options: object) -> None:
        raise OSError(errno.EAGAIN, "Resource temporarily unavailable")

    with monkeypatch.context() as patch:
        patch.setattr("pmh_jupyter.grading.submission_reader.subprocess.Popen", refuse)
        with pytest.raises(Unavailable, match="cannot be started"):
            reader.call(os.getpid)
    assert reader._busy_count == 0 and reader.call(os.getpid) != os.getpid()


def test_only_notebooks_are_sent(monkeypatch: pytest.MonkeyPatch) -> None:
    sent: list[Any] = []
    reader = SubmissionReader()
    monkeypatch.setattr(reader, "call", lambda function, task: sent.append(task))
    reader.assemble(
        replace(
            make_task(make_notebook_file(fill_in_answers(RIGHT))),
            submitted_files=(File(NOTEBOOK, b""), File("a.csv", b"")),
        )
    )
    assert [file.path for file in sent[0].submitted_files] == [NOTEBOOK]


def test_reply_cannot_name_code() -> None:
    with pytest.raises(UnreadableSubmission):
        submission_reader._decode_reply(pickle.dumps(("result", os.getcwd)))
