"""Who asks: the address behind the proxies that the settings name."""

from __future__ import annotations

from functools import lru_cache
from ipaddress import IPv4Address, IPv6Address, ip_address, ip_network
from typing import TYPE_CHECKING, NamedTuple

from feeds.validators import Network

if TYPE_CHECKING:
    from _typeshed.wsgi import WSGIEnvironment

#: Addresses that are remembered as read.
_KNOWN = 10_000
#: Longer than any address with its port.
_LONGEST = 64
#: The addresses of this machine.
LOOPBACK: tuple[Network, ...] = (ip_network("127.0.0.0/8"), ip_network("::1"))
#: Fields that say that somebody else asks through this client: a proxy's, and that of
#: another site's script in a browser there, which might read the answer (CORS).
_THROUGH = (
    *("HTTP_X_FORWARDED_FOR", "HTTP_FORWARDED", "HTTP_X_REAL_IP", "HTTP_VIA"),
    "HTTP_ORIGIN",
)
#: Bits of an IPv6 address that one client has to itself (RFC 6177).
_OF_ONE_CLIENT = 64


class Peer(NamedTuple):
    """An address as the settings see it."""

    #: The address, the network of one client for IPv6; empty for what is none.
    name: str
    is_proxy: bool
    #: Of this machine: a loopback address, or a socket without any.
    is_local: bool


class Clients:
    """Tells the client of a request; a header is believed only of a configured proxy."""

    def __init__(self, proxies: tuple[Network, ...]) -> None:
        self._proxies = proxies
        self._read = lru_cache(_KNOWN)(self._peer)

    def peer(self, environ: WSGIEnvironment) -> Peer:
        """Who opened the connection."""
        return self._read(environ.get("REMOTE_ADDR", ""))

    def of(self, environ: WSGIEnvironment) -> Peer:
        """Who asks: the last address in X-Forwarded-For that is not a proxy's.

        Each proxy adds the address that it was asked from at the end, so whatever
        stands before that may be made up. Where no address stands, it is the peer.
        """
        peer = self.peer(environ)
        # Servers join several fields of the name with commas (RFC 9110 section 5.3).
        told = environ.get("HTTP_X_FORWARDED_FOR") if peer.is_proxy else None
        if not told:
            return peer
        client = peer
        for element in reversed(told.split(",")):
            element = element.strip()
            client = self._read(element) if len(element) <= _LONGEST else Peer("", False, False)
            if not client.is_proxy:
                break
        return client if client.name else peer

    def _peer(self, written: str) -> Peer:
        address = read_address(written)
        if address is None:
            return Peer("", False, not written)
        is_proxy = any(address in network for network in self._proxies)
        name = str(address)
        if isinstance(address, IPv6Address):
            name = str(IPv6Address(int(address) >> _OF_ONE_CLIENT << _OF_ONE_CLIENT)) + "/64"
        return Peer(name, is_proxy, address.is_loopback)


def is_from(environ: WSGIEnvironment, networks: tuple[Network, ...]) -> bool:
    """Whether the peer is in one of the networks, and nobody asks through it."""
    address = read_address(environ.get("REMOTE_ADDR", ""))
    is_within = address is not None and any(address in network for network in networks)
    return is_within and not any(field in environ for field in _THROUGH)


def read_address(written: str) -> IPv4Address | IPv6Address | None:
    """The address in `192.0.2.1`, `192.0.2.1:80`, `2001:db8::1`, `[2001:db8::1]:80`."""
    if written.startswith("["):
        written = written[1:].partition("]")[0]
    elif written.count(":") == 1:
        written = written.partition(":")[0]
    try:
        address = ip_address(written)
    except ValueError:
        return None
    mapped = address.ipv4_mapped if isinstance(address, IPv6Address) else None
    return mapped or address
