"""Pictures of the app for a person to look at, and for the documentation (`make screenshots`)."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from keyboard import keys
from small_png import shrink
from workshop import many, stories

#: Where the documentation's pictures go; only `make screenshots` writes there.
DOCUMENTS = os.environ.get("RESOLVER_SCREENSHOTS")
LARGEST = 200 * 1024
#: Pictures that the documentation shows: (screen, width, theme).
SHOWN = {
    ("queue", 1440, "light"),
    ("cluster", 1440, "light"),
    ("split", 1440, "dark"),
    ("batch", 1440, "light"),
    ("report", 1440, "light"),
}


def screens_of(site, page):
    pattern = next(p.pattern.key for p in site.desk.piles() if p.pattern.lane == "batch")
    yield "easy", "/clusters/cluster-e", ()
    yield "business", "/clusters/cluster-b", ()
    yield "cluster", "/clusters/cluster-h", ()
    yield "split", "/clusters/cluster-h", ("1", "1", "1", "2")
    yield "hidden", "/clusters/cluster-h", ("Escape", "m")
    yield "batch", f"/patterns/{pattern}/batch", ("Enter", "y", "y", "y")
    for key in ("m", "n", "u", "m"):
        page.goto(f"{site.url}/clusters/{site.desk.after(None, 'ana', 'x')}")
        keys(page, key)
    yield "queue", "/", ()
    yield "batches", "/batches", ()
    yield "second", "/second", ()
    yield "contradictions", "/contradictions", ()
    yield "history", "/history", ()
    yield "report", f"/runs/{site.desk.batch.run_id}", ()
    yield "keys", "/", ("?",)


@pytest.mark.acceptance(35)
@pytest.mark.parametrize("theme", ["light", "dark"])
@pytest.mark.parametrize("width", [1440, 1024])
def test_every_screen_has_its_picture(build_site, visit, tmp_path, width, theme):  # noqa: PLR0913, PLR0917 - two of them are the cases
    site = build_site([*stories(), *many(40), *many(84, "batch")])
    page = visit(site, "/", width, color_scheme=theme, reduced_motion="reduce")
    for name, path, pressed in screens_of(site, page):
        page.goto(site.url + path)
        keys(page, *pressed)
        wanted = DOCUMENTS and (name, width, theme) in SHOWN
        place = Path(DOCUMENTS) if wanted else Path(os.environ.get("RESOLVER_ALL_SCREENSHOTS", tmp_path))
        file = place / (f"review-{name}.png" if wanted else f"{name}-{width}-{theme}.png")
        picture = page.screenshot(full_page=name == "report" and not wanted)
        file.write_bytes(shrink(picture) if wanted else picture)
        assert file.stat().st_size > 5_000, file.name
        assert not wanted or file.stat().st_size <= LARGEST, file.name
