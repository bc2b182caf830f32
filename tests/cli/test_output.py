"""What a terminal is given, and how a command ends."""

from __future__ import annotations

import json

import pytest

from node.cli.output import check_name, clean, exit_code, fail
from protocols.credentials.verification import Check
from protocols.errors import BadInput, LernodeError, NotNow, PeerFault, WrongState


@pytest.mark.parametrize(
    "hostile", ["\x1b[31mred", "a\rb", "a\u202eb", "a\x9bb", "a\u2028b", "a\x07", "tab\tnew\nline"]
)
def test_text_from_others_cannot_command_the_terminal(hostile: str) -> None:
    shown = clean(hostile)
    assert shown.isprintable() or "\N{REPLACEMENT CHARACTER}" in shown
    assert not set(shown) & set("\x1b\r\n\t\x07\x9b\u202e\u2028")


@pytest.mark.parametrize(
    ("error", "code"),
    [
        (BadInput("a.b", "m"), 2),
        (WrongState("exchange.not_waiting", "m"), 1),
        (WrongState("exchange.unknown", "m"), 2),
        (WrongState("connection.ambiguous", "m"), 2),
        (PeerFault("a.b", "m"), 1),
        (NotNow("a.b", "m"), 3),
        (LernodeError("a.b", "m"), 1),
    ],
)
def test_the_exit_code_says_whose_turn_it_is(error: LernodeError, code: int) -> None:
    assert exit_code(error) == code


def test_an_error_is_one_line_and_what_to_do_next(capsys: pytest.CaptureFixture[str]) -> None:
    fail(BadInput("a.b", "It is wrong.", "Do it right."), as_json=False)
    shown = capsys.readouterr()
    assert (shown.out, shown.err) == ("", "lernode: It is wrong.\nnext: Do it right.\n")


def test_with_json_an_error_is_one_document(capsys: pytest.CaptureFixture[str]) -> None:
    fail(BadInput("a.b", "It is wrong.", "Do it right."), as_json=True)
    assert json.loads(capsys.readouterr().out)["code"] == "a.b"


def test_what_is_said_of_each_check_stands_below_the_other() -> None:
    assert {len(check_name(check)) for check in Check} == {max(map(len, Check))}
