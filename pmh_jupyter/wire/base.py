"""The base of all messages: they are immutable, and unknown fields are rejected instead of ignored."""

from __future__ import annotations

from pydantic import BaseModel, ConfigDict, Field


class WireModel(BaseModel):
    """Base of every request and reply. Field names are the same in Python, JSON and TypeScript."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class ProblemReply(WireModel):
    """One problem of a rejected input: the file, the cell (if any), a description, and the remedy."""

    file: str
    cell: str | None = None
    message: str
    remedy: str


class ErrorReply(WireModel):
    """The body of every response to a failed request, from the service and from the server extension."""

    code: str = Field(description="Stable code for programs: see pmh_jupyter/errors.py")
    message: str = Field(description="What happened, for the reader")
    advice: str = Field(description="What to do next, for the reader")
    request_id: str = Field(
        default="", description="Identifies the request in the logs of every process that handled it"
    )
    problems: tuple[ProblemReply, ...] = ()


class FileContent(WireModel):
    """A file with its content. The receiver compares the hash and rejects a damaged file."""

    path: str = Field(max_length=400, description="Relative to the lesson's folder, POSIX, without '..'")
    sha256: str = Field(pattern="^[0-9a-f]{64}$")
    content: str = Field(description="Base64 of the bytes")
