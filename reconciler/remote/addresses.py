"""Where a download may lead: what an export names was written by anybody.

Who exports can reach what the writer of a URL can't. So addresses at which
clouds tell machines their secrets are never asked, and whoever answers at a
public address can't send on to one behind the firewall.
"""

import socket
from collections.abc import Iterable, Iterator, Sequence
from ipaddress import (
    IPv4Address,
    IPv6Address,
    IPv6Network,
    ip_address,
)
from typing import Final

_SECRETIVE: Final = frozenset(
    map(
        ip_address,
        [
            "100.100.100.200",
            "168.63.129.16",
            "192.0.0.192",
            "fd00:c1::a9fe:a9fe",
            "fd00:ec2::254",
            "fd20:ce::254",
        ],
    )
)
"""Metadata services that have no link-local address."""

_NAT64: Final = IPv6Network("64:ff9b::/96")
_COMPATIBLE: Final = IPv6Network("::/96")


class Trail:
    """The addresses by which one download comes, hop for hop."""

    def __init__(self) -> None:
        self._was_public = False

    def may_go_on(self, addresses: Iterable[str], *, trusted: bool = False) -> bool:
        """Tell whether the next hop may be a host of these addresses.

        Args:
            addresses: Numeric; none when they aren't known.
            trusted: Whether the host may have any, for it is the remote itself.
        """
        forms = [form for one in addresses for form in _forms(one)]
        is_public = bool(forms) and all(one.is_global for one in forms)
        is_secret = any(one.is_link_local or one in _SECRETIVE for one in forms)
        is_inward = self._was_public and bool(forms) and not is_public
        self._was_public |= is_public
        return trusted or not (is_secret or is_inward)


def addresses_of(host: str) -> Sequence[str]:
    """Look up the addresses of a host; none when it has none, or can't be asked."""
    try:
        found = socket.getaddrinfo(host, None, type=socket.SOCK_STREAM)
    except (OSError, UnicodeError):
        return ()
    return [str(address[0]) for *_, address in found]


def _forms(text: str) -> Iterator[IPv4Address | IPv6Address]:
    """Name the addresses that packets to this one may end at."""
    address = ip_address(text)
    if isinstance(address, IPv6Address):
        inner = [address.ipv4_mapped, address.sixtofour]
        if address in _NAT64 or (address in _COMPATIBLE and int(address) > 1):
            inner.append(IPv4Address(int(address) & 0xFFFF_FFFF))
        if embedded := [one for one in inner if one is not None]:
            yield from embedded
            return
    yield address
