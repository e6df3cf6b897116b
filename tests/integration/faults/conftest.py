"""Fixture `hub`: a Hub that authenticates users, for services that tests start themselves."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.support.hub.bare_hub import BareHub, running_bare_hub


@pytest.fixture(scope="module")
def hub(tmp_path_factory: pytest.TempPathFactory) -> Iterator[BareHub]:
    with running_bare_hub(tmp_path_factory.mktemp("bare-hub")) as hub:
        yield hub
