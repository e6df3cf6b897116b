"""`pmh doctor`: checks every part that a hub needs."""

from __future__ import annotations

import argparse
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pmh_jupyter.cli import Subparsers
    from pmh_jupyter.doctor.finding import Finding

STATE_SYMBOLS = {"ok": "✓", "not-yet-created": "·", "degraded": "!", "missing": "✗"}


def register(subparsers: Subparsers) -> None:
    parser = subparsers.add_parser(
        "doctor", help="check every part that a hub needs, and show how to fix missing parts"
    )
    parser.set_defaults(run=run_doctor)


def run_doctor(_: argparse.Namespace) -> int:
    """Print the findings. Return 1 if a part that every hub needs is missing, else 0."""
    from pmh_jupyter.config import Settings
    from pmh_jupyter.doctor import run_checks
    from pmh_jupyter.doctor.finding import FindingState

    missing_count = 0
    for finding in run_checks(Settings.from_environ()):
        _print_finding(finding)
        missing_count += finding.state is FindingState.MISSING
    print(
        "\nA hub cannot run here until the missing parts (✗) are fixed." if missing_count else "\nA hub can run here."
    )
    return 1 if missing_count else 0


def _print_finding(finding: Finding) -> None:
    print(f" {STATE_SYMBOLS[finding.state]} {finding.component:<21} {finding.detail}", flush=True)
    if finding.remedy:
        print(f"   {'':<21} → {finding.remedy}", flush=True)
