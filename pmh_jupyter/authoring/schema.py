"""The schema of course.toml, and of `metadata.pmh` of cells and notebooks.

An unknown key is an error, so that a typing error is not silently ignored.
"""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, StringConstraints, ValidationError
from pydantic_core import PydanticCustomError

from pmh_jupyter.domain.limits import LIMITS_BY_NAME, RequestedLimits
from pmh_jupyter.domain.slugs import MAX_SLUG_LENGTH, SLUG_PATTERN
from pmh_jupyter.errors import Problem
from pmh_jupyter.grading.assertion_weights import read_requested_weights

Slug = Annotated[str, StringConstraints(pattern=f"^{SLUG_PATTERN}$", max_length=MAX_SLUG_LENGTH)]
Text = Annotated[str, StringConstraints(min_length=1, max_length=2000, strip_whitespace=True)]

ModuleName = Annotated[str, StringConstraints(pattern=r"^[A-Za-z_]\w*(\.[A-Za-z_]\w*)*$", max_length=100)]


def _validate_weights(value: object) -> object:
    """Accept "equal", "all-or-nothing", or a list of weights; see `grading.assertion_weights`."""
    if value is not None and read_requested_weights({}, {"weights": value}) != value:
        raise PydanticCustomError("weights", 'input should be "equal", "all-or-nothing" or a list of numbers from 0')
    return value


Weights = Annotated[str | list[int | float] | None, BeforeValidator(_validate_weights)]


class SchemaModel(BaseModel):
    """Base of all models in this module."""

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)


def _make_limit_field(name: str) -> Any:
    """Return a pydantic field with the range of a limit. A fractional limit may be written as a whole number."""
    limit = LIMITS_BY_NAME[name]
    if limit.is_whole:
        return Field(default=None, ge=limit.minimum, le=limit.maximum)
    return Field(default=None, gt=limit.minimum, le=limit.maximum, strict=False)


class LimitsEntry(SchemaModel):
    """`[limits]`: resource limits of a lesson's gradings; see domain.limits for units and ranges. None: the hub's setting."""

    cell_seconds: float | None = _make_limit_field("cell_seconds")
    submission_seconds: float | None = _make_limit_field("submission_seconds")
    memory_mb: int | None = _make_limit_field("memory_mb")
    processes: int | None = _make_limit_field("processes")
    output_mb: float | None = _make_limit_field("output_mb")
    file_mb: int | None = _make_limit_field("file_mb")

    @property
    def requested(self) -> RequestedLimits:
        return RequestedLimits.from_display_units(self.model_dump())


class LessonEntry(SchemaModel):
    """`[[units.lessons]]`: a folder of the course. Its limits and `preload` take precedence over the course's."""

    slug: Slug
    title: Text
    limits: LimitsEntry = LimitsEntry()
    preload: list[ModuleName] | None = Field(default=None, max_length=50)


class UnitEntry(SchemaModel):
    """`[[units]]`: a group of lessons, in the order in which they are learned."""

    title: Text
    lessons: list[LessonEntry] = Field(min_length=1)


class ConceptEntry(SchemaModel):
    """`[[concepts]]`: a concept that cells may name in `metadata.pmh.concepts`."""

    slug: Slug
    title: Text


class AchievementEntry(SchemaModel):
    """`[[achievements]]`: see domain.achievements for the rules (COUNTERS_BY_RULE) and icons (ACHIEVEMENT_ICONS)."""

    slug: Slug
    title: Text
    description: Text
    icon: Slug
    rule: str
    count: int = Field(default=1, ge=1, le=100_000)
    lesson: Slug | None = None


class CourseFile(SchemaModel):
    """course.toml. `header` and `footer` name notebooks beside it, whose cells go before and after those of every notebook."""

    slug: Slug
    title: Text
    description: str = ""
    units: list[UnitEntry] = Field(min_length=1)
    concepts: list[ConceptEntry] = []
    achievements: list[AchievementEntry] = []
    limits: LimitsEntry = LimitsEntry()
    preload: list[ModuleName] | None = Field(default=None, max_length=50)
    header: Text | None = None
    footer: Text | None = None


class CellMeta(SchemaModel):
    """`metadata.pmh` of a cell, for everything that nbgrader's metadata does not cover. Hints are shown one after another.

    weights (test cells): splits the points over the assertions, see `grading.assertion_weights`.
    accept_in_process (test cells): the author accepts that hidden tests run in the student process.
    """

    title: Text | None = None
    concepts: list[Slug] = []
    hints: list[Text] = []
    difficulty: Literal["easy", "medium", "hard"] | None = None
    weights: Weights = None
    accept_in_process: bool = False


class NotebookMeta(SchemaModel):
    """`metadata.pmh` of a notebook: the defaults of its cells."""

    weights: Literal["equal", "all-or-nothing"] | None = None


def to_problems(error: ValidationError, file: str, cell: str | None = None) -> list[Problem]:
    """Turn a validation error into problems, in the words of an author who corrects a file."""
    return [_to_problem(detail["type"], detail["loc"], detail["msg"], file, cell) for detail in error.errors()]


def _to_problem(kind: str, location: tuple[int | str, ...], message: str, file: str, cell: str | None) -> Problem:
    key = _describe_location(location)
    if kind == "extra_forbidden":
        return Problem(file, f"{key} is not a known key.", "Correct its spelling, or remove it.", cell)
    if kind == "missing":
        return Problem(file, f"{key} is missing.", "Add it.", cell)
    return Problem(file, f"{key} cannot be used: {message[0].lower()}{message[1:]}.", "Correct the value.", cell)


def _describe_location(location: tuple[int | str, ...]) -> str:
    """Turn ("units", 0, "lessons", 1, "title") into "title in entry 2 of lessons in entry 1 of units"."""
    steps: list[str] = []
    for step in location:
        if isinstance(step, int):
            steps[-1] = f"entry {step + 1} of {steps[-1]}"
        else:
            steps.append(step)
    return " in ".join(reversed(steps))
