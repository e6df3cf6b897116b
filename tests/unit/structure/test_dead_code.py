"""Functions, methods and classes of the product that nothing in the product uses are removed, not kept for later.

vulture compares names, so a name that a framework calls, or that is called by name, is listed here with its caller.
"""

from __future__ import annotations

import re
from pathlib import Path

import vulture

from tests.support.repository import PACKAGE, ROOT

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
    "the schedule that instructors will set": r"set_assignment",
    "the grades that staff will see": r"compute_grade",
    "anybody who checks a receipt": r"verify_receipt",
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
