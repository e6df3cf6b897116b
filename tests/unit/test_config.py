"""The settings: the base URL and the addresses that follow from it."""

from __future__ import annotations

import pytest

from pmh_jupyter.config import Settings
from pmh_jupyter.errors import BadInput
from pmh_jupyter.service.hub_client import make_hub_oauth


@pytest.mark.parametrize(
    ("value", "base_url"),
    [("", "/"), ("/", "/"), ("jupyter", "/jupyter/"), ("/jupyter", "/jupyter/"), ("/a/b-1.0_~/", "/a/b-1.0_~/")],
)
def test_base_url_is_normalized(value: str, base_url: str) -> None:
    assert Settings.from_environ({"PMH_BASE_URL": value}).base_url == base_url


@pytest.mark.parametrize(
    "value",
    ["/a//b/", "/a b/", "/../", "/a/./b", "/jupyter?x", "/%2e/", "/{user}/", "http://hub.example/x", "/é/", "/a\n/"],
)
def test_base_url_that_is_not_a_plain_path_is_refused(value: str) -> None:
    with pytest.raises(BadInput, match="PMH_BASE_URL") as refused:
        Settings.from_environ({"PMH_BASE_URL": value})
    assert "/jupyter/" in refused.value.advice


def test_addresses_follow_the_base_url() -> None:
    settings = Settings(port=1, hub_ip="127.0.0.1", hub_port=2, service_port=3, base_url="/jupyter/")
    assert settings.bind_url == "http://127.0.0.1:1/jupyter/"
    assert settings.hub_url == "http://127.0.0.1:2/jupyter/hub/"
    assert settings.resolved_service_url == "http://127.0.0.1:3/jupyter/services/pmh"
    assert Settings.from_environ(settings.to_environ()).bind_url == settings.bind_url


def test_addresses_without_a_base_url() -> None:
    settings = Settings(service_ip="::1")
    assert settings.bind_url == "http://127.0.0.1:8000/"
    assert settings.resolved_service_url == "http://[::1]:10101/services/pmh"


def test_service_that_is_started_alone_follows_the_base_url(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("JUPYTERHUB_BASE_URL", raising=False)
    auth = make_hub_oauth({"JUPYTERHUB_API_TOKEN": "token", "PMH_BASE_URL": "/jupyter/"})
    assert auth.base_url == "/jupyter/services/pmh/"
    assert auth.hub_prefix == "/jupyter/hub/"
    assert auth.api_url == "http://127.0.0.1:8081/jupyter/hub/api"
