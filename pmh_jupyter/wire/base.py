"""What every message has in common: it is immutable, and an unknown field is an error rather than silently dropped."""

from __future__ import annotations

from pydantic import BaseModel, ConfigDict, Field


class WireModel(BaseModel):
    """Base of every request and reply. Field names are the same in Python, JSON and TypeScript."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class ProblemReply(WireModel):
    """One fault of a rejected input: file, cell (if any), what is wrong, and the remedy."""

    file: str
    cell: str | None = None
    message: str
    remedy: str


class ErrorReply(WireModel):
    """The one shape in which every failure is answered, by the service and by the server extension alike."""

    code: str = Field(description="Stable, for programs: see pmh_jupyter/errors.py")
    message: str = Field(description="What happened, for the reader")
    advice: str = Field(description="What to do next, for the reader")
    request_id: str = Field(default="", description="Finds the request in every log it ran through")
    problems: tuple[ProblemReply, ...] = ()


class FileContent(WireModel):
    """A file with its bytes. The hash lets the receiver refuse what was damaged on the way."""

    path: str = Field(max_length=400, description="Relative to the lesson's folder, POSIX, without '..'")
    sha256: str = Field(pattern="^[0-9a-f]{64}$")
    content: str = Field(description="Base64 of the bytes")
