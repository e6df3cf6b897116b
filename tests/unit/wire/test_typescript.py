"""The panel's types are the service's: wire.ts is what the models say now."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path
from typing import Literal
from uuid import UUID

import pytest

from pmh_jupyter.wire import typescript
from pmh_jupyter.wire.base import WireModel

ROOT = Path(__file__).parents[3]


class Leaf(WireModel):
    """What a branch bears."""

    name: str


class TreeReply(WireModel):
    id: UUID
    at: datetime | None
    kind: Literal["oak", "fir"]
    leaves: tuple[Leaf, ...] = ()
    counts: dict[str, int | list[str]] = {}


class TreeRequest(WireModel):
    wanted: bool
    tags: tuple[Literal["old", "tall"], ...] = ()


class Bark(WireModel):
    bytes_: bytes


def test_the_committed_file_is_current() -> None:
    assert typescript.main(["--check", "--target", str(ROOT / typescript.TARGET_PATH)]) == 0


def test_a_file_that_is_not_current_is_told(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    target = tmp_path / "wire.ts"
    target.write_text("old", encoding="utf-8")
    assert typescript.main(["--check", "--target", str(target)]) == 1
    assert "not current" in capsys.readouterr().err
    assert typescript.main(["--target", str(target)]) == 0
    assert typescript.main(["--check", "--target", str(target)]) == 0


def test_every_kind_of_field_has_its_type() -> None:
    text = typescript.generate_typescript((TreeReply,))
    assert text.index("interface Leaf") < text.index("interface TreeReply")
    assert "/**\n * What a branch bears.\n */" in text
    for line in (
        "readonly id: string;",
        "readonly at: string | null;",
        "readonly kind: 'oak' | 'fir';",
        "readonly leaves: readonly Leaf[];",
        "readonly counts: Readonly<Record<string, number | readonly string[]>>;",
    ):
        assert line in text


def test_only_requests_may_leave_fields_out() -> None:
    text = typescript.generate_typescript((TreeRequest,))
    assert "readonly wanted: boolean;" in text
    assert "readonly tags?: readonly ('old' | 'tall')[];" in text


def test_an_unknown_type_is_refused() -> None:
    with pytest.raises(TypeError, match="bytes"):
        typescript.generate_typescript((Bark,))
