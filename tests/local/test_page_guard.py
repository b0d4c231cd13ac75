"""Web pages may not use the service through the browser of whoever looks at them."""

from __future__ import annotations

import http.client
import json
import urllib.parse

import pytest
from conftest import client_of

CREATE = b'{"DefaultExpirationDays": 30}'
PAGE = "https://evil.example"


def ask(url, headers, path="/domains/shop", body=CREATE):
    """(status, answer) of a POST with exactly these headers."""
    parts = urllib.parse.urlsplit(url)
    connection = http.client.HTTPConnection(parts.hostname, parts.port, timeout=20)
    connection.putrequest("POST", path, skip_host=True, skip_accept_encoding=True)
    for name, value in {"Content-Length": str(len(body)), **headers}.items():
        connection.putheader(name, value.replace("PORT", str(parts.port)))
    connection.endheaders(body)
    answer = connection.getresponse()
    content = json.load(answer)
    connection.close()
    return answer.status, answer.getheader("x-amzn-ErrorType"), content


@pytest.mark.parametrize(
    ("headers", "named"),
    [
        ({"Host": "127.0.0.1:PORT", "Origin": PAGE, "Content-Type": "text/plain"}, "Origin"),
        ({"Host": "127.0.0.1:PORT", "Origin": "null"}, "Origin"),  # a sandboxed frame, a file
        ({"Host": "localhost:PORT", "Sec-Fetch-Site": "cross-site"}, "Sec-Fetch-Site"),
        ({"Host": "localhost:PORT", "Sec-Fetch-Site": "same-site"}, "Sec-Fetch-Site"),
        ({"Host": "evil.example:PORT"}, "Host"),  # a name that was made to lead here
        ({"Host": "localhost.evil.example:PORT"}, "Host"),
        ({"Host": "127.0.0.1.evil.example"}, "Host"),
        ({"Host": "192.168.0.7:PORT"}, "Host"),
        ({"Host": "0.0.0.0:PORT"}, "Host"),
        ({"Host": "[::2]:PORT"}, "Host"),
        ({"Host": "127.0.0.1:PORT:PORT"}, "Host"),
        ({"Host": ""}, "Host"),
    ],
)
@pytest.mark.parametrize("path", ["/domains/shop", "/_local/domains/shop/profiles"])
def test_what_a_web_page_sends_is_refused_and_nothing_is_done(endpoint, headers, named, path):
    status, code, answer = ask(endpoint.url, headers, path)
    assert (status, code) == (403, "AccessDeniedException")
    assert answer["Message"].startswith(f"{named}: ")
    assert client_of(endpoint.url).list_domains()["Items"] == []


@pytest.mark.parametrize(
    "host",
    ["127.0.0.1:PORT", "localhost:PORT", "LocalHost", "shop.localhost:PORT", "127.1.2.3", "[::1]:PORT"],
)
def test_programs_on_this_machine_are_served_under_any_name_of_it(endpoint, host):
    status, _, answer = ask(endpoint.url, {"Host": host, "Sec-Fetch-Site": "none"})
    assert (status, answer["DomainName"]) == (200, "shop")


def test_a_client_is_served_by_name_too(endpoint):
    client = client_of(endpoint.url.replace("127.0.0.1", "localhost"))
    client.create_domain(DomainName="shop", DefaultExpirationDays=30)

    assert [item["DomainName"] for item in client_of(endpoint.url).list_domains()["Items"]] == ["shop"]
