from __future__ import annotations

from keyboard import keys
from workshop import twin

HOSTILE = [
    "<script>document.body.dataset.owned = 1</script>",
    '<img src=x onerror="document.body.dataset.owned=1">',
    '" onmouseover="document.body.dataset.owned=1',
    "{{ 7 * 7 }}",
    "\u202eevil\u202c reversed",
    "A" * 255,
    '=HYPERLINK("http://127.0.0.1:1/")',
    "javascript:document.body.dataset.owned=1",
]


def hostile_part(number, value):
    cluster_id, (left, right), pairs, band = twin(number)
    left = {
        **left,
        "FirstName": value,
        "AdditionalInformation": value,
        "Attributes": {"source": value, value[:60]: value},
    }
    right = {**right, "LastName": value, "BusinessName": value}
    return cluster_id, [left, right], pairs, band


def test_hostile_values_are_text_and_nothing_else(build_site, visit):
    site = build_site([hostile_part(n, value) for n, value in enumerate(HOSTILE)])
    for width in (1440, 720):
        page = visit(site, "/", width)
        page.expected_faults = []
        for n, value in enumerate(HOSTILE):
            page.goto(f"{site.url}/clusters/single-{n:04d}")
            assert page.evaluate("document.body.dataset.owned") is None
            assert page.evaluate("document.documentElement.scrollWidth") <= width
            shown = page.locator('tr[data-row-field="AdditionalInformation"] td bdi.v').first.text_content()
            assert shown == value
            for script in page.locator("script").all():
                assert script.get_attribute("src").startswith("/static/")


def test_a_hostile_note_is_text_in_the_history(build_site, visit):
    site = build_site()
    page = visit(site, "/clusters/cluster-e")
    keys(page, "c")
    page.locator("#note").fill(HOSTILE[0])
    page.locator("#note").press("Enter")
    page.wait_for_function("() => document.activeElement.id !== 'note'")
    keys(page, "m")
    page.goto(f"{site.url}/history")
    assert page.evaluate("document.body.dataset.owned") is None
    assert HOSTILE[0] in page.locator("main").inner_text()
