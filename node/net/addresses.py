"""Which network addresses the node may connect to.

Public addresses may be reached; everything else (loopback, private, link-local with the metadata services of clouds,
shared, multicast, reserved, IPv4 in IPv6 clothes) only where the configuration lists its network. Judged by the
IANA special-purpose registries (RFC 6890).
"""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Sequence
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network

from protocols.errors import BadInput

__all__ = ["Address", "Network", "in_networks", "is_public", "literal_address"]

Address = IPv4Address | IPv6Address
Network = IPv4Network | IPv6Network

_GLOBAL_UNICAST = IPv6Network("2000::/3")
_NAT64 = IPv6Network("64:ff9b::/96")
_NOT_PUBLIC: tuple[Network, ...] = (
    IPv4Network("168.63.129.16/32"),  # Azure's host service: a public number that leads into the cloud's inside
    IPv4Network("192.88.99.0/24"),  # 6to4 relays, withdrawn by RFC 7526
    IPv6Network("2001::/32"),  # Teredo
    IPv6Network("2002::/16"),  # 6to4
    IPv6Network("3fff::/20"),  # documentation, RFC 9637; newer than some Python releases
)
_NUMBER = re.compile(r"[0-9]+|0[xX][0-9a-fA-F]*", re.ASCII)


def in_networks(address: Address, networks: Sequence[Network]) -> bool:
    """Whether one of ``networks`` has ``address``."""
    return any(address in network for network in networks)


def is_public(address: Address) -> bool:
    """Whether ``address`` is one that anyone on the Internet can reach."""
    if in_networks(address, _NOT_PUBLIC) or address.is_multicast or address.is_reserved:
        return _embedded_is_public(address)
    if isinstance(address, IPv6Address) and address not in _GLOBAL_UNICAST:
        return _embedded_is_public(address)
    return address.is_global


def literal_address(host: str) -> Address | None:
    """The address that ``host`` spells out, or ``None`` where it is a name.

    Raises:
        BadInput: ``net.address_unclear`` for a number that only some programs read as an address
            (decimal, octal, hexadecimal, shortened), or an address with a zone.
    """
    try:
        address = ipaddress.ip_address(host)
    except ValueError:
        if ":" in host or "%" in host or _NUMBER.fullmatch(host.rstrip(".").rpartition(".")[2]):
            raise _unclear() from None
        return None
    if isinstance(address, IPv6Address) and address.scope_id is not None:
        raise _unclear()
    return address


def _embedded_is_public(address: Address) -> bool:
    """A host with IPv6 alone reaches IPv4 through NAT64 (RFC 6052); the address inside is the one that counts."""
    if not isinstance(address, IPv6Address) or address not in _NAT64:
        return False
    return is_public(IPv4Address(int(address) & 0xFFFFFFFF))


def _unclear() -> BadInput:
    return BadInput(
        "net.address_unclear",
        "The URL's host is a number that programs read in different ways.",
        "Write a DNS name, or a plain IP address.",
    )
