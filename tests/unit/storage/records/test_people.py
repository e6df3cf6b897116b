"""People: created once, renamed without losing their id."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import pytest

from pmh_jupyter.errors import Conflict, NotFound
from pmh_jupyter.storage.database import Database
from pmh_jupyter.storage.records import people
from tests.support.storage.school import (
    unknown_id,
)


def test_person_is_created_once_by_concurrent_calls(database: Database, connect: Callable[[], Database]) -> None:
    assert people.find_person(database, "ada") is None
    services = [connect() for _ in range(4)]
    with ThreadPoolExecutor(4) as pool:
        created = set(pool.map(lambda service: people.find_or_create_person(service, "ada"), services))
    assert created == {people.find_person(database, "ada")}


def test_renamed_person_keeps_the_id(database: Database) -> None:
    ada, bob = people.find_or_create_person(database, "ada"), people.find_or_create_person(database, "bob")
    assert people.rename_person(database, ada.id, "ada2").id == ada.id
    assert people.find_person(database, "ada") is None
    with pytest.raises(Conflict, match="Another person"):
        people.rename_person(database, ada.id, "bob")
    assert people.find_person(database, "bob") == bob
    with pytest.raises(NotFound):
        people.rename_person(database, unknown_id(), "x")
