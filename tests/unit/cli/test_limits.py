"""`pmh limits` reads numbers, and the word for a lesson's own limit."""

from __future__ import annotations

import pytest

from pmh_jupyter.cli import main


def test_value_that_is_no_limit_is_rejected_with_the_allowed_ones(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as exit_info:
        main(["limits", "demo", "sums", "--cell-seconds", "fast"])
    assert exit_info.value.code == 2
    assert "argument --cell-seconds: must be a number or 'lesson'" in capsys.readouterr().err
