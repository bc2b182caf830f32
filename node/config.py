"""The one typed configuration of a node: a file, then the environment, then flags; every key documented.

The documentation of a key stands with its field; ``lernode init`` writes it into the file as comments and
``docs/configuration.md`` is generated from it, so that there is one text to keep true.
"""

from __future__ import annotations

import ipaddress
import os
import tomllib
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Annotated, Any, Literal, get_args, get_origin, get_type_hints
from urllib.parse import urlsplit

import msgspec
from msgspec import Meta

from protocols.errors import BadInput

__all__ = ["CONFIG_FILE", "ENV_PREFIX", "STORE_FILE", "Config", "describe", "is_loopback", "load", "to_toml"]

CONFIG_FILE = "lernode.toml"
STORE_FILE = "node.sqlite"
ENV_PREFIX = "LERNODE_"

Seconds = Annotated[int, Meta(ge=0)]
Port = Annotated[int, Meta(ge=0, le=65535)]


def _doc(text: str) -> Meta:
    return Meta(description=text)


class NodeConfig(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Who this node is and where its peers find it."""

    label: Annotated[str, _doc("Name shown to peers in invitations and to people in records.")] = "lernode"
    listen_host: Annotated[str, _doc("Address to listen on for peers.")] = "127.0.0.1"
    listen_port: Annotated[
        Port, _doc("Port to listen on for peers. 0: do not listen; peers then need a mediator, see lernode mediate.")
    ] = 8000
    endpoint: Annotated[
        str, _doc("Public base URL under which peers reach this node; it becomes part of its DIDs, so choose it once.")
    ] = "http://localhost:8000"
    drain_seconds: Annotated[
        float,
        Meta(ge=0),
        _doc(
            "How long after SIGTERM the node still serves while /ready says that no more should come: as long as a "
            "load balancer needs to notice, or 0."
        ),
    ] = 0.0
    stop_seconds: Annotated[
        float, Meta(ge=0), _doc("How long it then finishes what is in hand, and refuses what is new.")
    ] = 8.0


class AdminConfig(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The admin HTTP API; the command line uses a socket in the node's folder and does not need this port."""

    host: Annotated[str, _doc("Address of the admin port.")] = "127.0.0.1"
    port: Annotated[Port, _doc("Admin port; 0 keeps it closed. It opens only where a token is set too.")] = 0
    token_file: Annotated[str, _doc("File with the bearer token (or set LERNODE_ADMIN_TOKEN); empty: no token.")] = ""
    people: Annotated[
        dict[str, str],
        _doc("More bearer tokens, by person: name = file. Who brings and who approves a list is known by them."),
    ] = {}


class DatabaseConfig(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Where the node keeps everything."""

    url: Annotated[
        str,
        _doc(
            "PostgreSQL instead of a file in the node's folder: postgresql://user@host/database, without a password. "
            "Several processes may then be this node."
        ),
    ] = ""
    password_file: Annotated[
        str, _doc("File with the password of the database's user (or set LERNODE_DATABASE_PASSWORD).")
    ] = ""
    statement_seconds: Annotated[
        float,
        Meta(ge=0),
        _doc(
            "How long PostgreSQL may work at one statement; maintenance (migration, check, move, backup, vacuum, "
            "pruning) may take longer. 0: no limit."
        ),
    ] = 60.0
    lock_seconds: Annotated[
        float,
        Meta(gt=0),
        _doc("How long a step waits on PostgreSQL for others that work on the same peer or list, then is tried again."),
    ] = 30.0
    idle_seconds: Annotated[
        float,
        Meta(ge=0),
        _doc(
            "After how long PostgreSQL rolls back a unit of work in which it is asked nothing, so that a process that "
            "hangs keeps nothing locked from others. 0: never."
        ),
    ] = 60.0
    silence_seconds: Annotated[
        float,
        Meta(ge=1),
        _doc("How long PostgreSQL, or the network to it, may give no sign of life before a connection is given up."),
    ] = 30.0
    check_on_start: Annotated[
        bool, _doc("lernode run looks whether the pages of its file fit together; false: only `lernode db check` does.")
    ] = True
    check_first_mib: Annotated[
        int,
        Meta(ge=0),
        _doc(
            "A file of up to so many MiB is checked before the node serves: about a second a gigabyte. Of a larger one "
            "both ends of each table are, and all of it in the background."
        ),
    ] = 256
    check_days: Annotated[int, Meta(ge=1), _doc("After how many days a node that runs checks its file again.")] = 7


class KeysConfig(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A PKCS#11 token that holds signing keys instead of the store."""

    pkcs11_module: Annotated[
        str, _doc("The token's PKCS#11 library, e.g. /usr/lib/softhsm/libsofthsm2.so (pip install 'lernode[pkcs11]').")
    ] = ""
    pkcs11_token: Annotated[str, _doc("Label of the token.")] = ""
    pkcs11_pin_file: Annotated[
        str,
        _doc(
            "File with the token's PIN (or set LERNODE_PKCS11_PIN, or give systemd the credential lernode.pkcs11-pin)."
        ),
    ] = ""


class NetworkConfig(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What this node may reach when it delivers messages, resolves did:web and fetches status lists."""

    allow_http: Annotated[bool, _doc("Also speak plain http with the networks below (never with others).")] = False
    allowed_networks: Annotated[
        tuple[str, ...], _doc("Private networks that may be reached, as CIDR; public addresses always may.")
    ] = ()
    timeout_seconds: Annotated[Seconds, _doc("Time limit of one outgoing HTTP exchange.")] = 15
    max_message_bytes: Annotated[int, Meta(ge=1024), _doc("Largest message body accepted from a peer.")] = 1 << 20
    max_websockets: Annotated[int, Meta(ge=0), _doc("WebSockets that peers may have open at a time; 0: none.")] = 1000
    websocket_idle_seconds: Annotated[
        Seconds, _doc("A WebSocket over which nothing was said for so long is closed; its peer opens another.")
    ] = 3600
    inline_record_bytes: Annotated[
        int,
        Meta(ge=0),
        _doc("Of records in one message; what is more goes by a link that only the peer is told."),
    ] = 640 << 10


class PolicyConfig(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What the node answers by itself; everything else waits for a person."""

    accept_connections: Annotated[bool, _doc("Accept whoever comes with one of this node's invitations.")] = True
    accept_offers: Annotated[
        bool,
        _doc(
            "Accept every offered record without asking; where records are asked for first, with `share_records` only."
        ),
    ] = False
    issue_on_request: Annotated[bool, _doc("Issue when a holder accepts what this node offered.")] = True
    lifetime_seconds: Annotated[
        Seconds, _doc("How long peers can answer offers, proposals, requests and notices of revocation. 0: ever.")
    ] = 90 * 24 * 3600
    share_records: Annotated[bool, _doc("Answer requests with the matching records without asking.")] = False
    share_fully: Annotated[
        bool,
        _doc(
            "With share_records, where a request leaves open how much: all that it asks for and is there, "
            "instead of the least that will do."
        ),
    ] = False
    disclose_features: Annotated[
        tuple[str, ...], _doc("Protocols that peers are told of when they ask what this node speaks; * is a wildcard.")
    ] = ("*",)


class TrustConfig(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Whose records this node believes."""

    issuers: Annotated[
        tuple[str, ...], _doc("DIDs of trusted issuers; empty: no record can verify without --trust.")
    ] = ()


class StatusConfig(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Status lists: those this node publishes, and how long it relies on those of others."""

    ttl_seconds: Annotated[Seconds, _doc("How long verifiers may use a list of ours before they ask again.")] = 300
    purposes: Annotated[
        tuple[Literal["revocation", "suspension", "refresh", "message"], ...],
        _doc(
            "What can be said of a record later. Open Badges 3.0 allows one status entry; name one for strict readers."
        ),
    ] = ("revocation", "suspension")
    messages: Annotated[
        tuple[Annotated[str, Meta(min_length=1, max_length=200)], ...],
        Meta(max_length=256),
        _doc("What the purpose message can say of a record, the first from the start; empty: unset and set."),
    ] = ()
    references: Annotated[
        tuple[Annotated[str, Meta(pattern="^https?://")], ...],
        _doc("Pages that explain these messages; records name them."),
    ] = ()
    size_bits: Annotated[
        int, Meta(ge=131072, le=1 << 22), _doc("Entries a list of ours, a power of two; not under 131072, for privacy.")
    ] = 131072
    max_age_offline_seconds: Annotated[
        Seconds, _doc("How old a list may be when its issuer cannot be reached; older: the record does not verify.")
    ] = 7 * 24 * 3600


class VerifyConfig(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """How records are checked."""

    clock_skew_seconds: Annotated[Seconds, _doc("Tolerated difference between clocks.")] = 60
    blocking_statuses: Annotated[
        tuple[str, ...],
        _doc("Statuses not accepted: a purpose (message, refresh) or the text of a message. Revoked never is."),
    ] = ()
    require_domain: Annotated[
        bool,
        _doc(
            "Presentations must name this node's URL. False also takes those that name none, as ACA-Py's: a verifier "
            "who was shown the same records at the same time could have passed them on."
        ),
    ] = True
    require_signed_contexts: Annotated[
        bool,
        _doc(
            "Records must have JSON-LD contexts that are signed or that their issuer states in them (relatedResource). "
            "True refuses most records of others that are signed over RDF: few issuers state them yet."
        ),
    ] = False
    contexts: Annotated[dict[str, str], _doc("More JSON-LD contexts: URL = file. Nothing is fetched.")] = {}
    schemas: Annotated[dict[str, str], _doc("JSON Schemas that are not to be fetched: URL = file.")] = {}
    seal_authorities: Annotated[
        tuple[str, ...],
        _doc(
            "PEM files with the certificates of authorities (CA) whose certificates for electronic seals are taken: "
            "they say whose a seal is, and lernode trust says whether that one is believed."
        ),
    ] = ()


class IssuerConfig(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What this node awards."""

    catalogue: Annotated[
        str,
        _doc(
            "File of achievements (JSON), relative to the node's folder, which the catalogue takes in at each start, "
            "as far as the file has changed; empty: none. lernode catalogue edits the catalogue itself."
        ),
    ] = ""
    second_person: Annotated[
        bool,
        _doc("Lists of learners are issued once somebody other than who brought them has approved them."),
    ] = False
    securing: Annotated[
        str,
        _doc(
            "How records are secured, as the kind of key allows: eddsa-rdfc-2022, eddsa-jcs-2022, ecdsa-rdfc-2019, "
            "ecdsa-jcs-2019, Ed25519Signature2020, Ed25519Signature2018 (for Credo); ecdsa-sd-2023 with P-256, to be "
            "shown in part; vc+jwt; vc+sd-jwt. "
            "What is offered over a connection, and status lists, always have a proof of a cryptosuite inside."
        ),
    ] = "eddsa-rdfc-2022"
    bind_contexts: Annotated[
        bool,
        _doc(
            "State the JSON-LD contexts of a record with their digests in it (relatedResource, VCDM 2.0 only), so that "
            "none can be added, removed or exchanged under a signature over RDF, which does not cover them."
        ),
    ] = True
    mandatory_pointers: Annotated[
        tuple[str, ...],
        _doc("With ecdsa-sd-2023: JSON Pointers to what holders cannot withhold, as far as a record has it."),
    ] = (
        "/issuer", "/validFrom", "/validUntil", "/credentialStatus", "/credentialSchema", "/refreshService",
        "/termsOfUse", "/credentialSubject/id", "/credentialSubject/identifier",
    )  # fmt: skip


class MailConfig(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The mail server by which the issuing desk invites learners; see docs/issuing.md."""

    host: Annotated[str, _doc("Its name; empty: no mail is sent.")] = ""
    port: Annotated[Port, _doc("Its port: 587 with starttls, 465 with tls.")] = 587
    security: Annotated[
        Literal["starttls", "tls", "none"],
        _doc("starttls and tls send nothing to a server without a trusted certificate; none is for this machine only."),
    ] = "starttls"
    ca_file: Annotated[str, _doc("Certificates to trust (PEM), where the server's is of an authority of your own.")] = (
        ""
    )
    username: Annotated[str, _doc("Empty: the server asks for none.")] = ""
    password_file: Annotated[str, _doc("File with the password (or set LERNODE_MAIL_PASSWORD).")] = ""
    sender: Annotated[str, _doc("Who the letters are from: an address, or Name <address>.")] = ""
    per_minute: Annotated[int, Meta(ge=1, le=6000), _doc("Letters in a minute, at most; ask the server's keeper.")] = 60


class DeliveryConfig(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """How hard the node tries to deliver a message."""

    first_retry_seconds: Annotated[float, Meta(gt=0), _doc("Wait before the first retry; it doubles each time.")] = 1.0
    max_retry_seconds: Annotated[float, Meta(gt=0), _doc("Longest wait between retries.")] = 3600.0
    lease_seconds: Annotated[
        float,
        Meta(gt=0),
        _doc("How long a process may have a message in hand before others of this node take it; above the timeout."),
    ] = 30.0
    max_attempts: Annotated[int, Meta(ge=1), _doc("Attempts before a message is given up and reported.")] = 200


class EventsConfig(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What the institution's own systems are told, as webhooks or as a stream; see docs/webhooks.md."""

    include: Annotated[
        tuple[Literal["peer", "record"], ...],
        _doc(
            "Personal data that events have besides ids and states: peer (the peer's label and DID), record (the whole "
            "record). Empty: none."
        ),
    ] = ()
    heartbeat_seconds: Annotated[
        float, Meta(gt=0), _doc("How long a stream may be silent before a comment says that it is still there.")
    ] = 15.0
    keep_days: Annotated[int, Meta(ge=1), _doc("How long an event can be read again, or sent again.")] = 30


class WebhooksConfig(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """How hard the node tries to deliver an event to a webhook."""

    first_retry_seconds: Annotated[float, Meta(gt=0), _doc("Wait before the first retry; it doubles each time.")] = 5.0
    max_retry_seconds: Annotated[float, Meta(gt=0), _doc("Longest wait between retries.")] = 3600.0
    lease_seconds: Annotated[
        float,
        Meta(gt=0),
        _doc("How long a process may have a message in hand before others of this node take it; above the timeout."),
    ] = 30.0
    max_attempts: Annotated[int, Meta(ge=1), _doc("Attempts before an event is given up; 80 take about 3 days.")] = 80
    max_webhooks: Annotated[int, Meta(ge=0), _doc("How many webhooks there can be.")] = 20


class RetentionConfig(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What is forgotten by itself, once a day; `lernode prune --dry-run` says what that would be now."""

    exchanges_days: Annotated[
        int,
        Meta(ge=0),
        _doc(
            "Days after which exchanges that are over are forgotten, with what was verified in them; those that "
            "brought a record stay as long as the record. 0: never."
        ),
    ] = 0
    messages_days: Annotated[
        int,
        Meta(ge=30),
        _doc(
            "Days after which messages that were given up are forgotten, which messages were seen, and invitations "
            "that are over, with the offers and requests that went with them."
        ),
    ] = 90
    documents_days: Annotated[
        int, Meta(ge=1), _doc("Days after which copies of DID documents, status lists and schemas are forgotten.")
    ] = 30


class MediationConfig(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Messages held for others, as their mediator, and picked up from a mediator of this node."""

    enabled: Annotated[bool, _doc("Hold messages for peers that ask for it.")] = False
    grant: Annotated[
        Literal["invited", "ask"],
        _doc("invited: grant it to every connected peer that asks; ask: a person decides, with lernode accept."),
    ] = "ask"
    max_clients: Annotated[int, Meta(ge=1), _doc("For how many peers.")] = 10_000
    max_messages: Annotated[int, Meta(ge=1), _doc("Messages held for one of them; more are refused for now.")] = 1000
    max_bytes: Annotated[int, Meta(ge=1024), _doc("Bytes held for one of them.")] = 32 << 20
    max_recipients: Annotated[int, Meta(ge=1), _doc("Keys and DIDs that one of them may have.")] = 1000
    max_age_seconds: Annotated[Seconds, _doc("How long a message is held.")] = 30 * 24 * 3600
    live: Annotated[bool, _doc("Keep a WebSocket open to this node's mediator, so that messages come at once.")] = True
    poll_seconds: Annotated[
        int, Meta(ge=1), _doc("How often to ask the mediator for messages, where no WebSocket is open.")
    ] = 60


class TracingConfig(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Traces by OpenTelemetry; see docs/operations.md."""

    endpoint: Annotated[
        str,
        _doc(
            "Collector to send spans to over OTLP/HTTP, e.g. http://localhost:4318/v1/traces "
            "(pip install 'lernode[tracing]'); empty: none are made."
        ),
    ] = ""
    sample_ratio: Annotated[float, Meta(ge=0, le=1), _doc("Which part of the traces is sent.")] = 1.0
    tell_peers: Annotated[
        bool,
        _doc(
            "Say in each message to a peer which trace it belongs to (traceparent). Peers who compare notes can then "
            "see that what this node said to each of them was one piece of work."
        ),
    ] = False
    believe_peers: Annotated[
        bool, _doc("Go on with the trace that a peer's message names, whoever the peer is; else begin a new one.")
    ] = False


class VcApi(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The W3C CCG VC API, served beside the admin API on its port and socket."""

    conformance: Annotated[
        bool,
        _doc(
            "For runs of the W3C's test suites only: whoever reaches the admin port, which has to be on loopback then, "
            "may sign as this node without a token."
        ),
    ] = False
    issuer_signs: Annotated[
        bool,
        _doc(
            "Verify credentials over the VC API only where a key of their issuer signed them. With false the proof "
            "alone counts, as in the W3C's test vectors, and the client has to see for itself whose key it was."
        ),
    ] = True


class OpenBadgesApiConfig(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The Open Badges 3.0 API for apps that the node's owner lets in; see docs/open-badges-api.md."""

    enabled: Annotated[bool, _doc("Serve it on the public port; node.endpoint has to be https or loopback.")] = False
    prefix: Annotated[
        str,
        Meta(pattern="^(/[A-Za-z0-9_-]+)*$", max_length=100),
        _doc("Path under node.endpoint below which it is served; apps are given the URL with it."),
    ] = "/badges"
    terms_url: Annotated[str, _doc("Your terms of service, which apps show; empty: a page of the node.")] = ""
    privacy_url: Annotated[str, _doc("Your privacy policy, likewise.")] = ""
    access_token_seconds: Annotated[int, Meta(ge=60, le=86400), _doc("How long an access token is good for.")] = 900
    refresh_token_days: Annotated[
        int, Meta(ge=1, le=366), _doc("After how long without use an app has to ask its owner again.")
    ] = 30
    requests_per_minute: Annotated[
        int, Meta(ge=1), _doc("Requests that one address may make; behind a reverse proxy, all together.")
    ] = 120


class WalletsConfig(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What this node says of itself to wallets of others that its owner connects; see docs/open-badges-api.md."""

    page_url: Annotated[
        str, Meta(pattern="^(https://.+)?$"), _doc("Your page with terms and privacy; empty: a page of the node.")
    ] = ""
    logo_url: Annotated[
        str, Meta(pattern="^(https://.+)?$"), _doc("Your logo, on the same host; empty: a picture of the node.")
    ] = ""


class BackupConfig(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Backups that the node makes by itself while it runs; see docs/backup.md."""

    folder: Annotated[str, _doc("Where to write them, relative to the node's folder; empty: none are made.")] = ""
    recipient: Annotated[
        str, _doc("Public key of age (age1...) to encrypt them to; its identity is kept away from this machine.")
    ] = ""
    every_hours: Annotated[int, Meta(ge=1), _doc("How often.")] = 24
    keep: Annotated[int, Meta(ge=1), _doc("How many to keep; older ones are deleted.")] = 7


class Config(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Everything a node needs to know before it starts; secrets are named by file or environment, never here."""

    node: NodeConfig = NodeConfig()
    admin: AdminConfig = AdminConfig()
    database: DatabaseConfig = DatabaseConfig()
    keys: KeysConfig = KeysConfig()
    network: NetworkConfig = NetworkConfig()
    policy: PolicyConfig = PolicyConfig()
    trust: TrustConfig = TrustConfig()
    status: StatusConfig = StatusConfig()
    verify: VerifyConfig = VerifyConfig()
    issuer: IssuerConfig = IssuerConfig()
    mail: MailConfig = MailConfig()
    delivery: DeliveryConfig = DeliveryConfig()
    events: EventsConfig = EventsConfig()
    webhooks: WebhooksConfig = WebhooksConfig()
    retention: RetentionConfig = RetentionConfig()
    mediation: MediationConfig = MediationConfig()
    backup: BackupConfig = BackupConfig()
    vc_api: VcApi = VcApi()
    open_badges_api: OpenBadgesApiConfig = OpenBadgesApiConfig()
    wallets: WalletsConfig = WalletsConfig()
    tracing: TracingConfig = TracingConfig()


def load(home: Path, environ: Mapping[str, str] = os.environ, *, file: str = CONFIG_FILE) -> Config:
    """The configuration of the node in ``home``, by the name of its file.

    A key ``[section] key`` is overridden by the environment variable ``LERNODE_SECTION_KEY``.

    Raises:
        BadInput: ``config.missing``, ``config.malformed`` naming the key, or ``config.conformance_exposed``.
    """
    path = home / file
    try:
        values: dict[str, Any] = tomllib.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise BadInput("config.missing", f"There is no node in {home}.", "Make one with: lernode init") from None
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise BadInput("config.malformed", f"{path.name} is not TOML: {error}.", "Correct that line.") from None
    for section, key, _description, _default in describe():
        override = environ.get(f"{ENV_PREFIX}{section}_{key}".upper())
        if override is not None:
            values.setdefault(section, {})[key] = _from_environment(section, key, override)
    return parse(values)


def parse(values: Mapping[str, Any]) -> Config:
    """Plain values as a :class:`Config`.

    Raises:
        BadInput: ``config.malformed``, naming the key; ``config.conformance_exposed``.
    """
    try:
        config = msgspec.convert(values, Config, strict=False)
        for network in config.network.allowed_networks:
            ipaddress.ip_network(network)
    except (msgspec.ValidationError, ValueError) as error:
        raise BadInput(
            "config.malformed", f"The configuration is wrong: {error}.", "See docs/configuration.md."
        ) from None
    if config.status.messages and "message" not in config.status.purposes:
        raise BadInput(
            "config.malformed", "status.messages needs the purpose message.", 'Add "message" to status.purposes.'
        )
    if len(set(config.status.messages)) != len(config.status.messages):
        raise BadInput("config.malformed", "status.messages has a message twice.", "Remove one of them.")
    if not config.node.endpoint.startswith(("http://", "https://")):
        raise BadInput("config.malformed", "node.endpoint is not an http(s) URL.", "Give the URL that peers use.")
    if config.tracing.endpoint and not config.tracing.endpoint.startswith(("http://", "https://")):
        raise BadInput("config.malformed", "tracing.endpoint is not an http(s) URL.", "Give the collector's URL.")
    if 0 < config.database.statement_seconds <= config.database.lock_seconds:
        raise BadInput(
            "config.malformed",
            "database.statement_seconds is not above database.lock_seconds.",
            "A statement may wait for a lock: give it longer.",
        )
    if config.backup.folder and not config.backup.recipient.startswith("age1"):
        raise BadInput(
            "config.malformed",
            "backup.folder needs backup.recipient.",
            "Make a key with age-keygen, and give its age1...",
        )
    if config.mail.host and config.mail.security == "none" and not is_loopback(config.mail.host):
        raise BadInput(
            "config.malformed", "mail.security is none for a server elsewhere.", "Use starttls or tls there."
        )
    if config.open_badges_api.enabled and not _is_private(config.node.endpoint):
        raise BadInput(
            "config.malformed",
            "open_badges_api.enabled needs a node.endpoint that is https, or on loopback.",
            "Tokens may not travel in the clear: put the node behind TLS.",
        )
    if config.vc_api.conformance and not is_loopback(config.admin.host):
        raise BadInput(
            "config.conformance_exposed",
            "With vc_api.conformance anybody who reaches the admin port may sign, and admin.host is not loopback.",
            "Set admin.host to 127.0.0.1, or vc_api.conformance to false.",
        )
    return config


def _is_private(endpoint: str) -> bool:
    return endpoint.startswith("https://") or is_loopback(urlsplit(endpoint).hostname or "")


def is_loopback(host: str) -> bool:
    """Whether an address to listen on can only be reached from this machine; a name other than localhost may be any."""
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def describe() -> Iterator[tuple[str, str, str, Any]]:
    """Every key as (section, key, description, default), in order."""
    for section in msgspec.structs.fields(Config):
        hints = get_type_hints(section.type, include_extras=True)
        for field in msgspec.structs.fields(section.type):
            default = field.default if field.default_factory is msgspec.NODEFAULT else field.default_factory()
            yield section.name, field.name, _description(hints[field.name]), default


def to_toml(values: Mapping[str, Mapping[str, Any]]) -> str:
    """A configuration file with every key explained; keys in ``values`` are set, the others commented out."""
    lines = ["# lernode configuration. Keys that start with # are at their default."]
    seen = ""
    for section, key, description, default in describe():
        if section != seen:
            lines += ["", f"[{section}]"]
            seen = section
        given = values.get(section, {})
        lines.append(f"# {description}")
        lines.append(f"{key} = {_toml(given[key])}" if key in given else f"#{key} = {_toml(default)}")
    return "\n".join(lines) + "\n"


def _description(hint: Any) -> str:
    if get_origin(hint) is Annotated:
        for extra in get_args(hint)[1:]:
            if isinstance(extra, Meta) and extra.description:
                return extra.description
    raise TypeError("a configuration key has no description")


def _from_environment(section: str, key: str, text: str) -> Any:
    default = next(d for s, k, _, d in describe() if (s, k) == (section, key))
    if isinstance(default, tuple):
        return [item.strip() for item in text.split(",") if item.strip()]
    if isinstance(default, dict):
        return dict(item.split("=", 1) for item in text.split(",") if "=" in item)
    return text


def _toml(value: Any) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, str):
        return msgspec.json.encode(value).decode()
    if isinstance(value, tuple | list):
        return "[" + ", ".join(_toml(v) for v in value) + "]"
    if isinstance(value, dict):
        return "{" + ", ".join(f"{_toml(k)} = {_toml(v)}" for k, v in value.items()) + "}"
    return str(value)
