"""Templates show local times, labels and messages, escape all values, and reject undefined variables."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

import pytest
from jinja2 import UndefinedError

from pmh_jupyter.domain.labels import OUTCOME_LABELS, STATE_LABELS
from pmh_jupyter.domain.progress import ProgressState
from pmh_jupyter.domain.verdict import Outcome
from pmh_jupyter.service.pages.gradebook import ColumnSummary, GradebookFilters, make_link_query
from pmh_jupyter.service.pages.template_environment import format_inline_code, make_template_environment
from pmh_jupyter.wire import submission as submission_wire
from pmh_jupyter.wire.outline import AchievementReply, ExerciseReply, LessonReply, OutlineReply, UnitReply
from pmh_jupyter.wire.people import ClassroomReply
from pmh_jupyter.wire.staff import (
    GradebookCellReply,
    GradebookColumnReply,
    GradebookReply,
    GradebookRowReply,
    MemberSubmissionReply,
)
from pmh_jupyter.wire.submission import (
    FlagReply,
    MessageReply,
    Receipt,
    SubmissionReply,
    VerdictReply,
)

NOW = datetime(2026, 11, 20, 17, 0, tzinfo=UTC)
SUBMISSION_ID, PERSON_ID = UUID(int=1), UUID(int=2)
ERROR = {"message": "<script>alert(1)</script>", "advice": "Go back."}
PAGE = {"base_url": "/services/pmh/", "hub_home_url": "/hub/home", "caller": {"name": "ada"}, "request_id": "r1"}
CLASSROOM = ClassroomReply(
    slug="demo", title="Demo", role="instructor", time_zone="Europe/Zurich", course="tiny", course_title="Tiny course"
)
CLASSROOM_PAGE = PAGE | {
    "classroom": CLASSROOM,
    "can_view_gradebook": True,
    "nav_entry": "gradebook",
    "lesson_titles": {"sums": "Sums"},
}
TEST_MESSAGE = MessageReply(code="test-differs", params={"expression": "two", "got": "3", "expected": "2"})
VERDICT = VerdictReply(
    grade_id="two",
    title="Two",
    outcome="failed",
    points=0.5,
    max_points=2,
    reason=TEST_MESSAGE,
    is_reason_in_tests=True,
    tests=(
        submission_wire.TestReply(
            grade_id="two-tests",
            name="two is 2",
            is_hidden=False,
            outcome="failed",
            message=TEST_MESSAGE,
            is_listed=True,
            expected="2",
            got="3",
        ),
    ),
)
RECEIPT = Receipt(
    submission_id=SUBMISSION_ID,
    person_id=PERSON_ID,
    classroom="demo",
    lesson="sums",
    release_id="a" * 64,
    content_hash="b" * 64,
    received_at=NOW,
    code="7KQM-2XWD",
    key_id="k1",
    signature="",
)
SUBMISSION = SubmissionReply(
    id=SUBMISSION_ID,
    kind="final",
    classroom="demo",
    lesson="sums",
    release_id="a" * 64,
    state="graded",
    received_at=NOW,
    verdicts=(VERDICT,),
    repairs=(MessageReply(code="repair-cell-type", params={"cell": "two"}),),
    receipt=RECEIPT,
)


def render(template: str, **values: Any) -> str:
    """The text of a page, without tags and with single spaces."""
    page = make_template_environment().get_template(template).render(**values)
    return " ".join(re.sub(r"<[^>]+>", " ", page).split())


def gradebook(page: int, page_count: int) -> GradebookReply:
    cell = GradebookCellReply(state="done", points=2, attempts=1, submission_id=SUBMISSION_ID)
    row = GradebookRowReply(person_id=PERSON_ID, name="ada", role="student", points=2, cells=(cell,))
    column = GradebookColumnReply(lesson="sums", lesson_title="Sums", grade_id="two", title="Two", max_points=2)
    return GradebookReply(classroom="demo", columns=(column,), rows=(row,), page=page, page_count=page_count)


def test_values_are_escaped() -> None:
    page = make_template_environment().get_template("error.html").render(error=ERROR, **PAGE)
    assert "<script>" not in page and "&lt;script&gt;" in page


def test_inline_code_is_marked_up_and_escaped() -> None:
    text = "`f('<b>')` gave <i>3</i>, a single ` stays."
    expected = "<code>f(&#39;&lt;b&gt;&#39;)</code> gave &lt;i&gt;3&lt;/i&gt;, a single ` stays."
    assert format_inline_code(text) == expected


def test_undefined_variable_is_an_error() -> None:
    with pytest.raises(UndefinedError):
        make_template_environment().get_template("error.html").render(**PAGE)


def test_every_state_and_outcome_has_an_icon_and_a_label() -> None:
    environment = make_template_environment()
    macros: Any = environment.get_template("macros.html").module
    for state in ProgressState:
        icon = str(macros.state_icon(state.value))
        assert "<path" in icon and f'aria-label="{STATE_LABELS[state].text}"' in icon
    for outcome in Outcome:
        assert OUTCOME_LABELS[outcome].text
        assert "<path" in str(macros.icon(outcome.value))


def test_home_page_links_staff_to_the_gradebook() -> None:
    values = PAGE | {"classrooms": [CLASSROOM]}
    assert "Gradebook My progress" in render("home.html", gradebook_roles={"instructor"}, **values)
    assert "Gradebook" not in render("home.html", gradebook_roles=set(), **values)
    assert "Ask your instructor for a join code." in render("home.html", gradebook_roles=set(), **PAGE, classrooms=[])


def test_gradebook_page_shows_summary_legend_and_neighboring_pages() -> None:
    filters = GradebookFilters(lesson="sums")
    page = render(
        "gradebook.html",
        gradebook=gradebook(2, 3),
        lessons=[("sums", "Sums")],
        filters=filters,
        column_summaries=[ColumnSummary(3, "1.5")],
        link_query=make_link_query(filters),
        **CLASSROOM_PAGE,
    )
    assert "Solved on this page Median attempts 3 1.5" in page
    assert "Done" in page and "Not started" in page
    assert "Previous Page 2 of 3 Next" in page


def test_member_page_shows_verdicts_repairs_and_flags() -> None:
    failed = SUBMISSION.model_copy(
        update={
            "kind": "check",
            "lesson": "removed",
            "state": "failed",
            "grader_error": MessageReply(code="grader-error"),
            "verdicts": (),
        }
    )
    flag = FlagReply(code="object-for-data", cell="two", detail="Two")
    submissions = [
        MemberSubmissionReply(person_id=PERSON_ID, name="ada", submission=SUBMISSION, flags=(flag,)),
        MemberSubmissionReply(person_id=PERSON_ID, name="ada", submission=failed),
    ]
    page = render("member.html", member_name="ada", submissions=submissions, **CLASSROOM_PAGE)
    assert "Submission · Sums · Fri 20 Nov 2026, 18:00 0.5 of 2" in page
    check = SUBMISSION.model_copy(update={"kind": "check"})
    checked = [MemberSubmissionReply(person_id=PERSON_ID, name="ada", submission=check)]
    assert f"Check · {VERDICT.title} · Sums · " in render(
        "member.html", member_name="ada", submissions=checked, **CLASSROOM_PAGE
    )
    assert "Check · removed · Fri 20 Nov 2026, 18:00 Grader failed" in page
    assert "Receipt 7KQM-2XWD" in page
    assert "Flag: two:" in page
    assert "The answer cell “two” was not a code cell. It was run as code." in page
    assert "expected 2 got 3" in page
    assert page.count("gave 3, expected 2") == 1, "the message of a verdict is not repeated if a test shows it"
    assert "No checks or submissions yet." in render("member.html", member_name="ada", submissions=[], **CLASSROOM_PAGE)


def test_member_page_counts_tests_that_could_not_be_evaluated() -> None:
    raised = MessageReply(code="test-raised", params={"expression": "two", "error": "NameError"})
    tests = tuple(
        submission_wire.TestReply(
            grade_id="two-tests", name=name, is_hidden=False, outcome="failed", message=raised, is_listed=False
        )
        for name in ("two is 2", "two is not 3")
    )
    verdict = VERDICT.model_copy(
        update={"reason": raised, "is_reason_in_tests": False, "tests": tests, "unevaluated_count": 2}
    )
    submission = MemberSubmissionReply(
        person_id=PERSON_ID, name="ada", submission=SUBMISSION.model_copy(update={"verdicts": (verdict,)})
    )
    page = render("member.html", member_name="ada", submissions=[submission], **CLASSROOM_PAGE)
    assert page.count("raised NameError") == 1
    assert "2 tests could not be evaluated." in page
    assert "two is 2" not in page, "a sentence about values that were never compared"


@pytest.mark.parametrize(("points", "text"), [(0, "0 points"), (0.5, "0.5 points"), (1, "1 point"), (2, "2 points")])
def test_gradebook_cell_names_its_points(points: float, text: str) -> None:
    template = '{% from "macros.html" import format_points_with_unit %}{{ format_points_with_unit(points) }}'
    assert make_template_environment().from_string(template).render(points=points) == text


def test_progress_page_shows_exercises_achievements_and_receipts() -> None:
    exercise = ExerciseReply(
        grade_id="two",
        title="Two",
        notebook="sums.ipynb",
        solution_cells=("two",),
        test_cells=("two-tests",),
        state="in-progress",
        points=0.5,
        max_points=2,
        attempts=3,
    )
    lesson = LessonReply(
        slug="sums",
        title="Sums",
        release_id="a" * 64,
        notebooks=("sums.ipynb",),
        state="in-progress",
        points=0.5,
        max_points=2,
        solved_count=0,
        exercises=(exercise, exercise.model_copy(update={"title": "Three", "attempts": 1})),
        submitted_at=NOW,
    )
    achievement = AchievementReply(
        slug="first", title="First solve", description="Solve an exercise.", icon="spark", current=0, target=1
    )
    outline = OutlineReply(
        classroom=CLASSROOM,
        units=(UnitReply(title="Start", lessons=(lesson,), solved_count=0, exercise_count=1),),
        points=0.5,
        max_points=2,
        solved_count=0,
        exercise_count=1,
        next_lesson="sums",
        achievements=(achievement,),
        last_event_number=4,
    )
    page = render("progress.html", outline=outline, submissions_with_receipt=[SUBMISSION], **CLASSROOM_PAGE)
    assert "0 of 1 exercises solved · 0.5 of 2 points" in page
    assert "Two 3 attempts 0.5 of 2" in page
    assert "Three 1 attempt 0.5 of 2" in page
    assert "Submitted Fri 20 Nov 2026, 18:00." in page
    assert "First solve Solve an exercise. 0 of 1" in page
    assert "7KQM-2XWD Sums Fri 20 Nov 2026, 18:00 0.5" in page
    assert "All times are in the time zone Europe/Zurich." in page
    page = render("progress.html", outline=outline, submissions_with_receipt=[], **CLASSROOM_PAGE)
    assert "No submissions yet. A receipt appears here as soon as a submission is stored." in page
