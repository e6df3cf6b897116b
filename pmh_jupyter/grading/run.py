"""Runs the plan of one notebook in a sandbox and returns the result of each step."""

from __future__ import annotations

import base64
import json
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from typing import TypeVar

from pmh_jupyter.domain.course import File
from pmh_jupyter.domain.grading_task import DEFAULT_SEED, GradingTask
from pmh_jupyter.domain.isolation import Isolation, NotebookIsolation, NotebookUsage
from pmh_jupyter.domain.limits import EffectiveLimits
from pmh_jupyter.domain.verdict import Flag, Message
from pmh_jupyter.grading.assemble import AssembledSubmission, NotebookPlan
from pmh_jupyter.grading.backends.backend import JudgeRun, SandboxBackend
from pmh_jupyter.grading.judge_output import (
    CellError,
    CellResult,
    JudgeFlag,
    JudgeOutput,
    parse_judge_output,
)
from pmh_jupyter.grading.runtime.transport.bundle import Bundle, BundleCell, IsolationFields
from pmh_jupyter.grading.working_files import collect_working_files

MIN_SUBMISSION_SECONDS = 0.1
# Runs of one notebook: after a cell has crashed the judge, the notebook runs again without that cell.
MAX_JUDGE_RUNS = 4


CellErrorT = TypeVar("CellErrorT", bound=CellError)


@dataclass(frozen=True)
class NotebookRun:
    """A plan with the results of its steps by position.

    grader_error: an error of the grader itself, for the log.
    seconds: wall time.
    is_malformed: whether the output contained a line that a judge does not write.
    usage: the names, files and operators that the test cells used, if this was recorded.
    """

    plan: NotebookPlan
    results: dict[int, CellResult]
    grader_error: str = ""
    seconds: float = 0.0
    is_malformed: bool = False
    flags: tuple[Flag, ...] = ()
    usage: NotebookUsage | None = None


@dataclass(frozen=True)
class RunContext:
    """The context that the runs of all notebooks of one task share.

    files: the files of the work folder. release_paths: the paths of those that belong to the release.
    preload: modules to import before the run. seed: of the random number generators.
    messages: about files of the submission that are left out.
    """

    files: tuple[File, ...]
    release_paths: frozenset[str]
    backend: SandboxBackend
    preload: tuple[str, ...] = ()
    seed: int = DEFAULT_SEED
    messages: tuple[Message, ...] = ()

    @classmethod
    def from_task(cls, task: GradingTask, submission: AssembledSubmission, backend: SandboxBackend) -> RunContext:
        """Return the context of a task, with the files of its submission."""
        release_paths = frozenset(file.path for file in task.sealed_files)
        working_files = collect_working_files(task, submission)
        return cls(working_files.files, release_paths, backend, task.preload, task.seed, working_files.messages)


def run_plan(
    plan: NotebookPlan,
    limits: EffectiveLimits,
    context: RunContext,
    *,
    isolation: NotebookIsolation | None = None,
    is_recording: bool = False,
) -> NotebookRun:
    """Run the steps in order. A step without a result did not run to its end.

    A step that crashes the judge is skipped, and the notebook runs once more for the steps after it.

    isolation: None runs tests in the student process.
    is_recording: record what the test cells use; for runs of the reference solution.
    """
    if plan.problem or not plan.steps:
        return NotebookRun(plan, {})
    bundle = _JudgeBundle(plan, isolation, is_recording, context)
    compiled_cells = _get_compiled_cells(bundle, limits)
    start_time = time.monotonic()
    run = NotebookRun(plan, {})
    for _ in range(MAX_JUDGE_RUNS):
        remaining_limits = reduce_limits(limits, time.monotonic() - start_time)
        skipped_steps = frozenset(number for number, result in run.results.items() if result.state == "died")
        judge_run = context.backend.run(
            bundle.to_json(remaining_limits, skipped_steps, compiled_cells), remaining_limits, context.preload
        )
        output = parse_judge_output(judge_run.output)
        fatal_result = _find_fatal_result(output)
        run = _merge_output(run, output, fatal_result, _describe_grader_error(output, judge_run))
        if run.grader_error or fatal_result is None or time.monotonic() - start_time > limits.submission_seconds:
            break
    return replace(run, seconds=time.monotonic() - start_time)


def _get_compiled_cells(bundle: _JudgeBundle, limits: EffectiveLimits) -> Mapping[str, str]:
    """Return the compiled test cells by source, so that the judge need not compile them again."""
    backend = bundle.context.backend

    def compile_cells(sources: Sequence[str]) -> Sequence[str]:
        return parse_judge_output(
            backend.run(bundle.to_compile_json(sources, limits), limits, bundle.context.preload).output
        ).compiled_cells

    if bundle.isolation is None or bundle.isolation.isolation is not Isolation.SEPARATE_PROCESS or bundle.plan.kernel:
        return {}
    return backend.compiled_cells.get_or_compile(
        [step.source for step in bundle.plan.steps if step.is_test], compile_cells
    )


def reduce_limits(limits: EffectiveLimits, used_seconds: float) -> EffectiveLimits:
    """Return the limits that remain after `used_seconds`."""
    return replace(limits, submission_seconds=max(MIN_SUBMISSION_SECONDS, limits.submission_seconds - used_seconds))


@dataclass(frozen=True)
class _JudgeBundle:
    """The input of a judge, except for the limits that remain."""

    plan: NotebookPlan
    isolation: NotebookIsolation | None
    is_recording: bool
    context: RunContext

    def to_json(
        self, limits: EffectiveLimits, skipped_steps: frozenset[int], compiled_cells: Mapping[str, str]
    ) -> bytes:
        """Encode the bundle without the skipped steps. `compiled_cells` are by source."""
        return self._encode(limits, list(self._encode_cells(skipped_steps, compiled_cells)))

    def to_compile_json(self, sources: Sequence[str], limits: EffectiveLimits) -> bytes:
        """Encode a bundle without steps and files, whose judge only compiles test cells."""
        return replace(self, context=replace(self.context, files=()))._encode(limits, [], compile=sources)

    def _encode(self, limits: EffectiveLimits, cells: list[BundleCell], compile: Sequence[str] | None = None) -> bytes:
        context = self.context
        bundle: Bundle = {
            "cells": cells,
            "files": [_encode_file(file) for file in context.files],
            "release_paths": sorted(context.release_paths.intersection(file.path for file in context.files)),
            "limits": {
                **asdict(limits),
                # Without a sandbox, the count would include every process of the user who grades.
                "processes": limits.processes if context.backend.is_contained else None,
            },
            "seed": context.seed,
            "preload": context.preload,
            "isolation": self._encode_isolation(),
            "kernel": self.plan.kernel,
            "is_recording": self.is_recording,
        }
        if compile is not None:
            bundle["compile"] = compile
        return json.dumps(bundle).encode()

    def _encode_cells(self, skipped_steps: frozenset[int], compiled_cells: Mapping[str, str]) -> Iterator[BundleCell]:
        for number, step in enumerate(self.plan.steps):
            if number not in skipped_steps:
                compiled_cell = compiled_cells.get(step.source, "") if step.is_test else ""
                yield {
                    "cell": number,
                    "kind": "test" if step.is_test else "locked" if step.is_locked else "student",
                    "source": step.source,
                    "grade_id": step.grade_id,
                    "compiled": compiled_cell,
                }

    def _encode_isolation(self) -> IsolationFields | None:
        isolation = self.isolation
        if isolation is None:
            return None
        fields: IsolationFields = {
            "isolation": isolation.isolation,
            "exported_names": isolation.exported_names,
            **asdict(isolation.usage),  # type: ignore[typeddict-item]  # the fields of `NotebookUsage`
        }
        return fields


def _encode_file(file: File) -> dict[str, str]:
    return {"path": file.path, "content": base64.b64encode(file.content).decode("ascii")}


def _merge_output(
    run: NotebookRun, output: JudgeOutput, fatal_result: CellResult | None, grader_error: str
) -> NotebookRun:
    """Merge the results of a run. The first result of a step counts; a fatal result replaces any other."""
    results = {**output.results, **run.results} | ({fatal_result.cell: fatal_result} if fatal_result else {})
    results = {number: _remove_impossible_lines(run.plan, result) for number, result in results.items()}
    flags = [
        flag for number in sorted(output.results) for flag in _to_flags(run.plan, number, output.results[number].flags)
    ]
    for number, judge_flag in output.flags:
        flags += _to_flags(run.plan, number, (judge_flag,))
    return replace(
        run,
        results=results,
        grader_error=grader_error,
        is_malformed=run.is_malformed or output.is_malformed,
        flags=tuple(dict.fromkeys([*run.flags, *flags])),
        usage=output.usage or run.usage,
    )


def _remove_impossible_lines(plan: NotebookPlan, result: CellResult) -> CellResult:
    """Remove line numbers of errors that are beyond the end of their cell. A student's code can report any number."""

    def clean(error: CellErrorT) -> CellErrorT:
        has_cell = error.cell is not None and error.cell < len(plan.steps)
        line_count = plan.steps[error.cell].source.count("\n") + 1 if error.cell is not None and has_cell else 0
        return error if (error.line or 0) <= line_count else error.model_copy(update={"line": None})

    update = {"tests": tuple(map(clean, result.tests)), "error": clean(result.error) if result.error else None}
    return result.model_copy(update=update)


def _to_flags(plan: NotebookPlan, number: int | None, judge_flags: tuple[JudgeFlag, ...]) -> Iterator[Flag]:
    grade_id = plan.steps[number].grade_id if number is not None and number < len(plan.steps) else None
    return (Flag(flag.code, grade_id, flag.detail) for flag in judge_flags)


def _find_fatal_result(output: JudgeOutput) -> CellResult | None:
    """Return a result for the step that was running when the judge ended unexpectedly, if it did."""
    cell = next((cell for cell in reversed(output.started_cells) if cell not in output.results), None)
    if cell is None or output.is_complete:
        return None
    has_timed_out = output.judge_exit_reason in ("SIGPROF", "SIGKILL")
    return CellResult(
        cell=cell,
        state="died",
        cause="cell-timeout" if has_timed_out else "signal",
        detail="",
        error=None,
        tests=(),
        seconds=0.0,
    )


def _describe_grader_error(output: JudgeOutput, judge_run: JudgeRun) -> str:
    if output.grader_error:
        return output.grader_error
    if judge_run.stop_reason == "died" or (not output.started_cells and not output.is_complete):
        return f"{judge_run.stop_reason or output.judge_exit_reason or 'silent'}: {judge_run.stderr_tail.strip()}"
    return ""
