"""Client networks for throttling: an IPv4 address, or the /64 of an IPv6 customer."""

from __future__ import annotations

from ipaddress import IPv6Address, IPv6Network, ip_address

PREFIX = 64


def network_of(address: str) -> str:
    """Return the network of ``address`` as text; anything but an address is returned unchanged."""
    try:
        parsed = ip_address(address.partition("%")[0])
    except ValueError:
        return address
    if isinstance(parsed, IPv6Address):
        if parsed.ipv4_mapped:
            return str(parsed.ipv4_mapped)
        return str(IPv6Network((int(parsed), PREFIX), strict=False))
    return str(parsed)
