"""Validates relative file paths from outside: of a request, an archive or a course."""

from __future__ import annotations

from pmh_jupyter.errors import BadInput

_CACHE_FOLDERS = frozenset({"__pycache__"})


def is_safe_path(path: str) -> bool:
    """Return whether a POSIX path names a file below the folder that it is relative to, on every operating system.

    Rejected: absolute paths, empty parts, "." and "..", backslashes, and control or other unprintable characters.
    Symbolic links are not resolved: the code that opens the file must refuse them.
    """
    has_safe_parts = all(part not in ("", ".", "..") for part in path.split("/"))
    return has_safe_parts and "\\" not in path and path.isprintable()


def require_safe_path(path: str) -> str:
    """Return the path; raise BadInput unless `is_safe_path`."""
    if not is_safe_path(path):
        raise BadInput(
            f"{path!r} is not a path within the folder.",
            advice="Rename the file: use a relative path without '..', '\\' and control characters.",
        )
    return path


def list_parents(path: str) -> list[str]:
    """Return the folders that a relative path with `/` leads through, the outermost first: "a" and "a/b" for "a/b/c"."""
    parts = path.split("/")
    return ["/".join(parts[:count]) for count in range(1, len(parts))]


def is_ignored(name: str) -> bool:
    """Return whether a file or folder of this name is ignored in a course or a submission: a cache, or a name that begins with a dot."""
    return name.startswith(".") or name in _CACHE_FOLDERS
