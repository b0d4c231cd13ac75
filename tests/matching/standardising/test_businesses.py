# ruff: noqa: RUF001 - names in other scripts are the cases

from __future__ import annotations

from dataclasses import replace

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st
from reference_tables import tables

from resolver.matching.standardising.businesses import (
    clean_business,
    cleaned_businesses,
    standardise_businesses,
)

#: One company name of each of more than thirty countries, and its core.
COMPANIES = [
    ("Textron Inc.", "textron"),  # US
    ("The Bank of Nova Scotia Ltée", "bank nova scotia"),  # CA
    ("Tesco PLC", "tesco"),  # GB
    ("Kerry Group DAC", "kerry"),  # IE
    ("BHP Pty. Ltd.", "bhp"),  # AU
    ("Bayern Bräu GmbH & Co. KG", "bayern brau"),  # DE
    ("Swarovski AG", "swarovski"),  # AT, CH, LI
    ("Carrefour S.A.", "carrefour"),  # FR
    ("Dupont et Fils SARL", "dupont fil"),  # FR
    ("Rossi S.r.l.", "rossi"),  # IT
    ("Ferrari S.p.A.", "ferrari"),  # IT
    ("García Hermanos S.L.U.", "garcia hermano"),  # ES
    ("Silva Lda.", "silva"),  # PT
    ("Padaria Ltda.", "padaria"),  # BR
    ("Tacos S.A. de C.V.", "taco"),  # MX
    ("Philips N.V.", "philip"),  # NL
    ("Bakkerij Jansen B.V.", "bakkerij jansen"),  # NL
    ("Delhaize BVBA", "delhaize"),  # BE
    ("Volvo AB", "volvo"),  # SE
    ("Equinor ASA", "equinor"),  # NO
    ("Lego A/S", "lego"),  # DK
    ("Nokia Oyj", "nokia"),  # FI
    ("Marel hf.", "marel"),  # IS
    ("Škoda s.r.o.", "skoda"),  # CZ
    ("Orlen Sp. z o.o.", "orlen"),  # PL
    ("Richter Kft.", "richter"),  # HU
    ("Dacia SRL", "dacia"),  # RO
    ("Gorenje d.o.o.", "gorenje"),  # SI, HR, RS
    ("Ромашка ООД", "romashka"),  # BG
    ("ООО «Ромашка»", "romashka"),  # RU
    ("ТОВ Нафта", "nafta"),  # UA
    ("Lietuva UAB", "lietuva"),  # LT
    ("Latvija SIA", "latvija"),  # LV
    ("Eesti OÜ", "eesti"),  # EE
    ("Arçelik A.Ş.", "arcelik"),  # TR
    ("ΔΕΛΤΑ Α.Ε.", "delta"),  # GR
    ("Tata Motors Pvt. Ltd.", "tata motor"),  # IN
    ("Petronas Sdn. Bhd.", "petronas"),  # MY
    ("Raffles Pte Ltd", "raffle"),  # SG
    ("PT Garuda Indonesia Tbk", "garuda indonesia"),  # ID
    ("トヨタ自動車株式会社", None),  # JP
    ("华为技术有限公司", None),  # CN
    ("삼성전자 주식회사", None),  # KR
    ('טבע בע"מ', None),  # IL
]


@pytest.mark.parametrize(("name", "core"), COMPANIES)
def test_the_legal_form_is_no_part_of_a_name(name, core):
    clean = clean_business(name, tables())
    assert clean.legal_form
    assert core is None or clean.core == core


def test_forms_of_scripts_without_spaces_are_taken_off_both_ends():
    bare = clean_business("トヨタ自動車", tables()).core
    assert clean_business("トヨタ自動車株式会社", tables()) == (bare, "kk")
    assert clean_business("株式会社トヨタ自動車", tables()) == (bare, "kk")


@pytest.mark.parametrize(
    ("name", "core"),
    [
        ("J.P. Morgan & Co. Incorporated", "jp morgan"),
        ("JP Morgan", "jp morgan"),
        ("Eric's Chinese Restaurant", "eric chinese restaurant"),
        ("DAVIDSON & ASSOC INC", "davidson associate"),
        ("Computer Associates Intl", "computer associate international"),
        ("Sun Int'l Mfg Cos. Ltd", "sun international manufacturing cos"),
        ("Allied Industries", "allied industry"),
        ("Glass Bus Oasis", "glass bus oasis"),
        ("The Group", "the group"),
        ("Inc.", "inc"),
        ("Hi-Life Restaurant and Lounge", "hi life restaurant lounge"),
        ("J.O'Neill & Sons", "j oneill son"),
        ("J. O'Neill & Sons", "j oneill son"),
        ("Joe's.A", "joe a"),
        ("Tacos S. de R.L. de C.V.", "taco"),
        ("Tacos Sociedad Anonima de Capital Variable", "taco"),
        ("Nam Viet Joint Stock Company Limited", "nam viet"),
        ("A B Joint Stock Company Limited", "ab"),
        ("", ""),
    ],
)
def test_the_core_tells_companies_apart(name, core):
    assert clean_business(name, tables()).core == core


WORDS = st.sampled_from(
    [
        "Acme",
        "acme's",
        "J.",
        "P.",
        "U",
        "S",
        "the",
        "of",
        "and",
        "&",
        "Holding",
        "inc",
        "Inc.",
        "LLC",
        "Ltd",
        "co",
        "Co.",
        "GmbH",
        "AG",
        "S.A.",
        "s.p.a.",
        "PT",
        "ООО",
        "株式会社",
        "Café",
        "-",
        "/",
        "3M",
        "1",
        "und",
        "private",
        "limited",
        "Systems",
        "technologies",
        "Intl",
        "Assoc",
        "sp.",
        "z",
        "o.o.",
        "S. de R.L. de C.V.",
        "sociedad anonima de capital variable",
        "joint stock company",
        "company",
        "J.O'Neill",
        "A.B'c",
    ]
)


@given(st.lists(st.lists(WORDS, min_size=1, max_size=6).map(" ".join), min_size=1, unique=True))
def test_columns_of_companies_are_read_as_each_company_is(names):
    rows = cleaned_businesses(pl.Series(names), tables()).rows()
    assert rows == [tuple(clean_business(name, tables())) for name in names]


@pytest.mark.parametrize("affix", ["KK-", " Inc", "Group"])
def test_affixes_in_ascii_are_taken_off_as_well(affix):
    reference = replace(tables(), legal_affixes={affix: "kk"})
    names = ["KK-Acme", "Acme Inc", "AcmeGroup", "Group", "Acme"]
    rows = cleaned_businesses(pl.Series(names), reference).rows()
    assert rows == [tuple(clean_business(name, reference)) for name in names]
    assert sum("kk" in form for _, form in rows) == 1


def test_tables_may_hold_plurals_and_phrases():
    reference = replace(
        tables(),
        business_words={"sls": "sales", "mtr": "motor cars"},
        business_noise=frozenset({"the", "in the"}),
        legal_forms={"a form of more than five words": "long", "ltd": "ltd"},
        leading_legal_forms=frozenset(),
    )
    names = ["Acme Sls", "Acme Mtr Cars", "Acme in the Box", "Acme a form of more than five words", "A Ltd"]
    rows = cleaned_businesses(pl.Series(names), reference).rows()
    assert rows == [tuple(clean_business(name, reference)) for name in names]
    assert [core for core, _ in rows][:3] == ["acme sales", "acme motor cars car", "acme in box"]


def test_the_vocabulary_lists_the_forms_seen_with_a_core():
    field = standardise_businesses(pl.Series(["Acme GmbH", "Acme AG", "ACME", "n/a", None]), tables())
    texts = [field.vocabulary["text"][int(c)] for c in field.codes[:, 0]]
    assert texts == ["acme", "acme", "acme", "", ""]
    assert dict(field.vocabulary.iter_rows())["acme"] == "ag|gmbh"
