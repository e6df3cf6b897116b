"""`pmh doctor`: is all there that a hub needs?"""

from __future__ import annotations

import argparse
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pmh_jupyter.cli import Subparsers
    from pmh_jupyter.doctor.finding import Finding

STATE_SYMBOLS = {"there": "✓", "later": "·", "weaker": "!", "missing": "✗"}


def register(subparsers: Subparsers) -> None:
    parser = subparsers.add_parser("doctor", help="say what a hub has here, what is missing, and what brings it")
    parser.set_defaults(run=run_doctor)


def run_doctor(_: argparse.Namespace) -> int:
    """Exit code 1 if something is missing without which no hub runs."""
    from pmh_jupyter.config import Settings
    from pmh_jupyter.doctor import run_checks
    from pmh_jupyter.doctor.finding import FindingState

    missing_count = 0
    for finding in run_checks(Settings.from_environ()):
        _print_finding(finding)
        missing_count += finding.state is FindingState.MISSING
    print("\nSomething is missing." if missing_count else "\nA hub can run here.")
    return 1 if missing_count else 0


def _print_finding(finding: Finding) -> None:
    print(f" {STATE_SYMBOLS[finding.state]} {finding.component:<21} {finding.detail}", flush=True)
    if finding.remedy:
        print(f"   {'':<21} → {finding.remedy}", flush=True)
