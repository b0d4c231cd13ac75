from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from resolver.errors import BadRules
from resolver.reference_file import load_reference

RULES = Path(__file__).parents[1] / "rules" / "reference"


@pytest.fixture
def copy(tmp_path):
    return Path(shutil.copytree(RULES, tmp_path / "reference"))


def test_the_projects_own_tables_load():
    known = load_reference(RULES)
    assert known.nicknames["bob"][0] == "robert"
    assert known.suffixes["junior"] == "jr"
    assert known.suffixes["phd"] == ""
    assert known.legal_forms["sp z o o"] == known.legal_forms["sp z oo"]
    assert known.countries["deutschland"] == known.countries["deu"] == "de"
    assert known.dial_regions["1"] == "us"
    assert known.dial_regions["44"] == "gb"
    assert known.states["new south wales"] == "nsw"
    assert known.placeholders["any"] <= known.placeholders["phone"]


def test_no_word_is_at_once_a_suffix_and_a_particle():
    known = load_reference(RULES)
    assert not known.suffixes.keys() & known.particles


def test_legal_forms_of_thirty_countries_and_more_are_known():
    assert len(set(load_reference(RULES).legal_forms.values())) > 100


def test_comments_and_blank_lines_are_skipped(copy):
    (copy / "particles.csv").write_text("# a comment\n\nparticle\n# another\nvan\n")
    assert load_reference(copy).particles == {"van"}


@pytest.mark.parametrize(
    ("table", "text", "complaint"),
    [
        (
            "titles",
            "title,alone\nmr,perhaps\n",
            r"titles\.csv:2: alone is 'perhaps', not one of after, no, yes",
        ),
        ("titles", "# x\ntitle,alone\nmr\n", r"titles\.csv:3: 1 cells, not 2"),
        ("titles", "title\nmr\n", r"titles\.csv:1: columns title, not title, alone"),
        ("titles", "", r"titles\.csv:1: columns none, not title, alone"),
        ("particles", 'particle\nvan\n \n""\n', r"particles\.csv:4: particle is empty"),
        ("genders", "word,gender\nu,\nm\n", r"genders\.csv:3: 1 cells, not 2"),
    ],
)
def test_a_bad_line_is_named_with_what_is_there(copy, table, text, complaint):
    (copy / f"{table}.csv").write_text(text)
    with pytest.raises(BadRules, match=complaint):
        load_reference(copy)


def test_every_fault_of_every_table_is_named_at_once(copy):
    (copy / "titles.csv").unlink()
    (copy / "genders.csv").write_bytes(b"word,gender\n\xff,m\n")
    (copy / "particles.csv").write_text("particle\na,b\nc,d\n")
    with pytest.raises(BadRules) as fault:
        load_reference(copy)
    for part in (
        "titles.csv: cannot be read (FileNotFoundError)",
        "genders.csv: cannot",
        "particles.csv:2:",
        "csv:3:",
    ):
        assert part in str(fault.value)
