"""Where calls of unittest's methods have their message."""

from __future__ import annotations

MESSAGE_INDEXES: dict[str, int] = {
    **dict.fromkeys(("assertTrue", "assertFalse", "assertIsNone", "assertIsNotNone"), 1),
    **{
        f"assert{name}": 2
        for name in (
            "Equal NotEqual Is IsNot In NotIn IsInstance NotIsInstance Greater GreaterEqual Less LessEqual Regex NotRegex "
            "CountEqual ListEqual TupleEqual SetEqual DictEqual SequenceEqual MultiLineEqual"
        ).split()
    },
    **dict.fromkeys(("assertAlmostEqual", "assertNotAlmostEqual"), 3),
}
"""Where methods of unittest have their message. A function of the lesson may have its expected value there."""
