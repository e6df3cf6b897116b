"""A working hub: the configuration that `pmh up` runs, and the starting point for operators.

Every value comes from a PMH_* variable (docs/reference/settings.md). To change more, write a configuration that loads this one, and
name it in PMH_CONFIG (docs/how-to/operate.md).
"""

import os
import secrets
import sys

from pmh_jupyter.config import Settings, format_host
from pmh_jupyter.hub import roles
from pmh_jupyter.hub.authenticators import choose_authenticator_class, list_template_paths
from pmh_jupyter.hub.die_with_parent import build_die_with_parent_command
from pmh_jupyter.hub.process_watch import configure_addresses, watch_services
from pmh_jupyter.hub.proxy_command import build_proxy_command
from pmh_jupyter.hub.spawners import configure_spawner, set_default_addresses

c = get_config()  # noqa: F821 (JupyterHub provides it)
settings = set_default_addresses(Settings.from_environ())

# --- Data -------------------------------------------------------------------------------------------------------------------
# One folder, readable by the hub only: the Hub's database and keys, accounts, homes, logs, and the service's database and blobs.
settings.data_path.mkdir(parents=True, exist_ok=True)
settings.data_path.chmod(0o700)
os.umask(0o077)
c.JupyterHub.db_url = f"sqlite:///{settings.data_path / 'jupyterhub.sqlite'}"
c.JupyterHub.cookie_secret_file = str(settings.data_path / "jupyterhub_cookie_secret")
c.ConfigurableHTTPProxy.pid_file = str(settings.data_path / "jupyterhub-proxy.pid")

# --- Addresses --------------------------------------------------------------------------------------------------------------
# Browsers reach only the proxy. The Hub and the proxy's API listen on loopback, unless containers must reach the Hub.
# A proxy that was killed is restarted within two seconds. It is not started on an address that the settings do not name.
configure_addresses(c, settings)
c.ConfigurableHTTPProxy.command = build_die_with_parent_command(build_proxy_command())
# The Hub creates a new token for the proxy at each start and passes it in the environment; nothing else needs it.
c.JupyterHub.cleanup_proxy = True

# --- Authentication ---------------------------------------------------------------------------------------------------------
c.JupyterHub.authenticator_class = choose_authenticator_class(settings)
c.Authenticator.admin_users = {settings.admin}
# Everybody with an account may log in: accounts are created with a classroom's join code, or by an administrator.
c.Authenticator.allow_all = True
# The pages to sign up, and to change and reset a password. Another authenticator has its own pages.
c.JupyterHub.template_paths = list_template_paths(settings)
accounts_token = secrets.token_hex(32)  # known to this process only, and new at each start
c.AccountsAuthenticator.path = str(settings.data_path / "accounts.sqlite")
c.AccountsAuthenticator.service_url = settings.resolved_service_url
c.AccountsAuthenticator.service_token = accounts_token

# --- Users' servers ---------------------------------------------------------------------------------------------------------
configure_spawner(c, settings)
# Servers stop with the Hub: files are safe in the homes, and no server runs without a Hub that watches it.
c.JupyterHub.cleanup_servers = True

# --- Services and permissions -----------------------------------------------------------------------------------------------
# Each permission and its reason: pmh_jupyter/hub/roles.py, docs/reference/scopes.md.
c.JupyterHub.custom_scopes = roles.build_custom_scopes()
c.JupyterHub.load_roles = roles.build_load_roles()
watch_services()  # restarts a killed service within seconds
c.JupyterHub.services = [
    {
        "name": roles.SERVICE_NAME,
        "url": f"http://{format_host(settings.service_ip)}:{settings.service_port}",
        "command": build_die_with_parent_command([sys.executable, "-m", "pmh_jupyter.service"]),
        "environment": settings.to_environ() | {"PMH_DATA_DIR": str(settings.data_path)},
        # The service is part of the hub: users need not confirm that it may identify them.
        "oauth_no_confirm": True,
        "oauth_client_allowed_scopes": [grant.scope for grant in roles.SESSION_GRANTS],
    },
    {"name": roles.ACCOUNTS_SERVICE_NAME, "api_token": accounts_token, "display": False},
    {
        "name": roles.CULLER_SERVICE_NAME,
        "command": build_die_with_parent_command(
            [sys.executable, "-m", "jupyterhub_idle_culler", f"--timeout={settings.idle_seconds}"]
        ),
        "display": False,
    },
]

# --- Logging ----------------------------------------------------------------------------------------------------------------
c.JupyterHub.log_level = settings.log_level.upper()
