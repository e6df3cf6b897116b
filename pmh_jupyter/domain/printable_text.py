"""Makes text of a student's process and names of files safe to show in a terminal and on a page."""

from __future__ import annotations

import re
from collections import Counter

# Control characters other than tabs and line ends; characters without width, and those that change the direction of writing; surrogates.
# U+200D joins emoji, and stays.
_UNPRINTABLE = re.compile(
    "[\x00-\x08\x0b-\x1f\x7f-\x9f\u061c\u200b\u200c\u200e\u200f\u2028-\u202e\u2060-\u206f\ufeff\ufff9-\ufffb\ud800-\udfff]"
)

MAX_NAMED_PATHS = 3


def make_printable(text: str) -> str:
    """Return the text with an escape such as `\\x1b` in place of each character that would change how the text around it is shown."""
    return _UNPRINTABLE.sub(lambda match: match[0].encode("unicode_escape").decode("ascii"), text)


def make_single_line(text: str) -> str:
    """Return the text as `make_printable` does, with line ends escaped, too."""
    return make_printable(text).replace("\n", "\\n")


def make_printable_json(text: str) -> str:
    """Return JSON of the same value, with escapes as `make_printable` has them, but in JSON's form."""
    return _UNPRINTABLE.sub(lambda match: f"\\u{ord(match[0]):04x}", text)


def summarize_paths(paths: list[str]) -> str:
    """Return a list of paths for a message. Of more than MAX_NAMED_PATHS, it counts those of each folder."""
    if len(paths) <= MAX_NAMED_PATHS:
        return ", ".join(sorted(paths))
    counts = Counter(f"{path.partition('/')[0]}/" if "/" in path else path for path in sorted(paths))
    named = [f"{name} ({count})" if count > 1 else name for name, count in counts.most_common()]
    rest = len(named) - MAX_NAMED_PATHS
    return ", ".join([*named[:MAX_NAMED_PATHS], *([f"… (+{rest})"] if rest > 0 else [])])
