"""Decodes uploaded files: base64 with a hash, and relative paths that stay inside their folder."""

from __future__ import annotations

import base64
from collections.abc import Iterable

from pmh_jupyter.domain.course import File
from pmh_jupyter.domain.hashing import compute_sha256_hex
from pmh_jupyter.domain.paths import require_safe_path
from pmh_jupyter.errors import BadInput, TooLarge
from pmh_jupyter.wire.base import FileContent

MAX_FILES = 500


def decode_files(files: Iterable[FileContent]) -> tuple[File, ...]:
    """Decode the files of a request.

    Raises BadInput for an unsafe or duplicate path and for content that does not match its hash, TooLarge for more than MAX_FILES.
    """
    files_by_path: dict[str, File] = {}
    for file in files:
        if file.path in files_by_path:
            raise BadInput(f"The upload contains {file.path!r} twice.")
        files_by_path[file.path] = File(require_safe_path(file.path), _decode_content(file))
        if len(files_by_path) > MAX_FILES:
            raise TooLarge(f"The upload contains more than {MAX_FILES} files.")
    return tuple(files_by_path.values())


def _decode_content(file: FileContent) -> bytes:
    try:
        content = base64.b64decode(file.content, validate=True)
    except ValueError as error:
        raise BadInput(f"The content of {file.path!r} is not base64.") from error
    if compute_sha256_hex(content) != file.sha256:
        raise BadInput(
            f"{file.path!r} was damaged in transit: its content does not match its hash.", advice="Send it again."
        )
    return content
