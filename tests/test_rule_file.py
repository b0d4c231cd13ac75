from __future__ import annotations

import json
import os
import re
from dataclasses import replace

import pytest

from resolver.errors import BadRules
from resolver.matching.linkage import Linkage
from resolver.matching.parameters import ColumnParameters, Parameters
from resolver.matching.similarity import TESTS
from resolver.model.frames import CLUSTERS, SCORED_PAIRS, empty
from resolver.rule_file import check_rules, load_rules, parse_rules, rule_tables, rules_directory, schema

DEFAULT = (rules_directory() / "default.toml").read_text()
SIMILAR = (
    'label = "similar", m = 0.03, at_most = 0.15, '
    "when = { jaro_winkler = 0.80, same_sound = 1, same_letters = 1 }"
)


def edited(old: str, new: str) -> str:
    assert old in DEFAULT
    return DEFAULT.replace(old, new, 1)


@pytest.mark.parametrize("name", ["default", "cautious"])
def test_the_shipped_rule_sets_load_without_warnings(name):
    rules = load_rules(rules_directory() / f"{name}.toml")
    assert rules.name == name
    assert check_rules(rules) == []
    assert rules.reference.nicknames


def test_without_a_path_the_default_is_loaded():
    assert load_rules().name == "default"


def test_every_number_of_the_default_has_a_reason_beside_it():
    rules = load_rules()
    assert all(level.reason for c in rules.comparisons for level in c.levels)
    assert all(c.reason for c in rules.comparisons)
    assert all(r.reason for r in rules.relations)
    assert all(s.reason for s in (rules.blocking, rules.estimation, rules.clustering))
    assert rules.thresholds.in_words


def test_the_fingerprint_changes_with_any_setting_and_any_table_and_with_nothing_else():
    rules = load_rules()
    assert rules.fingerprint == load_rules().fingerprint
    assert re.fullmatch("[0-9a-f]{16}", rules.fingerprint)
    assert parse_rules(edited("match = 2.0", "match = 2.1"), "x").fingerprint != rules.fingerprint
    tables = replace(rules.reference, free_mail=rules.reference.free_mail | {"new.example"})
    assert rules.model_copy(update={"reference": tables}).fingerprint != rules.fingerprint


@pytest.mark.parametrize(
    ("old", "new", "complaint"),
    [
        (
            "jaro_winkler = 0.92",
            "jaro_wrinkler = 0.92",
            "comparisons[first_name].levels[close].when: unknown test 'jaro_wrinkler'; known are any_word",
        ),
        (
            'fields = ["first_name"]',
            'fields = ["frist_name"]',
            "comparisons[first_name].fields: unknown field 'frist_name'; known are first_name",
        ),
        (
            'label = "exact", m = 0.70',
            'label = "exact", m = 0.80',
            "comparisons[first_name]: m of the levels add up to 1.100, not 1",
        ),
        ("match = 2.0", "match = 9.5", "thresholds: thresholds must rise: review 0 <= match 9.5"),
        (
            "largest_block = 60",
            'largest_block = "many"',
            "blocking.largest_block: Input should be a valid integer (there: 'many')",
        ),
        ("largest_block = 60", "biggest_block = 60", "blocking.biggest_block: unknown key"),
        ("largest_block = 60", "biggest_block = 60", "blocking.largest_block: missing"),
        (
            'strong_from = "close"',
            'strong_from = "near"',
            "comparisons[first_name]: strong_from names 'near'; the levels are exact, close",
        ),
        (
            'needs = ["last_name"]',
            'needs = ["surname"]',
            "relation 'household' names surname; known are first_name",
        ),
        (
            "own = { postal_code = [0.12, 0.08, 0.55, 0.25] }",
            "own = { postal_code = [1.0] }",
            "relation 'area' gives 1 shares for postal_code, which has 4 levels",
        ),
        ('name = "middle_name"', 'name = "first_name"', "comparison names repeat"),
        (
            SIMILAR,
            'label = "close", m = 0.03, when = { jaro_winkler = 0.80 }',
            "level labels repeat: exact, close",
        ),
        (
            SIMILAR,
            'label = "similar", m = 0.03',
            "level 'similar' has no test in `when`",
        ),
        (
            'label = "exact", m = 0.70, reason',
            'label = "exact", m = 0.70, when = { prefix = 1 }, reason',
            "the first level (equal) and the last (differ) take no tests",
        ),
        (
            'jaro_winkler = 0.80, same_sound = 1, same_letters = 1 }, reason = "several slips, written',
            'jaro_winkler = 0.92 }, reason = "several slips, or',
            "jaro_winkler 0.92 stands twice",
        ),
        (
            "when = { same_street = 0.8 }",
            "when = { prefix = 1 }",
            "prefix looks at 1 field(s), the comparison has 2",
        ),
        ("[blocking]", "[blocking", "not TOML"),
        (
            '# default_region = "US"',
            'default_region = "USA"',
            "default_region: String should match pattern '^[A-Z]{2}$' (there: 'USA')",
        ),
    ],
)
def test_what_is_wrong_is_named_with_file_key_and_what_may_be(old, new, complaint):
    with pytest.raises(BadRules) as refused:
        parse_rules(edited(old, new), "mine.toml")
    assert str(refused.value).startswith("mine.toml: ")
    assert complaint in str(refused.value)


def test_all_complaints_come_at_once():
    text = edited("largest_block = 60", "largest_block = 1").replace("clip = 14 ", "clip = -14 ", 1)
    with pytest.raises(BadRules) as refused:
        parse_rules(text, "mine.toml")
    assert "blocking.largest_block" in str(refused.value)
    assert "clustering.clip" in str(refused.value)


def test_files_that_cannot_be_read_are_refused(tmp_path):
    with pytest.raises(BadRules, match="cannot be read"):
        load_rules(tmp_path / "none.toml")
    (tmp_path / "latin.toml").write_bytes(b'name = "caf\xe9"')
    with pytest.raises(BadRules, match="not UTF-8"):
        load_rules(tmp_path / "latin.toml")


def test_a_folder_of_tables_beside_the_file_is_used_instead_of_the_shipped_one(tmp_path):
    (tmp_path / "mine.toml").write_text(DEFAULT)
    assert load_rules(tmp_path / "mine.toml").reference == load_rules().reference
    own = tmp_path / "reference"
    own.mkdir()
    for table in (rules_directory() / "reference").glob("*.csv"):
        (own / table.name).write_bytes(table.read_bytes())
    with (own / "free_mail.csv").open("a") as file:
        file.write("new.example\n")
    assert "new.example" in load_rules(tmp_path / "mine.toml").reference.free_mail


def test_levels_that_can_never_be_reached_are_warned_of():
    text = edited("edit_distance = 1, jaro_winkler = 0.92 }", "edit_distance = 1, jaro_winkler = 0.7 }")
    rules = parse_rules(text, "x")
    assert check_rules(rules) == [
        "first_name: level 'similar' asks jaro_winkler 0.8, which 'close' above it (0.7) already takes"
    ]


def linkage_with(column: ColumnParameters, blocking: list[dict]) -> Linkage:
    parameters = Parameters(100, 0.01, (column,), ())
    return Linkage(empty(SCORED_PAIRS), empty(CLUSTERS), parameters, {"blocking": blocking})


def test_a_run_shows_silent_comparisons_falling_levels_and_exploding_keys():
    rules = load_rules()
    silent = ColumnParameters("gender", ("differ", "exact"), (0.5, 0.5), (0.5, 0.5), 1.0, 0.3, (1.0, 1.0))
    falling = ColumnParameters("city", ("differ", "exact"), (0.9, 0.1), (0.1, 0.9), 1.0, 0.3, (1.0, 1.0))
    key = {"key": "city", "largest_block": 100_000}
    assert "carries no information" in check_rules(rules, linkage_with(silent, []))[0]
    warnings = check_rules(rules, linkage_with(falling, [key]))
    assert "weighs less than 'differ'" in warnings[0]
    assert "one value on 100000 profiles" in warnings[1]
    nothing = Linkage(empty(SCORED_PAIRS), empty(CLUSTERS), None)
    assert check_rules(rules, nothing) == []


def test_the_schema_names_every_section_and_leaves_the_tables_out():
    properties = schema()["properties"]
    assert {"blocking", "comparisons", "relations", "thresholds", "survivorship"} <= set(properties)
    assert "reference" not in properties
    json.dumps(schema())


def test_the_tables_of_the_readme_are_those_of_the_code():
    page = rules_directory() / "README.md"
    text = page.read_text()
    if os.environ.get("RESOLVER_WRITE_DOCS"):
        head, mark, _ = text.partition("a test compares -->\n")
        text = head + mark + rule_tables().rstrip("\n") + "\n"
        page.write_text(text)
    assert rule_tables() in text
    assert all(f"`{name}`" in text for name in TESTS)
