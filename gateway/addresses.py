"""Addresses in configuration files."""

import ipaddress

_MEND = 'write it like "127.0.0.1:7001"'


def split_address(address: str) -> tuple[str, int]:
    """Host and port of ``host:port``; an IPv6 host stands in brackets.

    Raises:
        ValueError: no host, no port, or a port outside 0 to 65535; the message ends in the mend.
    """
    host, colon, port = address.rpartition(":")
    if not colon or not host or (":" in host and not host.startswith("[")) or not port.isascii() or not port.isdigit():
        raise ValueError(f'"{address}" is not host:port; {_MEND}')
    if len(port) > 5 or int(port) > 65535:
        raise ValueError(f'"{address}" has port {port}; ports are 1 to 65535')
    return host.strip("[]"), int(port)


def check_listen(address: str) -> str:
    """An address to listen on: a loopback IP address, because tokens travel in clear. Port 0 takes a free one.

    Raises:
        ValueError: not an IP address and port, or not loopback; the message ends in the mend.
    """
    host, port = split_address(address)
    try:
        ip = ipaddress.ip_address(host)
    except ValueError:
        raise ValueError(f'"{host}" is not an IP address; write "127.0.0.1:{port}"') from None
    if not ip.is_loopback:
        raise ValueError(f'"{host}" is not loopback, and tokens would travel in clear; write "127.0.0.1:{port}"')
    return address


def check_peer(address: str) -> str:
    """An address to connect to.

    Raises:
        ValueError: not ``host:port``, or port 0; the message ends in the mend.
    """
    _, port = split_address(address)
    if port == 0:
        raise ValueError(f'"{address}" has port 0; name the port the other side listens on')
    return address
