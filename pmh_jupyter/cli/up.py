"""`pmh up`: a hub with a demo classroom, on this machine."""

from __future__ import annotations

import argparse
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pmh_jupyter.cli import Commands


def register(commands: Commands) -> None:
    parser = commands.add_parser("up", help="start a hub; Ctrl-C stops it and all that it started")
    parser.set_defaults(run=up)


def up(_: argparse.Namespace) -> int:
    from pmh_jupyter.config import Settings
    from pmh_jupyter.hub.up.progress import Progress
    from pmh_jupyter.hub.up.road import run_hub
    from pmh_jupyter.service.load import prepare

    try:
        run_hub(Settings.from_environ(), prepare, Progress())
    except KeyboardInterrupt:
        print("Stopped.")
    return 0
