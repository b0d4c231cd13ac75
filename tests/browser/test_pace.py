"""A scripted analyst at ten keys a second. RESOLVER_SOAK=1 reviews 500 clusters and holds the pace's bar."""

from __future__ import annotations

import os
import statistics

import pytest
from workshop import many

SOAK = bool(os.environ.get("RESOLVER_SOAK"))
CLUSTERS = 500 if SOAK else 30
VERDICTS = ("m", "n", "u", "m", "n")

ONE_KEY = """(key) => new Promise((done) => {
  const start = performance.now();
  const settled = () => requestAnimationFrame(() => {
    document.removeEventListener("htmx:afterSettle", settled);
    done(performance.now() - start);
  });
  document.addEventListener("htmx:afterSettle", settled);
  document.dispatchEvent(new KeyboardEvent("keydown", {key, bubbles: true}));
})"""


@pytest.mark.soak
def test_a_scripted_analyst_loses_and_misapplies_no_key(build_site, visit):
    site = build_site(many(CLUSTERS))
    page = visit(site, f"/clusters/{site.desk.order[0]}")
    expected, times, weights = {}, [], []
    for number in range(CLUSTERS):
        key = VERDICTS[number % len(VERDICTS)]
        expected[page.locator("#app").get_attribute("data-cluster")] = key
        weights.append(page.evaluate("document.documentElement.outerHTML.length"))
        times.append(page.evaluate(ONE_KEY, key))
        page.wait_for_timeout(max(0, 100 - times[-1]))
    spoken = {"m": "merge", "n": "not_same", "u": "unsure"}
    assert {f.cluster_id: f.content["verdict"] for f in site.desk.facts()} == {
        cluster_id: spoken[key] for cluster_id, key in expected.items()
    }
    assert len(expected) == CLUSTERS
    assert max(weights) <= 100 * 1024
    times.sort()
    p95 = times[int(len(times) * 0.95)]
    print(f"key to next cluster: median {statistics.median(times):.0f} ms, p95 {p95:.0f} ms")  # noqa: T201 - the figure is the point
    if SOAK:
        assert p95 <= 100


@pytest.mark.acceptance(32)
@pytest.mark.soak
def test_skips_keep_their_pace_and_the_page_does_not_grow(build_site, visit):
    site = build_site(many(CLUSTERS))
    page = visit(site, f"/clusters/{site.desk.order[0]}")
    nodes = page.evaluate("document.querySelectorAll('*').length")
    times = [page.evaluate(ONE_KEY, "j") for _ in range(200 if SOAK else 20)]
    assert not site.desk.facts()
    assert abs(page.evaluate("document.querySelectorAll('*').length") - nodes) < 100
    if SOAK:
        assert statistics.median(times) <= 60
