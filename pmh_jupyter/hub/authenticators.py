"""How people log in, by the name that PMH_AUTHENTICATOR gives. OAuth and LTI will be further rows of this table."""

from __future__ import annotations

from pathlib import Path

from pmh_jupyter.config import Settings
from pmh_jupyter.errors import BadInput

AUTHENTICATORS = {
    "accounts": "pmh_jupyter.hub.accounts.authenticator.AccountsAuthenticator",
    "dummy": "jupyterhub.auth.DummyAuthenticator",
}
LOOPBACK_ONLY = frozenset({"dummy"})


def authenticator_class(settings: Settings) -> str:
    """The class for `JupyterHub.authenticator_class`; raises BadInput for one that would let strangers in."""
    name = settings.authenticator
    if name in LOOPBACK_ONLY and not settings.is_on_loopback:
        raise BadInput(
            f"PMH_AUTHENTICATOR={name} takes any password, and PMH_IP={settings.ip} lets other machines in.",
            advice="Use PMH_AUTHENTICATOR=accounts, or PMH_IP=127.0.0.1.",
        )
    return AUTHENTICATORS[name]


def template_paths(settings: Settings) -> list[str]:
    """Folders of pages that the chosen authenticator brings, for `JupyterHub.template_paths`."""
    return [str(Path(__file__).parent / "templates")] if settings.authenticator == "accounts" else []
