"""What a page of ours knows when it asks."""

from __future__ import annotations

import re

TOKEN = "a-token-for-tests"  # noqa: S105 - a test's


def form_of(html):
    """The version and place in the history that a page shows."""
    return {
        "seq": re.search(r'name="seq" value="(\d+)"', html).group(1),
        "version": re.search(r'name="version" value="([^"]+)"', html).group(1),
    }
