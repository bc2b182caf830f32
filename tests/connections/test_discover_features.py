"""Discover Features (RFC 0031, RFC 0557): what matches is told once, and what is no question is refused."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from protocols.didcomm.message import PlainMessage, Wire
from protocols.discover_features import machine
from protocols.discover_features.machine import State, matches
from protocols.discover_features.messages import Disclosures, Feature, Queries, Query, decode
from protocols.errors import BadInput, PeerFault
from protocols.machine import Send
from tests.didcomm.helpers import ids

BASE = "https://didcomm.org/discover-features"
PING = Feature(id="https://didcomm.org/trust_ping/1.0", roles=("sender", "receiver"))
OOB = Feature(id="https://didcomm.org/out-of-band/1.1")
BOTH = (PING, OOB)


def sent(step: Any) -> PlainMessage:
    (effect,) = step.effects
    assert isinstance(effect, Send)
    return effect.message.encode(Wire.V1)


def answer(match: str, *, major: int = 2, feature_type: str = "protocol") -> tuple[Feature, ...]:
    """What a requester has in the end, every message having crossed the wire."""
    asked = machine.ask([Query(feature_type, match)], new_id=ids("a"), major=major)
    queries = decode(sent(asked))
    assert isinstance(queries, Queries)
    answered = machine.receive_queries(queries, BOTH, new_id=ids("b"))
    disclosures = decode(sent(answered))
    assert isinstance(disclosures, Disclosures)
    done = machine.receive_disclosures(asked.exchange, disclosures)
    assert (done.exchange.state, answered.exchange.state) == (State.DONE, State.DONE)
    with pytest.raises(PeerFault, match="state of its thread"):
        machine.receive_disclosures(done.exchange, disclosures)
    return done.exchange.features


@pytest.mark.parametrize("major", [1, 2])
def test_what_matches_is_disclosed(major: int) -> None:
    assert answer("*", major=major) == BOTH
    assert answer("https://didcomm.org/trust_ping/1.*", major=major) == (PING,)
    assert answer("https://didcomm.org/out-of-band/1.1", major=major) == (OOB,)
    assert answer("https://didcomm.org/tictactoe/*", major=major) == ()
    assert answer("did:sov:BzCbsNYhMrjHiqZDTUASHg;spec/trust_ping/*", major=major) == (PING,)


@pytest.mark.parametrize("feature_type", ["goal-code", "gov-fw", "decorator", "header", "else"])
def test_other_features_than_protocols_are_asked_for_in_vain(feature_type: str) -> None:
    assert answer("*", feature_type=feature_type) == ()


def test_several_queries_that_match_the_same_disclose_it_once() -> None:
    queries = Queries("1", "1", (Query("protocol", "*"), Query("protocol", "*ping*")))
    disclosed = decode(sent(machine.receive_queries(queries, BOTH, new_id=ids())))
    assert isinstance(disclosed, Disclosures)
    assert disclosed.features == BOTH


def test_the_wire_of_both_versions_is_that_of_the_rfcs() -> None:
    one = sent(machine.ask([Query("protocol", "x*")], new_id=ids(), major=1))
    assert (one.type, one.body) == (f"{BASE}/1.0/query", {"query": "x*"})
    two = sent(machine.ask([Query("protocol", "x*")], new_id=ids()))
    assert (two.type, two.body) == (
        f"{BASE}/2.0/queries", {"queries": [{"feature-type": "protocol", "match": "x*"}]},
    )  # fmt: skip
    pid = {"pid": PING.id, "roles": ["sender", "receiver"]}
    assert Disclosures("2", "1", (PING,), 1).encode(Wire.V1).body == {"protocols": [pid]}
    plain = {"feature-type": "protocol", "id": OOB.id}
    assert Disclosures("2", "1", (OOB,)).encode(Wire.V1).body == {"disclosures": [plain]}


@pytest.mark.parametrize("count", [0, 2])
def test_version_1_asks_one_question(count: int) -> None:
    with pytest.raises(BadInput) as caught:
        machine.ask([Query("protocol", "*")] * count, new_id=ids(), major=1)
    assert caught.value.code == "discover_features.queries"


@pytest.mark.parametrize("wrong", [Disclosures("9", "other", ()), Disclosures("9", "id-1", (), 1)])
def test_an_answer_to_another_question_is_refused(wrong: Disclosures) -> None:
    asked = machine.ask([Query("protocol", "*")], new_id=ids())
    with pytest.raises(PeerFault) as caught:
        machine.receive_disclosures(asked.exchange, wrong)
    assert caught.value.code == "discover_features.wrong_thread"


GOOD: dict[str, tuple[str, dict[str, Any]]] = {
    "1.0/query": ("query", {"query": "*"}),
    "2.0/queries": ("queries", {"queries": [{"feature-type": "protocol", "match": "*"}]}),
    "1.0/disclose": ("protocols", {"protocols": [{"pid": PING.id, "roles": ["sender"]}]}),
    "2.0/disclosures": ("disclosures", {"disclosures": [{"feature-type": "protocol", "id": PING.id, "roles": []}]}),
}
WRONG = [None, 1, True, {}, [1], "x" * 5000, [{}] * 1000]


@pytest.mark.parametrize("name", GOOD)
@pytest.mark.parametrize("wrong", WRONG)
def test_a_body_that_is_missing_or_mistyped_is_refused(name: str, wrong: Any) -> None:
    field, good = GOOD[name]
    decode(PlainMessage(f"{BASE}/{name}", "1", "0", body=good))
    with pytest.raises(PeerFault) as caught:
        decode(PlainMessage(f"{BASE}/{name}", "1", "0", body={field: wrong}))
    assert caught.value.code == "message.malformed"


@pytest.mark.parametrize(
    ("name", "item"),
    [
        (name, item)
        for name, keys in {
            "2.0/queries": ("feature-type", "match"),
            "2.0/disclosures": ("feature-type", "id"),
            "1.0/disclose": ("pid",),
        }.items()
        for item in keys
    ],
)
@pytest.mark.parametrize("wrong", [None, 1, [], {}, "x" * 300])
def test_an_item_that_is_missing_or_mistyped_is_refused(name: str, item: str, wrong: Any) -> None:
    field, good = GOOD[name]
    with pytest.raises(PeerFault) as caught:
        decode(PlainMessage(f"{BASE}/{name}", "1", "0", body={field: [{**good[field][0], item: wrong}]}))
    assert caught.value.code == "message.malformed"


@pytest.mark.parametrize("roles", [1, "sender", [1], ["x"] * 17, ["x" * 300]])
def test_mistyped_roles_are_refused(roles: Any) -> None:
    with pytest.raises(PeerFault):
        decode(PlainMessage(f"{BASE}/1.0/disclose", "1", "0", body={"protocols": [{"pid": "p", "roles": roles}]}))


@pytest.mark.parametrize("name", ["2.0/query", "1.0/queries", "3.0/queries", "1.0/disclosures", "2.0/hello"])
def test_what_is_no_message_of_the_protocol_is_refused(name: str) -> None:
    with pytest.raises(PeerFault) as caught:
        decode(PlainMessage(f"{BASE}/{name}", "1", "1"))
    assert caught.value.code == "message.type"


@given(st.text("ab*", max_size=12), st.text("ab", max_size=12))
def test_a_wildcard_stands_for_any_characters(pattern: str, text: str) -> None:
    # The textbook way, by tables: cell[i][j] says whether the first i of pattern fit the first j of text.
    cell = [[False] * (len(text) + 1) for _ in range(len(pattern) + 1)]
    cell[0][0] = True
    for i, char in enumerate(pattern, start=1):
        for j in range(len(text) + 1):
            if char == "*":
                cell[i][j] = cell[i - 1][j] or (j > 0 and cell[i][j - 1])
            else:
                cell[i][j] = j > 0 and cell[i - 1][j - 1] and char == text[j - 1]
    assert matches(pattern, text) == (cell[-1][-1] and pattern.count("*") <= 8)
