"""Grades a submission with nbgrader: a course in a folder, one `nbgrader autograde` of one student, and its result."""

from __future__ import annotations

import json
import os
import shutil
import sqlite3
import subprocess
import sys
from pathlib import Path

from pmh_jupyter.bubblewrap import find_bwrap
from pmh_jupyter.domain.course import File
from tests.support.attacks.attack import NOTEBOOK_NAME, AttackCase, Outcome, list_exercise_ids, load_lesson

BIN_FOLDER = Path(sys.executable).parent
STUDENT = "somebody"
TIMEOUT_SECONDS = 90
# The time limit of a cell; nbgrader's own default is 30 s.
CELL_SECONDS = 10
SCORES_QUERY = """
SELECT base_cell.name, grade.auto_score FROM grade JOIN base_cell ON base_cell.id = grade.cell_id
"""


def make_course(folder: Path) -> Path:
    """Return a course with the attacked lesson, generated as an instructor would do it, to be copied for each submission."""
    source = folder / "source" / "lesson"
    source.mkdir(parents=True)
    (source / NOTEBOOK_NAME).write_bytes(load_lesson().sealed_files[0].content)
    (folder / "nbgrader_config.py").write_text(
        f"c = get_config()\nc.CourseDirectory.course_id = 'attacked'\nc.ExecutePreprocessor.timeout = {CELL_SECONDS}\n"
        f"c.Execute.timeout = {CELL_SECONDS}\n"
    )
    _run_nbgrader(folder, [], "generate_assignment", "lesson", "--force")
    return folder


def autograde(course: Path, files: tuple[File, ...], case: AttackCase) -> Outcome:
    """Grade one submission in a copy of the course."""
    copy = course.with_name(f"{course.name}-copy-{os.urandom(4).hex()}")
    shutil.copytree(course, copy)
    try:
        submission_folder = copy / "submitted" / STUDENT / "lesson"
        submission_folder.mkdir(parents=True)
        for file in files:
            if ".." not in file.path and "\0" not in file.path and not file.path.startswith("/"):
                path = submission_folder / file.path  # a collected folder has no other names
                path.parent.mkdir(parents=True, exist_ok=True)
                path.write_bytes(file.content)
        exit_code = _run_nbgrader(copy, _confinement_command(case), "autograde", "lesson", "--student", STUDENT)
        graded = copy / "autograded" / STUDENT / "lesson" / NOTEBOOK_NAME
        with_feedback = case.options.get("leaks_through") == "feedback"
        text = _visible_output(graded, with_feedback=with_feedback) if graded.exists() else ""
        return Outcome(_read_points(copy / "gradebook.db"), text, {"exit_reason": str(exit_code)})
    finally:
        shutil.rmtree(copy, ignore_errors=True)


def _confinement_command(case: AttackCase) -> list[str]:
    """Limit resources, so that denial-of-service attacks on nbgrader do not harm this machine."""
    if case.category != "deny":
        return []
    confinement = [str(find_bwrap()), "--dev-bind", "/", "/", "--unshare-pid", "--proc", "/proc", "--die-with-parent"]
    if os.geteuid() == 0:  # the kernel does not count root's processes
        capabilities = "+dac_override,+dac_read_search"
        confinement += ["--cap-add", "ALL", "setpriv", "--reuid", "65533", "--regid", "65533", "--clear-groups"]
        confinement += ["--inh-caps", capabilities, "--ambient-caps", capabilities]
    return [*confinement, "prlimit", "--nproc=300", f"--as={6 << 30}", f"--fsize={300 << 20}"]


def _run_nbgrader(folder: Path, confinement: list[str], *command: str) -> int:
    home = folder / "home"
    home.mkdir(exist_ok=True)
    environ = {
        **os.environ,
        "HOME": str(home),
        "PATH": f"{BIN_FOLDER}:{os.environ['PATH']}",
        "OPENBLAS_NUM_THREADS": "1",
    }
    full_command = [
        *confinement,
        "timeout",
        "--signal=KILL",
        str(TIMEOUT_SECONDS),
        str(BIN_FOLDER / "nbgrader"),
        *command,
    ]
    log = folder / "nbgrader.log"
    with log.open("wb") as out:
        return subprocess.run(
            full_command, cwd=folder, env=environ, stdout=out, stderr=out, stdin=subprocess.DEVNULL
        ).returncode


def _read_points(database: Path) -> dict[str, float]:
    tests = {exercise.test_cells[0]: exercise.grade_id for exercise in load_lesson().exercises}
    points = dict.fromkeys(list_exercise_ids(), 0.0)
    connection = sqlite3.connect(database)
    try:
        for name, score in connection.execute(SCORES_QUERY):
            if name in tests and score:
                points[tests[name]] = float(score)
    finally:
        connection.close()
    return points


def _visible_output(graded: Path, *, with_feedback: bool) -> str:
    """Return what the cells printed, and with `with_feedback` the errors that feedback shows, but not the cells' own text."""
    texts: list[str] = []
    for cell in json.loads(graded.read_text(encoding="utf-8", errors="replace"))["cells"]:
        for output in cell.get("outputs", []):
            texts.append("".join(output.get("text", "")))
            if with_feedback:
                texts += output.get("traceback", [])
    return "\n".join(texts)
