"""What `pmh doctor` looks at: every part that a hub needs, what is there of it, and what brings what is missing.

`examine` is all of it. Each check is a function of the settings that returns one finding, and changes nothing.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator

from pmh_jupyter.config import Settings
from pmh_jupyter.doctor import grading, hub, machine
from pmh_jupyter.doctor.finding import Finding, FindingState

Check = Callable[[Settings], Finding]

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
    grading.check_sandbox,
    grading.check_trial_grading,
    grading.check_database,
)


def run_checks(settings: Settings) -> Iterator[Finding]:
    """A finding for each check, as soon as it is made. A check that itself fails is a finding too."""
    for check in CHECKS:
        try:
            yield check(settings)
        except Exception as error:  # noqa: BLE001 (a doctor that falls over helps nobody)
            component = check.__name__.replace("_", " ").capitalize()
            yield Finding(
                component,
                FindingState.MISSING,
                f"It could not be looked at: {error!r}.",
                "Report this: it is a fault of ours.",
            )
