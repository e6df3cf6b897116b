"""A working hub: what `pmh up` runs, and where an operator starts from.

Every value comes from a PMH_* variable (docs/reference/settings.md). To change more, keep a file of your own that loads this one and
goes on from there, and name it in PMH_CONFIG (docs/how-to/operate.md).
"""

import os
import secrets
import sys

from pmh_jupyter.config import Settings
from pmh_jupyter.hub import roles
from pmh_jupyter.hub.authenticators import authenticator_class, template_paths
from pmh_jupyter.hub.die_with_parent import die_with_parent
from pmh_jupyter.hub.process_watch import WatchedProxy, watch_services
from pmh_jupyter.hub.proxy_command import proxy_command
from pmh_jupyter.hub.spawners import configure_spawner, with_addresses

c = get_config()  # noqa: F821 (JupyterHub provides it)
settings = with_addresses(Settings.from_environ())

# --- What must survive ------------------------------------------------------------------------------------------------------
# One folder, closed to everybody else: the Hub's database and keys, accounts, homes, logs, and the service's database and blobs.
settings.data_path.mkdir(parents=True, exist_ok=True)
settings.data_path.chmod(0o700)
os.umask(0o077)
c.JupyterHub.db_url = f"sqlite:///{settings.data_path / 'jupyterhub.sqlite'}"
c.JupyterHub.cookie_secret_file = str(settings.data_path / "jupyterhub_cookie_secret")
c.ConfigurableHTTPProxy.pid_file = str(settings.data_path / "jupyterhub-proxy.pid")

# --- Addresses --------------------------------------------------------------------------------------------------------------
# Browsers see the proxy alone. The Hub and the proxy's API answer this machine, unless containers must reach the Hub.
c.JupyterHub.bind_url = f"http://{settings.ip}:{settings.port}"
c.JupyterHub.hub_ip = settings.hub_ip
c.JupyterHub.hub_port = settings.hub_port
c.ConfigurableHTTPProxy.api_url = f"http://127.0.0.1:{settings.proxy_api_port}"
c.ConfigurableHTTPProxy.command = die_with_parent(proxy_command())
# The Hub makes the proxy's token anew at each start, and hands it over in the environment; nobody else needs it.
c.JupyterHub.cleanup_proxy = True

# One that was killed is back within a second or two: while it is away nobody reaches anything.
c.JupyterHub.proxy_class = WatchedProxy

# --- Who may log in ---------------------------------------------------------------------------------------------------------
c.JupyterHub.authenticator_class = authenticator_class(settings)
c.Authenticator.admin_users = {settings.admin}
# An account is the permission: it was made with a classroom's join code, or by an administrator.
c.Authenticator.allow_all = True
# Sign up, change and reset a password, in the Hub's own style; another authenticator brings pages of its own.
c.JupyterHub.template_paths = template_paths(settings)
accounts_token = secrets.token_hex(32)  # known to this process alone, and new at each start
c.AccountsAuthenticator.path = str(settings.data_path / "accounts.sqlite")
c.AccountsAuthenticator.service_url = settings.resolved_service_url
c.AccountsAuthenticator.service_token = accounts_token

# --- Users' servers ---------------------------------------------------------------------------------------------------------
configure_spawner(c, settings)
# Servers end with the Hub: nothing is lost, work lies in the home, and nothing runs that no Hub watches.
c.JupyterHub.cleanup_servers = True

# --- Services and rights ----------------------------------------------------------------------------------------------------
# Rights are data with their reasons: pmh_jupyter/hub/roles.py, and docs/reference/scopes.md.
c.JupyterHub.custom_scopes = roles.custom_scopes()
c.JupyterHub.load_roles = roles.load_roles()
watch_services()  # the same for these, within seconds
c.JupyterHub.services = [
    {
        "name": roles.SERVICE,
        "url": f"http://{settings.service_ip}:{settings.service_port}",
        "command": die_with_parent([sys.executable, "-m", "pmh_jupyter.service"]),
        "environment": settings.to_environ() | {"PMH_DATA_DIR": str(settings.data_path)},
        # It belongs to the hub: nobody need confirm that it may know who they are.
        "oauth_no_confirm": True,
        "oauth_client_allowed_scopes": [grant.scope for grant in roles.SESSION_GRANTS],
    },
    {"name": roles.ACCOUNTS, "api_token": accounts_token, "display": False},
    {
        "name": roles.CULLER,
        "command": die_with_parent(
            [sys.executable, "-m", "jupyterhub_idle_culler", f"--timeout={settings.idle_seconds}"]
        ),
        "display": False,
    },
]

# --- What is logged ---------------------------------------------------------------------------------------------------------
c.JupyterHub.log_level = settings.log_level.upper()
