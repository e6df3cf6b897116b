"""The panel's generated files follow the Python definitions."""

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
    """A leaf of a tree."""

    name: str


class TreeReply(WireModel):
    id: UUID
    planted_at: datetime | None
    kind: Literal["oak", "fir"]
    leaves: tuple[Leaf, ...] = ()
    counts: dict[str, int | list[str]] = {}


class TreeRequest(WireModel):
    is_tall: bool
    tags: tuple[Literal["old", "rare"], ...] = ()


class Bark(WireModel):
    content: bytes


def test_committed_files_are_up_to_date() -> None:
    assert typescript.main(["--check", "--folder", str(ROOT / typescript.TARGET_FOLDER)]) == 0


@pytest.mark.parametrize("name", typescript.generate_files())
def test_check_reports_a_file_that_is_out_of_date(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], name: str
) -> None:
    assert typescript.main(["--folder", str(tmp_path)]) == 0
    assert typescript.main(["--check", "--folder", str(tmp_path)]) == 0
    (tmp_path / name).write_text("old", encoding="utf-8")
    assert typescript.main(["--check", "--folder", str(tmp_path)]) == 1
    assert f"{name} is out of date" in capsys.readouterr().err
    (tmp_path / name).unlink()
    assert typescript.main(["--check", "--folder", str(tmp_path)]) == 1


def test_every_field_type_has_a_typescript_type() -> None:
    text = typescript.generate_typescript((TreeReply,))
    assert text.index("interface Leaf") < text.index("interface TreeReply")
    assert "/**\n * A leaf of a tree.\n */" in text
    for line in (
        "readonly id: string;",
        "readonly planted_at: string | null;",
        "readonly kind: 'oak' | 'fir';",
        "readonly leaves: readonly Leaf[];",
        "readonly counts: Readonly<Record<string, number | readonly string[]>>;",
    ):
        assert line in text


def test_only_requests_may_omit_fields_with_a_default() -> None:
    text = typescript.generate_typescript((TreeRequest,))
    assert "readonly is_tall: boolean;" in text
    assert "readonly tags?: readonly ('old' | 'rare')[];" in text


def test_unknown_field_type_is_rejected() -> None:
    with pytest.raises(TypeError, match="bytes"):
        typescript.generate_typescript((Bark,))
