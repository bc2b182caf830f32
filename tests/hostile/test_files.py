"""``lernode verify`` on files of every kind: it says what is wrong and ends, and shows no traceback."""

from __future__ import annotations

import gzip
import json
import os
import sys
from pathlib import Path
from typing import Any

import pytest

from node.cli.main import main
from scripts.fuzzing import world

SIGNED = json.dumps(world.secured()[0])
CONTENTS: dict[str, bytes] = {
    "empty": b"",
    "spaces": b" \n" * 1000,
    "zeros": bytes(5000),
    "random": bytes(range(256)) * 16,
    "gzip bomb": gzip.compress(bytes(1 << 22)),
    "zip": b"PK\x03\x04" + bytes(200),
    "png": b"\x89PNG\r\n\x1a\n" + bytes(200),
    "too large": b"[" + b" " * (1 << 20) + b"]",
    "too deep": b"[" * 100_000,
    "too many values": b"[" + b"0," * 400_000 + b"0]",
    "utf-16": SIGNED.encode("utf-16"),
    "utf-32": SIGNED.encode("utf-32-be"),
    "latin-1": SIGNED.replace("Welding", "Schweißen").encode("latin-1"),
    "cut off": SIGNED[:-1].encode(),
    "two documents": (SIGNED + SIGNED).encode(),
    "twice the same key": b'{"proof":1,' + SIGNED[1:].encode(),
    "surrogate": SIGNED.replace("Welding", "\\ud800").encode(),
    "list": f"[{SIGNED}]".encode(),
    "null": b"null",
    "html": b"<html><body>Not found</body></html>",
    "jwt without signature": b"eyJhbGciOiJub25lIn0.e30.",
    "jwt of nothing": b"e30.e30.AA",
    "jwt with its own key": b"eyJhbGciOiJFZERTQSIsImp3ayI6e319.e30.AA",
    "sd-jwt of nothing": b"e30.e30.AA~",
    "tildes": b"e" + b"~" * 10_000,
    "full stops": b"e" + b"." * 10_000,
    "control characters": SIGNED.replace("Welding", "\\u001b[2J\\u0007").encode(),
}


def verify(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], *arguments: Any
) -> tuple[int, str, str]:
    options = ("--any-issuer", "--offline")
    monkeypatch.setattr(sys, "argv", ["lernode", "verify", *map(str, arguments), *options])
    with pytest.raises(SystemExit) as ended:
        main()
    assert isinstance(ended.value.code, int)
    said = capsys.readouterr()
    assert "Traceback" not in said.out + said.err
    return ended.value.code, said.out, said.err


@pytest.mark.parametrize("name", CONTENTS)
def test_a_file_that_is_no_good_document_is_refused_by_name(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], name: str
) -> None:
    file = tmp_path / "file.json"
    file.write_bytes(CONTENTS[name])
    code, out, _ = verify(monkeypatch, capsys, file, "--json")
    assert code in (1, 2)
    said = json.loads(out)
    failed = [check for check in said.get("checks", []) if check["outcome"] == "fail"]
    assert said.get("code") or failed[0]["code"]
    assert not said.get("verified", False)
    code, out, err = verify(monkeypatch, capsys, file)
    assert code in (1, 2)
    assert out + err
    assert not set(out + err) & {"\x1b", "\x07", "\x00"}


def test_the_same_file_without_harm_is_verified(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "file.json"
    for mark in (b"", b"\xef\xbb\xbf"):  # which a reader of JSON may ignore (RFC 8259 §8.1)
        file.write_bytes(mark + SIGNED.encode())
        assert verify(monkeypatch, capsys, file)[0] == 0


def test_what_is_no_file_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    loop, nowhere, pipe, absent = (tmp_path / f"{name}.json" for name in ("loop", "nowhere", "pipe", "absent"))
    loop.symlink_to(loop)
    nowhere.symlink_to(tmp_path / "not-there")
    os.mkfifo(pipe)
    (tmp_path / "empty").mkdir()
    for what in (loop, nowhere, pipe, absent, tmp_path / "empty", tmp_path / ("x" * 300), "/dev/zero", "a\x00b.json"):
        code, out, _ = verify(monkeypatch, capsys, what, "--json")
        assert code == 2, what
        assert json.loads(out)["code"].startswith("cli."), what


def test_a_folder_of_such_files_is_gone_through_to_its_end(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    for number, content in enumerate(CONTENTS.values()):
        (tmp_path / f"{number:02}.json").write_bytes(content)
    (tmp_path / "good.json").write_text(SIGNED)
    (tmp_path / "loop.json").symlink_to(tmp_path / "loop.json")
    (tmp_path / "up").symlink_to(tmp_path)
    os.mkfifo(tmp_path / "pipe.json")
    code, out, _ = verify(monkeypatch, capsys, tmp_path, "--json", "--jobs", "1")
    assert code == 1
    verdicts = [json.loads(line) for line in out.splitlines()]
    assert len(verdicts) == len(CONTENTS) + 1
    assert [Path(verdict["file"]).name for verdict in verdicts if verdict["verified"]] == ["good.json"]
    assert verify(monkeypatch, capsys, tmp_path, "--jobs", "1")[0] == 1
