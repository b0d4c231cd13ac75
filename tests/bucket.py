"""A bucket of S3 on this machine: as much of the protocol as a reader of files needs."""

from __future__ import annotations

import contextlib
import http.server
import threading
from typing import TYPE_CHECKING
from urllib.parse import parse_qs, urlsplit

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

_LISTED = (
    "<Contents><Key>{key}</Key><Size>{size}</Size><LastModified>2026-01-01T00:00:00.000Z</LastModified>"
    '<ETag>"x"</ETag></Contents>'
)


@contextlib.contextmanager
def bucket(files: Mapping[str, bytes]) -> Iterator[str]:
    """Serves the files (key → content) in a bucket of any name; gives the endpoint's URL.

    Polars keeps one client a bucket for as long as the process lives: name each server's bucket differently.
    """

    class Handler(http.server.BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self) -> None:
            url = urlsplit(self.path)
            query = parse_qs(url.query)
            if "list-type" in query:
                self._answer(200, _listing(files, query.get("prefix", [""])[0]).encode())
            elif (content := files.get(url.path.lstrip("/").partition("/")[2])) is None:
                self._answer(404, b"<Error><Code>NoSuchKey</Code></Error>")
            elif wanted := self.headers.get("Range"):
                first, _, last = wanted.removeprefix("bytes=").partition("-")
                start = int(first) if first else max(0, len(content) - int(last))
                end = min(int(last), len(content) - 1) if first and last else len(content) - 1
                span = {"Content-Range": f"bytes {start}-{end}/{len(content)}"}
                self._answer(206, content[start : end + 1], span)
            else:
                self._answer(200, content)

        def do_HEAD(self) -> None:
            self.do_GET()

        def _answer(self, status: int, content: bytes, more: Mapping[str, str] | None = None) -> None:
            self.send_response(status)
            about = {"ETag": '"x"', "Last-Modified": "Thu, 01 Jan 2026 00:00:00 GMT", **(more or {})}
            for name, value in (about | {"Content-Length": str(len(content))}).items():
                self.send_header(name, value)
            self.end_headers()
            if self.command != "HEAD":
                self.wfile.write(content)

        def log_message(self, *_: object) -> None:
            """Nothing: the tests' output is theirs."""

    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


def _listing(files: Mapping[str, bytes], prefix: str) -> str:
    held = [_LISTED.format(key=k, size=len(v)) for k, v in files.items() if k.startswith(prefix)]
    found = f"<KeyCount>{len(held)}</KeyCount>{''.join(held)}"
    head = "<ListBucketResult><Name>bucket</Name><IsTruncated>false</IsTruncated>"
    return f'<?xml version="1.0"?>{head}{found}</ListBucketResult>'
