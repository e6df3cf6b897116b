"""The JSON format in which verdicts are stored.

Messages are stored as code and parameters. They become text when they are displayed, so their wording can change.
"""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

from pmh_jupyter.domain.verdict import ExerciseVerdict, Flag, Message, Outcome, TestResult


def message_to_json(message: Message) -> dict[str, Any]:
    """Return `{"code": …, "params": {…}}`."""
    return {"code": message.code, "params": dict(message.params)}


def message_from_json(data: dict[str, Any]) -> Message:
    """Reverse `message_to_json`."""
    return Message(data["code"], data["params"])


def flag_to_json(flag: Flag) -> dict[str, Any]:
    """Return the fields of the flag by name."""
    return asdict(flag)


def flag_from_json(data: dict[str, Any]) -> Flag:
    """Reverse `flag_to_json`."""
    return Flag(**data)


def verdict_to_json(verdict: ExerciseVerdict) -> dict[str, Any]:
    """Return the fields of the verdict by name, with a list of its tests."""
    return {
        "grade_id": verdict.grade_id,
        "outcome": verdict.outcome.value,
        "millipoints": verdict.millipoints,
        "max_millipoints": verdict.max_millipoints,
        "message": verdict.message and message_to_json(verdict.message),
        "tests": [_test_to_json(test) for test in verdict.tests],
    }


def verdict_from_json(data: dict[str, Any]) -> ExerciseVerdict:
    """Reverse `verdict_to_json`."""
    return ExerciseVerdict(
        grade_id=data["grade_id"],
        outcome=Outcome(data["outcome"]),
        millipoints=data["millipoints"],
        max_millipoints=data["max_millipoints"],
        message=data["message"] and message_from_json(data["message"]),
        tests=tuple(_test_from_json(test) for test in data["tests"]),
    )


def _test_to_json(test: TestResult) -> dict[str, Any]:
    message = test.message and message_to_json(test.message)
    fields = ("grade_id", "name", "is_hidden", "expected", "got", "cell", "line")
    return {"outcome": test.outcome.value, "message": message, **{name: getattr(test, name) for name in fields}}


def _test_from_json(data: dict[str, Any]) -> TestResult:
    message = data["message"] and message_from_json(data["message"])
    return TestResult(**{**data, "outcome": Outcome(data["outcome"]), "message": message})
