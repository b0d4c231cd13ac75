from __future__ import annotations

import pytest
from keyboard import keys
from playwright.sync_api import expect
from workshop import many

from resolver.app.reviewing import batching
from resolver.model.review_fact import ReviewFact, Ruling

EARLIER = "run-46"


def key_of(site):
    return next(p.pattern.key for p in site.desk.piles() if p.pattern.lane == "batch")


def remember(site, clean, wrong=0, terms=None):
    """Random looks of an earlier run on the same pattern."""
    key = key_of(site)
    said = ["right"] * clean + ["wrong"] * wrong
    rulings = [
        Ruling(
            ReviewFact(
                domain="retail",
                run_id=EARLIER,
                cluster_id=f"pattern:{key}",
                seq=n + 1,
                kind="look",
                reviewer="mo",
                version=EARLIER,
                content={
                    "cluster": f"old-{n}",
                    "look": look,
                    "odd": False,
                    "rules": terms or batching._terms(site.desk),
                },
                at=site.desk.clock(),
            )
        )
        for n, look in enumerate(said)
    ]
    assert site.desk.book.record("retail", rulings)
    site.restart()
    return key


@pytest.fixture
def site(build_site):
    return build_site(many(84, "batch"))


@pytest.mark.acceptance(20)
def test_clean_looks_bring_the_bound_under_the_gate_and_only_the_right_number_approves(site, visit):
    key = remember(site, 192)
    page = visit(site, f"/patterns/{key}/batch")
    keys(page, "Enter")
    batch = batching.batch_of(site.desk, key)
    assert len(batch.random) == 7
    for _ in range(6):
        keys(page, "y")
    expect(page.locator("[data-bound]")).to_have_text("1.51 %")
    expect(page.locator("[data-approve]")).to_be_disabled()
    keys(page, "y")
    expect(page.locator("[data-bound]")).to_have_text("1.50 %")
    expect(page.locator("[data-approve]")).to_be_disabled()
    for _ in batch.odd:
        keys(page, "y")
    expect(page.locator("[data-bound]")).to_have_text("1.50 %")
    page.locator("#typed").fill("83")
    page.locator("#typed").press("Enter")
    expect(page.locator("#say")).to_contain_text("Type 84 to approve. Nothing is approved.")
    assert not site.desk.book.decisions_of("retail").height
    page.locator("#typed").fill("84")
    page.locator("#typed").press("Enter")
    expect(page.locator("#say")).to_contain_text("84 clusters approved.")
    assert site.desk.book.decisions_of("retail").height == 84
    assert site.desk.left() == 0


@pytest.mark.acceptance(21)
def test_a_wrong_look_stops_the_batch_and_counts_and_odd_looks_never_do(site, visit):
    key = remember(site, 192)
    page = visit(site, f"/patterns/{key}/batch")
    keys(page, "Enter", "y", "y", "n")
    expect(page.locator("#say")).to_contain_text("This batch is judged one by one.")
    assert batching.batch_of(site.desk, key).counted == (195, 1)
    keys(page, "y")
    assert batching.batch_of(site.desk, key).counted == (195, 1)
    page.goto(f"{site.url}/")
    assert page.locator("tr.cur a").get_attribute("href") == f"/patterns/{key}"


@pytest.mark.acceptance(22)
def test_another_rule_set_starts_again_at_no_looks(site, visit):
    key = remember(site, 198, terms="another rule set")
    page = visit(site, f"/patterns/{key}/batch")
    expect(page.locator("[data-bound]")).to_have_text("–")


def test_the_draw_is_kept_for_good(site, visit):
    key = key_of(site)
    page = visit(site, f"/patterns/{key}/batch")
    keys(page, "Enter")
    drawn = [look.cluster_id for look in batching.batch_of(site.desk, key).looks]
    assert batching.draw(site.desk, key, "ana").kind == "refused"
    site.restart()
    assert [look.cluster_id for look in batching.batch_of(site.desk, key).looks] == drawn


def test_a_cluster_taken_out_is_judged_by_itself_and_its_look_counts(site, visit):
    key = remember(site, 192)
    page = visit(site, f"/patterns/{key}/batch")
    keys(page, "Enter", "x")
    batch = batching.batch_of(site.desk, key)
    out = batch.current.cluster_id
    assert out not in batch.cluster_ids
    keys(page, *"y" * len(batch.looks))
    assert batching.batch_of(site.desk, key).counted == (199, 0)
    page.locator("#typed").fill("83")
    page.locator("#typed").press("Enter")
    expect(page.locator("#say")).to_contain_text("83 clusters approved.")
    assert not site.desk.standing(out).decided
    page.goto(site.url)
    keys(page, "Enter")
    assert page.locator("#app").get_attribute("data-cluster") == out


def test_arrows_go_from_look_to_look_and_any_due_look_can_be_judged(site, visit):
    key = remember(site, 192)
    page = visit(site, f"/patterns/{key}/batch")
    keys(page, "Enter")
    due = [look.cluster_id for look in batching.batch_of(site.desk, key).looks]
    shown = page.locator(".look.open")
    expect(shown).to_have_attribute("data-look", due[0])
    keys(page, "ArrowDown", "ArrowDown")
    expect(shown).to_have_attribute("data-look", due[2])
    keys(page, "ArrowUp")
    expect(shown).to_have_attribute("data-look", due[1])
    keys(page, "y")
    said = {look.cluster_id: look.said for look in batching.batch_of(site.desk, key).looks}
    assert [i for i in due if said[i]] == [due[1]]
    expect(shown).to_have_attribute("data-look", due[0])
    keys(page, "ArrowUp")  # round, past what is judged
    expect(shown).to_have_attribute("data-look", due[-1])
