"""The JSON objects in which a judge reports results. `grading/judge_output.py` validates them on the host and documents their fields."""

from __future__ import annotations

from typing import Any

ErrorFields = dict[str, Any]
"""Fields of a `CellError`."""

TestFields = dict[str, Any]
"""Fields of a `JudgeTestResult`."""

FlagFields = dict[str, Any]
"""Fields of a `JudgeFlag`."""
