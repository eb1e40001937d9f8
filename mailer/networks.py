"""Which numbers a name has, and which of them are public: what must be known before a stranger's address is asked.

Whoever asks stands inside the institution's network. A name is resolved once, judged, and connected to by that very
number; a name that answers differently the second time gains nothing.
"""

import ipaddress
import socket


def is_public(number: str) -> bool:
    """Whether an IP address is reachable from everywhere and means one host: no private, loopback, link-local,
    shared, reserved, multicast or unspecified one, nor an IPv6 form of such an IPv4 address.
    """
    address = ipaddress.ip_address(number.partition("%")[0])
    if isinstance(address, ipaddress.IPv6Address):
        inner = address.ipv4_mapped or address.sixtofour or (address.teredo or (None, None))[1]
        if inner is not None:
            return is_public(str(inner))
        # NAT64 (RFC 6052): the last 32 bits are an IPv4 address.
        if address in ipaddress.ip_network("64:ff9b::/96"):
            return is_public(str(ipaddress.IPv4Address(int(address) & 0xFFFFFFFF)))
    return address.is_global and not address.is_multicast


def resolve(host: str, port: int) -> list[str]:
    """The numbers of `host`, as the system finds them. Raises `OSError`."""
    found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    return list(dict.fromkeys(str(entry[4][0]) for entry in found))
