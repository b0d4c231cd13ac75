"""Who may ask: programs on this machine, and no page of a browser that runs on it.

The service has no access control, so a page from anywhere could write to it through the browser of somebody
who looks at it. Browsers say so: they send Origin or Sec-Fetch-Site, which no AWS client does. A name of the
page's own that was made to lead to this machine (DNS rebinding) shows in Host.
"""

from __future__ import annotations

import functools
import ipaddress
import re
from typing import TYPE_CHECKING, Final

from resolver.local.refusal import AccessDenied

if TYPE_CHECKING:
    from collections.abc import Mapping

_HOST: Final = re.compile(r"(?:\[([0-9A-Fa-f:.]+)\]|([^\[\]:]*))(?::[0-9]*)?")
_OWN_SITES: Final = frozenset({"none", "same-origin"})  # typed by a person; there are no pages of ours


def check_origin(headers: Mapping[str, str]) -> None:
    """Refuse what a web page sent; `headers` by name in lower case.

    Raises:
        AccessDenied: the header that tells is named.
    """
    if "origin" in headers:
        raise AccessDenied("Origin: the embedded service does not answer web pages")
    if headers.get("sec-fetch-site", "none") not in _OWN_SITES:
        raise AccessDenied("Sec-Fetch-Site: the embedded service does not answer web pages")
    if not _is_loopback(headers.get("host", "localhost")):  # HTTP/1.0 needs none; every browser sends it
        raise AccessDenied("Host: the embedded service is known as localhost or a loopback address only")


@functools.lru_cache(maxsize=64)  # a client sends the same one with every request
def _is_loopback(host: str) -> bool:
    found = _HOST.fullmatch(host.strip())
    if found is None:
        return False
    name = (found[1] or found[2]).lower().removesuffix(".")
    if name == "localhost" or name.endswith(".localhost"):  # RFC 6761: never anything but loopback
        return True
    try:
        return ipaddress.ip_address(name).is_loopback
    except ValueError:
        return False
