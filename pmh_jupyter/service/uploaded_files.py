"""Decodes uploaded files: base64 with a hash, and relative paths that stay inside their folder."""

from __future__ import annotations

from collections.abc import Iterable

from pmh_jupyter.domain.course import File
from pmh_jupyter.domain.paths import require_safe_path
from pmh_jupyter.errors import BadInput, TooLarge
from pmh_jupyter.wire.base import FileContent
from pmh_jupyter.wire.files import decode_file

MAX_FILES = 500


def decode_files(files: Iterable[FileContent]) -> tuple[File, ...]:
    """Decode the files of a request.

    Raises BadInput for an unsafe or duplicate path and for content that does not match its hash, TooLarge for more than MAX_FILES.
    """
    files_by_path: dict[str, File] = {}
    for file in files:
        if file.path in files_by_path:
            raise BadInput(f"The upload contains {file.path!r} twice.")
        require_safe_path(file.path)
        files_by_path[file.path] = decode_file(file)
        if len(files_by_path) > MAX_FILES:
            raise TooLarge(f"The upload contains more than {MAX_FILES} files.")
    return tuple(files_by_path.values())
