"""Grading keys: what a grading depends on besides the submission and the release. Internal to `storage`."""

from __future__ import annotations

from dataclasses import astuple

from pmh_jupyter.domain.hashing import compute_sha256_hex
from pmh_jupyter.domain.isolation import GRADER_VERSION
from pmh_jupyter.domain.limits import RequestedLimits
from pmh_jupyter.storage.records.assignment_limits import AssignmentLimits
from pmh_jupyter.storage.tables.classrooms import AssignmentRow


def make_grading_key(row: AssignmentRow) -> str:
    """Return the key of a grading: the grader's version, and a hash of the requested limits if there are any.

    A submission has one job per key. So a submission that has exceeded a limit can be regraded after the limit has changed.
    """
    requested = AssignmentLimits.from_row(row).requested_limits
    return (
        GRADER_VERSION
        if requested == RequestedLimits()
        else f"{GRADER_VERSION}+{compute_sha256_hex(repr(astuple(requested)).encode())[:12]}"
    )
