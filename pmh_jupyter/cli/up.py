"""`pmh up`: starts a hub with a demo classroom on this machine."""

from __future__ import annotations

import argparse
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pmh_jupyter.cli import Subparsers


def register(subparsers: Subparsers) -> None:
    parser = subparsers.add_parser("up", help="start a hub; Ctrl-C stops it and everything that it started")
    parser.set_defaults(run=run_up)


def run_up(_: argparse.Namespace) -> int:
    from pmh_jupyter.config import Settings
    from pmh_jupyter.hub.up.launcher import run_hub
    from pmh_jupyter.hub.up.progress import Progress
    from pmh_jupyter.service.bootstrap import bootstrap_database

    try:
        run_hub(Settings.from_environ(), bootstrap_database, Progress())
    except KeyboardInterrupt:
        print("Stopped.")
    return 0
