"""docs/protocols.md, with the state diagrams drawn from the protocols' own transition tables."""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from protocols.cohort_counts import machine as cohort_counts
from protocols.coordinate_mediation import machine as coordinate_mediation
from protocols.did_exchange import machine as did_exchange
from protocols.did_rotate import machine as did_rotate
from protocols.discover_features import machine as discover_features
from protocols.issue_credential import machine as issue_credential
from protocols.out_of_band import contact
from protocols.out_of_band import machine as out_of_band
from protocols.pickup import machine as pickup
from protocols.present_proof import machine as present_proof
from protocols.revocation_notification import machine as revocation_notification
from protocols.routing import machine as routing
from protocols.trust_ping import machine as trust_ping
from scripts.reference.markdown import NOTICE, table

__all__ = ["MACHINES", "Machine", "diagram", "page"]

Transitions = Mapping[Any, StrEnum]
"""(role, state, event) -> state, each of the protocol's own enumerations."""


@dataclass(frozen=True, slots=True)
class Machine:
    """One protocol as it is shown."""

    title: str
    rfc: str
    about: str
    transitions: Transitions


MACHINES = (
    Machine(
        "DID Exchange 1.1",
        "Aries RFC 0023, invitations by RFC 0434",
        "How two nodes come to know each other's DIDs. The responder gave the invitation, the requester answers it.",
        did_exchange.TRANSITIONS,
    ),
    Machine(
        "Issue Credential 2.0",
        "Aries RFC 0453, attachment aries/ld-proof-vc-detail@v1.0 (RFC 0593)",
        "How a record comes from its issuer to its holder. Either side may begin.",
        issue_credential.TRANSITIONS,
    ),
    Machine(
        "Present Proof 2.0",
        "Aries RFC 0454, attachments of DIF Presentation Exchange v2 (RFC 0510)",
        "How a verifier asks for records and a prover (the holder) shows some.",
        present_proof.TRANSITIONS,
    ),
    Machine(
        "Out-of-band 1.1: reuse",
        "Aries RFC 0434 §Reuse Messages",
        "What happens with an invitation of somebody whom the node is connected with already.",
        out_of_band.TRANSITIONS,
    ),
    Machine(
        "Out-of-band 2.0: connection",
        "DIDComm 2.1 §Out Of Band Messages",
        "How two agents of DIDComm v2 connect: the first message under an invitation is enough.",
        contact.TRANSITIONS,
    ),
    Machine(
        "DID Rotate 1.0",
        "Aries RFC 0794",
        "How either side ends a connection, or goes on under another DID; in v2 the header from_prior says the latter.",
        did_rotate.TRANSITIONS,
    ),
    Machine(
        "Trust Ping 1.0",
        "Aries RFC 0048",
        "Whether a peer answers.",
        trust_ping.TRANSITIONS,
    ),
    Machine(
        "Discover Features 1.0 and 2.0",
        "Aries RFC 0031 and RFC 0557",
        "What a peer speaks, as far as it says so.",
        discover_features.TRANSITIONS,
    ),
    Machine(
        "Revocation Notification 1.0 and 2.0",
        "Aries RFC 0183 and RFC 0721",
        "How an issuer tells a holder that a record is revoked; the holder looks at the status list itself.",
        revocation_notification.TRANSITIONS,
    ),
    Machine(
        "Coordinate Mediation 1.0, 2.0 and 3.0",
        "Aries RFC 0211; 2.0 and 3.0 on didcomm.org",
        "How a node asks a peer to hold messages for it, and names the keys and DIDs that these are for.",
        coordinate_mediation.TRANSITIONS,
    ),
    Machine(
        "Pickup 2.0 and 3.0",
        "Aries RFC 0685; 3.0 on didcomm.org",
        "How messages come from the mediator to their recipient, in one visit.",
        pickup.TRANSITIONS,
    ),
    Machine(
        "Routing 1.0 and 2.0",
        "Aries RFC 0094; DIDComm 2.1 §Routing Protocol 2.0",
        "How a message for somebody else is given to a mediator.",
        routing.TRANSITIONS,
    ),
    Machine(
        "Cohort Counts 1.0",
        "A protocol of lernode, `urn:lernode:didcomm/cohort-counts/1.0` on both wires",
        "How a peer asks how many learners have which skill, told with differential privacy; [cohorts](cohorts.md).",
        cohort_counts.TRANSITIONS,
    ),
)

_INTRODUCTION = f"""# Protocols

{NOTICE}

What two nodes say to each other. Each protocol is a pair of files in `protocols/`: `messages.py` holds the messages
and their codec, `machine.py` holds one table, `TRANSITIONS`, and pure functions that take an exchange and a message and
give the next exchange and what must be done. A message that finds no transition is refused with
`<protocol>.unexpected_message`, and nothing changes. A message that was applied before changes nothing either.

The diagrams are drawn from these tables: an arrow says what is sent or received. Nothing leaves a state that ends.
"""


def page() -> str:
    """The page."""
    lines = [_INTRODUCTION]
    for machine in MACHINES:
        lines += [f"## {machine.title}", "", f"{machine.about} {machine.rfc}.", ""]
        for role in _roles(machine.transitions):
            lines += [f"### {machine.title}: {role.value}", "", *diagram(machine.transitions, role), ""]
            lines += [*table(("in state", "when it has to", "goes to"), _rows(machine.transitions, role)), ""]
    return "\n".join(lines).rstrip() + "\n"


def diagram(transitions: Transitions, role: StrEnum) -> list[str]:
    """The lines of a Mermaid state diagram of one role; events between the same two states share an arrow."""
    own = {(state, event): target for (who, state, event), target in transitions.items() if who == role}
    sources = {state for state, _event in own}
    states = list(dict.fromkeys(state for (source, _event), target in own.items() for state in (source, target)))
    arrows: dict[tuple[StrEnum, StrEnum], list[str]] = {}
    for (state, event), target in own.items():
        arrows.setdefault((state, target), []).append(event.value)
    lines = ["```mermaid", "stateDiagram-v2"]
    lines += [f'    state "{state.value}" as {_name(state)}' for state in states]
    lines += [f"    [*] --> {_name(state)}" for state in _beginnings(states, set(own.values()))]
    lines += [f"    {_name(a)} --> {_name(b)}: {' / '.join(events)}" for (a, b), events in arrows.items()]
    lines += [f"    {_name(state)} --> [*]" for state in states if state not in sources]
    return [*lines, "```"]


def _roles(transitions: Transitions) -> list[StrEnum]:
    return list(dict.fromkeys(role for role, _state, _event in transitions))


def _rows(transitions: Transitions, role: StrEnum) -> list[tuple[str, str, str]]:
    return [
        (state.value, event.value, target.value) for (who, state, event), target in transitions.items() if who == role
    ]


def _beginnings(states: list[StrEnum], reached: Collection[StrEnum]) -> list[StrEnum]:
    return [state for state in states if state not in reached]


def _name(state: StrEnum) -> str:
    return re.sub(r"\W", "_", state.value)
