"""The proxy starts only on addresses that the settings name."""

from __future__ import annotations

import pytest
from traitlets.config import Config

from pmh_jupyter.config import Settings
from pmh_jupyter.errors import BadInput
from pmh_jupyter.hub.process_watch import configure_addresses, require_address

ALLOWED = "http://127.0.0.1:8000/jupyter/"


@pytest.mark.parametrize("url", [ALLOWED, "http://127.0.0.1:8000/jupyter", "https://127.0.0.1:8000/jupyter/"])
def test_address_of_the_settings_is_allowed(url: str) -> None:
    require_address("browsers", url, ALLOWED, "PMH_BASE_URL")
    with pytest.raises(BadInput):
        require_address("browsers", url, "http://127.0.0.1:8000/", "PMH_BASE_URL")


@pytest.mark.parametrize(
    "url",
    [
        "http://:8000/jupyter/",
        "http://0.0.0.0:8000/jupyter/",
        "http://127.0.0.1:8001/jupyter/",
        "http://127.0.0.1/jupyter/",
        "http://127.0.0.1:8000/",
        "http+unix://%2Ftmp%2Fproxy.sock/jupyter/",
        "",
    ],
)
def test_any_other_address_is_refused_with_the_variables(url: str) -> None:
    with pytest.raises(BadInput, match="Use PMH_PORT and PMH_BASE_URL instead") as refused:
        require_address("browsers", url, ALLOWED, "PMH_PORT and PMH_BASE_URL")
    assert "PMH_BASE_URL" in refused.value.advice


def test_configuration_names_every_address_once() -> None:
    c = Config()
    configure_addresses(c, Settings(ip="::1", port=1, hub_ip="127.0.0.1", hub_port=2, proxy_api_port=3, base_url="a/b"))
    assert c.JupyterHub.bind_url == c.WatchedProxy.allowed_bind_url == "http://[::1]:1/a/b/"
    assert c.WatchedProxy.allowed_hub_url == "http://127.0.0.1:2/a/b/hub/"
    assert c.ConfigurableHTTPProxy.api_url == c.WatchedProxy.allowed_api_url == "http://127.0.0.1:3"
    assert "base_url" not in c.JupyterHub, "beside bind_url it would replace host and port"
