"""Receipts of consent: who asked for what and why, what the holder showed, and when.

Names are those of the consent record and receipt of ISO/IEC TS 27560:2023, as far as they say what is said here;
what it has no name for stands under ``presentation``. docs/receipts.md is the description for readers.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from node.records.statements import statements, withheld
from protocols import strict_json
from protocols.credentials.times import format_time
from protocols.exchange.presentation_exchange import Definition, Selection
from storage.connections import Connection
from storage.credentials import HeldCredential

__all__ = ["Shown", "consent_receipt", "link_receipt", "withdrawal_receipt"]

SCHEMA_VERSION = "ISO/IEC TS 27560:2023; lernode 1"


@dataclass(frozen=True, slots=True)
class Shown:
    """A record as it leaves.

    Attributes:
        whole: all that the record says.
        document: what of it is shown, which is all or a part.
        form: how that stands in the presentation: the same, or an envelope with a JWT or SD-JWT in it.
    """

    record: HeldCredential
    whole: dict[str, Any]
    document: dict[str, Any]
    form: dict[str, Any]


def consent_receipt(
    *,
    receipt_id: str,
    exchange_id: str,
    connection: Connection,
    definition: Definition,
    selection: Selection,
    shown: Sequence[Shown],
    presentation: Mapping[str, Any],
    holder: str,
    decided_by: str,
    at: datetime,
) -> dict[str, Any]:
    """The receipt of one presentation.

    Args:
        presentation: as signed and sent.
        holder: the DID that signed it.
        decided_by: ``operator`` for a person, ``policy`` for the node's configuration.
    """
    verifier = {
        "party_id": connection.their_did or connection.id,
        "party_name": connection.their_label,
        "party_role": "PII controller",
        "party_url": connection.their_endpoint,
    }
    answers: dict[str, list[str]] = {}
    for descriptor_id, record_id in selection.pairs:
        answers.setdefault(record_id, []).append(descriptor_id)
    return {
        "schema_version": SCHEMA_VERSION,
        "receipt_id": receipt_id,
        "pii_principal_id": holder,
        "purposes": _purposes(definition, selection, verifier["party_id"]),
        "party_identification": [{name: value for name, value in verifier.items() if value}],
        "event": [
            {
                "event_time": format_time(at),
                "event_type": "explicit consent" if decided_by == "operator" else "consent by standing instruction",
                "event_state": "consent given",
                "entity_id": holder,
                "decided_by": decided_by,
            }
        ],
        "presentation": {
            "exchange_id": exchange_id,
            "digest": f"sha-256:{hashlib.sha256(strict_json.dumps(presentation)).hexdigest()}",
            "request": definition.raw,
            "records": [_record(each, answers.get(each.record.id, [])) for each in shown],
        },
    }


def link_receipt(
    *,
    receipt_id: str,
    shown_by: str,
    shown_id: str,
    title: str,
    shown: Sequence[Shown],
    presentation: Mapping[str, Any],
    holder: str,
    at: datetime,
    until: datetime | None,
) -> dict[str, Any]:
    """The receipt of what is shown to whoever has a link, until a time, or a paper.

    Args:
        shown_by: ``link`` or ``paper``.
        shown_id: of the share, or of the paper.
    """
    name = f"whoever has the {shown_by}"
    anybody = {"party_id": f"urn:uuid:{shown_id}", "party_name": name, "party_role": "recipient"}
    return {
        "schema_version": SCHEMA_VERSION,
        "receipt_id": receipt_id,
        "pii_principal_id": holder,
        "purposes": [
            {
                "purpose": title,
                "lawful_basis": "consent",
                "pii_controllers": [anybody["party_id"]],
                "pii_information": [{"pii_type": each.record.name, "pii_optional": False} for each in shown],
            }
        ],
        "party_identification": [anybody],
        "event": [
            {
                "event_time": format_time(at),
                "event_type": "explicit consent",
                "event_state": "consent given",
                **({"event_valid_until": format_time(until)} if until else {}),
                "entity_id": holder,
                "decided_by": "operator",
            }
        ],
        "presentation": {
            ("share_id" if shown_by == "link" else "paper_id"): shown_id,
            "digest": f"sha-256:{hashlib.sha256(strict_json.dumps(presentation)).hexdigest()}",
            "records": [_record(each, ()) for each in shown],
        },
    }


def withdrawal_receipt(given: Mapping[str, Any], *, receipt_id: str, at: datetime) -> dict[str, Any]:
    """The receipt that what ``given`` is the receipt of is shown no longer."""
    event = {**given["event"][0], "event_time": format_time(at), "event_state": "consent withdrawn"}
    return {**given, "receipt_id": receipt_id, "event": [*given["event"], event]}


def _purposes(definition: Definition, selection: Selection, verifier: object) -> list[dict[str, Any]]:
    """What was asked for and answered, each under the purpose that the verifier gave for it."""
    answered = {name for name, _record_id in selection.pairs}
    return [
        {
            "purpose": descriptor.purpose or definition.purpose or descriptor.name or definition.name,
            "lawful_basis": "consent",
            "pii_controllers": [verifier],
            "pii_information": [
                {
                    "pii_type": descriptor.name or descriptor.id,
                    "pii_attribute_id": field.paths[0].text,
                    "pii_optional": field.optional,
                }
                for field in descriptor.constraints.fields
            ],
        }
        for descriptor in definition.descriptors
        if descriptor.id in answered
    ]


def _record(each: Shown, descriptors: Sequence[str]) -> dict[str, Any]:
    return {
        "record_id": each.record.id,
        "credential_id": each.record.credential_id,
        "issuer": each.record.issuer,
        "name": each.record.name,
        "answers": list(descriptors),
        "shown": [{"path": one.path, "value": one.value} for one in statements(each.document)],
        "withheld": [one.path for one in withheld(each.whole, each.document)],
    }
