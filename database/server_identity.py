"""Whether two addresses mean the same database of the same server, however they are written."""

from __future__ import annotations

import socket
from urllib.parse import quote

from pymongo import uri_parser
from pymongo.errors import PyMongoError

_LOOPBACK = ("localhost", "127.0.0.1", "::1")


def server_identity(address: str) -> str:
    """Write an address so that all addresses of the same database, as seen from anywhere, are the same text.

    Parameters
    ----------
    address : str
        Address of a server and a database, without credentials and options; or what this function returned, here or
        on another host.

    Returns
    -------
    str
        With the port of every host, in small letters and alphabetical order; this host's name for itself.

    Examples
    --------
    >>> server_identity("mongodb://DB2.hpc,db1.hpc:27018/superion")
    'mongodb://db1.hpc:27018,db2.hpc:27017/superion'
    """
    scheme, _, rest = address.partition("://")
    if scheme != "mongodb":
        # Which hosts stand behind such a name is asked of the network, and changes.
        name, slash, database = rest.partition("/")
        return f"{scheme}://{name.lower()}{slash}{database}" if rest else address
    try:
        parsed = uri_parser.parse_uri(address)
    except (PyMongoError, ValueError):
        return address
    hosts = sorted(f"{_host_name(host)}:{port or 0}" for host, port in parsed["nodelist"])
    return f"mongodb://{','.join(hosts)}/{parsed['database'] or ''}"


def _host_name(host: str) -> str:
    """Name a host as others would: each has a loopback of its own, and folders are shared."""
    if host.lower() in _LOOPBACK:
        return socket.gethostname().lower()
    if host.startswith("/"):
        # A socket in the file system, which has no port.
        return f"{socket.gethostname().lower()}{quote(host, safe='')}"
    return f"[{host.lower()}]" if ":" in host else host.lower()
