"""Every failure that a person may have to read: a code for programs, a message of what happened, advice on what to do.

One shape everywhere. A function raises a `PmhError`; the service writes it once as an `ErrorReply` with its status, the server
extension hands it on unchanged, the panel answers the code, and `pmh` prints it and exits with 2. What is for the log only
goes into the exception's cause, never into the message.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar


@dataclass(frozen=True)
class Problem:
    """One fault in something that a person wrote: where it is, what is wrong, and the remedy.

    `file` is relative to the folder that was read; `cell` names a cell by grade_id, or by its number from 1 as "cell 4".
    """

    file: str
    message: str
    remedy: str
    cell: str | None = None

    def __str__(self) -> str:
        location = f"{self.file}, {self.cell}" if self.cell else self.file
        return f"{location}: {self.message} {self.remedy}"


class PmhError(Exception):
    """A failure with a code that never changes, a message for its reader, and advice.

    `status` is the HTTP status it is answered with; `retry_after` is in seconds; `problems` lists every fault of a rejected input.
    """

    code: ClassVar[str] = "internal"
    status: ClassVar[int] = 500
    advice: str = "Try again; if it stays, tell whoever runs this hub the request id."

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
    """What was sent or read cannot be used as it is."""

    code = "bad-input"
    status = 400
    advice = "Correct what the message names, then try again."


class InvalidCourse(BadInput):
    """A course or lesson that cannot be released; `problems` holds all of its faults."""

    code = "invalid-course"
    status = 422
    advice = "Mend every place listed, then run `pmh course validate` again."


class InvalidNotebook(BadInput):
    """A notebook that cannot be read as one."""

    code = "invalid-notebook"
    status = 422
    advice = "Open it in JupyterLab, save it again, and retry; if it does not open, take back an earlier copy."


class TooLarge(BadInput):
    """More bytes, files or cells than the limit allows."""

    code = "too-large"
    status = 413
    advice = "Clear large outputs or remove files that the exercise does not need, then try again."


class NotLoggedIn(PmhError):
    """No identity came with the request, or one that the Hub no longer knows."""

    code = "not-logged-in"
    status = 401
    advice = "Log in to the hub again."


class NotAllowed(PmhError):
    """The person is known and may not do this."""

    code = "not-allowed"
    status = 403
    advice = "If you think you should be able to, ask an instructor of the classroom."


class NotFound(PmhError):
    """No such thing, or none that this person may know of."""

    code = "not-found"
    status = 404
    advice = "Check the address; it may have been renamed or closed."


class Conflict(PmhError):
    """It contradicts what is already there."""

    code = "conflict"
    status = 409
    advice = "Reload to see the present state, then decide again."


class TooManyRequests(PmhError):
    """Over the rate that one person may ask."""

    code = "too-many-requests"
    status = 429
    advice = "Wait a moment; nothing was lost."


class Unavailable(PmhError):
    """A part that is needed cannot be reached now (database, Hub, service)."""

    code = "unavailable"
    status = 503
    advice = "Try again in a moment. Your work is kept."


class NotConnected(Unavailable):
    """A Jupyter server that no hub of ours started: there is no service to speak to."""

    code = "not-connected"
    advice = "Log in to your hub and start your server there; lessons appear in that one."


class NotSaved(PmhError):
    """Work could not be written to disk, so nothing may claim that it is safe."""

    code = "not-saved"
    status = 507
    advice = "Make room: delete files you no longer need and empty the trash, then try again. Leave the notebook open."


class NoSandbox(Unavailable):
    """No sandbox can be had on this machine, and grading without one is refused here."""

    code = "no-sandbox"
    advice = "Run `pmh doctor` on the hub's machine; it says what is missing."


class SchemaTooOld(PmhError):
    """The database was written by an older version and has not been migrated."""

    code = "schema-too-old"
    advice = "Back up the database, then run `pmh db upgrade`."


class SchemaTooNew(PmhError):
    """The database was written by a newer version than this one."""

    code = "schema-too-new"
    advice = "Start the newer version again, or restore the backup that was made before the upgrade."
