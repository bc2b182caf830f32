"""``lernode clr``: all records of a learner in one, as a registrar makes it."""

from __future__ import annotations

import json
from pathlib import Path

from tests.cli.conftest import Command
from tests.cli.test_catalogue import ADA


def test_a_transcript_is_written_and_what_is_left_out_is_told(lernode: Command, tmp_path: Path) -> None:
    for name in ("one", "two"):
        assert lernode("issue", "weld-101", "--to", ADA, "--out", tmp_path / f"{name}.json")[0] == 0
    gone = json.loads((tmp_path / "two.json").read_text())["id"]
    assert lernode("revoke", gone)[0] == 0
    out = tmp_path / "clr.json"
    code, shown = lernode("clr", ADA, "--name", "Transcript", "--out", out)
    assert code == 0, shown
    assert "1 records are in it." in shown
    assert ": status.revoked" in shown
    written = json.loads(out.read_text())
    assert (written["type"], written["partial"]) == (["VerifiableCredential", "ClrCredential"], False)


def test_what_is_asked_for_wrongly_is_told(lernode: Command, tmp_path: Path) -> None:
    out = tmp_path / "clr.json"
    code, shown = lernode("clr", ADA)
    assert (code, "Give either --peer or --out." in shown) == (2, True)
    code, shown = lernode("clr", ADA, "--association", "a", "isUncleOf", "b", "--out", out)
    assert (code, "isPartOf" in shown) == (2, True)
    code, shown = lernode("clr", ADA, "--out", out)
    assert (code, "The learner has no record that holds now." in shown) == (1, True)
    assert not out.exists()
