from __future__ import annotations

from dataclasses import replace

import pytest

from pmh_jupyter.domain.course import File
from pmh_jupyter.domain.verdict import ExerciseVerdict, Flag, Grading, Message, Outcome, TestVerdict
from pmh_jupyter.errors import BadInput
from pmh_jupyter.grading.bundle import grading_from_json, grading_to_json, task_from_json, task_to_json
from tests.support.engine import task


def test_a_task_arrives_as_it_was_sent() -> None:
    sent = replace(task(File("data.bin", bytes(range(256)))), only=frozenset({"mean"}), hidden=False, request_id="r")
    assert task_from_json(task_to_json(sent)) == sent


def test_a_grading_arrives_as_it_was_sent() -> None:
    test = TestVerdict(
        "t", "f(1)", Outcome.FAILED, message=Message("said", {"text": "ü"}), expected="1", got="2", line=3
    )
    sent = Grading(
        (ExerciseVerdict("a", Outcome.FAILED, 0, 1500, test.message, (test,)),),
        1.25,
        healed=(Message("healed"),),
        flags=(Flag("odd", "t", "…"),),
        fault=Message("our-fault"),
    )
    assert grading_from_json(grading_to_json(sent)) == sent


@pytest.mark.parametrize("raw", [b"", b"{}", b"[]", b'{"version": 1, "task": {"exercises": 1}}', b"\xff"])
def test_what_is_no_task_is_refused(raw: bytes) -> None:
    with pytest.raises(BadInput):
        task_from_json(raw)


def test_another_versions_task_is_refused() -> None:
    with pytest.raises(BadInput, match="version 2"):
        task_from_json(task_to_json(task()).replace(b'"version":1', b'"version":2'))
