"""`pmh db`: migrates and checks the database, and renames people."""

from __future__ import annotations

import argparse
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pmh_jupyter.cli import Subparsers


def register(subparsers: Subparsers) -> None:
    parser = subparsers.add_parser("db", help="migrate or check the database, or rename a person")
    subcommands = parser.add_subparsers(required=True, metavar="subcommand")
    subparser = subcommands.add_parser(
        "upgrade", help="migrate the database to this version's schema; a SQLite file is backed up first"
    )
    subparser.set_defaults(run=upgrade_schema)
    subparser = subcommands.add_parser("check", help="check whether the schema is this version's; exit code 2 if not")
    subparser.set_defaults(run=require_current_schema)
    subparser = subcommands.add_parser("rename-person", help="rename a person whose name has changed at the Hub")
    subparser.add_argument("old", metavar="OLD", help="the current name")
    subparser.add_argument("new", metavar="NEW", help="the new name at the Hub")
    subparser.set_defaults(run=rename_person)


def upgrade_schema(_: argparse.Namespace) -> int:
    from pmh_jupyter.config import Settings
    from pmh_jupyter.storage.database import Database

    settings = Settings.from_environ()
    with Database(settings.resolved_database_url).open() as database:
        backup = database.upgrade(settings.data_path / "backups")
    if backup:
        print(f"Backed up to {backup}.")
    print("The database has the schema of this version.")
    return 0


def require_current_schema(_: argparse.Namespace) -> int:
    from pmh_jupyter.config import Settings
    from pmh_jupyter.storage.database import Database

    with Database(Settings.from_environ().resolved_database_url).open(takes_lock=False) as database:
        database.require_current_revision()
    print("The database has the schema of this version.")
    return 0


def rename_person(arguments: argparse.Namespace) -> int:
    from pmh_jupyter.config import Settings
    from pmh_jupyter.storage.database import Database
    from pmh_jupyter.storage.records import people

    with Database(Settings.from_environ().resolved_database_url).open() as database:
        database.require_current_revision()
        people.rename_person_by_name(database, arguments.old, arguments.new)
    print(f"Renamed {arguments.old} to {arguments.new}. Submissions, progress and roles are unchanged.")
    return 0
