"""How templates write times and values: in the classroom's zone, and never as markup."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from jinja2 import UndefinedError

from pmh_jupyter.domain.progress import ProgressState
from pmh_jupyter.domain.verdict import Outcome
from pmh_jupyter.service.pages.template_environment import format_local_time, format_prose, make_template_environment

ERROR = {"message": "<script>alert(1)</script>", "advice": "Go back."}
PAGE = {"base": "/services/pmh/", "hub_home": "/hub/home", "caller": {"name": "ada"}, "request_id": "r1"}


@pytest.mark.parametrize(
    ("moment", "zone", "shown"),
    [
        (datetime(2026, 1, 31, 23, 30, tzinfo=UTC), "Europe/Zurich", "Sun 1 Feb 2026, 00:30"),
        (datetime(2026, 7, 1, 12, 0, tzinfo=UTC), "America/New_York", "Wed 1 Jul 2026, 08:00"),
        (datetime(2026, 7, 1, 12, 0), "UTC", "Wed 1 Jul 2026, 12:00"),
    ],
)
def test_times_are_the_classrooms(moment: datetime, zone: str, shown: str) -> None:
    assert format_local_time(moment, zone) == shown


def test_what_people_wrote_is_no_markup() -> None:
    page = make_template_environment().get_template("error.html").render(error=ERROR, **PAGE)
    assert "<script>" not in page and "&lt;script&gt;" in page


def test_code_in_a_sentence_is_set_as_code_and_is_no_markup_either() -> None:
    told = "Not yet: `f('<b>')` gave <i>3</i>, a lone ` stays."
    shown = "Not yet: <code>f(&#39;&lt;b&gt;&#39;)</code> gave &lt;i&gt;3&lt;/i&gt;, a lone ` stays."
    assert format_prose(told) == shown


def test_a_name_that_is_not_there_is_an_error() -> None:
    with pytest.raises(UndefinedError):
        make_template_environment().get_template("error.html").render(**PAGE)


def test_every_state_and_outcome_has_a_sign_and_a_word() -> None:
    macros = make_template_environment().get_template("macros.html").module
    for state in ProgressState:
        assert "<path" in str(macros.state(state.value)) or "<circle" in str(macros.state(state.value))
    for outcome in Outcome:
        assert outcome.value in macros.outcome_words
        assert "<svg" in str(macros.sign(outcome.value))
