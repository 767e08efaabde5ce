"""The client of a request: its address, also behind proxies that the settings name."""

from __future__ import annotations

from functools import lru_cache
from ipaddress import IPv4Address, IPv6Address, IPv6Network, ip_address, ip_network
from typing import TYPE_CHECKING, NamedTuple

from feeds.setting_types import Network

if TYPE_CHECKING:
    from _typeshed.wsgi import WSGIEnvironment

#: At most so many parsed addresses are cached.
_MAX_CACHED = 10_000
#: More letters than any address with its port has.
_MAX_ADDRESS_LENGTH = 64
#: The addresses of this machine.
LOOPBACK: tuple[Network, ...] = (ip_network("127.0.0.0/8"), ip_network("::1"))
#: With these headers, the request is another client's: they come from a proxy, or from a
#: browser in which a script of another site could read the answer (CORS).
_FORWARDED = {"HTTP_X_FORWARDED_FOR", "HTTP_FORWARDED", "HTTP_X_REAL_IP", "HTTP_VIA", "HTTP_ORIGIN"}
#: The bits of an IPv6 address that name a network; one client chooses the others (RFC 6177).
_CLIENT_PREFIX = 64


class ClientAddress(NamedTuple):
    """The address of a client, or of a proxy in front of it."""

    #: The address, or for IPv6 the network of one client; empty if it cannot be parsed.
    name: str
    is_proxy: bool
    #: Whether it is on this machine: a loopback address, or a socket without an address.
    is_local: bool


class Clients:
    """Finds the client of a request; only headers of configured proxies are trusted."""

    def __init__(self, proxies: tuple[Network, ...]) -> None:
        self._proxies = proxies
        self._parse = lru_cache(_MAX_CACHED)(self._read)

    def peer(self, environ: WSGIEnvironment) -> ClientAddress:
        """Return the peer that opened the connection."""
        return self._parse(environ.get("REMOTE_ADDR", ""))

    def of(self, environ: WSGIEnvironment) -> ClientAddress:
        """Return the client: the last address in X-Forwarded-For that is not a proxy's.

        Each proxy appends the address of its own client, so everything before that may be
        forged. If that is no address, the client is the peer.
        """
        peer = self.peer(environ)
        # Servers join several fields of the name with commas (RFC 9110 section 5.3).
        forwarded = environ.get("HTTP_X_FORWARDED_FOR") if peer.is_proxy else None
        if not forwarded:
            return peer
        client = peer
        for element in reversed(forwarded.split(",")):
            element = element.strip()
            is_short = len(element) <= _MAX_ADDRESS_LENGTH
            client = self._parse(element) if is_short else ClientAddress("", False, False)
            if not client.is_proxy:
                break
        return client if client.name else peer

    def _read(self, written: str) -> ClientAddress:
        address = read_address(written)
        if address is None:
            return ClientAddress("", False, not written)
        is_proxy = any(address in network for network in self._proxies)
        name = str(address)
        if isinstance(address, IPv6Address):
            name = str(IPv6Network((int(address), _CLIENT_PREFIX), strict=False))
        return ClientAddress(name, is_proxy, address.is_loopback)


def is_from(environ: WSGIEnvironment, networks: tuple[Network, ...]) -> bool:
    """Return whether the peer is in one of the networks, and the request is no other client's."""
    address = read_address(environ.get("REMOTE_ADDR", ""))
    is_within = address is not None and any(address in network for network in networks)
    return is_within and _FORWARDED.isdisjoint(environ)


def read_address(written: str) -> IPv4Address | IPv6Address | None:
    """Return the address in `192.0.2.1`, `192.0.2.1:80`, `2001:db8::1`, `[2001:db8::1]:80`."""
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
