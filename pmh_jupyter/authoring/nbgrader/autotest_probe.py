"""Evaluates the snippets of AUTOTEST lines. Runs in the sandbox, as the first cell of an author's notebook.

It is sent as text and imports nothing of this package. Values are reported as the text that a notebook would show, without quotes.
"""

from __future__ import annotations

from typing import Any


class AutotestProbe:
    """Evaluates snippets. Each has the code that returns its type (`dispatch`), and by type the code of its tests (`tests`)."""

    def __init__(self, snippets: list[dict[str, Any]]) -> None:
        from IPython.core.formatters import PlainTextFormatter

        self._snippets, self._format_value = snippets, PlainTextFormatter()
        self._answers: dict[int, dict[str, Any]] = {}

    def run(self, number: int, namespace: dict[str, Any]) -> None:
        """Evaluate one snippet in the notebook's namespace. If it raises, the exception is its answer."""
        snippet = self._snippets[number]
        try:
            kind = self._evaluate(snippet["dispatch"], namespace)
            kind = kind if kind in snippet["tests"] else "default"
            values = [self._evaluate(code, namespace) for code in snippet["tests"][kind]]
            self._answers[number] = {"kind": kind, "values": values}
        except Exception as error:  # noqa: BLE001 - every error of the author's code is reported to the author
            self._answers[number] = {"error": f"{type(error).__name__}: {error}"[:300]}

    def split_answers(self, count: int, size: int) -> list[str]:
        """Return all answers as `count` texts of at most `size` characters, which may be empty. The first begins with the total length."""
        import base64
        import json
        import zlib

        text = base64.b64encode(zlib.compress(json.dumps(self._answers).encode())).decode()
        text = f"{len(text)}:{text}"
        return [text[start : start + size] for start in range(0, count * size, size)]

    def _evaluate(self, code: str, namespace: dict[str, Any]) -> str | None:
        import ast

        body = ast.parse(code).body
        last = body.pop() if body and isinstance(body[-1], ast.Expr) else None
        exec(compile(ast.Module(body, []), "<autotest>", "exec"), namespace)
        if not isinstance(last, ast.Expr):
            return None
        value = eval(compile(ast.Expression(last.value), "<autotest>", "eval"), namespace)
        return None if value is None else str(self._format_value(value)).strip('"').strip("'")
