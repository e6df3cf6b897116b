"""Code of the product that nothing in the product uses is removed, not kept for later. What only tests use counts as unused.

- Functions, methods, classes, properties and imports: vulture compares names, so a name that a framework calls, or that is called by
  name, is listed in CALLED_BY_NAME with its caller.
- Module constants, members of enums, and columns of tables that nothing reads: see tests/support/unread_values.py. An exception is
  listed in KEPT_VALUES with its reason.
"""

from __future__ import annotations

import re
from pathlib import Path

import pytest
import vulture

from pmh_jupyter.storage.records.assignment_limits import LIMIT_COLUMNS
from tests.support.repository import PACKAGE, ROOT
from tests.support.unread_values import find_unread_values

CALLED_BY_NAME = {
    "pickle": r"find_class",
    "ast, tornado, traitlets and Python": r"visit_\w+|_default_\w+|_validate_\w+|_normalize_\w+|__\w+__|throw|writable",
    "tornado": r"write_error|on_finish|data_received|headers_received|set_extra_headers",
    "JupyterHub": r"normalize_username|get_handlers|ContainerSpawner",
    "jupyter_server": r"_jupyter_\w+|initialize_handlers|_start_jupyter_server_extension|stop_extension",
    "importlib": r"find_spec|exec_module",
    "IPython": r"should_run_async|get_code_name|enable_gui|showtraceback|showsyntaxerror",
    "SQLAlchemy": r"process_bind_param|process_result_value|configure_connection",
    "assertion_rewriter, in rewritten test cells": r"(count|check|evaluate)_\w+|guard_callback|record_(call|distance)|wrap_assert_function",
    "hub templates' pages, through an untyped authenticator": r"find_new_name_problem|list_accounts",
    "code in the sandbox that authoring/nbgrader/reference_solution.py writes": r"AutotestProbe|split_answers",
    "issue 10, the pages on which instructors set the schedule": r"set_assignment",
    "issue 10, the gradebook of what counts": r"compute_grade",
    "anybody who checks a receipt": r"verify_receipt",
}
KEPT_VALUES = {
    "looked up by its value, which the database stores": ("Role.ASSISTANT", "Role.ADMIN", "CheckedTests.VISIBLE"),
    "read by name, with getattr and LIMIT_COLUMNS": (
        *(f"AssignmentRow.{name}" for name in LIMIT_COLUMNS),
        *(f"VersionLessonRow.{name}" for name in LIMIT_COLUMNS),
    ),
    "a foreign key that the database checks, and of which it accepts one attempt per verdict": (
        "AttemptRow.verdict_id",
    ),
    # These columns are in 0001_initial, and a migration that has landed is never edited (docs/contributing.md).
    "issue 10, the weight of an assignment on the schedule": ("AssignmentRow.weight",),
    "issue 10, overrides with a reason, and who gave them": (
        "LedgerRow.actor_id",
        "LedgerRow.reason",
        "LedgerRow.supersedes",
    ),
    "issue 10, the roster, which the permission is for": ("Permission.MANAGE_MEMBERS",),
    "a date for the administrator who reads the database, and for the audit log of issue 10": (
        "MemberRow.joined_at",
        "OpenedReleaseRow.opened_at",
        "IsolationRow.determined_at",
        "LedgerRow.recorded_at",
    ),
}
_ALLOWED = re.compile("|".join(f"(?:{names})" for names in CALLED_BY_NAME.values()))


def _unused(*paths: Path) -> list[str]:
    finder = vulture.Vulture()
    finder.scavenge([str(path) for path in paths])
    return [
        f"{item.filename.relative_to(ROOT) if item.filename.is_relative_to(ROOT) else item.filename.name}: {item.name}"
        for item in finder.get_unused_code()
        if item.typ in ("function", "method", "class", "property", "import") and not _ALLOWED.fullmatch(item.name)
    ]


def test_everything_in_the_product_is_used() -> None:
    assert not _unused(PACKAGE, ROOT / "jupyterhub_config.py", ROOT / "tools")


def test_unused_function_is_reported(tmp_path: Path) -> None:
    (tmp_path / "module.py").write_text("def used(): ...\n\n\ndef unused(): ...\n\n\nused()\n")
    assert _unused(tmp_path / "module.py") == ["module.py: unused"]


def test_every_constant_enum_member_and_column_of_the_product_is_read() -> None:
    """Equality, so that an exception that is read by now leaves KEPT_VALUES."""
    kept_values = {name for names in KEPT_VALUES.values() for name in names}
    assert find_unread_values(ROOT, "pmh_jupyter", "tools", "jupyterhub_config.py", "hatch_build.py") == kept_values


CONSTANT = "LIMIT = 3"
MEMBER = "class Role(StrEnum):\n    STUDENT = 'student'"
COLUMN = "class MemberRow(Base):\n    role: Mapped[str] = mapped_column()"


@pytest.mark.parametrize(
    ("definition", "use", "unread"),
    [
        pytest.param(CONSTANT, "", {"product.table.LIMIT"}, id="constant"),
        pytest.param("FIRST, LIMIT = 1, 2\nprint(FIRST)", "", {"product.table.LIMIT"}, id="constant-in-a-tuple"),
        pytest.param("LIMIT: int = 3", "", {"product.table.LIMIT"}, id="constant-with-a-type"),
        pytest.param(CONSTANT, "from other import LIMIT", {"product.table.LIMIT"}, id="constant-of-another-module"),
        pytest.param(CONSTANT, "table.LIMIT = 4", {"product.table.LIMIT"}, id="constant-only-assigned"),
        pytest.param(CONSTANT + "\n__all__ = ['LIMIT']", "", {"product.table.LIMIT"}, id="constant-only-in-__all__"),
        pytest.param(CONSTANT + "\nprint(LIMIT)", "", set(), id="constant-read-in-its-module"),
        pytest.param(CONSTANT, "from product.table import LIMIT", set(), id="constant-imported"),
        pytest.param(CONSTANT, "from product import table\ntable.LIMIT", set(), id="constant-read-from-its-module"),
        pytest.param(MEMBER, "", {"Role.STUDENT"}, id="member"),
        pytest.param(MEMBER, "Other.STUDENT", {"Role.STUDENT"}, id="member-of-another-enum"),
        pytest.param(MEMBER, "Role('student')", {"Role.STUDENT"}, id="member-looked-up-by-value"),
        pytest.param(MEMBER, "Role.STUDENT", set(), id="member-read"),
        pytest.param(MEMBER, "table.Role.STUDENT", set(), id="member-read-from-its-module"),
        pytest.param(MEMBER + "\n    def f(self):\n        self.STUDENT", "", set(), id="member-read-in-a-method"),
        pytest.param(COLUMN, "", {"MemberRow.role"}, id="column"),
        pytest.param(COLUMN, "row = MemberRow(role='student')", {"MemberRow.role"}, id="column-only-inserted"),
        pytest.param(COLUMN, "row.role = 'student'", {"MemberRow.role"}, id="column-only-updated"),
        pytest.param(COLUMN + "\nperson.role", "", {"MemberRow.role"}, id="attribute-read-beside-the-table"),
        pytest.param(COLUMN, "row.role", set(), id="column-read"),
    ],
)
def test_constant_member_or_column_that_nothing_reads_is_reported(
    tmp_path: Path, definition: str, use: str, unread: set[str]
) -> None:
    (tmp_path / "product" / "storage").mkdir(parents=True)
    (tmp_path / "product" / "table.py").write_text(definition)
    (tmp_path / "product" / "storage" / "use.py").write_text(use)
    assert find_unread_values(tmp_path, "product") == unread
