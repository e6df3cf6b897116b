"""The JSON format in which verdicts are stored.

Messages are stored as code and parameters. They become text when they are displayed, so their wording can change.
"""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

from pmh_jupyter.domain.verdict import ExerciseVerdict, Flag, Message, Outcome, TestResult


def encode_message(message: Message) -> dict[str, Any]:
    """Return `{"code": …, "params": {…}}`."""
    return {"code": message.code, "params": dict(message.params)}


def decode_message(data: dict[str, Any]) -> Message:
    """Reverse `encode_message`."""
    return Message(data["code"], data["params"])


def encode_flag(flag: Flag) -> dict[str, Any]:
    """Return the fields of the flag by name."""
    return asdict(flag)


def decode_flag(data: dict[str, Any]) -> Flag:
    """Reverse `encode_flag`."""
    return Flag(**data)


def encode_verdict(verdict: ExerciseVerdict) -> dict[str, Any]:
    """Return the fields of the verdict by name, with a list of its tests."""
    return {
        "grade_id": verdict.grade_id,
        "outcome": verdict.outcome.value,
        "millipoints": verdict.millipoints,
        "max_millipoints": verdict.max_millipoints,
        "message": verdict.message and encode_message(verdict.message),
        "tests": [_encode_test(test) for test in verdict.tests],
    }


def decode_verdict(data: dict[str, Any]) -> ExerciseVerdict:
    """Reverse `encode_verdict`."""
    return ExerciseVerdict(
        grade_id=data["grade_id"],
        outcome=Outcome(data["outcome"]),
        millipoints=data["millipoints"],
        max_millipoints=data["max_millipoints"],
        message=data["message"] and decode_message(data["message"]),
        tests=tuple(_decode_test(test) for test in data["tests"]),
    )


def _encode_test(test: TestResult) -> dict[str, Any]:
    message = test.message and encode_message(test.message)
    fields = ("grade_id", "name", "is_hidden", "expected", "got", "cell", "line")
    return {"outcome": test.outcome.value, "message": message, **{name: getattr(test, name) for name in fields}}


def _decode_test(data: dict[str, Any]) -> TestResult:
    message = data["message"] and decode_message(data["message"])
    return TestResult(**{**data, "outcome": Outcome(data["outcome"]), "message": message})
