"""Errors that a person may have to read. Each has a code for programs, a message that says what happened, and advice what to do.

A function raises a `PmhError`. The service sends it as an `ErrorReply` with its status, the server extension forwards that reply
unchanged, the panel reacts to the code, and `pmh` prints message and advice and exits with 2. Details that are only for the log
belong to the exception's cause, never to the message.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar


@dataclass(frozen=True)
class Problem:
    """A problem in something that a person wrote: where it is, what is wrong, and the remedy.

    file: path relative to the folder that was read.
    cell: grade_id of a cell, or its number as "cell 4", counted from 1.
    blocks_grading: False if submissions of the lesson can still be graded, as nbgrader does. A release is refused in either case.
    """

    file: str
    message: str
    remedy: str
    cell: str | None = None
    blocks_grading: bool = True

    def __str__(self) -> str:
        location = f"{self.file}, {self.cell}" if self.cell else self.file
        return f"{location}: {self.message} {self.remedy}"


class PmhError(Exception):
    """An error with a code that never changes, a message and advice.

    status: HTTP status of the reply. retry_after: seconds. problems: all problems of a rejected input.
    """

    code: ClassVar[str] = "internal"
    status: ClassVar[int] = 500
    advice: str = "Try again. If the problem persists, contact your hub administrator and include the request id."

    def __init__(
        self,
        message: str,
        *,
        advice: str | None = None,
        retry_after: float | None = None,
        problems: tuple[Problem, ...] = (),
    ) -> None:
        super().__init__(message)
        self.message = message
        self.advice = advice or self.advice
        self.retry_after = retry_after
        self.problems = problems


class BadInput(PmhError):
    """The input cannot be used."""

    code = "bad-input"
    status = 400
    advice = "Correct the input, then try again."


class InvalidCourse(BadInput):
    """A course or lesson cannot be released. `problems` lists all reasons."""

    code = "invalid-course"
    status = 422
    advice = "Fix all problems listed, then run `pmh course validate` again."


class InvalidNotebook(BadInput):
    """A file cannot be read as a notebook."""

    code = "invalid-notebook"
    status = 422
    advice = "Open it in JupyterLab, save it, and try again. If it does not open, restore an earlier copy."


class TooLarge(BadInput):
    """The input has more bytes, files or cells than allowed."""

    code = "too-large"
    status = 413
    advice = "Clear large outputs or remove files that the exercise does not need, then try again."


class UnreadableSubmission(BadInput):
    """A submission could not be read within the limits on time and memory. `reason`: a clause, such as "it needs too much memory"."""

    code = "unreadable-submission"
    status = 422
    advice = "Remove what the exercises do not need (large outputs, generated cells, other notebooks), then try again."

    def __init__(self, reason: str, path: str = "The submission") -> None:
        super().__init__(f"{path} could not be read: {reason}.")
        self.reason = reason


class NotLoggedIn(PmhError):
    """The request has no credentials, or the Hub no longer accepts them."""

    code = "not-logged-in"
    status = 401
    advice = "Log in to the hub again."


class NotAllowed(PmhError):
    """The person is logged in but does not have the permission."""

    code = "not-allowed"
    status = 403
    advice = "If you need this permission, ask an instructor of the classroom."


class NotFound(PmhError):
    """The requested object does not exist, or the person must not know whether it exists."""

    code = "not-found"
    status = 404
    advice = "Check the address. The classroom or lesson may have been renamed or closed."


class Conflict(PmhError):
    """The request contradicts the current state."""

    code = "conflict"
    status = 409
    advice = "Reload to see the current state, then try again."


class TooManyRequests(PmhError):
    """The person has exceeded a rate limit."""

    code = "too-many-requests"
    status = 429
    advice = "Wait a moment, then try again."


class Unavailable(PmhError):
    """A required part (database, Hub, service) cannot be reached at the moment."""

    code = "unavailable"
    status = 503
    advice = "Try again in a moment."


class NotConnected(Unavailable):
    """The Jupyter server was not started by a hub with pmh-jupyter, so there is no service to connect to."""

    code = "not-connected"
    advice = "Log in to your hub and start your server there. Lessons appear in that server."


class NotSaved(PmhError):
    """A submission could not be written to disk, so it must not be reported as saved."""

    code = "not-saved"
    status = 507
    advice = "Free disk space: delete files that you no longer need and empty the trash. Then try again. Leave the notebook open."


class NoSandbox(Unavailable):
    """No sandbox is available on this machine, and grading without one is not allowed."""

    code = "no-sandbox"
    advice = "Run `pmh doctor` on the hub's machine to see what is missing and how to install it."


class SchemaTooOld(PmhError):
    """The database's schema is of an older version and has not been upgraded."""

    code = "schema-too-old"
    advice = "Back up the database, then run `pmh db upgrade`."


class SchemaTooNew(PmhError):
    """The database's schema is of a newer version."""

    code = "schema-too-new"
    advice = "Start the newer version again, or restore the backup from before the upgrade."
