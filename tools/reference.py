"""Writes what the reference pages take from code. `--check` only says whether they are current.

Settings, scopes, routes and errors are tables in the code already. Two pages are written whole; into `api.md` go the tables
that stand there between `<!-- begin: NAME -->` and `<!-- end: NAME -->`.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterable
from pathlib import Path

ROOT = Path(__file__).parents[1]
sys.path.insert(0, str(ROOT))

from pmh_jupyter import errors  # noqa: E402  (importable only from here on)
from pmh_jupyter.config import Settings  # noqa: E402
from pmh_jupyter.domain import roles as classroom_roles  # noqa: E402
from pmh_jupyter.hub import roles  # noqa: E402
from pmh_jupyter.service import error_responses  # noqa: E402
from pmh_jupyter.service.api import ROUTES  # noqa: E402
from pmh_jupyter.service.routes import Operation  # noqa: E402

REFERENCE = ROOT / "docs" / "reference"
GENERATED_NOTE = "<!-- Written by tools/reference.py. Change the code, not this page. -->\n\n"

SETTINGS_TEXT = """\
# Settings

Read from the environment by `pmh up`, `jupyterhub_config.py`, the service, the spawners and every verb of `pmh` alike, so that a
thing is set once. A value that a setting cannot take stops the start with a message that names the variable.
"""

SCOPES_TEXT = """\
# Roles and scopes

Least privilege: what each party may do at the Hub and at the service, and why. What is not listed here is JupyterHub's default.
A scope says what a token can be used for; what a person may do in a classroom is decided by their role there, and both are needed.
"""


def settings_page() -> str:
    """Every `PMH_*` variable with its default and its meaning."""
    rows = [
        (f"`{name}`", "empty" if trait.default_value in ("", None) else f"`{trait.default_value}`", str(trait.help))
        for name, trait in Settings.traits_by_variable().items()
    ]
    return GENERATED_NOTE + SETTINGS_TEXT + "\n" + _markdown_table(("variable", "default", "meaning"), rows)


def scopes_page() -> str:
    """Custom scopes, roles at the Hub, what a server's token and a browser's session hold, and roles in a classroom."""
    custom = [(f"`{scope}`", meaning) for scope, meaning in roles.CUSTOM_SCOPES.items()]
    grant_headings = ("scope", "because")
    parts = [
        SCOPES_TEXT,
        "## Scopes of ours\n\n" + _markdown_table(("scope", "for"), custom),
        "## Roles at the Hub\n",
        *(
            f"### {role.name}\n\n{role.description}.\n\n" + _markdown_table(grant_headings, _grants(role.grants))
            for role in roles.ROLES
        ),
        "## A notebook server's token\n\nEvery kernel of a server inherits it, so it holds nothing that reads another "
        "person's work.\n\n" + _markdown_table(grant_headings, _grants(roles.SERVER_GRANTS)),
        "## A browser's session of the service\n\nAt most what its user has.\n\n"
        + _markdown_table(grant_headings, _grants(roles.SESSION_GRANTS)),
        "## Roles in a classroom\n\nEach role may also do what the roles before it may.\n\n"
        + _markdown_table(("role", "adds"), _classroom_roles()),
    ]
    return GENERATED_NOTE + "\n".join(parts)


def routes_table() -> str:
    """Every operation of the service's API."""
    rows = [
        (f"`{method} {route.path}`", operation.summary, _required_access(operation), _request_and_reply(operation))
        for route in ROUTES
        for method, operation in route.operations.items()
    ]
    return _markdown_table(("operation", "what it does", "asks for", "request → reply"), rows)


def errors_table() -> str:
    """Every code that the service or the server extension answers with."""
    errors_by_code = {
        error_class.code: error_class
        for error_class in _error_classes(errors.PmhError)
        if error_class.__module__ in _ERROR_MODULES
    }
    rows = [
        (f"`{code}`", str(error_class.status), _first_line(error_class), error_class.advice)
        for code, error_class in sorted(errors_by_code.items(), key=lambda item: (item[1].status, item[0]))
    ]
    return _markdown_table(("code", "status", "means", "advice, unless the failure knows better"), rows)


_ERROR_MODULES = {errors.__name__, error_responses.__name__}


def _error_classes(error_class: type[errors.PmhError]) -> Iterable[type[errors.PmhError]]:
    yield error_class
    for child in error_class.__subclasses__():
        yield from _error_classes(child)


def _first_line(error_class: type[errors.PmhError]) -> str:
    if error_class is errors.PmhError:
        return "A fault of ours. The log has it, under the request id."
    return (error_class.__doc__ or "").strip().splitlines()[0]


def _required_access(operation: Operation) -> str:
    access = operation.access_rule
    if access is None:
        return "nothing"
    scope = f"`{access.scope.value.removeprefix('custom:pmh:')}`" + (" or a session" if access.allows_session else "")
    return scope + (f"; in the classroom `{access.permission.value}`" if access.permission else "")


def _request_and_reply(operation: Operation) -> str:
    request_name = f"`{operation.request_model.__name__}` " if operation.request_model else ""
    media = "" if operation.media_type == "application/json" else f" `{operation.media_type}`"
    reply = f" `{operation.reply_model.__name__}`" if operation.reply_model else media
    return f"{request_name}→ {operation.status}{reply}"


def _grants(grants: Iterable[roles.Grant]) -> list[tuple[str, str]]:
    return [(f"`{grant.scope}`", grant.reason) for grant in grants]


def _classroom_roles() -> list[tuple[str, str]]:
    return [
        (role, ", ".join(f"`{name}`" for name in names)) for role, names in classroom_roles.ADDED_PERMISSIONS.items()
    ]


def _markdown_table(headings: tuple[str, ...], rows: Iterable[tuple[str, ...]]) -> str:
    lines = [headings, ("---",) * len(headings), *rows]
    return "".join(f"| {' | '.join(cell.replace('|', chr(92) + '|') for cell in line)} |\n" for line in lines)


def _fill_tables(page: str, tables: dict[str, Callable[[], str]]) -> str:
    """The page with each table between its marks; raises ValueError for one that has no place there."""
    for name, table in tables.items():
        begin, end = f"<!-- begin: {name} -->\n", f"<!-- end: {name} -->"
        if not 0 <= page.find(begin) < page.find(end):
            raise ValueError(f"there is no place for {name}")
        before, _, rest = page.partition(begin)
        page = f"{before}{begin}\n{table()}\n{end}{rest.partition(end)[2]}"
    return page


def api_page() -> str:
    """The page as it is, with its tables as they should be."""
    page = (REFERENCE / "api.md").read_text(encoding="utf-8")
    return _fill_tables(page, {"routes": routes_table, "errors": errors_table})


PAGES: dict[str, Callable[[], str]] = {"settings.md": settings_page, "scopes.md": scopes_page, "api.md": api_page}


def main(check: bool) -> int:
    """Writes the pages, or with `check` returns 1 and names those that are out of date."""
    stale = []
    for name, page in PAGES.items():
        path, text = REFERENCE / name, page()
        if not path.exists() or path.read_text(encoding="utf-8") != text:
            stale.append(name)
            if not check:
                path.write_text(text, encoding="utf-8")
    if check and stale:
        print(f"Out of date: {', '.join(stale)}. Run: python tools/reference.py", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main("--check" in sys.argv[1:]))
