"""`pmh db upgrade` and `pmh db check`, as an operator runs them."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from pmh_jupyter.cli import main as pmh


@pytest.fixture
def run(empty_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[..., int]:
    monkeypatch.setenv("PMH_DATABASE_URL", empty_url)
    monkeypatch.setenv("PMH_DATA_DIR", str(tmp_path))
    monkeypatch.setattr("pmh_jupyter.cli.NOUNS", ("db",))
    return lambda *arguments: pmh(list(arguments))


def test_check_and_upgrade(run: Callable[..., int], capsys: pytest.CaptureFixture[str]) -> None:
    assert run("db", "check") == 2
    assert "pmh db upgrade" in capsys.readouterr().err
    assert run("db", "upgrade") == 0
    assert run("db", "upgrade") == 0
    assert run("db", "check") == 0
    assert capsys.readouterr().out == "The database has the schema of this version.\n" * 3


def test_a_backup_is_named(
    run: Callable[..., int], tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("pmh_jupyter.storage.database.Database.upgrade", lambda *_: tmp_path / "copy.sqlite")
    assert run("db", "upgrade") == 0
    assert f"Backed up to {tmp_path / 'copy.sqlite'}." in capsys.readouterr().out
