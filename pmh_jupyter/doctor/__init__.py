"""What `pmh doctor` looks at: every part that a hub needs, what is there of it, and what brings what is missing.

`examine` is all of it. Each check is a function of the settings that returns one finding, and changes nothing.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator

from pmh_jupyter.config import Settings
from pmh_jupyter.doctor import grading, hub, machine
from pmh_jupyter.doctor.finding import Finding, State

Check = Callable[[Settings], Finding]

CHECKS: tuple[Check, ...] = (
    machine.python,
    machine.node,
    machine.proxy,
    machine.panel,
    hub.data,
    hub.ports,
    hub.server_wall,
    hub.server_python,
    hub.docker,
    grading.wall,
    grading.trial,
    grading.database,
)


def examine(settings: Settings) -> Iterator[Finding]:
    """A finding for each check, as soon as it is made. A check that itself fails is a finding too."""
    for check in CHECKS:
        try:
            yield check(settings)
        except Exception as error:  # noqa: BLE001 (a doctor that falls over helps nobody)
            name = check.__name__.replace("_", " ").capitalize()
            yield Finding(
                name, State.MISSING, f"It could not be looked at: {error!r}.", "Report this: it is a fault of ours."
            )
