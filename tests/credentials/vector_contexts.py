"""The JSON-LD processor for the vectors of the W3C cryptosuites, with the contexts that only they use."""

from __future__ import annotations

from protocols.jsonld.contexts import ContextStore
from protocols.jsonld.processor import Processor

__all__ = ["PROCESSOR"]

_SCHEMA, _CITIZENSHIP, _DATE = (
    "https://schema.org/",
    "https://w3id.org/citizenship#",
    "http://www.w3.org/2001/XMLSchema#dateTime",
)
# Contexts that only the vectors use. Of the citizenship context, the terms of the samples, as their published
# canonical forms spell them out.
PROCESSOR = Processor(
    ContextStore(
        {
            "https://www.w3.org/ns/credentials/examples/v2": {
                "@context": {"@vocab": "https://www.w3.org/ns/credentials/examples#"}
            },
            "https://w3id.org/citizenship/v4rc1": {
                "@context": {
                    "Person": _SCHEMA + "Person",
                    "image": {"@id": _SCHEMA + "image", "@type": "@id"},
                    "birthDate": {"@id": _SCHEMA + "birthDate", "@type": _DATE},
                    "residentSince": {"@id": _CITIZENSHIP + "residentSince", "@type": _DATE},
                    **{n: _SCHEMA + n for n in ("givenName", "additionalName", "familyName", "gender", "identifier")},
                    **{
                        n: _CITIZENSHIP + n
                        for n in (
                            "EmploymentAuthorizationDocumentCredential", "EmploymentAuthorizationDocument",
                            "EmployablePerson", "PermanentResident", "PermanentResidentCard",
                            "PermanentResidentCardCredential", "birthCountry", "commuterClassification",
                            "employmentAuthorizationDocument", "lprCategory", "lprNumber", "permanentResidentCard",
                        )
                    },
                }
            },
        }
    )
)  # fmt: skip
