"""What opens a node, from wherever it may come; and how that is changed."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.admin.helpers import make_node
from tests.cli.test_commands import run

PASSPHRASE = "correct horse battery staple"
KEY = os.urandom(32)


@pytest.fixture
async def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    for name in ("LERNODE_PASSPHRASE", "LERNODE_KEY", "CREDENTIALS_DIRECTORY"):
        monkeypatch.delenv(name, raising=False)
    await make_node(tmp_path / "n", "College", issuer=True, secret=PASSPHRASE)
    return tmp_path / "n"


def change(monkeypatch: pytest.MonkeyPatch, home: Path, old: str, new: tuple[str, ...]) -> None:
    monkeypatch.setenv("LERNODE_PASSPHRASE", old)
    assert run(monkeypatch, "passphrase", *new, "--home", home) == 0
    monkeypatch.delenv("LERNODE_PASSPHRASE")


def opens(monkeypatch: pytest.MonkeyPatch, home: Path, *options: str) -> bool:
    code = run(monkeypatch, "did", *options, "--home", home)
    assert code in {0, 2}
    return code == 0


def test_a_changed_passphrase_opens_and_the_old_one_does_not(
    home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    new = tmp_path / "new"
    new.write_text("another one\n", encoding="utf-8")
    change(monkeypatch, home, PASSPHRASE, ("--new-passphrase-file", str(new)))
    assert "opens with the new passphrase" in capsys.readouterr().out
    assert opens(monkeypatch, home, "--passphrase-file", str(new))
    monkeypatch.setenv("LERNODE_PASSPHRASE", PASSPHRASE)
    assert not opens(monkeypatch, home)
    assert "does not open this store" in capsys.readouterr().err


def by_option(tmp_path: Path, _monkeypatch: pytest.MonkeyPatch) -> tuple[str, ...]:
    (tmp_path / "key").write_bytes(KEY)
    return ("--key-file", str(tmp_path / "key"))


def by_environment(_tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> tuple[str, ...]:
    monkeypatch.setenv("LERNODE_KEY", KEY.hex())
    return ()


def by_systemd(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> tuple[str, ...]:
    (tmp_path / "credentials").mkdir()
    (tmp_path / "credentials" / "lernode.key").write_bytes(KEY)
    monkeypatch.setenv("CREDENTIALS_DIRECTORY", str(tmp_path / "credentials"))
    return ()


@pytest.mark.parametrize("source", [by_option, by_environment, by_systemd])
def test_a_key_opens_from_wherever_it_comes(
    home: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    source: Callable[[Path, pytest.MonkeyPatch], tuple[str, ...]],
) -> None:
    monkeypatch.setenv("LERNODE_NEW_KEY", KEY.hex())
    change(monkeypatch, home, PASSPHRASE, ())
    assert opens(monkeypatch, home, *source(tmp_path, monkeypatch))


def test_a_passphrase_is_a_credential_of_systemd_too(
    home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "lernode.passphrase").write_text(PASSPHRASE + "\n", encoding="utf-8")
    monkeypatch.setenv("CREDENTIALS_DIRECTORY", str(tmp_path))
    assert opens(monkeypatch, home)


def test_without_a_secret_or_a_terminal_it_says_what_to_do(
    home: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    assert not opens(monkeypatch, home)
    assert "Set LERNODE_PASSPHRASE, or name a file with --passphrase-file." in capsys.readouterr().err
