"""Where this machine may be asked to connect to: public addresses, and what the settings name.

A name is looked up once, every address of it is judged, and the connection goes to one that was judged: a name server
that answers something else a moment later (DNS rebinding) changes nothing. Redirects are not followed.
"""

import ipaddress
import socket
from collections.abc import Sequence
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network
from typing import Any

from aiohttp import ThreadedResolver
from aiohttp.abc import AbstractResolver, ResolveResult

Network = IPv4Network | IPv6Network
_INTO_IPV4 = tuple(map(ipaddress.ip_network, ("64:ff9b::/96", "64:ff9b:1::/48", "2002::/16", "2001::/32")))


class Forbidden(OSError):
    """The address is not one that may be connected to."""


def allowed(address: str, networks: Sequence[Network]) -> bool:
    """Whether a connection may go to this address: any public one, or one in a network that the settings name."""
    found = ipaddress.ip_address(address.partition("%")[0])
    if isinstance(found, IPv6Address) and found.ipv4_mapped is not None:
        found = found.ipv4_mapped
    if any(found in network for network in networks if network.version == found.version):
        return True
    return found.is_global and not found.is_multicast and not _leads_into_ipv4(found)


def _leads_into_ipv4(address: IPv4Address | IPv6Address) -> bool:
    """Translated and tunnelled addresses carry one of IPv4, which may be a private one."""
    return isinstance(address, IPv6Address) and any(address in network for network in _INTO_IPV4)


class Guard(AbstractResolver):
    """Looks names up for aiohttp and gives it only what may be connected to. Raises Forbidden."""

    def __init__(self, networks: Sequence[Network]) -> None:
        self._networks = networks
        self._names: Any = ThreadedResolver()

    async def resolve(
        self, host: str, port: int = 0, family: socket.AddressFamily = socket.AF_UNSPEC
    ) -> list[ResolveResult]:
        found: list[ResolveResult] = await self._names.resolve(host, port, family)
        self.check([each["host"] for each in found])
        return found

    def check(self, addresses: Sequence[str]) -> None:
        """One address that is not allowed forbids the name: an honest one has no such mixture."""
        if not all(allowed(address, self._networks) for address in addresses):
            raise Forbidden("it leads to an address that [webhooks] allow_networks does not name")

    def check_literal(self, host: str) -> None:
        """An address in place of a name is never looked up: judge it. Raises Forbidden."""
        try:
            ipaddress.ip_address(host.partition("%")[0])
        except ValueError:
            return
        self.check([host])

    async def close(self) -> None:
        await self._names.close()
