from __future__ import annotations

import pytest
from keyboard import cluster_of, keys
from playwright.sync_api import expect

from resolver.app.reviewing.outcome import wish_of
from resolver.app.reviewing.standing import State


@pytest.mark.acceptance(10)
def test_from_the_queue_to_a_merge_and_back_by_keyboard(build_site, visit):
    site = build_site()
    page = visit(site)
    keys(page, "Enter")
    first = cluster_of(page)
    assert first in site.desk.batch.cases
    keys(page, "m")
    expect(page.locator("#app")).not_to_have_attribute("data-cluster", first)
    assert site.desk.standing(first).state is State.APPROVED
    keys(page, "z")
    expect(page.locator("#app")).to_have_attribute("data-cluster", first)
    assert site.desk.standing(first).state is State.OPEN
    assert [f.kind for f in site.desk.facts()] == ["verdict", "undo"]
    expect(page.locator("#say")).to_contain_text("Undone: merge")
    page.goto(f"{site.url}/history")
    assert page.locator("tr[data-fact]").evaluate_all("all => all.map((r) => r.dataset.fact)") == [
        "undo",
        "verdict",
    ]


@pytest.mark.acceptance(3)
def test_enter_on_the_current_pattern_opens_it_and_q_comes_back_to_the_same_row(build_site, visit):
    page = visit(build_site())
    keys(page, "ArrowDown", "ArrowDown")
    row = page.locator("tr.cur").get_attribute("data-row")
    keys(page, "Enter")
    assert cluster_of(page)
    keys(page, "q")
    expect(page.locator("tr.cur")).to_have_attribute("data-row", row)


@pytest.mark.acceptance(4)
def test_the_first_row_differs_and_equal_fields_are_folded_until_e(build_site, visit):
    page = visit(build_site(), "/clusters/cluster-h")
    first = page.locator("tbody tr[data-row-field]").first
    assert len(set(first.locator("td[data-field] bdi.v").all_inner_texts())) > 1
    equal = page.locator("#equal")
    expect(equal).to_be_hidden()
    keys(page, "e")
    expect(equal).to_be_visible()
    keys(page, "e")
    expect(equal).to_be_hidden()


@pytest.mark.acceptance(5)
def test_given_up_values_are_absent_from_the_result_and_name_where_they_are_kept(build_site, visit):
    page = visit(build_site(), "/clusters/cluster-h")
    told = page.locator("td.res .give")
    assert told.count() == int(page.locator("[data-gives-up]").get_attribute("data-gives-up")) > 0
    results = page.locator("td.res .val bdi").all_inner_texts()
    for line in told.all():
        assert line.locator("bdi").inner_text() not in results
        assert line.locator("em").inner_text().startswith("→ ")


@pytest.mark.acceptance(6)
def test_a_guarded_merge_asks_for_enter_and_escape_leaves(build_site, visit):
    site = build_site()
    page = visit(site, "/clusters/cluster-h")
    keys(page, "m")
    expect(page.locator("#confirm")).to_contain_text("This merge has a guard")
    assert not site.desk.facts()
    keys(page, "Escape")
    expect(page.locator("#confirm")).to_have_count(0)
    keys(page, "m", "Enter")
    assert site.desk.standing("cluster-h").state is State.WAITING
    assert site.desk.book.decisions_of("retail").is_empty()


@pytest.mark.acceptance(7)
def test_digits_and_enter_save_a_split_with_its_cannot_links(build_site, visit):
    site = build_site()
    page = visit(site, "/clusters/cluster-h")
    keys(page, "1", "1", "1", "2")
    expect(page.locator("#split")).to_contain_text("Kept apart from now on: A–D, B–D, C–D.")
    expect(page.locator("thead th.res")).to_contain_text("A + B + C")
    keys(page, "Enter")
    expect(page.locator("#app")).not_to_have_attribute("data-cluster", "cluster-h")
    rows = site.desk.book.decisions_of("retail")
    assert sorted(rows["verdict"].to_list()) == ["match"] * 3 + ["non_match"] * 3
    apart = rows.filter(rows["verdict"] == "non_match")
    assert all("h-d" in pair for pair in apart.select("profile_id_left", "profile_id_right").iter_rows())


@pytest.mark.acceptance(8)
def test_an_open_member_gets_no_cannot_link(build_site, visit):
    site = build_site()
    page = visit(site, "/clusters/cluster-h")
    keys(page, "1", "1", "1", "0", "Enter")
    rows = site.desk.book.decisions_of("retail")
    assert rows["verdict"].to_list() == ["match"] * 3


@pytest.mark.acceptance(9)
def test_the_weakest_pair_comes_first_with_one_number_everywhere(build_site, visit):
    page = visit(build_site(), "/clusters/cluster-h")
    tab = page.locator("[data-pair]").first
    assert tab.inner_text() == "A–D +2.9 weakest"
    total = page.locator("#wf1 [data-total]").get_attribute("data-total")
    assert total == page.locator("[data-weakest]").get_attribute("data-weakest") == "+2.9"
    bars = [
        float(t.replace("−", "-"))
        for t in page.locator(
            "#wf1 text.end.prior, #wf1 text.end.plus, #wf1 text.end.minus"
        ).all_text_contents()
    ]
    assert abs(sum(bars) - 2.9) < 0.3


@pytest.mark.acceptance(11)
def test_making_another_column_main_changes_what_cannot_be_chosen(build_site, visit):
    page = visit(build_site(), "/clusters/cluster-b")
    row = page.locator('tr[data-row-field="PartyTypeString"] td.res')
    before = row.inner_text()
    other = "BUSINESS" if "ORGANISATION" in before else "ORGANISATION"
    cell = page.locator('tr[data-row-field="PartyTypeString"] td[data-field]', has_text=other)
    cell.click()
    keys(page, "p")
    expect(row).to_contain_text(other)


@pytest.mark.acceptance(11)
def test_an_empty_source_is_refused(build_site, visit):
    site = build_site()
    page = visit(site, "/clusters/cluster-b")
    page.locator('td[data-field="AccountNumber"][data-profile="b-c"]').click()
    keys(page, "v")
    expect(page.locator("#say")).to_contain_text("Choosing it would erase the value. Not done.")
    assert site.desk.book.draft("retail", "cluster-b", "ana") == {}


@pytest.mark.acceptance(12)
def test_a_chosen_source_is_shown_and_stored_with_the_plan(build_site, visit):
    site = build_site()
    page = visit(site, "/clusters/cluster-b")
    page.locator('td[data-field="BusinessName"][data-profile="b-c"]').click()
    keys(page, "v")
    result = page.locator('tr[data-row-field="BusinessName"] td.res')
    expect(result.locator(".val bdi")).to_have_text("NORTHGATE PLUMBING")
    expect(result.locator(".val .src")).to_have_text("C")
    expect(result).to_contain_text("chosen by you")
    keys(page, "r")
    expect(result).not_to_contain_text("chosen by you")
    expect(result.locator(".val bdi")).not_to_have_text("NORTHGATE PLUMBING")
    keys(page, "v")
    keys(page, "m")
    fact = site.desk.facts()[-1]
    plan = site.desk.book.plans_of([fact.fact_id])[fact.fact_id][0]
    assert plan.steps[0].field_sources["BusinessName"] == "b-c"


@pytest.mark.acceptance(13)
def test_ten_skips_without_a_gap_move_ten_clusters(build_site, visit):
    site = build_site()
    page = visit(site, f"/clusters/{site.desk.order[0]}")
    for _ in range(10):
        page.keyboard.press("j")
    expect(page.locator("#app")).to_have_attribute("data-cluster", site.desk.order[10])
    assert not site.desk.facts()


@pytest.mark.acceptance(13)
def test_ten_merges_without_a_gap_decide_one_and_say_so(build_site, visit):
    site = build_site()
    page = visit(site, "/clusters/cluster-e")
    page.evaluate(
        "() => { for (let n = 0; n < 10; n += 1)"
        " document.dispatchEvent(new KeyboardEvent('keydown', {key: 'm', bubbles: true})); }"
    )
    expect(page.locator("#say")).to_contain_text("9 keys ignored. That cluster was already decided.")
    assert len(site.desk.facts()) == 1


@pytest.mark.acceptance(14)
def test_a_verdict_within_the_arm_time_stores_nothing(build_site, visit):
    site = build_site(arm_ms=5_000)
    page = visit(site, "/clusters/cluster-e")
    keys(page, "m")
    expect(page.locator("#say")).to_contain_text("Too fast: 1 key ignored.")
    assert not site.desk.facts()


@pytest.mark.acceptance(15)
def test_the_second_verdict_on_one_cluster_gets_a_card_that_explains(build_site, visit):
    site = build_site()
    one, two = visit(site, "/clusters/cluster-e"), visit(site, "/clusters/cluster-e")
    two.expected_faults = ["409"]
    keys(one, "n")
    keys(two, "m")
    expect(two.locator("#card")).to_contain_text("ana decided this at")
    expect(two.locator("#card")).to_contain_text("not the same. Your key did nothing.")
    assert len(site.desk.facts()) == 1
    keys(two, "Enter")
    expect(two.locator("#app")).not_to_have_attribute("data-cluster", "cluster-e")


@pytest.mark.acceptance(19)
def test_without_a_server_nothing_is_saved_and_r_saves_once(build_site, visit):
    site = build_site()
    page = visit(site, "/clusters/cluster-e")
    page.expected_faults = ["Failed to load", "htmx"]
    site.stop()
    keys(page, "n")
    expect(page.locator("#alarm")).to_contain_text(
        "Not saved. The server did not answer. Your last 1 key was dropped."
    )
    site.start()
    keys(page, "r")
    expect(page.locator("#app")).not_to_have_attribute("data-cluster", "cluster-e")
    assert len(site.desk.facts()) == 1


@pytest.mark.acceptance(31)
def test_a_restart_loses_neither_verdicts_nor_a_split_that_was_begun(build_site, visit):
    site = build_site()
    page = visit(site, "/clusters/cluster-e")
    keys(page, "m")
    page.goto(f"{site.url}/clusters/cluster-h")
    keys(page, "1", "1", "c")
    page.locator("#note").fill("call her first")
    page.locator("#note").press("Enter")
    page.wait_for_timeout(80)
    site.restart()
    page.goto(f"{site.url}/clusters/cluster-h")
    elsewhere = visit(site)  # another browser of the same user resumes where they were
    keys(elsewhere, "r")
    assert cluster_of(elsewhere) == "cluster-h"
    assert page.locator("#split .group").all_inner_texts() == ["1", "1", "·", "·"]
    assert page.locator("#note").input_value() == "call her first"
    assert site.desk.standing("cluster-e").state is State.APPROVED


def test_asking_a_colleague_wants_a_note_and_a_name(build_site, visit):
    site = build_site()
    page = visit(site, "/clusters/cluster-e")
    keys(page, "a")
    expect(page.locator("#confirm")).to_contain_text("Ask whom, and what?")
    assert not site.desk.facts()
    page.locator("#ask-to").fill("mo")
    page.locator("#ask-note").fill("is this the sister?")
    page.locator("#ask-note").press("Enter")
    expect(page.locator("#app")).not_to_have_attribute("data-cluster", "cluster-e")
    (fact,) = site.desk.facts()
    assert (fact.content["verdict"], fact.content["to"], fact.note) == ("ask", "mo", "is this the sister?")


def test_single_letters_can_be_switched_off_and_then_want_alt(build_site, visit):
    site = build_site()
    page = visit(site, "/settings")
    with page.expect_navigation():
        page.locator('button[name="letters"][value="0"]').click()
    page.goto(f"{site.url}/clusters/cluster-e")
    keys(page, "n")
    assert not site.desk.facts()
    keys(page, "Alt+n")
    expect(page.locator("#app")).not_to_have_attribute("data-cluster", "cluster-e")
    assert site.desk.facts()[0].content["verdict"] == "not_same"


def test_a_row_of_the_history_is_undone_by_its_key(build_site, visit):
    site = build_site()
    page = visit(site, "/clusters/cluster-e")
    keys(page, "m")
    page.goto(f"{site.url}/history")
    keys(page, "z")
    expect(page.locator("tr[data-fact]").first).to_have_attribute("data-fact", "undo")
    assert site.desk.standing("cluster-e").state is State.OPEN


def test_saved_filters_list_what_they_count(build_site, visit):
    site = build_site()
    page = visit(site)
    keys(page, "t")
    for button in page.locator('.filters a[href^="/find"]').all():
        address, count = button.get_attribute("href"), int(button.locator("small").inner_text())
        answer = visit(site, address)
        assert answer.locator("tr[data-row]").count() == count
        assert count or "No cluster matches." in answer.locator("h1").inner_text()


def test_a_value_that_would_be_lost_is_kept_in_attributes_by_one_key(build_site, visit):
    site = build_site()
    page = visit(site, "/clusters/cluster-h")
    cell = page.locator("td[data-field]:has(.lost)").first
    field, profile = cell.get_attribute("data-field"), cell.get_attribute("data-profile")
    text = cell.locator(".lost").inner_text()
    cell.click()
    keys(page, "o")
    result = page.locator(f'tr[data-row-field="{field}"] td.res')
    expect(result).to_contain_text("→ Attributes.kept_")
    keys(page, "o")  # and back
    expect(page.locator("#say")).to_contain_text("is given up again")
    keys(page, "o")
    keys(page, "m", "Enter")
    draft_of = site.desk.facts()[-1].content["kept"]
    assert draft_of == {field: [profile]}
    plan = site.desk.foresee(
        wish_of("cluster-h", site.desk.batch.cases["cluster-h"].profile_ids, {"kept": draft_of})
    )
    update = next(step for step in plan.post_steps if step.operation == "update_profile")
    assert update.request["Attributes"] == {f"kept_{field}": text}


def test_what_is_not_lost_needs_no_keeping(build_site, visit):
    site = build_site()
    page = visit(site, "/clusters/cluster-b")
    page.locator('td[data-field="AccountNumber"][data-profile="b-c"]').click()
    keys(page, "o")
    expect(page.locator("#say")).to_contain_text("C has no AccountNumber. Not done.")
    assert site.desk.book.draft("retail", "cluster-b", "ana") == {}
