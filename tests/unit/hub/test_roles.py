"""Least privilege: the scopes of a server's token, and scopes that only one party has."""

from __future__ import annotations

import pytest

from pmh_jupyter.config import Settings
from pmh_jupyter.errors import BadInput
from pmh_jupyter.hub.authenticators import AUTHENTICATORS, choose_authenticator_class
from pmh_jupyter.hub.roles import (
    ACCOUNTS_SERVICE_NAME,
    CUSTOM_SCOPES,
    ROLES,
    SERVER_GRANTS,
    SESSION_GRANTS,
    build_load_roles,
)

EVERY_GRANT = [
    grant for grants in (SERVER_GRANTS, SESSION_GRANTS, *(role.grants for role in ROLES)) for grant in grants
]


def test_server_token_has_only_scopes_to_call_the_service_as_its_owner() -> None:
    jupyterhub_defaults = {"users:activity!user", "access:servers!server"}
    assert {grant.scope for grant in SERVER_GRANTS} - jupyterhub_defaults == {
        "access:services!service=pmh",
        "custom:pmh:learn",
        "custom:pmh:author",
    }


def test_only_the_sign_up_page_may_enrol() -> None:
    holders = [role.service for role in ROLES if "custom:pmh:enrol" in {grant.scope for grant in role.grants}]
    assert holders == [ACCOUNTS_SERVICE_NAME]
    assert "custom:pmh:enrol" not in {grant.scope for grant in (*SERVER_GRANTS, *SESSION_GRANTS)}


def test_every_grant_has_a_reason_and_every_custom_scope_is_used() -> None:
    assert all(grant.reason.endswith(".") for grant in EVERY_GRANT)
    assert {grant.scope for grant in EVERY_GRANT if grant.scope.startswith("custom:")} == set(CUSTOM_SCOPES)


def test_roles_are_assigned_to_their_services() -> None:
    assert {role["name"]: role["services"] for role in build_load_roles()} == {
        "user": [],
        "pmh-accounts": ["pmh-accounts"],
        "idle-culler": ["idle-culler"],
    }


@pytest.mark.parametrize("name", AUTHENTICATORS)
def test_every_authenticator_is_allowed_on_loopback(name: str) -> None:
    assert choose_authenticator_class(Settings(authenticator=name)) == AUTHENTICATORS[name]


@pytest.mark.parametrize("ip", ["0.0.0.0", "", "192.0.2.7", "::"])
def test_dummy_is_refused_beyond_loopback(ip: str) -> None:
    with pytest.raises(BadInput, match="accepts any password") as refused:
        choose_authenticator_class(Settings(authenticator="dummy", ip=ip))
    assert "PMH_AUTHENTICATOR=accounts" in refused.value.advice
