"""JupyterHub's configuration for tests.support.hub.bare_hub: the project's roles and scopes, without spawner and proxy."""

import os
from typing import Any

from jupyterhub.proxy import Proxy

from pmh_jupyter.hub import roles


class NoProxy(Proxy):
    """Stores routes and forwards nothing: tests send requests to the Hub itself."""

    should_start = False

    def __init__(self, **arguments: Any) -> None:
        super().__init__(**arguments)
        self.routes: dict[str, Any] = {}

    async def add_route(self, routespec: str, target: str, data: dict[str, Any]) -> None:
        self.routes[routespec] = {"routespec": routespec, "target": target, "data": data}

    async def delete_route(self, routespec: str) -> None:
        self.routes.pop(routespec, None)

    async def get_all_routes(self) -> dict[str, Any]:
        return self.routes


c = get_config()  # noqa: F821 (JupyterHub provides it)
c.JupyterHub.proxy_class = NoProxy
c.JupyterHub.hub_ip = "127.0.0.1"
c.JupyterHub.hub_port = int(os.environ["BARE_HUB_PORT"])
c.JupyterHub.bind_url = f"http://127.0.0.1:{os.environ['BARE_PUBLIC_PORT']}"
c.JupyterHub.db_url = "sqlite:///hub.sqlite"
c.JupyterHub.authenticator_class = "dummy"
c.Authenticator.allow_all = True
c.JupyterHub.custom_scopes = roles.build_custom_scopes()
c.JupyterHub.load_roles = [
    *roles.build_load_roles(),
    # Only the tests create people and tokens.
    {
        "name": "tests",
        "services": ["tests"],
        "scopes": ["admin:users", "tokens", *roles.CUSTOM_SCOPES, "access:services", "self"],
    },
]
c.JupyterHub.services = [
    {
        "name": roles.SERVICE_NAME,
        "api_token": os.environ["BARE_SERVICE_TOKEN"],
        "oauth_client_id": "service-pmh",
        "oauth_redirect_uri": "/services/pmh/oauth_callback",
        "oauth_no_confirm": True,
        "oauth_client_allowed_scopes": [grant.scope for grant in roles.SESSION_GRANTS],
    },
    {"name": roles.ACCOUNTS_SERVICE_NAME, "api_token": os.environ["BARE_ENROL_TOKEN"]},
    {"name": roles.CULLER_SERVICE_NAME, "api_token": "the-cullers-token-is-not-used-here"},
    {"name": "tests", "api_token": os.environ["BARE_ADMIN_TOKEN"]},
]
