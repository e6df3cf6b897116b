"""Generates the tables of the reference pages from the code. `--check` only checks whether the pages are current.

settings.md and scopes.md are generated as a whole. In api.md and grading.md only the tables between `<!-- begin: NAME -->` and
`<!-- end: NAME -->` are.
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
from pmh_jupyter.domain.feedback_text import FLAG_TEXTS  # noqa: E402
from pmh_jupyter.hub import roles  # noqa: E402
from pmh_jupyter.service import error_replies  # noqa: E402
from pmh_jupyter.service.api import ROUTES  # noqa: E402
from pmh_jupyter.service.routes import Operation  # noqa: E402

DOCS = ROOT / "docs"
GENERATED_NOTE = "<!-- Written by tools/reference.py. Change the code, not this page. -->\n\n"

SETTINGS_TEXT = """\
# Settings

`pmh up`, `jupyterhub_config.py`, the service, the spawners and every command of `pmh` read the same environment variables. An invalid
value prevents the start; the message names the variable.
"""

SCOPES_TEXT = """\
# Roles and scopes

The permissions of each party at the Hub and at the service, and why it needs them. Everything else is JupyterHub's default.
A scope limits what a token can be used for. A role decides what a person may do in a classroom. A request needs both.
"""


def settings_page() -> str:
    """Return the page of every `PMH_*` variable, with its default and its meaning."""
    rows = [
        (f"`{name}`", "empty" if trait.default_value in ("", None) else f"`{trait.default_value}`", str(trait.help))
        for name, trait in Settings.list_traits_by_variable().items()
    ]
    return GENERATED_NOTE + SETTINGS_TEXT + "\n" + _markdown_table(("variable", "default", "meaning"), rows)


def scopes_page() -> str:
    """Return the page of custom scopes, roles at the Hub, scopes of a server's token and of a browser session, and roles in a classroom."""
    custom = [(f"`{scope}`", meaning) for scope, meaning in roles.CUSTOM_SCOPES.items()]
    grant_headings = ("scope", "reason")
    parts = [
        SCOPES_TEXT,
        "## Custom scopes\n\n" + _markdown_table(("scope", "for"), custom),
        "## Roles at the Hub\n",
        *(
            f"### {role.name}\n\n{role.description}.\n\n" + _markdown_table(grant_headings, _grants(role.grants))
            for role in roles.ROLES
        ),
        "## A notebook server's token\n\nEvery kernel of a server inherits it, so it has no scope that reads another "
        "person's submissions.\n\n" + _markdown_table(grant_headings, _grants(roles.SERVER_GRANTS)),
        "## A browser session of the service\n\nA session has those of these scopes that its user has.\n\n"
        + _markdown_table(grant_headings, _grants(roles.SESSION_GRANTS)),
        "## Roles in a classroom\n\nEach role also has the permissions of the roles above it.\n\n"
        + _markdown_table(("role", "adds"), _classroom_roles()),
    ]
    return GENERATED_NOTE + "\n".join(parts)


def routes_table() -> str:
    """Return the table of every operation of the service's API."""
    rows = [
        (f"`{method} {route.path}`", operation.summary, _required_access(operation), _request_and_reply(operation))
        for route in ROUTES
        for method, operation in route.operations.items()
    ]
    return _markdown_table(("operation", "effect", "requires", "request → reply"), rows)


def errors_table() -> str:
    """Return the table of every error code of the service and the server extension."""
    errors_by_code = {
        error_class.code: error_class
        for error_class in _error_classes(errors.PmhError)
        if error_class.__module__ in _ERROR_MODULES
    }
    rows = [
        (f"`{code}`", str(error_class.status), _first_line(error_class), error_class.advice)
        for code, error_class in sorted(errors_by_code.items(), key=lambda item: (item[1].status, item[0]))
    ]
    return _markdown_table(("code", "status", "meaning", "default advice"), rows)


def flags_table() -> str:
    """Return the table of every integrity flag."""
    return _markdown_table(("flag", "meaning"), [(f"`{code}`", text) for code, text in FLAG_TEXTS.items()])


_ERROR_MODULES = {errors.__name__, error_replies.__name__}


def _error_classes(error_class: type[errors.PmhError]) -> Iterable[type[errors.PmhError]]:
    yield error_class
    for child in error_class.__subclasses__():
        yield from _error_classes(child)


def _first_line(error_class: type[errors.PmhError]) -> str:
    if error_class is errors.PmhError:
        return "An internal error. The log has the details, with the request id."
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
    """Replace the tables between their markers. Raises ValueError if a table has no markers."""
    for name, table in tables.items():
        begin, end = f"<!-- begin: {name} -->\n", f"<!-- end: {name} -->"
        if not 0 <= page.find(begin) < page.find(end):
            raise ValueError(f"the page has no markers for {name}")
        before, _, rest = page.partition(begin)
        page = f"{before}{begin}\n{table()}\n{end}{rest.partition(end)[2]}"
    return page


def api_page() -> str:
    """Return the page api.md with current tables."""
    page = (DOCS / "reference" / "api.md").read_text(encoding="utf-8")
    return _fill_tables(page, {"routes": routes_table, "errors": errors_table})


def grading_page() -> str:
    """Return the page grading.md with a current table of flags."""
    page = (DOCS / "explanation" / "grading.md").read_text(encoding="utf-8")
    return _fill_tables(page, {"flags": flags_table})


PAGES: dict[str, Callable[[], str]] = {
    "reference/settings.md": settings_page,
    "reference/scopes.md": scopes_page,
    "reference/api.md": api_page,
    "explanation/grading.md": grading_page,
}


def main(check: bool) -> int:
    """Write the pages. With `check`, writes nothing, and returns 1 if any page is out of date."""
    stale = []
    for name, page in PAGES.items():
        path, text = DOCS / name, page()
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
