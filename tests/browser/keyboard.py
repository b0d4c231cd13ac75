"""Pressing keys as a patient analyst does: each once the page has settled."""

from __future__ import annotations

SETTLED = "() => !document.documentElement.dataset.waiting"


def cluster_of(page):
    return page.locator("#app").get_attribute("data-cluster")


def keys(page, *pressed):
    for key in pressed:
        page.keyboard.press(key)
        page.wait_for_function(SETTLED)
