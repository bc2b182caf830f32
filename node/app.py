"""Builds a node from its configuration, starts it and stops it."""

from __future__ import annotations

import asyncio
import ipaddress
import os
import tomllib
from collections.abc import Mapping
from contextlib import suppress
from functools import partial
from pathlib import Path

from aiohttp import web

from node.config import CONFIG_FILE, Config, load, parse
from node.events.webhooks import Webhooks
from node.http.event_stream import Follower
from node.http.gate import Gate
from node.http.open_badges import add_open_badges
from node.http.public import DIDCOMM_PATH, INVITATION_PATH, public_app
from node.http.return_channels import Sockets
from node.net.at_hand import DidsAtHand, ListsAtHand
from node.net.badge_fetch import BadgeFetcher
from node.net.badge_service import BadgeService
from node.net.did_resolver import NodeResolver
from node.net.guarded_http import GuardedHttp, NetworkPolicy
from node.net.invitation_fetch import InvitationFetcher
from node.net.resource_fetch import ResourceFetcher
from node.net.status_fetch import StatusFetcher
from node.roles.accreditations import Accreditations
from node.roles.achievements import Achievements
from node.roles.applicants import Applicants
from node.roles.apps import Apps
from node.roles.attester import Attester
from node.roles.badges import Badges
from node.roles.checker import Checker
from node.roles.cohort_answers import CohortAnswers
from node.roles.cohort_questions import CohortQuestions
from node.roles.cohorts import Cohorts
from node.roles.desk import Desk
from node.roles.discovery import Discovery
from node.roles.ending import Ending
from node.roles.endorsements import Endorsements
from node.roles.erasing import Erasing
from node.roles.framework_packages import FrameworkPackages
from node.roles.frameworks import Frameworks
from node.roles.holder import Holder
from node.roles.identity import Identity
from node.roles.issuer import Issuer
from node.roles.keeping import Keeping
from node.roles.learner_records import LearnerRecords
from node.roles.lifetime import Lifetime
from node.roles.links import Links
from node.roles.mailer import Mailer, mail_password
from node.roles.matching import Matching
from node.roles.mediated import Mediated
from node.roles.mediation import Mediation
from node.roles.mediator import Mediator
from node.roles.open_badges import OpenBadges
from node.roles.pathways import Pathways
from node.roles.peer_dids import PeerDids
from node.roles.peering import Invited, Peering
from node.roles.policy import VerificationPolicies
from node.roles.portfolio import Portfolio
from node.roles.profiles import Profiles
from node.roles.record_links import RecordLinks
from node.roles.revocations import RevocationNotices
from node.roles.rotation import Rotation
from node.roles.routes import Routes
from node.roles.skill_profile import SkillProfile
from node.roles.status_publisher import StatusPublisher
from node.roles.threads import Threads
from node.roles.trail import HEADS_FILE, Trail
from node.roles.trust import Trust
from node.roles.trust_lists import TrustLists
from node.roles.vc_api import VcApiRoles
from node.roles.vc_api_holder import VcApiHolder
from node.roles.vc_api_issuer import VcApiIssuer
from node.roles.vc_api_signing import SignerChoice
from node.roles.vc_api_verifier import VcApiVerifier
from node.roles.verifier import Verifier
from node.roles.wallets import Wallets
from node.runtime.channels import Channels
from node.runtime.deadlines import Deadlines
from node.runtime.delivery import Outbox
from node.runtime.document_cache import StoredDocumentCache
from node.runtime.exchanges import Exchanges
from node.runtime.hardware import Token
from node.runtime.housekeeping import Housekeeping
from node.runtime.inbound import Inbound
from node.runtime.jobs import Jobs
from node.runtime.keyring import KEYS, Keyring
from node.runtime.metrics import Metrics
from node.runtime.monitor import Monitor
from node.runtime.opening import open_node_store
from node.runtime.readiness import Readiness, Stage
from node.runtime.recovery import Recovery
from node.runtime.scheduled_backups import ScheduledBackups
from node.runtime.sealing import PeerResolver, Sealer
from node.runtime.soundness import Soundness
from node.runtime.tracing import open_tracer
from node.runtime.unlocking import Unlocked, unlock
from node.runtime.wakeup import Worker
from node.runtime.world import World
from node.skills.frameworks import SkillIndex
from node.trust.source import StoredTrust
from protocols.did.resolver import Resolver
from protocols.errors import BadInput, NotNow, WrongState
from protocols.jsonld.processor import DEFAULT
from protocols.multiformats import Multicodec
from storage import connections
from storage.dids import DidPurpose
from storage.keys import TokenKey
from storage.secrets import Secret, Strength, Vault

__all__ = ["Node", "create", "rewrap"]

_SHUTDOWN_SECONDS = 5.0
_DEEP_LINK = "didcomm://invite"
"""The base of invitations of a node that serves no page: wallets open such links."""


async def create(
    home: Path,
    secret: Secret,
    config_toml: str,
    *,
    issuer: bool = False,
    issuer_key: TokenKey | None = None,
    strength: Strength = Strength.MODERATE,
    world: World | None = None,
) -> None:
    """Make a node in ``home``: its configuration, its store sealed by ``secret``, and its first DIDs.

    Args:
        issuer_key: a key of the token with which its issuer signs, instead of one in the store.

    Raises:
        WrongState: ``config.exists`` where there is one already.
        BadInput: ``config.malformed``, ``did.web_url``, ``store.passphrase_unusable``.
    """
    world = world or World()
    if (home / CONFIG_FILE).exists():
        raise WrongState("config.exists", f"There is a node in {home} already.", "Choose another folder.")
    config = _checked(config_toml)
    home.mkdir(mode=0o700, parents=True, exist_ok=True)
    store = await open_node_store(home, config, create=True, environ=world.environ)
    try:
        vault = await Vault.create(store, secret, entropy=world.entropy, strength=strength)
        identity = Identity(
            Keyring(vault, Token(config.keys, home, world.environ), world), world, config.node.endpoint.rstrip("/")
        )
        async with store.write() as tx:
            await identity.create(tx, "key", DidPurpose.HOLDER)
            if issuer:
                await identity.create(tx, "web", DidPurpose.ISSUER, [issuer_key or Multicodec.ED25519_PUB])
    finally:
        await store.close()
    # Last, because its presence says that the node is complete.
    descriptor = os.open(home / CONFIG_FILE, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600)
    with os.fdopen(descriptor, "w", encoding="utf-8") as file:
        file.write(config_toml)


async def rewrap(home: Path, old: Secret, new: Secret, *, world: World | None = None) -> None:
    """Let ``new`` open the node in ``home``, and ``old`` no longer; it may run meanwhile.

    Raises:
        LernodeError: ``config.missing``, ``store.*``.
    """
    world = world or World()
    store = await open_node_store(home, load(home), environ=world.environ)
    try:
        await Vault.rewrap(store, old, new, world.clock(), entropy=world.entropy)
    finally:
        await store.close()


class Node:
    """A node: everything composed, ready to be started. Make one with :meth:`open`, end it with :meth:`stop`."""

    _key_watch: Worker | None = None

    def __init__(self, unlocked: Unlocked) -> None:
        self._unlocked = unlocked
        home, config, store, world = unlocked.home, unlocked.config, unlocked.store, unlocked.world
        self.home, self.config, self.store, self.world = home, config, store, world
        self.label, self.gate = config.node.label, Gate()
        self.readiness, self.metrics = Readiness(store), Metrics(store)
        self.tracer = open_tracer(config.tracing, store)
        self.monitor = Monitor(store, self.metrics, world)
        self.keyring = Keyring(unlocked.vault, Token(config.keys, home, world.environ), world)
        endpoint = config.node.endpoint.rstrip("/")
        self.http = GuardedHttp(_network_policy(config))
        cache = StoredDocumentCache(store)
        self.resolver = NodeResolver(self.http, cache, clock=world.clock)
        self.statuses = StatusFetcher(self.http, cache, clock=world.clock)
        self.peer_documents = peer_documents = PeerResolver(store, self.resolver)
        self.channels = Channels()
        self.outbox = Outbox(
            store,
            self.http,
            Sealer(self.keyring, peer_documents, world),
            self.channels,
            world,
            config.delivery,
            self.metrics,
            self.tracer,
            max_returned_bytes=_most_returned(config),
        )
        self.webhooks = Webhooks(
            store=store,
            vault=unlocked.vault,
            http=self.http,
            world=world,
            settings=config.webhooks,
            include=config.events.include,
            source=endpoint,
            metrics=self.metrics,
        )
        self.jobs = Jobs(store, world, self.tracer)
        self.identity = Identity(self.keyring, world, endpoint)
        self.deadlines = Deadlines(store, world)
        steps = Exchanges(world, self.outbox, self.deadlines)
        lifetime = Lifetime(config.policy.lifetime_seconds, world.clock)
        self.inbound = Inbound(
            store, self.keyring, peer_documents, self.outbox, self.channels, world, self.metrics, self.tracer
        )
        self.outbox.give_returned_to(self.inbound.receive)
        self.sockets = Sockets(
            self.inbound,
            self.channels,
            max_bytes=config.network.max_message_bytes,
            max_sockets=config.network.max_websockets,
            idle_seconds=config.network.websocket_idle_seconds,
        )
        routes = Routes(
            store,
            self.outbox,
            world,
            endpoint + DIDCOMM_PATH if config.node.listen_port else None,
            names_socket=config.mediation.enabled,
        )
        dids_of_peers = PeerDids(self.keyring, world, routes)
        self.publisher = StatusPublisher(
            store=store,
            identity=self.identity,
            world=world,
            endpoint=endpoint,
            securing=config.issuer.securing,
            config=config.status,
            skew_seconds=config.verify.clock_skew_seconds,
        )
        self.peering = Peering(
            store=store,
            keyring=self.keyring,
            resolver=self.resolver,
            fetcher=InvitationFetcher(self.http),
            exchanges=steps,
            outbox=self.outbox,
            world=world,
            routes=routes,
            dids_of_peers=dids_of_peers,
            page_url=endpoint + "/" if config.node.listen_port else _DEEP_LINK,
            label=self.label,
            accept_connections=config.policy.accept_connections,
        )
        checker = self._make_checker(cache)
        self.verifier = Verifier(
            store=store,
            exchanges=steps,
            jobs=self.jobs,
            checker=checker,
            lifetime=lifetime,
            world=world,
            metrics=self.metrics,
            own_url=endpoint,
        )
        self.notices = RevocationNotices(
            store=store,
            exchanges=steps,
            jobs=self.jobs,
            checker=checker,
            deadlines=self.deadlines,
            lifetime=lifetime,
            metrics=self.metrics,
            world=world,
        )
        self.achievements, self.record_links = (
            Achievements(store, world),
            RecordLinks(store, world, endpoint, config.network.inline_record_bytes),
        )
        self.issuer = Issuer(
            store=store,
            exchanges=steps,
            identity=self.identity,
            publisher=self.publisher,
            notices=self.notices,
            record_links=self.record_links,
            achievements=self.achievements,
            label=self.label,
            securing=config.issuer.securing,
            bind_contexts=config.issuer.bind_contexts,
            mandatory_pointers=config.issuer.mandatory_pointers,
            issue_on_request=config.policy.issue_on_request,
            lifetime=lifetime,
            world=world,
            metrics=self.metrics,
            own_url=endpoint,
        )
        self.holder = Holder(
            store=store,
            exchanges=steps,
            jobs=self.jobs,
            identity=self.identity,
            checker=checker,
            policy=config.policy,
            lifetime=lifetime,
            world=world,
            metrics=self.metrics,
        )
        self.keeping, self.apps, self.open_badges = self._keeping_roles(checker)
        self.discovery = Discovery(
            store=store,
            exchanges=steps,
            outbox=self.outbox,
            world=world,
            disclosed=config.policy.disclose_features,
            mediates=config.mediation.enabled,
        )
        self.ending = Ending(store, self.outbox, world)
        self.rotation = Rotation(
            store=store,
            dids=dids_of_peers,
            resolver=peer_documents,
            exchanges=steps,
            outbox=self.outbox,
            ending=self.ending,
            world=world,
        )
        self.mediation = self._mediation_roles(steps, routes, dids_of_peers, peer_documents)
        self.ending.when_ended(self.mediation.forget, self.notices.when_ended)
        self.vc_api = self._vc_api_roles(checker)
        self.threads, self.links, self.mailer, self.desk = self._thread_roles(steps, lifetime, checker)
        for role in (self.peering, self.discovery, self.rotation, self.mediation, self.notices, self.threads):
            role.attach(self.inbound)
        self.trust, self.trust_lists, self.accreditations = self._trust_roles(checker)
        self.event_streams: set[Follower] = set()
        self.frameworks, self.profiles, self.matching, self.packages = self._skill_roles(checker)
        self._learner_roles(steps, checker)
        self.housekeeping, self.trail, self.backups, self.recovery = self._watch_over_store()
        self._servers: list[web.AppRunner] = []

    def _make_checker(self, cache: StoredDocumentCache) -> Checker:
        policies = VerificationPolicies(
            self.config,
            self.home,
            ResourceFetcher(self.http, cache, clock=self.world.clock),
            SkillIndex(self.store),
            StoredTrust(self.store),
            BadgeFetcher(self.http, cache, clock=self.world.clock),
        )
        self.metrics.jsonld_fallbacks.set_function(
            lambda: sum(each.fallbacks for each in {policies.processor, DEFAULT})
        )
        # In a unit of work of a store that is shared, waiting for a second connection to it could end in a standstill.
        at_hand = None if self.store.shared else (DidsAtHand(self.resolver), ListsAtHand(self.statuses))
        return Checker(policies, self.resolver, self.statuses, self.world, self.tracer, at_hand)

    @property
    def mediator(self) -> Mediator:
        """What this node holds for others."""
        return self.mediation.mediator

    @property
    def mediated(self) -> Mediated:
        """What others hold for this node."""
        return self.mediation.mediated

    def _desk(self, links: Links) -> tuple[Mailer, Desk]:
        mail = self.config.mail
        mailer = Mailer(
            self.store, self.world, mail, self.label, partial(mail_password, self.home, mail, self.world.environ)
        )
        desk = Desk(
            store=self.store,
            achievements=self.achievements,
            issuer=self.issuer,
            links=links,
            peering=self.peering,
            mailer=mailer,
            world=self.world,
            link_of=self._link_in_letters,
            second_person=self.config.issuer.second_person,
        )
        return mailer, desk

    def _link_in_letters(self, invited: Invited) -> str:
        """The short one, where the node serves it."""
        page = self.peering.page_url.rstrip("/")
        return f"{page}{INVITATION_PATH}/{invited.id}" if self.config.node.listen_port else invited.url

    def _keeping_roles(self, checker: Checker) -> tuple[Keeping, Apps, OpenBadges]:
        keeping = Keeping(
            store=self.store,
            checker=checker,
            http=self.http,
            metrics=self.metrics,
            world=self.world,
        )
        served = self.config.open_badges_api
        apps = Apps(self.store, self.world, served, self.config.node.endpoint.rstrip("/") + served.prefix)
        self.wallets = Wallets(
            store=self.store,
            service=BadgeService(self.http),
            keeping=keeping,
            world=self.world,
            config=self.config.wallets,
            label=self.label,
            endpoint=self.config.node.endpoint,
        )
        return keeping, apps, OpenBadges(self.store, self.identity, keeping, self.world, self.label)

    def _trust_roles(self, checker: Checker) -> tuple[Trust, TrustLists, Accreditations]:
        lists = TrustLists(
            store=self.store,
            identity=self.identity,
            checker=checker,
            http=self.http,
            world=self.world,
            endpoint=self.config.node.endpoint.rstrip("/"),
            securing=self.config.issuer.securing,
        )
        attester = Attester(
            store=self.store,
            identity=self.identity,
            issuer=self.vc_api.issuer,
            offers=self.issuer,
            label=self.label,
        )
        accreditations = Accreditations(
            store=self.store, attester=attester, checker=checker, http=self.http, world=self.world
        )
        self.endorsements = Endorsements(attester=attester, checker=checker, world=self.world)
        self.learner_records = LearnerRecords(store=self.store, attester=attester, checker=checker, world=self.world)
        trust = Trust(store=self.store, checker=checker, world=self.world)
        return trust, lists, accreditations

    def _skill_roles(self, checker: Checker) -> tuple[Frameworks, Profiles, Matching, FrameworkPackages]:
        skills = SkillIndex(self.store)
        matching = Matching(store=self.store, checker=checker, verifier=self.verifier, skills=skills, world=self.world)
        importer = Frameworks(self.store, self.http, self.world)
        packages = FrameworkPackages(
            store=self.store,
            identity=self.identity,
            checker=checker,
            http=self.http,
            importer=importer,
            world=self.world,
            endpoint=self.config.node.endpoint.rstrip("/"),
            securing=self.config.issuer.securing,
        )
        return importer, Profiles(self.store, self.world), matching, packages

    def _cohort_roles(self, steps: Exchanges) -> None:
        self.cohorts = Cohorts(self.store, self.world)
        self.cohort_answers = CohortAnswers(
            store=self.store, steps=steps, jobs=self.jobs, cohorts=self.cohorts, world=self.world
        )
        self.cohort_questions = CohortQuestions(
            store=self.store, exchanges=steps, answers=self.cohort_answers, world=self.world
        )
        self.cohort_questions.attach(self.inbound)

    def _learner_roles(self, steps: Exchanges, checker: Checker) -> None:
        self._cohort_roles(steps)
        memories = (self.resolver, self.peer_documents, DEFAULT, checker.policies.processor)
        forget = [connections.forget_opened, *(each.forget for each in memories)]
        self.erasing = Erasing(self.store, self.identity, self.world, forget)
        self.pathways = self._pathways(checker)
        self.skill_profile = SkillProfile(self.store, checker, self.world)
        self.portfolio = Portfolio(
            store=self.store,
            identity=self.identity,
            checker=checker,
            skills=SkillIndex(self.store),
            world=self.world,
            label=self.label,
        )

    def _pathways(self, checker: Checker) -> Pathways:
        return Pathways(
            store=self.store,
            identity=self.identity,
            checker=checker,
            http=self.http,
            matching=self.matching,
            world=self.world,
            endpoint=self.config.node.endpoint.rstrip("/"),
            label=self.label,
            securing=self.config.issuer.securing,
        )

    def _watch_over_store(self) -> tuple[Housekeeping, Trail, ScheduledBackups, Recovery]:
        self.soundness = Soundness(self.store, self.world, self.config.database)
        housekeeping = Housekeeping(self.store, self.world, self.config.retention, self.config.events)
        trail = Trail(store=self.store, identity=self.identity, world=self.world, file=self.home / HEADS_FILE)
        backups = ScheduledBackups(self.store, self.home, self.config, self.world)
        return housekeeping, trail, backups, Recovery(self.store, self.world)

    def _thread_roles(
        self, steps: Exchanges, lifetime: Lifetime, checker: Checker
    ) -> tuple[Threads, Links, Mailer, Desk]:
        Applicants(
            store=self.store,
            exchanges=steps,
            jobs=self.jobs,
            checker=checker,
            world=self.world,
        )
        threads = Threads(
            store=self.store,
            exchanges=steps,
            deadlines=self.deadlines,
            jobs=self.jobs,
            http=self.http,
            outbox=self.outbox,
            world=self.world,
            max_bytes=self.config.network.max_message_bytes,
        )
        links = Links(
            store=self.store,
            exchanges=steps,
            jobs=self.jobs,
            threads=threads,
            peering=self.peering,
            issuer=self.issuer,
            verifier=self.verifier,
            lifetime=lifetime,
            world=self.world,
        )
        return threads, links, *self._desk(links)

    def _mediation_roles(
        self, steps: Exchanges, routes: Routes, dids_of_peers: PeerDids, resolver: Resolver
    ) -> Mediation:
        self.metrics.channels.set_function(lambda: len(self.channels))
        mediator = Mediator(
            store=self.store,
            keyring=self.keyring,
            exchanges=steps,
            outbox=self.outbox,
            channels=self.channels,
            world=self.world,
            config=self.config.mediation,
            endpoint=self.config.node.endpoint.rstrip("/") + DIDCOMM_PATH,
            create_did=partial(dids_of_peers.create, direct=True),
        )
        mediated = Mediated(
            store=self.store,
            http=self.http,
            resolver=resolver,
            exchanges=steps,
            outbox=self.outbox,
            inbound=self.inbound,
            channels=self.channels,
            routes=routes,
            world=self.world,
            config=self.config.mediation,
            max_bytes=_most_returned(self.config),
        )
        return Mediation(mediator, mediated, routes)

    def _vc_api_roles(self, checker: Checker) -> VcApiRoles:
        signing = SignerChoice(self.identity, self.config.issuer.securing)
        return VcApiRoles(
            issuer=VcApiIssuer(
                store=self.store,
                identity=self.identity,
                issuer=self.issuer,
                publisher=self.publisher,
                signing=signing,
                checker=checker,
                world=self.world,
                metrics=self.metrics,
            ),
            holder=VcApiHolder(store=self.store, signing=signing, policies=checker.policies, world=self.world),
            verifier=VcApiVerifier(
                checker=checker,
                world=self.world,
                metrics=self.metrics,
                issuer_signs=self.config.vc_api.issuer_signs,
            ),
        )

    @property
    def badges(self) -> Badges:
        """Bakes records into pictures."""
        return Badges(self.http)

    @classmethod
    async def open(
        cls, home: Path, secret: Secret, *, config: Config | None = None, world: World | None = None
    ) -> Node:
        """Open the node in ``home``; nothing listens yet.

        Raises:
            NotNow: ``node.in_use`` where another process has it open.
            LernodeError: ``config.*``, ``store.*``, ``catalogue.*``.
        """
        return await cls.of(await unlock(home, secret, config=config, world=world))

    @classmethod
    async def of(cls, unlocked: Unlocked) -> Node:
        """The node of what is open already, and is closed where this fails; nothing listens yet.

        Raises:
            LernodeError: ``catalogue.*``, ``store.*``.
        """
        try:
            node = cls(unlocked)
            await node.keyring.load(node.store)
            await node.achievements.take(_catalogue_file(node.config, node.home))
        except BaseException:
            await unlocked.close()
            raise
        return node

    async def start(self, *, listen: bool = True) -> None:
        """Start to deliver and to work, and with ``listen`` to take messages from peers.

        Raises:
            NotNow: ``node.port_taken``.
            LernodeError: ``store.corrupt``.
        """
        if listen:
            await self.soundness.begin()
            async with self.store.read() as tx:
                await self.identity.warn_of_another_address(tx)
        await self.http.start()
        if listen and self.config.node.listen_port:
            await self._serve_public()
        self.recovery.start()
        self.outbox.start()
        self.webhooks.start()
        self.jobs.start()
        self.deadlines.start()
        self.housekeeping.start()
        if listen:
            self.soundness.start()
            self.publisher.start()
            self.trust_lists.start()
            self.mailer.start()
        if self.store.shared:
            self._key_watch = Worker("keyring", self.world.clock, self._learn_keys)
            self.store.listen(KEYS, self._key_watch.wake)
            self._key_watch.start()
        self.trail.start()
        if listen:
            self.backups.start()
        self.mediator.start()
        await self.mediated.start()
        self.readiness.stage = Stage.SERVING

    async def _learn_keys(self) -> None:
        await self.keyring.refresh(self.store)

    async def drain(self) -> None:
        """Serve on for ``node.drain_seconds`` while ``/ready`` says that new work should go elsewhere."""
        self.readiness.stage = Stage.DRAINING
        await asyncio.sleep(self.config.node.drain_seconds)

    async def finish(self) -> None:
        """Refuse new work, close what peers and clients hold open, finish what is in hand.

        What is not finished after ``node.stop_seconds`` is left to :meth:`stop`.
        """
        self.readiness.stage = Stage.STOPPING
        self.gate.close()
        with suppress(TimeoutError):
            async with asyncio.timeout(self.config.node.stop_seconds):
                await self.mediated.stop()
                await asyncio.gather(
                    self.sockets.close(),
                    self.gate.emptied(),
                    self.outbox.finish(),
                    self.jobs.finish(),
                    self.webhooks.finish(),
                    self.deadlines.finish(),
                )

    async def stop(self) -> None:
        """Stop listening, cut short what is in hand, which is done again later, and close the store."""
        self.readiness.stage = Stage.STOPPING
        self.gate.close()
        await self.mediated.stop()
        await self.sockets.close()
        for server in self._servers:
            await server.cleanup()
        await self.soundness.stop()
        await self.publisher.stop()
        await self.housekeeping.stop()
        await self.trust_lists.stop()
        await self.mailer.stop()
        await self.backups.stop()
        await self.trail.stop()
        if self._key_watch is not None:
            await self._key_watch.stop()
        await self.deadlines.stop()
        await self.mediator.stop()
        await self.jobs.stop()
        await self.webhooks.stop()
        await self.outbox.stop()
        await asyncio.to_thread(self.keyring.token.close)
        await self.recovery.stop()
        await self.http.close()
        await self.tracer.close()
        await self._unlocked.close()

    async def serve(self, app: web.Application, host: str, port: int) -> None:
        """Serve ``app`` until the node stops.

        Raises:
            NotNow: ``node.port_taken``.
        """
        runner = await self._runner(app)
        try:
            await web.TCPSite(runner, host, port).start()
        except OSError:
            raise NotNow("node.port_taken", f"Port {port} cannot be listened on.", "Free it or set another.") from None

    async def _runner(self, app: web.Application) -> web.AppRunner:
        runner = web.AppRunner(app, access_log=None, shutdown_timeout=_SHUTDOWN_SECONDS)
        await runner.setup()
        self._servers.append(runner)
        return runner

    async def _serve_public(self) -> None:
        config = self.config.node
        app = public_app(
            store=self.store,
            inbound=self.inbound,
            channels=self.channels,
            sockets=self.sockets,
            publisher=self.publisher,
            record_links=self.record_links,
            packages=self.packages,
            portfolio=self.portfolio,
            metrics=self.metrics,
            monitor=self.monitor,
            readiness=self.readiness,
            gate=self.gate,
            clock=self.world.clock,
            endpoint=config.endpoint.rstrip("/"),
            label=self.label,
            max_bytes=self.config.network.max_message_bytes,
            add_apps=partial(add_open_badges, self) if self.config.open_badges_api.enabled else None,
        )
        await self.serve(app, config.listen_host, config.listen_port)


def _checked(config_toml: str) -> Config:
    values: Mapping[str, object] = tomllib.loads(config_toml)
    return parse(values)


def _most_returned(config: Config) -> int:
    """The longest envelope taken from a mediator: what it hands over is wrapped once more."""
    return 2 * config.network.max_message_bytes


def _network_policy(config: Config) -> NetworkPolicy:
    network = config.network
    return NetworkPolicy(
        allowed_networks=tuple(ipaddress.ip_network(cidr) for cidr in network.allowed_networks),
        allow_http=network.allow_http,
        timeout_seconds=network.timeout_seconds,
    )


def _catalogue_file(config: Config, home: Path) -> bytes:
    """What the catalogue file holds; nothing where there is none."""
    name = config.issuer.catalogue
    if not name:
        return b""
    try:
        return (home / name).read_bytes()
    except OSError:
        raise BadInput("catalogue.missing", "The catalogue file cannot be read.", "Set issuer.catalogue.") from None
