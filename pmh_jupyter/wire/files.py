"""Encodes files for a message, and decodes and verifies those of a message: the same for every sender and receiver."""

from __future__ import annotations

import base64

from pmh_jupyter.domain.course import File
from pmh_jupyter.errors import BadInput
from pmh_jupyter.wire.base import FileContent


def encode_file(file: File) -> FileContent:
    """Return a file as part of a message."""
    return FileContent(path=file.path, sha256=file.sha256, content=base64.b64encode(file.content).decode())


def decode_file(file_content: FileContent) -> File:
    """Return a file of a message. Raises BadInput if its content does not match its hash. Does not check the path."""
    try:
        file = File(file_content.path, base64.b64decode(file_content.content, validate=True))
    except ValueError as error:
        raise BadInput(f"The content of {file_content.path} is not base64.") from error
    if file.sha256 != file_content.sha256:
        raise BadInput(
            f"{file.path} was damaged during transfer: its content does not match its hash.", advice="Try again."
        )
    return file
