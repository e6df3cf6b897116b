"""The authenticators that PMH_AUTHENTICATOR can name."""

from __future__ import annotations

from pathlib import Path

from pmh_jupyter.config import Settings
from pmh_jupyter.errors import BadInput

AUTHENTICATORS = {
    "accounts": "pmh_jupyter.hub.accounts.authenticator.AccountsAuthenticator",
    "dummy": "jupyterhub.auth.DummyAuthenticator",
}
LOOPBACK_ONLY = frozenset({"dummy"})


def choose_authenticator_class(settings: Settings) -> str:
    """Return the value of `JupyterHub.authenticator_class`. Raises BadInput if `dummy` would be reachable from other machines."""
    name = settings.authenticator
    if name in LOOPBACK_ONLY and not settings.is_on_loopback:
        raise BadInput(
            f"PMH_AUTHENTICATOR={name} accepts any password, and PMH_IP={settings.ip} lets other machines connect.",
            advice="Use PMH_AUTHENTICATOR=accounts, or PMH_IP=127.0.0.1.",
        )
    return AUTHENTICATORS[name]


def list_template_paths(settings: Settings) -> list[str]:
    """Return the value of `JupyterHub.template_paths`: the pages of the `accounts` authenticator."""
    return [str(Path(__file__).parent / "templates")] if settings.authenticator == "accounts" else []
