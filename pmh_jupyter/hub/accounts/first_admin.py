"""Creates the account of the first administrator, and resets passwords on the hub's machine."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from pmh_jupyter.errors import NotFound
from pmh_jupyter.hub.accounts.credential_rules import normalize_name
from pmh_jupyter.hub.accounts.store import Account, AccountStore

ACCOUNTS_FILE_NAME = "accounts.sqlite"


@dataclass(frozen=True)
class AdminPassword:
    """The state of the first administrator's password.

    one_time_password: the password, if it was created just now. is_chosen: whether the administrator has chosen their own.
    """

    one_time_password: str | None
    is_chosen: bool


def ensure_admin(path: Path, name: str) -> AdminPassword:
    """Create the first administrator's account in the accounts file, with a one-time password, unless the name is taken."""
    store = AccountStore(path)
    name = normalize_name(name)
    if not store.is_taken(name):
        return AdminPassword(store.reset_password(name), is_chosen=False)
    return AdminPassword(None, is_chosen=Account(name, has_one_time_password=True) not in store.list_accounts())


def reset_password(path: Path, name: str) -> str:
    """Replace the password of an account by a one-time password, and return it. Raises NotFound if there is no such account."""
    name = normalize_name(name)
    if not path.exists():
        raise NotFound(
            f"There are no accounts: {path} is missing.", advice="Set PMH_DATA_DIR to the hub's data folder."
        )
    store = AccountStore(path)
    if all(account.name != name for account in store.list_accounts()):
        raise NotFound(f"There is no account {name!r}.", advice="The Hub's page Accounts lists all accounts.")
    return store.reset_password(name)
