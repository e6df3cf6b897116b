"""What comes out of a wall, believed only as far as it is well-formed: bounded lines, a strict schema."""

from __future__ import annotations

import json
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, StringConstraints, ValidationError

Text = Annotated[str, StringConstraints(max_length=4_000)]
Short = Annotated[str, StringConstraints(max_length=400)]
Line = Annotated[int, Field(ge=1, le=1_000_000)]
Number = Annotated[int, Field(ge=0, le=100_000)]
MOST_LINES = 250_000


class Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", strict=True, frozen=True)


class Fault(Strict):
    """What a cell raised, and where in the student's cells it showed."""

    error: Short
    detail: Short = ""
    cell: Number | None = None
    line: Line | None = None


class Test(Fault):
    """One check of a test cell; see `inside.judge`."""

    __test__ = False  # not a pytest class

    error: Short = ""
    name: Short
    expression: Short
    hidden: bool
    outcome: Literal["passed", "failed", "crashed", "timed-out", "not-checked", "our-fault"]
    reason: Literal["", "differs", "fails", "raised", "said", "timed-out", "memory", "broken"]
    text: Text = ""
    expected: Text | None = None
    got: Text | None = None


class Raised(Strict):
    """Something that an instructor should know of; see `domain.verdict.Flag`."""

    code: Short
    detail: Short = ""


class Used(Strict):
    """What the test cells of a reference solution used; see `domain.judging.NotebookJudging`."""

    library: dict[str, tuple[str, str]] = Field(default_factory=dict)
    rebinds: tuple[str, ...] = ()
    shadowed: tuple[str, ...] = ()
    given: tuple[str, ...] = ()
    files: tuple[str, ...] = ()
    operators: dict[str, tuple[str, ...]] = Field(default_factory=dict)


class Done(Strict):
    """One cell was run, or its process was lost over it (`dead`).

    A test cell whose last statement is an expression (not followed by `;`, and no call of something named assert…) gives partial
    credit: `credit` is its value in points, if that is exactly an int or a float, and finite. Of any other value but None,
    `unusual` is the name of its type ("nan", "inf" for a float that is not finite), and nothing is given.
    """

    cell: Number
    state: Literal["ran", "dead"]
    cause: Literal["", "time", "submission-time", "output", "memory", "spent", "exit", "signal", "answer"]
    detail: Short
    fault: Fault | None
    tests: Annotated[tuple[Test, ...], Field(max_length=1_000)]
    seconds: Annotated[float, Field(ge=0)]
    credit: Annotated[float, Field(allow_inf_nan=False)] | None = None
    unusual: Short = ""
    flags: Annotated[tuple[Raised, ...], Field(max_length=1_000)] = ()


class Answer(BaseModel):
    """All that was said: `done` by cell, the cells that were begun, flags with the cell that they belong to, our own fault if any,
    how the judge was `lost` if it was, and whether it is whole. `ready`: test cells made ready, where that alone was asked for."""

    done: dict[int, Done] = Field(default_factory=dict)
    begun: list[int] = Field(default_factory=list)
    fault: str = ""
    lost: str = ""
    flags: list[tuple[int | None, Raised]] = Field(default_factory=list)
    used: Used | None = None
    ready: tuple[str, ...] = ()
    ended: bool = False
    malformed: bool = False


def read_answer(raw: bytes) -> Answer:
    """Reads line by line up to the first that is not well-formed; what stands before it is kept.

    A judge that was lost in the middle of a line leaves a part of one: that is no fault of the line's.
    """
    answer = Answer()
    lines = [line for line in raw.split(b"\n")[:MOST_LINES] if line]
    cut = (
        len(lines) - 2 if lines and lines[-1].startswith(b'{"event": "lost"') else len(lines) - 1 + raw.endswith(b"\n")
    )
    for number, line in enumerate(lines):
        try:
            _add(answer, json.loads(line))
        except (ValidationError, ValueError, RecursionError, KeyError, TypeError):
            if number == cut:
                continue
            answer.malformed = True
            break
    return answer


def _add(answer: Answer, event: dict[str, object]) -> None:
    kind = event.pop("event")
    if kind == "start":
        answer.begun.append(int(str(event["cell"])))
    elif kind == "done":
        done = Done.model_validate_json(json.dumps(_with_credit(event)))
        if done.cell in answer.done:
            raise ValueError("a cell is done once")
        answer.done[done.cell] = done
    elif kind == "flag":
        cell = event.pop("cell")
        answer.flags.append((None if cell is None else int(str(cell)), Raised.model_validate_json(json.dumps(event))))
    elif kind == "manifest":
        answer.used = Used.model_validate_json(json.dumps(event))
    elif kind == "ready":
        answer.ready = tuple(map(str, event["cells"]))  # type: ignore[call-overload]
    elif kind == "lost":
        answer.lost = str(event["detail"])
    elif kind == "fault":
        answer.fault = str(event["detail"])
    elif kind == "end":
        answer.ended = True
    else:
        raise ValueError("unknown event")


def _with_credit(event: dict[str, object]) -> dict[str, object]:
    """The event with what a test cell's last expression gave (`inside.credit`) in fields of its own, not among the tests."""
    tests = event.get("tests")
    if not isinstance(tests, list) or not tests or not isinstance(tests[-1], dict):
        return event
    reason, text = tests[-1].get("reason"), str(tests[-1].get("text"))
    if reason == "credit":
        return event | {"tests": tests[:-1], "credit": float(text)}
    return event | {"tests": tests[:-1], "unusual": text} if reason == "unusual" else event
