"""What is known of a class without asking it."""

from __future__ import annotations

from typing import Any

from pmh_jupyter.grading.runtime.test_cells.class_provenance import ClassProvenance


class HostileMeta(type):
    def __getattribute__(cls, name: str) -> Any:
        raise RuntimeError(name)


class Hostile(metaclass=HostileMeta):
    pass


def test_metaclass_is_not_asked_for_the_name_of_its_class() -> None:
    ClassProvenance([int, Hostile], ())
