"""Memberships and join codes."""

from __future__ import annotations

import pytest

from pmh_jupyter.domain.events import EventKind
from pmh_jupyter.domain.roles import Role
from pmh_jupyter.errors import Conflict, NotFound
from pmh_jupyter.storage.records import events, members, people
from tests.support.storage.school import (
    CLASSROOM,
    School,
)


def test_join_code_makes_a_member_and_never_lowers_the_role(school: School) -> None:
    ada = people.find_or_create_person(school.database, "ada")
    members.add_join_code(school.database, CLASSROOM, Role.STUDENT, "LEARN")
    members.add_join_code(school.database, CLASSROOM, Role.STUDENT, "LEARN")
    members.add_join_code(school.database, CLASSROOM, Role.INSTRUCTOR, "TEACH")
    joined = members.redeem_join_code(school.database, ada.id, "LEARN")
    assert (joined.role, joined.person, joined.classroom.slug) == (Role.STUDENT, ada, CLASSROOM)
    assert members.redeem_join_code(school.database, ada.id, "LEARN") == joined
    assert members.redeem_join_code(school.database, ada.id, "TEACH").role is Role.INSTRUCTOR
    assert members.redeem_join_code(school.database, ada.id, "LEARN").role is Role.INSTRUCTOR
    kinds = [event.kind for event in events.load_events_after(school.database, ada.id, CLASSROOM, 0)]
    assert kinds.count(EventKind.MEMBER_JOINED) == 1
    assert members.list_memberships(school.database, ada.id) == (
        members.get_membership(school.database, ada.id, CLASSROOM),
    )


def test_join_code_of_another_role_is_rejected(school: School) -> None:
    members.add_join_code(school.database, CLASSROOM, Role.STUDENT, "LEARN")
    with pytest.raises(Conflict, match="already in use"):
        members.add_join_code(school.database, CLASSROOM, Role.INSTRUCTOR, "LEARN")


def test_unknown_codes_classrooms_and_members_are_not_found(school: School) -> None:
    ada = people.find_or_create_person(school.database, "ada")
    members.add_join_code(school.database, CLASSROOM, Role.STUDENT, "LEARN")
    for call in (
        lambda: members.redeem_join_code(school.database, ada.id, "learn"),
        lambda: members.get_membership(school.database, ada.id, CLASSROOM),
        lambda: members.set_member_role(school.database, ada.id, "elsewhere", Role.STUDENT),
        lambda: members.add_join_code(school.database, "elsewhere", Role.STUDENT, "CODE"),
    ):
        with pytest.raises(NotFound):
            call()
    assert members.list_memberships(school.database, ada.id) == ()
