"""`autotests.yml`: the templates from which nbgrader's AUTOTEST lines become assertions.

Source of the format: nbgrader's page on autotests and its `InstantiateTests`. A template is Jinja; it is rendered in Jinja's
sandbox, since a course comes from elsewhere.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from pmh_jupyter.authoring.nbgrader.folder import TEMPLATES
from pmh_jupyter.errors import InvalidCourse, Problem

MOST_BYTES = 1 << 20
KERNELS = ("python3", "python")


class _Test(BaseModel):
    model_config = ConfigDict(frozen=True)

    test: str
    fail: str


class _Kernel(BaseModel):
    """What `autotests.yml` says for one kernel."""

    model_config = ConfigDict(frozen=True)

    dispatch: str
    normalize: str
    check: str
    templates: dict[str, list[_Test]]
    setup: str | None = None
    success: str | None = None
    hashed: str | None = Field(default=None, alias="hash")


@dataclass(frozen=True)
class Asked:
    """The code of one snippet's tests, before anything was run: what names its type, and by type the tests and their messages."""

    dispatch: str
    tests: Mapping[str, tuple[str, ...]]
    messages: Mapping[str, tuple[str, ...]]


class Templates:
    """The templates of one kernel."""

    def __init__(self, kernel: _Kernel) -> None:
        from jinja2.sandbox import ImmutableSandboxedEnvironment  # not needed where no lesson has autotests

        self.setup, self.success, self.can_hash = kernel.setup, kernel.success, kernel.hashed is not None
        self._kernel = kernel
        # Compiling is what costs, and the same templates are rendered for each snippet.
        self._compiled = lru_cache(maxsize=1024)(ImmutableSandboxedEnvironment().from_string)

    def asked(self, snippet: str, salt: str | None) -> Asked:
        """The tests of a snippet for every type that it might have; with a salt what they compare is hashed."""
        return Asked(
            self._render(self._kernel.dispatch, snippet=snippet),
            {kind: tuple(self._code(one, snippet, salt) for one in tests) for kind, tests in self._tests()},
            {kind: tuple(self._message(one, snippet) for one in tests) for kind, tests in self._tests()},
        )

    def checks(self, asked: Asked, kind: str, values: Sequence[str | None]) -> list[str]:
        """The assertions for a snippet of this type whose tests gave these values with the reference."""
        rows = zip(asked.tests[kind], values, asked.messages[kind], strict=True)
        return [
            self._render(self._kernel.check, snippet=code, value=value, message=message)
            for code, value, message in rows
        ]

    def _tests(self) -> Sequence[tuple[str, list[_Test]]]:
        return tuple(self._kernel.templates.items())

    def _code(self, test: _Test, snippet: str, salt: str | None) -> str:
        code = self._render(self._kernel.normalize, snippet=test.test)
        if salt is not None:
            code = self._render(self._kernel.hashed or "", snippet=code, salt=salt)
        return self._render(code, snippet=snippet)

    def _message(self, test: _Test, snippet: str) -> str:
        return self._render(test.fail, snippet=snippet).replace('"', '\\"')

    def _render(self, template: str, **values: Any) -> str:
        try:
            return self._compiled(template).render(**values)
        except Exception as error:
            raise _invalid(f"A template cannot be rendered ({error}): {template[:200]!r}.", "Correct it.") from error


def read_templates(content: bytes, kernel: str) -> Templates:
    """The templates for a kernel's notebooks; raises InvalidCourse, with the remedy, for what cannot be used."""
    import yaml

    if kernel not in KERNELS:
        raise _invalid(f"Autotests of the kernel {kernel} cannot be made here.", "Write its tests out.")
    if len(content) > MOST_BYTES:
        raise _invalid(f"It is larger than {MOST_BYTES >> 20} MiB.", "Take out what is not needed.")
    try:
        data = yaml.safe_load(content)
    except (yaml.YAMLError, UnicodeDecodeError, RecursionError) as error:
        raise _invalid(f"It is not YAML: {' '.join(str(error).split())[:200]}.", "Correct that line.") from error
    found = data if isinstance(data, dict) else {}
    name = next((name for name in (kernel, *KERNELS) if name in found), None)
    if name is None:
        raise _invalid(f"It has no templates for {kernel}.", f"Add a section `{kernel}:`.")
    try:
        read = _Kernel.model_validate(found[name])
    except ValidationError as error:
        where = ".".join(map(str, (name, *error.errors()[0]["loc"])))
        raise _invalid(
            f"{where}: {error.errors()[0]['msg']}.", "Correct it as nbgrader's page on autotests shows."
        ) from error
    if "default" not in read.templates:
        raise _invalid(f"{name}.templates has no `default`.", "Add it: the tests of a value of any other type.")
    return Templates(read)


def _invalid(message: str, remedy: str) -> InvalidCourse:
    return InvalidCourse(f"{TEMPLATES} cannot be used.", problems=(Problem(TEMPLATES, message, remedy),))
