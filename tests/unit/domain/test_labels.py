"""Every state and every outcome has a label and an icon, and no two look or read the same."""

from __future__ import annotations

from pmh_jupyter.domain.labels import ICONS, OUTCOME_LABELS, STATE_LABELS
from pmh_jupyter.domain.progress import ProgressState
from pmh_jupyter.domain.verdict import Outcome


def test_each_state_and_each_outcome_has_a_label() -> None:
    assert list(STATE_LABELS) == list(ProgressState)
    assert list(OUTCOME_LABELS) == list(Outcome)


def test_labels_and_icons_differ_within_a_table() -> None:
    for labels in (STATE_LABELS.values(), OUTCOME_LABELS.values()):
        assert len({label.text for label in labels}) == len(labels)
        assert len({label.icon for label in labels}) == len(labels)


def test_names_of_states_and_outcomes_do_not_collide() -> None:
    assert len(ICONS) == len(ProgressState) + len(Outcome)


def test_terminal_symbols_are_one_character() -> None:
    assert {len(label.terminal_symbol) for label in (*STATE_LABELS.values(), *OUTCOME_LABELS.values())} == {1}
