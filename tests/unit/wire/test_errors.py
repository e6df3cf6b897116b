"""The error reply that the service and the server extension send."""

from __future__ import annotations

from pmh_jupyter.errors import InvalidCourse, Problem
from pmh_jupyter.wire.base import ProblemReply
from pmh_jupyter.wire.errors import serialize_error


def test_error_reply_has_all_texts_and_problems() -> None:
    problems = (Problem("a/b.md", "no title", "add one", "cell 4"), Problem("course.toml", "no units", "add one"))
    error = InvalidCourse("The course is invalid.", advice="Fix it.", problems=problems)
    reply = serialize_error(error, "request-1")
    assert (reply.code, reply.message, reply.advice, reply.request_id) == (
        "invalid-course",
        "The course is invalid.",
        "Fix it.",
        "request-1",
    )
    assert reply.problems == (
        ProblemReply(file="a/b.md", cell="cell 4", message="no title", remedy="add one"),
        ProblemReply(file="course.toml", cell=None, message="no units", remedy="add one"),
    )
