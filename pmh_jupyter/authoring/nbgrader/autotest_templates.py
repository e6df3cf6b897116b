"""Reads `autotests.yml`, the templates that turn nbgrader's AUTOTEST lines into assertions.

Source of the format: nbgrader's page on autotests and its `InstantiateTests`. Templates are rendered in Jinja's sandbox, because courses
may come from third parties.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from pmh_jupyter.authoring.nbgrader.course_files import AUTOTESTS_NAME
from pmh_jupyter.errors import InvalidCourse, Problem

MAX_BYTES = 1 << 20
PYTHON_KERNELS = ("python3", "python")


class _TestTemplate(BaseModel):
    model_config = ConfigDict(frozen=True)

    test: str
    fail: str


class _KernelTemplates(BaseModel):
    """The section of `autotests.yml` for one kernel."""

    model_config = ConfigDict(frozen=True)

    dispatch: str
    normalize: str
    check: str
    templates: dict[str, list[_TestTemplate]]
    setup: str | None = None
    success: str | None = None
    hash_template: str | None = Field(default=None, alias="hash")


@dataclass(frozen=True)
class SnippetTests:
    """The code of one snippet's tests: the code that returns its type, and by type the tests and their messages."""

    dispatch: str
    tests: Mapping[str, tuple[str, ...]]
    messages: Mapping[str, tuple[str, ...]]


class AutotestTemplates:
    """The templates of one kernel."""

    def __init__(self, kernel: _KernelTemplates) -> None:
        from jinja2.sandbox import ImmutableSandboxedEnvironment  # only needed for lessons with autotests

        self.setup, self.success = kernel.setup, kernel.success
        self._kernel = kernel
        # Compiling is slow, and the same templates are rendered for each snippet.
        self._compiled = lru_cache(maxsize=1024)(ImmutableSandboxedEnvironment().from_string)

    def render_snippet_tests(self, snippet: str, salt: str | None) -> SnippetTests:
        """Return the tests of a snippet for every possible type. With a salt, they compare hashes."""
        return SnippetTests(
            self._render(self._kernel.dispatch, snippet=snippet),
            {
                kind: tuple(self._render_code(test, snippet, salt) for test in tests)
                for kind, tests in self._parse_tests_by_type()
            },
            {
                kind: tuple(self._render_message(test, snippet) for test in tests)
                for kind, tests in self._parse_tests_by_type()
            },
        )

    def render_assertions(self, snippet_tests: SnippetTests, kind: str, values: Sequence[str | None]) -> list[str]:
        """Return the assertions for a snippet of this type. `values` are those of its tests with the reference solution."""
        rows = zip(snippet_tests.tests[kind], values, snippet_tests.messages[kind], strict=True)
        return [
            self._render(self._kernel.check, snippet=code, value=value, message=message)
            for code, value, message in rows
        ]

    def _parse_tests_by_type(self) -> Sequence[tuple[str, list[_TestTemplate]]]:
        return tuple(self._kernel.templates.items())

    def _render_code(self, test: _TestTemplate, snippet: str, salt: str | None) -> str:
        code = self._render(self._kernel.normalize, snippet=test.test)
        if salt is not None:
            code = self._render(self._kernel.hash_template or "", snippet=code, salt=salt)
        return self._render(code, snippet=snippet)

    def _render_message(self, test: _TestTemplate, snippet: str) -> str:
        return self._render(test.fail, snippet=snippet).replace('"', '\\"')

    def _render(self, template: str, **values: Any) -> str:
        try:
            return self._compiled(template).render(**values)
        except Exception as error:
            raise _make_invalid_templates_error(
                f"A template cannot be rendered ({error}): {template[:200]!r}.", "Correct the template."
            ) from error


def read_templates(content: bytes, kernel: str) -> AutotestTemplates:
    """Read the templates for a kernel's notebooks. Raises InvalidCourse, with the remedy, for invalid templates."""
    import yaml

    if kernel not in PYTHON_KERNELS:
        raise _make_invalid_templates_error(
            f"Autotests of the kernel {kernel} are not supported.", "Write its tests as code."
        )
    if len(content) > MAX_BYTES:
        raise _make_invalid_templates_error(
            f"It is larger than {MAX_BYTES >> 20} MiB.", "Remove templates that you do not need."
        )
    try:
        data = yaml.safe_load(content)
    except (yaml.YAMLError, UnicodeDecodeError, RecursionError) as error:
        raise _make_invalid_templates_error(
            f"It is not YAML: {' '.join(str(error).split())[:200]}.", "Correct that line."
        ) from error
    kernels = data if isinstance(data, dict) else {}
    name = next((name for name in (kernel, *PYTHON_KERNELS) if name in kernels), None)
    if name is None:
        raise _make_invalid_templates_error(f"It has no templates for {kernel}.", f"Add a section `{kernel}:`.")
    try:
        kernel_templates = _KernelTemplates.model_validate(kernels[name])
    except ValidationError as error:
        location = ".".join(map(str, (name, *error.errors()[0]["loc"])))
        raise _make_invalid_templates_error(
            f"{location}: {error.errors()[0]['msg']}.", "Correct it as nbgrader's page on autotests shows."
        ) from error
    if "default" not in kernel_templates.templates:
        raise _make_invalid_templates_error(
            f"{name}.templates has no `default`.", "Add it, with the tests for values of all other types."
        )
    return AutotestTemplates(kernel_templates)


def _make_invalid_templates_error(message: str, remedy: str) -> InvalidCourse:
    return InvalidCourse(f"{AUTOTESTS_NAME} cannot be used.", problems=(Problem(AUTOTESTS_NAME, message, remedy),))
