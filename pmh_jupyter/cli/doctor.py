"""`pmh doctor`: is all there that a hub needs?"""

from __future__ import annotations

import argparse
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pmh_jupyter.cli import Commands
    from pmh_jupyter.doctor.finding import Finding

MARKS = {"there": "✓", "later": "·", "weaker": "!", "missing": "✗"}


def register(commands: Commands) -> None:
    parser = commands.add_parser("doctor", help="say what a hub has here, what is missing, and what brings it")
    parser.set_defaults(run=doctor)


def doctor(_: argparse.Namespace) -> int:
    """Exit code 1 if something is missing without which no hub runs."""
    from pmh_jupyter.config import Settings
    from pmh_jupyter.doctor import examine
    from pmh_jupyter.doctor.finding import State

    missing = 0
    for finding in examine(Settings.from_environ()):
        _tell(finding)
        missing += finding.state is State.MISSING
    print("\nSomething is missing." if missing else "\nA hub can run here.")
    return 1 if missing else 0


def _tell(finding: Finding) -> None:
    print(f" {MARKS[finding.state]} {finding.part:<21} {finding.told}", flush=True)
    if finding.remedy:
        print(f"   {'':<21} → {finding.remedy}", flush=True)
