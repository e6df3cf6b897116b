"""The checks of `pmh doctor`: every part that a hub needs, its state, and how to fix it.

`run_checks` runs all of them. Each check is a function of the settings that returns one finding, or yields several, and changes nothing.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator

from pmh_jupyter.config import Settings
from pmh_jupyter.doctor import grading, hub, machine
from pmh_jupyter.doctor.finding import Finding, FindingState

Check = Callable[[Settings], Finding | Iterator[Finding]]

CHECKS: tuple[Check, ...] = (
    machine.check_python,
    machine.check_node,
    machine.check_proxy,
    machine.check_panel,
    hub.check_data_folder,
    hub.check_ports,
    hub.check_server_sandbox,
    hub.check_server_python,
    hub.check_docker,
    grading.check_grading,
    grading.check_database,
)


def run_checks(settings: Settings) -> Iterator[Finding]:
    """Yield the finding of each check as soon as it is known. A check that raises an exception yields a finding, too."""
    for check in CHECKS:
        try:
            findings = check(settings)
            yield from (findings,) if isinstance(findings, Finding) else findings
        except Exception as error:  # noqa: BLE001 (one broken check must not hide the others)
            component = check.__name__.removeprefix("check_").replace("_", " ").capitalize()
            yield Finding(
                component,
                FindingState.MISSING,
                f"The check failed: {error!r}.",
                "Report this as a bug of pmh-jupyter.",
            )
