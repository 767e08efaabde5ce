"""Who asks, with proxies in front and without."""

from __future__ import annotations

from ipaddress import ip_network

import pytest

from feeds.web.client import Clients

PROXIES = ("10.0.0.0/8", "192.0.2.7", "2001:db8:cd::/48")


def client(
    peer: str | None, forwarded: str | None = None, proxies: tuple[str, ...] = PROXIES
) -> str:
    """The client of a request from a peer that told of others."""
    environ = {} if peer is None else {"REMOTE_ADDR": peer}
    if forwarded is not None:
        environ["HTTP_X_FORWARDED_FOR"] = forwarded
    return Clients(tuple(map(ip_network, proxies))).of(environ).name


@pytest.mark.parametrize(
    ("forwarded", "expected"),
    [
        ("203.0.113.5", "203.0.113.5"),
        ("6.6.6.6, 203.0.113.5", "203.0.113.5"),
        ("6.6.6.6,203.0.113.5 , 10.1.1.1,192.0.2.7", "203.0.113.5"),
        ("10.6.6.6, 203.0.113.5", "203.0.113.5"),
        ("203.0.113.5:4711", "203.0.113.5"),
        ("2001:db8:1:2:3:4:5:6", "2001:db8:1:2::/64"),
        ("[2001:db8:1:2::9]", "2001:db8:1:2::/64"),
        ("[2001:db8:1:2::9]:443", "2001:db8:1:2::/64"),
        ("203.0.113.5, 2001:db8:cd::1", "203.0.113.5"),
        ("::ffff:203.0.113.5, ::ffff:10.0.0.1", "203.0.113.5"),
        ("10.1.1.1, 10.2.2.2", "10.1.1.1"),
    ],
)
def test_client_is_the_last_that_is_no_proxy(forwarded: str, expected: str) -> None:
    assert client("10.9.9.9", forwarded) == expected
    assert client("2001:db8:cd::5", forwarded) == expected


@pytest.mark.parametrize(
    "junk",
    ["", ",", "unknown", "6.6.6.6, unknown", "203.0.113.5, ", "300.1.1.1", "[::x]", "1" * 5000],
)
def test_junk_is_the_peers(junk: str) -> None:
    assert client("10.9.9.9", junk) == "10.9.9.9"


@pytest.mark.parametrize("peer", ["203.0.113.9", "192.0.2.8", "::ffff:203.0.113.9"])
def test_forwarded_fields_count_from_a_proxy_alone(peer: str) -> None:
    assert client(peer, "6.6.6.6") == peer.removeprefix("::ffff:")
    assert client("10.9.9.9", "6.6.6.6", proxies=()) == "10.9.9.9"


def test_peer_without_an_address_is_local_and_no_proxy() -> None:
    for peer in (None, ""):
        assert client(peer, "6.6.6.6") == ""
    peers = Clients(()).peer
    local = ("", "127.0.0.1", "127.9.9.9", "::1", "::ffff:127.0.0.1")
    assert all(peers({"REMOTE_ADDR": address}).is_local for address in local)
    strange = ("10.0.0.1", "unix:", "::2")
    assert not any(peers({"REMOTE_ADDR": address}).is_local for address in strange)


def test_neighbours_in_a_network_are_one_client() -> None:
    assert client("2001:db8:0:1::1") == client("2001:db8:0:1:ffff::2") == "2001:db8:0:1::/64"
    assert client("2001:db8:0:2::1") == "2001:db8:0:2::/64"
    assert client("fe80::1%eth0") == "fe80::/64"
