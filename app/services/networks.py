"""Whose attempts count together: an IPv4 address, or the /64 that one IPv6 customer gets."""

from __future__ import annotations

from ipaddress import IPv6Address, IPv6Network, ip_address

PREFIX = 64


def of(address: str) -> str:
    """The network of ``address`` as text; what is no address is taken as it is."""
    try:
        parsed = ip_address(address.partition("%")[0])
    except ValueError:
        return address
    if isinstance(parsed, IPv6Address):
        if parsed.ipv4_mapped:
            return str(parsed.ipv4_mapped)
        return str(IPv6Network((int(parsed), PREFIX), strict=False))
    return str(parsed)
