"""What a node speaks, told to a peer that asks (RFC 0031, RFC 0557)."""

from __future__ import annotations

import pytest

from node.app import Node
from node.roles.issuer import Award
from node.runtime.exchanges import ExchangeKind
from protocols.didcomm.message import PlainMessage, Wire
from protocols.discover_features import machine
from protocols.discover_features.messages import Feature
from storage import connections
from storage.exchanges import ExchangeRow
from tests.node.nodes import WELDING, Nodes, connect, exchange_in, tables
from tests.node.wire_peer import WirePeer, new_id
from tests.node.wire_peer_v2 import WirePeerV2

BASE = "https://didcomm.org/discover-features"


def answered(row: ExchangeRow) -> dict[str, Feature]:
    value: machine.Exchange = ExchangeKind(row.protocol, machine.Exchange).value(row)
    return {feature.id: feature for feature in value.features}


async def asked(node: Node, connection_id: str, *match: str, major: int = 2) -> dict[str, Feature]:
    row = await node.discovery.ask(connection_id, match or ("*",), major)
    return answered(await exchange_in(node, row.id))


@pytest.mark.parametrize("major", [1, 2])
async def test_a_peer_tells_what_it_takes_and_which_roles_it_has(nodes: Nodes, major: int) -> None:
    college, learner = await nodes.make("college", issuer=True), await nodes.make("learner")
    to_learner, to_college = await connect(college, learner)
    of_learner = await asked(college, to_learner.id, major=major)
    of_college = await asked(learner, to_college.id, major=major)
    assert {name.rpartition(".")[0] for name in of_learner} == learner.inbound.protocols
    assert {"https://didcomm.org/didexchange/1.1", f"{BASE}/1.0", f"{BASE}/2.0"} <= set(of_learner)
    issuing = "https://didcomm.org/issue-credential/2.0"
    assert (of_learner[issuing].roles, set(of_college[issuing].roles)) == (("holder",), {"issuer", "holder"})
    assert set(await asked(college, to_learner.id, "*/trust_ping/*", major=major)) == {
        "https://didcomm.org/trust_ping/1.0"
    }


async def test_policy_keeps_protocols_to_itself(nodes: Nodes) -> None:
    college = await nodes.make("college", issuer=True)
    learner = await nodes.make("learner", policy={"disclose_features": ("https://didcomm.org/issue-credential/*",)})
    to_learner, _ = await connect(college, learner)
    told = {f"https://didcomm.org/issue-credential/{version}" for version in ("2.0", "3.0")}
    assert set(await asked(college, to_learner.id)) == told
    assert await asked(college, to_learner.id, "https://didcomm.org/present-proof/*") == {}


async def test_questions_and_unasked_answers_of_peers_leave_nothing_behind(nodes: Nodes, peer: WirePeer) -> None:
    node = await nodes.make("node")
    await peer.connect(node)
    before = await tables(node.store)
    disclosed = [{"feature-type": "protocol", "id": "https://didcomm.org/x/1.0"}]
    for name, body in {
        "2.0/queries": {"queries": [{"feature-type": "protocol", "match": "*"}]},
        "1.0/query": {"query": "*"},
        "2.0/disclosures": {"disclosures": disclosed},
    }.items():
        message_id = new_id()
        assert (await peer.say(node, PlainMessage(f"{BASE}/{name}", message_id, message_id, body=body))).status == 202
    assert len((await peer.hear("disclosures")).body["disclosures"]) > 5
    assert len((await peer.hear("disclose")).body["protocols"]) > 5
    after = await tables(node.store)
    assert {name for name in after if after[name] != before[name]} <= {"inbox", "outbox"}


async def test_an_answer_in_anothers_thread_changes_nothing(nodes: Nodes, peer: WirePeer) -> None:
    node, other = await nodes.make("node"), await nodes.make("other")
    to_other, _ = await connect(node, other)
    await nodes.stop(other)
    row = await node.discovery.ask(to_other.id, ["*"], 2)
    await peer.connect(node)
    body = {"disclosures": [{"feature-type": "protocol", "id": "https://didcomm.org/x/1.0"}]}
    assert (await peer.say(node, PlainMessage(f"{BASE}/2.0/disclosures", new_id(), row.thid, body=body))).status == 202
    assert answered(await exchange_in(node, row.id, "queries-sent")) == {}


@pytest.mark.parametrize(
    ("asked_for", "told", "wire"),
    [
        ("*", ("issue-credential/2.0", "present-proof/2.0"), Wire.V1),
        ("*", ("issue-credential/2.0", "issue-credential/3.0"), Wire.V2),
        ("*", ("trust-ping/2.0",), Wire.V2),
        ("https://didcomm.org/*/2.0", ("issue-credential/2.0", "present-proof/2.0"), Wire.V2),
    ],
)
async def test_a_peer_that_opens_both_wires_is_written_to_in_the_one_whose_protocols_it_speaks(
    nodes: Nodes, modern: WirePeerV2, asked_for: str, told: tuple[str, ...], wire: Wire
) -> None:
    node = await nodes.make("node", issuer=True)
    await modern.connect(node)
    async with node.store.read() as tx:
        (connection,) = await connections.page(tx)
    row = await node.discovery.ask(connection.id, [asked_for], 2)
    query = await modern.hear("queries")
    disclosures = [{"feature-type": "protocol", "id": f"https://didcomm.org/{name}"} for name in told]
    await modern.tell(node, modern.message(f"{BASE}/2.0/disclose", {"disclosures": disclosures}, thid=query.thid))
    await exchange_in(node, row.id, "done")
    await node.issuer.offer(connection.id, Award(achievement_id=WELDING))
    assert (await modern.hear("offer-credential")).wire is wire


async def test_a_peer_that_has_learned_the_protocols_of_v2_is_written_to_in_v2_again(
    nodes: Nodes, modern: WirePeerV2
) -> None:
    node = await nodes.make("node", issuer=True)
    await modern.connect(node)
    async with node.store.read() as tx:
        (connection,) = await connections.page(tx)
    for version, wire in (("2.0", Wire.V1), ("3.0", Wire.V2)):
        row = await node.discovery.ask(connection.id, ["*"], 2)
        query = await modern.hear("queries")
        disclosures = [{"feature-type": "protocol", "id": f"https://didcomm.org/issue-credential/{version}"}]
        if query.wire is Wire.V2:
            answer = modern.message(f"{BASE}/2.0/disclose", {"disclosures": disclosures}, thid=query.thid)
            await modern.tell(node, answer)
        else:
            body = {"disclosures": disclosures}
            await modern.say(node, PlainMessage(f"{BASE}/2.0/disclosures", new_id(), query.thid, body=body))
        await exchange_in(node, row.id, "done")
        async with node.store.read() as tx:
            assert (await connections.get(tx, connection.id)).wire == wire
