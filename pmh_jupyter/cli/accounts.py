"""`pmh accounts`: manages accounts of the authenticator `accounts`, on the hub's machine."""

from __future__ import annotations

import argparse
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pmh_jupyter.cli import Subparsers


def register(subparsers: Subparsers) -> None:
    parser = subparsers.add_parser("accounts", help="reset the password of an account on this machine")
    subcommands = parser.add_subparsers(required=True, metavar="subcommand")
    subparser = subcommands.add_parser("reset-password", help="print a one-time password for an account")
    subparser.add_argument("name", metavar="NAME", help="the name of the account")
    subparser.set_defaults(run=reset_account_password)


def reset_account_password(arguments: argparse.Namespace) -> int:
    from pmh_jupyter.config import Settings
    from pmh_jupyter.hub.accounts.first_admin import ACCOUNTS_FILE_NAME, reset_password

    password = reset_password(Settings.from_environ().data_path / ACCOUNTS_FILE_NAME, arguments.name)
    print(f"One-time password of {arguments.name}: {password}")
    return 0
