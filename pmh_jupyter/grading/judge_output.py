"""Parses the output of a judge. The output is untrusted: only bounded, well-formed lines with a strict schema are accepted."""

from __future__ import annotations

import json
from dataclasses import asdict
from typing import Annotated, Any, Literal

from pydantic import (
    AfterValidator,
    BaseModel,
    ConfigDict,
    Field,
    Strict,
    StringConstraints,
    TypeAdapter,
    ValidationError,
)

from pmh_jupyter.domain.isolation import NotebookUsage
from pmh_jupyter.domain.printable_text import make_printable, make_single_line
from pmh_jupyter.grading.runtime.transport.result_fields import TestReason

MAX_TEXT_LENGTH = 4_000
Text = Annotated[str, StringConstraints(max_length=MAX_TEXT_LENGTH), AfterValidator(make_printable)]
ShortText = Annotated[str, StringConstraints(max_length=400), AfterValidator(make_printable)]
Line = Annotated[str, StringConstraints(max_length=400), AfterValidator(make_single_line)]
LineNumber = Annotated[int, Field(ge=1, le=1_000_000)]
CellNumber = Annotated[int, Field(ge=0, le=100_000)]
MAX_LINES = 250_000


class JudgeModel(BaseModel):
    model_config = ConfigDict(extra="forbid", strict=True, frozen=True)


class CellError(JudgeModel):
    """The exception that a cell raised, and the place in the student's cells where it was raised."""

    error_type: Line
    detail: Line = ""
    cell: CellNumber | None = None
    line: LineNumber | None = None


class JudgeTestResult(CellError):
    """The result of one statement of a test cell; see `runtime/test_cells/statements.py`."""

    __test__ = False  # not a pytest class

    error_type: Line = ""
    name: ShortText
    expression: ShortText
    is_hidden: bool
    outcome: Literal["passed", "failed", "crashed", "timed-out", "not-checked", "grader-error"]
    reason: Annotated[TestReason, Strict(False)]  # JSON has no enumerations
    text: Text = ""
    expected: Text | None = None
    got: Text | None = None


class JudgeFlag(JudgeModel):
    """An event that staff should look at; see `domain.verdict.Flag`."""

    code: ShortText
    detail: ShortText = ""


class CellResult(JudgeModel):
    """The result of one cell that was run. Its state is "died" if its process ended before the cell did.

    A test cell gives partial credit if its last statement is an expression, without a `;` after it, that does not call an assert…
    function. `credit` is the value in points if it is a finite int or float, or such a number of NumPy, of `fractions` or of `decimal`.
    For any other value except None, `invalid_credit` is the name of its type ("nan" or "inf" for a float that is not finite), and the
    cell gives no points. `credit_kind` is the kind of the value, or "" if the cell does not end in an expression.
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
    tests: Annotated[tuple[JudgeTestResult, ...], Strict(False), Field(max_length=1_000)]
    seconds: Annotated[float, Field(ge=0)]
    credit: Annotated[float, Field(allow_inf_nan=False)] | None = None
    invalid_credit: ShortText = ""
    credit_kind: Literal["", "none", "number", "other"] = ""
    flags: Annotated[tuple[JudgeFlag, ...], Strict(False), Field(max_length=1_000)] = ()


class JudgeOutput(BaseModel):
    """Everything that a judge reported.

    flags: each with the number of its cell, if any.
    grader_error: an error of the grader itself.
    judge_exit_reason: how the judge ended, if it ended too early.
    compiled_cells: compiled test cells, if these were requested.
    is_complete: whether the judge reported the end.
    is_malformed: whether the output contains a line that a judge does not write.
    """

    results: dict[int, CellResult] = Field(default_factory=dict)
    started_cells: list[int] = Field(default_factory=list)
    grader_error: str = ""
    judge_exit_reason: str = ""
    flags: list[tuple[int | None, JudgeFlag]] = Field(default_factory=list)
    usage: NotebookUsage | None = None
    compiled_cells: tuple[str, ...] = ()
    is_complete: bool = False
    is_malformed: bool = False


_optional_cell_number: TypeAdapter[int | None] = TypeAdapter(CellNumber | None)
# Packed cells may be as long as the output.
_packed_cells: TypeAdapter[tuple[str, ...]] = TypeAdapter(tuple[Annotated[str, Strict()], ...])
# A dictionary by the name of the event: its configuration applies to the dataclass in it, which has no configuration.
_usage_by_event: TypeAdapter[dict[str, NotebookUsage]] = TypeAdapter(
    dict[str, NotebookUsage], config=ConfigDict(extra="forbid", str_max_length=MAX_TEXT_LENGTH)
)


def parse_judge_output(raw: bytes) -> JudgeOutput:
    """Parse output line by line, up to the first malformed line.

    A judge that is killed can leave an incomplete last line. This does not make the output malformed.
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
        except (ValidationError, ValueError, RecursionError, KeyError, TypeError, AttributeError):
            if line_number == truncated_line:
                continue
            output.is_malformed = True
            break
    return output


def _add_event(output: JudgeOutput, event: dict[str, Any]) -> None:
    event_name = event.pop("event")
    if event_name == "cell-started":
        output.started_cells.append(int(str(event["cell"])))
    elif event_name == "cell-finished":
        result = CellResult.model_validate(event)
        if result.cell in output.results:
            raise ValueError("a cell cannot finish twice")
        output.results[result.cell] = result
    elif event_name == "flag":
        cell = _optional_cell_number.validate_python(event.pop("cell"), strict=True)
        output.flags.append((cell, JudgeFlag.model_validate(event)))
    elif event_name == "usage":
        usage = _usage_by_event.validate_python({event_name: event})[event_name]
        output.usage = NotebookUsage(**_make_texts_printable(asdict(usage)))
    elif event_name == "compiled":
        output.compiled_cells = _packed_cells.validate_python(event["cells"])
    elif event_name == "judge-exited":
        output.judge_exit_reason = str(event["detail"])
    elif event_name == "grader-error":
        output.grader_error = str(event["detail"])
    elif event_name == "end":
        output.is_complete = True
    else:
        raise ValueError("unknown event")


def _make_texts_printable(value: Any) -> Any:
    """Make all strings in nested containers printable, except for keys."""
    if isinstance(value, dict):
        return {key: _make_texts_printable(item) for key, item in value.items()}
    if isinstance(value, tuple):
        return tuple(map(_make_texts_printable, value))
    return make_printable(value) if isinstance(value, str) else value
