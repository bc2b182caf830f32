"""The node's configuration as the policies that verification takes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

from node.config import Config
from node.records.schema import SCHEMA_CHECKERS
from node.skills.frameworks import SkillIndex
from protocols.credentials.model import proofs_of
from protocols.credentials.open_badges_2.source import BadgeSource, NoBadges
from protocols.credentials.policy import REQUIRED_BY_DEFAULT, Policy
from protocols.credentials.resources import GivenResources, ResourceSource
from protocols.credentials.sealed.authorities import SealAuthorities
from protocols.credentials.trust.grants import By, TrustedIssuers, TrustSource
from protocols.credentials.verification import Check
from protocols.errors import BadInput
from protocols.jsonld.contexts import ContextStore
from protocols.jsonld.processor import DEFAULT, Processor

__all__ = ["VerificationPolicies"]


class VerificationPolicies:
    """Says what has to hold, for each reason to verify."""

    def __init__(
        self,
        config: Config,
        home: Path,
        resources: ResourceSource,
        skills: SkillIndex,
        known: TrustSource,
        badges: BadgeSource | None = None,
    ) -> None:
        """Read what the configuration names.

        Args:
            resources: where schemas come from that the configuration does not name.
            skills: those that the node knows.
            known: whom to trust, by what the node keeps.
            badges: where the parts of badges of Open Badges 2.0 come from, if from anywhere.

        Raises:
            BadInput: ``config.*`` where a file cannot be used.
        """
        self._config = config
        self._skills = skills
        self._known = known
        self.badges = badges or NoBadges()
        self.processor = _processor(config, home)
        self._seals = _seals(config, home)
        self._resources = GivenResources(_schemas(config, home), resources)

    def verifier(self, *, trust: Sequence[str] = (), any_issuer: bool = False, refresh: bool = False) -> Policy:
        """For a verifier: everything that must hold holds, and the issuer is one that this node believes.

        Args:
            trust: issuers believed for this once.
            any_issuer: do not ask whether the issuer is believed.
            refresh: fetch status lists anew.
        """
        waived = {Check.ISSUER_TRUSTED} if any_issuer else set()
        return Policy(
            required=REQUIRED_BY_DEFAULT - waived,
            trust=self.trust(trust),
            status_max_age=timedelta(seconds=self._config.status.max_age_offline_seconds),
            refresh_status=refresh,
            blocking_statuses=frozenset(self._config.verify.blocking_statuses),
            clock_skew=timedelta(seconds=self._config.verify.clock_skew_seconds),
            schemas=SCHEMA_CHECKERS,
            resources=self._resources,
            badges=self.badges,
            known_skills=self._skills.known,
            contexts_signed=self._config.verify.require_signed_contexts,
            seals=self._seals,
        )

    def trust(self, once: Sequence[str] = ()) -> TrustSource:
        """Whom this verifier believes: those named for this once, those of the configuration, and what it keeps.

        Args:
            once: issuers believed for this once.
        """
        configured = TrustedIssuers(self._config.trust.issuers, By.CONFIGURATION, self._known)
        return TrustedIssuers(once, By.ONCE, configured) if once else configured

    def domain_of(self, presentation: dict[str, Any], asked: str | None) -> str | None:
        """The domain that a presentation must name: the one asked for, unless it names none and may do so."""
        names_one = any("domain" in proof for proof in proofs_of(presentation))
        return asked if names_one or self._config.verify.require_domain else None

    def keeper(self) -> Policy:
        """For a holder who takes in a record from anywhere: as for a verifier; it may be one to be shown in part."""
        return replace(self.verifier(refresh=True), accept_base_proofs=True)

    def holder(self, *, refresh: bool = False) -> Policy:
        """For a holder who was sent a record: it is genuine. Trust and status are the business of who relies on it.

        Args:
            refresh: fetch status lists anew.
        """
        return Policy(
            required=REQUIRED_BY_DEFAULT - {Check.ISSUER_TRUSTED, Check.STATUS},
            accept_base_proofs=True,
            refresh_status=refresh,
            status_max_age=timedelta(seconds=self._config.status.max_age_offline_seconds),
            clock_skew=timedelta(seconds=self._config.verify.clock_skew_seconds),
            schemas=SCHEMA_CHECKERS,
            resources=self._resources,
            badges=self.badges,
            known_skills=self._skills.known,
            seals=self._seals,
        )


def _processor(config: Config, home: Path) -> Processor:
    missing = BadInput(
        "config.context_missing", "The file of a JSON-LD context cannot be read.", "See verify.contexts."
    )
    extra = _files(config.verify.contexts, home, missing)
    return Processor(ContextStore(extra)) if extra else DEFAULT


def _seals(config: Config, home: Path) -> SealAuthorities:
    missing = BadInput(
        "config.authority_missing", "The file of a seal authority cannot be read.", "See verify.seal_authorities."
    )
    names = config.verify.seal_authorities
    return SealAuthorities.from_pem(_files({name: name for name in names}, home, missing).values())


def _schemas(config: Config, home: Path) -> dict[str, bytes]:
    missing = BadInput("config.schema_missing", "The file of a JSON Schema cannot be read.", "See verify.schemas.")
    return _files(config.verify.schemas, home, missing)


def _files(names: Mapping[str, str], home: Path, missing: BadInput) -> dict[str, bytes]:
    try:
        return {url: (home / name).read_bytes() for url, name in names.items()}
    except OSError:
        raise missing from None
