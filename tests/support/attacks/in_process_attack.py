"""One attack on tests that run in the student's own process."""

from __future__ import annotations

from dataclasses import dataclass, field

HIDDEN = "assert answer(3) == 42"


@dataclass(frozen=True)
class Attack:
    name: str
    student: str
    test: str = HIDDEN
    flags: frozenset[str] = frozenset()
    undefended: str = "exec"
    library_names: dict[str, tuple[str, str]] = field(default_factory=dict)


def make_attack(name: str, student: str, test: str = HIDDEN, *flags: str, **more: object) -> Attack:
    return Attack(name, student, test, frozenset(flags), **more)  # type: ignore[arg-type]
