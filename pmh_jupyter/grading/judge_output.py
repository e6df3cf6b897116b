"""What comes out of a wall, believed only as far as it is well-formed: bounded lines, a strict schema."""

from __future__ import annotations

import json
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, StringConstraints, ValidationError

Text = Annotated[str, StringConstraints(max_length=4_000)]
ShortText = Annotated[str, StringConstraints(max_length=400)]
LineNumber = Annotated[int, Field(ge=1, le=1_000_000)]
CellNumber = Annotated[int, Field(ge=0, le=100_000)]
MAX_LINES = 250_000


class StrictModel(BaseModel):
    model_config = ConfigDict(extra="forbid", strict=True, frozen=True)


class CellError(StrictModel):
    """What a cell raised, and where in the student's cells it showed."""

    error_type: ShortText
    detail: ShortText = ""
    cell: CellNumber | None = None
    line: LineNumber | None = None


class TestResult(CellError):
    """One check of a test cell; see `inside.judge`."""

    __test__ = False  # not a pytest class

    error_type: ShortText = ""
    name: ShortText
    expression: ShortText
    is_hidden: bool
    outcome: Literal["passed", "failed", "crashed", "timed-out", "not-checked", "grader-error"]
    reason: Literal[
        "", "values-differ", "not-met", "exception", "author-message", "timed-out", "memory", "invalid-test"
    ]
    text: Text = ""
    expected: Text | None = None
    got: Text | None = None


class JudgeFlag(StrictModel):
    """Something that an instructor should know of; see `domain.verdict.Flag`."""

    code: ShortText
    detail: ShortText = ""


class UsageRecord(StrictModel):
    """What the test cells of a reference solution used; see `domain.judging.NotebookJudging`."""

    library_names: dict[str, tuple[str, str]] = Field(default_factory=dict)
    rebound_names: tuple[str, ...] = ()
    shadowed_builtins: tuple[str, ...] = ()
    test_helpers: tuple[str, ...] = ()
    changed_files: tuple[str, ...] = ()
    operators: dict[str, tuple[str, ...]] = Field(default_factory=dict)


class CellResult(StrictModel):
    """One cell was run, or its process was lost over it (`dead`).

    A test cell whose last statement is an expression (not followed by `;`, and no call of something named assert…) gives partial
    credit: `credit` is its value in points, if that is exactly an int or a float, and finite. Of any other value but None,
    `unusual` is the name of its type ("nan", "inf" for a float that is not finite), and nothing is given.
    """

    cell: CellNumber
    state: Literal["completed", "died"]
    cause: Literal[
        "",
        "cell-timeout",
        "submission-timeout",
        "output-limit",
        "memory-limit",
        "resources-exhausted",
        "exit",
        "signal",
        "protocol-error",
    ]
    detail: ShortText
    error: CellError | None
    tests: Annotated[tuple[TestResult, ...], Field(max_length=1_000)]
    seconds: Annotated[float, Field(ge=0)]
    credit: Annotated[float, Field(allow_inf_nan=False)] | None = None
    invalid_credit: ShortText = ""
    flags: Annotated[tuple[JudgeFlag, ...], Field(max_length=1_000)] = ()


class JudgeOutput(BaseModel):
    """All that was said: `done` by cell, the cells that were begun, flags with the cell that they belong to, our own fault if any,
    how the judge was `lost` if it was, and whether it is whole. `ready`: test cells made ready, where that alone was asked for."""

    results: dict[int, CellResult] = Field(default_factory=dict)
    started_cells: list[int] = Field(default_factory=list)
    grader_error: str = ""
    judge_exit_reason: str = ""
    flags: list[tuple[int | None, JudgeFlag]] = Field(default_factory=list)
    usage: UsageRecord | None = None
    compiled_cells: tuple[str, ...] = ()
    is_complete: bool = False
    is_malformed: bool = False


def parse_judge_output(raw: bytes) -> JudgeOutput:
    """Reads line by line up to the first that is not well-formed; what stands before it is kept.

    A judge that was lost in the middle of a line leaves a part of one: that is no fault of the line's.
    """
    output = JudgeOutput()
    lines = [line for line in raw.split(b"\n")[:MAX_LINES] if line]
    truncated_line = (
        len(lines) - 2
        if lines and lines[-1].startswith(b'{"event": "judge-exited"')
        else len(lines) - 1 + raw.endswith(b"\n")
    )
    for line_number, line in enumerate(lines):
        try:
            _add_event(output, json.loads(line))
        except (ValidationError, ValueError, RecursionError, KeyError, TypeError):
            if line_number == truncated_line:
                continue
            output.is_malformed = True
            break
    return output


def _add_event(output: JudgeOutput, event: dict[str, object]) -> None:
    event_name = event.pop("event")
    if event_name == "cell-started":
        output.started_cells.append(int(str(event["cell"])))
    elif event_name == "cell-finished":
        result = CellResult.model_validate_json(json.dumps(_extract_credit(event)))
        if result.cell in output.results:
            raise ValueError("a cell is done once")
        output.results[result.cell] = result
    elif event_name == "flag":
        cell = event.pop("cell")
        output.flags.append(
            (None if cell is None else int(str(cell)), JudgeFlag.model_validate_json(json.dumps(event)))
        )
    elif event_name == "usage":
        output.usage = UsageRecord.model_validate_json(json.dumps(event))
    elif event_name == "compiled":
        output.compiled_cells = tuple(map(str, event["cells"]))  # type: ignore[call-overload]
    elif event_name == "judge-exited":
        output.judge_exit_reason = str(event["detail"])
    elif event_name == "grader-error":
        output.grader_error = str(event["detail"])
    elif event_name == "end":
        output.is_complete = True
    else:
        raise ValueError("unknown event")


def _extract_credit(event: dict[str, object]) -> dict[str, object]:
    """The event with what a test cell's last expression gave (`inside.credit`) in fields of its own, not among the tests."""
    tests = event.get("tests")
    if not isinstance(tests, list) or not tests or not isinstance(tests[-1], dict):
        return event
    reason, text = tests[-1].get("reason"), str(tests[-1].get("text"))
    if reason == "credit":
        return event | {"tests": tests[:-1], "credit": float(text)}
    return event | {"tests": tests[:-1], "invalid_credit": text} if reason == "invalid-credit" else event
