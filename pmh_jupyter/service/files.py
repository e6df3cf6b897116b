"""Files as they travel: base64 with a hash, and paths that stay inside their folder."""

from __future__ import annotations

import base64
from collections.abc import Iterable
from pathlib import PurePosixPath

from pmh_jupyter.domain.course import File
from pmh_jupyter.domain.ids import sha256
from pmh_jupyter.errors import BadInput, TooLarge
from pmh_jupyter.wire.base import FileContent

FILES = 500


def received(files: Iterable[FileContent]) -> tuple[File, ...]:
    """The files of a message; raises BadInput for a path that leaves the folder, comes twice, or bytes that do not fit their hash."""
    found: dict[str, File] = {}
    for file in files:
        if file.path in found:
            raise BadInput(f"{file.path!r} is there twice.")
        found[file.path] = File(_safe(file.path), _content(file))
        if len(found) > FILES:
            raise TooLarge(f"More than {FILES} files.")
    return tuple(found.values())


def _safe(path: str) -> str:
    parts = PurePosixPath(path).parts
    clean = "/".join(parts)
    if not parts or clean != path or path.startswith("/") or ".." in parts or "\\" in path or not path.isprintable():
        raise BadInput(
            f"{path!r} is not a path within the folder.",
            advice="Rename the file: a relative path, without '..' or '\\'.",
        )
    return path


def _content(file: FileContent) -> bytes:
    try:
        content = base64.b64decode(file.content, validate=True)
    except ValueError as error:
        raise BadInput(f"The content of {file.path!r} is not base64.") from error
    if sha256(content) != file.sha256:
        raise BadInput(
            f"{file.path!r} was damaged on the way: its content does not fit its hash.", advice="Send it again."
        )
    return content
