"""A screenshot as a PNG of 256 colours: a third of the size, for the documentation."""

from __future__ import annotations

import struct
import zlib

import numpy as np

SIGNATURE = b"\x89PNG\r\n\x1a\n"
COLOURS = 256


def shrink(png: bytes) -> bytes:
    """The picture in the 256 colours that stand for most of it; all others become the nearest of them."""
    pixels = _decode(png)
    height, width, _ = pixels.shape
    flat = pixels.reshape(-1, 3).astype(np.int32)
    packed = (flat[:, 0] << 16) | (flat[:, 1] << 8) | flat[:, 2]
    colours, place, count = np.unique(packed, return_inverse=True, return_counts=True)
    bins = (_channels(colours) >> 3 << np.array([10, 5, 0])).sum(axis=1)  # near ones stand for each other
    order = np.argsort(-count, kind="stable")
    _, first = np.unique(bins[order], return_index=True)
    kept = colours[order[np.sort(first)[:COLOURS]]]
    apart = _channels(colours)[:, None, :] - _channels(kept)[None, :, :]
    nearest = (apart**2).sum(axis=2).argmin(axis=1).astype(np.uint8)
    rows = np.zeros((height, width + 1), np.uint8)  # filter 0 before each row
    rows[:, 1:] = nearest[place].reshape(height, width)
    head = struct.pack(">IIBBBBB", width, height, 8, 3, 0, 0, 0)
    palette = _channels(kept).astype(np.uint8).tobytes()
    body = zlib.compress(rows.tobytes(), 9)
    chunks = ((b"IHDR", head), (b"PLTE", palette), (b"IDAT", body), (b"IEND", b""))
    return SIGNATURE + b"".join(_chunk(*chunk) for chunk in chunks)


def _channels(packed):
    return np.stack([packed >> 16 & 255, packed >> 8 & 255, packed & 255], axis=-1).astype(np.int32)


def _chunk(name: bytes, body: bytes) -> bytes:
    return struct.pack(">I", len(body)) + name + body + struct.pack(">I", zlib.crc32(name + body))


def _decode(png: bytes):
    """Rows of pixels of three channels; 8 bits a channel without interlacing, as browsers write them."""
    at, data, head = len(SIGNATURE), b"", ()
    while at < len(png):
        size, name = struct.unpack(">I4s", png[at : at + 8])
        body = png[at + 8 : at + 8 + size]
        head = struct.unpack(">IIBBBBB", body) if name == b"IHDR" else head
        data += body if name == b"IDAT" else b""
        at += size + 12
    width, height, _, kind = head[:4]
    step = 3 if kind == 2 else 4
    raw = np.frombuffer(zlib.decompress(data), np.uint8).reshape(height, 1 + width * step)
    above, out = np.zeros((width, step), np.int32), []
    for row in raw:  # each row leans on the one before it
        above = _unfiltered(int(row[0]), row[1:].reshape(width, step).astype(np.int32), above)
        out.append(above[:, :3].astype(np.uint8))
    return np.stack(out)


def _unfiltered(kind, row, above):
    if kind == 0:
        return row
    if kind == 1:
        return np.cumsum(row, axis=0) % 256
    if kind == 2:
        return (row + above) % 256
    left = corner = np.zeros(row.shape[1], np.int32)
    done = np.empty_like(row)
    for x, up in enumerate(above):  # each pixel leans on the one before it
        guess = (left + up) // 2 if kind == 3 else _paeth(left, up, corner)
        left = (row[x] + guess) % 256
        corner, done[x] = up, left
    return done


def _paeth(left, up, corner):
    to_left, to_up, to_corner = abs(up - corner), abs(left - corner), abs(left + up - 2 * corner)
    return np.where(
        (to_left <= to_up) & (to_left <= to_corner), left, np.where(to_up <= to_corner, up, corner)
    )
