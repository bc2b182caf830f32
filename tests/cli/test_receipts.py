"""``lernode receipts``: listed, shown and written to a file that its user can give away."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from node.app import Node
from storage import connections, exchanges, receipts
from storage.receipts import Receipt
from tests.admin.helpers import make_node
from tests.cli.test_commands import run
from tests.opening import KEY, KEY_TEXT
from tests.storage import rows

DOCUMENT: dict[str, Any] = {
    "purposes": [{"purpose": "To hire you"}],
    "party_identification": [{"party_id": "did:example:mill", "party_name": "Mill & Co"}],
    "event": [{"decided_by": "operator"}],
    "presentation": {
        "digest": "sha-256:00",
        "records": [
            {
                "record_id": "0123456789",
                "name": "Welding",
                "shown": [{"path": "credentialSubject.result.value", "value": "B"}],
                "withheld": ["credentialSubject.name"],
            }
        ],
    },
}


@pytest.fixture
async def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A learner's node that has shown something once."""
    monkeypatch.setenv("LERNODE_KEY", KEY_TEXT)
    await make_node(tmp_path / "n", "Learner")
    node = await Node.open(tmp_path / "n", KEY)
    pair = node.keyring
    async with node.store.write() as tx:
        key = await pair.create(tx, "connection")
        await connections.add(tx, rows.connection(my_verkey=key.verkey))
        await exchanges.insert(tx, rows.exchange())
        at = datetime(2026, 3, 1, 12, tzinfo=UTC)
        await receipts.add(tx, Receipt(id="5b0f", exchange_id="e1", document=DOCUMENT, at=at))
    await node.stop()
    return tmp_path / "n"


def test_receipts_are_listed_and_shown(
    home: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(monkeypatch, "receipts", "--home", home) == 0
    listed = capsys.readouterr().out
    assert "Mill & Co" in listed
    assert "To hire you" in listed
    assert run(monkeypatch, "receipts", "5b", "--home", home) == 0
    shown = capsys.readouterr().out
    assert "credentialSubject.result.value: B" in shown
    assert "not shown: credentialSubject.name" in shown


def test_receipts_are_written_to_a_new_file_only(
    home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "receipts.json"
    assert run(monkeypatch, "receipts", "--export", file, "--home", home) == 0
    assert json.loads(file.read_text(encoding="utf-8")) == [DOCUMENT]
    assert file.stat().st_mode & 0o077 == 0
    assert run(monkeypatch, "receipts", "--export", file, "--home", home) == 2
    assert "is there already" in capsys.readouterr().err


def test_a_receipt_that_is_not_there_is_said_to_be_unknown(
    home: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(monkeypatch, "receipts", "ffff", "--json", "--home", home) == 2
    assert json.loads(capsys.readouterr().out)["code"] == "receipt.unknown"
