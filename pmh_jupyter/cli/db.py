"""`pmh db`: what an operator does to the database itself."""

from __future__ import annotations

import argparse
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pmh_jupyter.cli import Commands


def register(commands: Commands) -> None:
    parser = commands.add_parser("db", help="the database's schema, and people renamed at the Hub")
    verbs = parser.add_subparsers(required=True, metavar="verb")
    verb = verbs.add_parser("upgrade", help="migrate to this version's schema; a SQLite file is backed up first")
    verb.set_defaults(run=upgrade)
    verb = verbs.add_parser("check", help="say whether the schema is this version's; exit code 2 if not")
    verb.set_defaults(run=check)
    verb = verbs.add_parser("rename-person", help="follow a name that was changed at the Hub")
    verb.add_argument("old", metavar="OLD", help="the name until now")
    verb.add_argument("new", metavar="NEW", help="the name at the Hub from now on")
    verb.set_defaults(run=rename_person)


def upgrade(_: argparse.Namespace) -> int:
    from pmh_jupyter.config import Settings
    from pmh_jupyter.storage.database import Database

    settings = Settings.from_environ()
    with Database(settings.database).open() as database:
        backup = database.upgrade(settings.data / "backups")
    if backup:
        print(f"Backed up to {backup}.")
    print("The database has the schema of this version.")
    return 0


def check(_: argparse.Namespace) -> int:
    from pmh_jupyter.config import Settings
    from pmh_jupyter.storage.database import Database

    with Database(Settings.from_environ().database).open(exclusive=False) as database:
        database.check_revision()
    print("The database has the schema of this version.")
    return 0


def rename_person(arguments: argparse.Namespace) -> int:
    from pmh_jupyter.config import Settings
    from pmh_jupyter.storage.database import Database
    from pmh_jupyter.storage.records import people

    with Database(Settings.from_environ().database).open() as database:
        database.check_revision()
        people.follow_name(database, arguments.old, arguments.new)
    print(f"{arguments.old} is {arguments.new} from now on, with all that was theirs.")
    return 0
