"""A task and a grading as JSON, so that a worker elsewhere can do the one and send back the other. Bytes are base64."""

from __future__ import annotations

from typing import TypeVar

from pydantic import BaseModel, ConfigDict, ValidationError

from pmh_jupyter.domain.verdict import Grading
from pmh_jupyter.errors import BadInput
from pmh_jupyter.grading.task import GradingTask

VERSION = 1


class _Bundle(BaseModel):
    """`version` changes with the meaning of a field; a worker refuses what it was not written for."""

    model_config = ConfigDict(extra="forbid", ser_json_bytes="base64", val_json_bytes="base64")

    version: int = VERSION


class _Task(_Bundle):
    task: GradingTask


class _Grading(_Bundle):
    grading: Grading


Kind = TypeVar("Kind", bound=_Bundle)


def task_to_json(task: GradingTask) -> bytes:
    """The whole task; nothing else is needed to grade it."""
    return _Task(task=task).model_dump_json().encode()


def task_from_json(raw: bytes) -> GradingTask:
    """Raises BadInput for what is no task of this version."""
    return _read(_Task, raw).task


def grading_to_json(grading: Grading) -> bytes:
    """The whole grading, flags included: for the service only."""
    return _Grading(grading=grading).model_dump_json().encode()


def grading_from_json(raw: bytes) -> Grading:
    """Raises BadInput for what is no grading of this version."""
    return _read(_Grading, raw).grading


def _read(kind: type[Kind], raw: bytes) -> Kind:
    try:
        bundle = kind.model_validate_json(raw)
    except ValidationError as error:
        raise BadInput(f"The bundle is not well-formed: {error.error_count()} faults.") from error
    if bundle.version != VERSION:
        raise BadInput(f"The bundle has version {bundle.version}; this worker knows version {VERSION}.")
    return bundle
