"""The object table keeps what the other side may still name, and refuses everything else."""

from __future__ import annotations

import pytest

from pmh_jupyter.grading.runtime.proxies.object_table import ObjectTable
from pmh_jupyter.grading.runtime.transport.wire_format import WireFormatError


def test_object_is_kept_until_it_was_released_as_often_as_it_was_exported() -> None:
    table, value = ObjectTable(), object()
    number = table.export(value)
    assert table.export(value) == number
    assert table.is_offered(value)
    table.release(number, 1)
    assert table.find(number) is value
    table.release(number, 1)
    with pytest.raises(WireFormatError):
        table.find(number)
    assert not table.is_offered(value)
    assert table.export(value) != number


@pytest.mark.parametrize("number", [None, "1", 1.0, 99, -1, [1]])
def test_invalid_number_is_refused(number: object) -> None:
    table = ObjectTable()
    table.export(object())
    table.release(number, 5)
    with pytest.raises(WireFormatError):
        table.find(number)


def test_exporting_an_object_does_not_offer_its_class() -> None:
    table = ObjectTable()
    assert table.export_class(ObjectTable) == (1, True)
    assert table.export_class(ObjectTable) == (1, False)
    assert not table.is_offered(ObjectTable)
    assert table.find(1) is ObjectTable
