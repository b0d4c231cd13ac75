from __future__ import annotations

import gzip
import json
from datetime import UTC, date, datetime

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from resolver.attribute_columns import in_key_order
from resolver.errors import BadFile, BadFrame
from resolver.model.frames import PROFILES, Attributes, conform
from resolver.model.profile import from_row
from resolver.profile_columns import to_profiles
from resolver.profile_file import read_profiles
from resolver.whole_file import write_frame

ANA = {"ProfileId": "a", "FirstName": "Ana", "Address": {"City": "Bonn"}, "Attributes": {"tier": "gold"}}


def profiles_of(path):
    return [from_row(row) for row in read_profiles(path).iter_rows(named=True)]


@pytest.fixture
def write(tmp_path):
    def written(name, content):
        path = tmp_path / name
        path.write_bytes(content if isinstance(content, bytes) else content.encode())
        return path

    return written


@pytest.mark.parametrize(
    "header",
    [
        "ProfileId,FirstName,City,tier",
        "profile_id,first_name,city,tier",
        "Profile ID,First Name,Address.City,tier",
        "profile_id,firstName,address_city,tier",
    ],
)
def test_a_csv_in_any_spelling_gives_the_same_profiles(write, header):
    assert profiles_of(write("p.csv", f"{header}\na,Ana,Bonn,gold\n")) == [ANA]


def test_other_delimiters_and_compressed_files_are_read(write, tmp_path):
    text = "profile_id;first_name;city;tier\na;Ana;Bonn;gold\n"
    assert profiles_of(write("p.csv", text)) == [ANA]
    assert profiles_of(write("p.csv.gz", gzip.compress(text.encode()))) == [ANA]
    path = tmp_path / "p.csv.zst"
    pl.read_csv(text.encode(), separator=";").write_csv(path, compression="zstd")
    assert profiles_of(path) == [ANA]


def test_jsonl_with_nested_members_is_read(write):
    lines = [json.dumps(ANA), json.dumps({"ProfileId": "b", "ShippingAddress": {"PostalCode": "53111"}})]
    shipped = {"ProfileId": "b", "ShippingAddress": {"PostalCode": "53111"}}
    assert profiles_of(write("p.jsonl", "\n".join(lines))) == [ANA, shipped]


def test_flat_prefixed_addresses_are_blocks_of_their_own(write):
    path = write(
        "p.csv", "profile_id,City,ShippingCity,billing_postal_code,MailingAddressCountry\na,W,X,Y,Z\n"
    )
    assert profiles_of(path) == [
        {
            "ProfileId": "a",
            "Address": {"City": "W"},
            "ShippingAddress": {"City": "X"},
            "MailingAddress": {"Country": "Z"},
            "BillingAddress": {"PostalCode": "Y"},
        }
    ]


@pytest.mark.parametrize(
    "attributes",
    [
        ['{"a": "1", "b": "x"}', None, "{}"],
        ['{"a": 1, "b": "x", "c": null}', "", '{"b": null}'],
        ['{"a": "1", "\\u0062": "x"}', None, None],
        [{"a": "1", "b": "x"}, {"a": None, "b": None}, None],
        [[{"key": "a", "value": "1"}, {"key": "b", "value": "x"}], [{"key": "c", "value": None}], []],
        [[{"Value": "1", "Key": "a"}, {"Value": "x", "Key": "b"}], None, []],
    ],
)
def test_attributes_in_every_form_are_the_same(attributes):
    frame = to_profiles(pl.DataFrame({"profile_id": ["p", "q", "r"], "Attributes": attributes}, strict=False))
    pairs = [{"key": "a", "value": "1"}, {"key": "b", "value": "x"}]
    assert frame["attributes"].to_list() == [pairs, None, None]


def test_a_key_that_comes_late_is_not_lost():
    texts = [json.dumps({"a": str(i)}) for i in range(1500)] + [
        '{"a": "x:", "b": "y", "c": null}',
        '{"d": "\\": "}',
    ]
    frame = to_profiles(pl.DataFrame({"profile_id": range(len(texts)), "Attributes": texts}))
    assert frame["attributes"].to_list()[-3:] == [
        [{"key": "a", "value": "1499"}],
        [{"key": "a", "value": "x:"}, {"key": "b", "value": "y"}],
        [{"key": "d", "value": '": '}],
    ]


def test_nested_attribute_values_stay_json():
    frame = to_profiles(pl.DataFrame({"profile_id": ["p"], "Attributes": ['{"a": [1, "é"], "b": true}']}))
    values = {item["key"]: item["value"] for item in frame["attributes"][0]}
    assert values == {"a": '[1, "é"]', "b": "true"}


def test_unknown_columns_become_attributes_as_they_print(tmp_path):
    path = tmp_path / "p.parquet"
    pl.DataFrame(
        {
            "profile_id": [1, 2],
            "Attributes": ['{"own": "1"}', None],
            "visits": [3.0, None],
            "share": [0.5, 1.0],
            "since": [date(2020, 1, 2), None],
            "vip": [True, None],
            "tags": [["x", "y"], None],
        }
    ).write_parquet(path)
    first, second = profiles_of(path)
    assert first["ProfileId"] == "1"
    assert first["Attributes"] == {
        "own": "1", "visits": "3", "share": "0.5", "since": "2020-01-02", "vip": "true", "tags": '["x","y"]',
    }  # fmt: skip
    assert second["Attributes"] == {"share": "1.0"}


def test_the_truth_of_test_data_is_never_evidence(write):
    path = write("p.csv", "profile_id,entity_id,ClusterId,entity,True ID,first_name\na,1,2,3,4,Ana\n")
    assert profiles_of(path) == [{"ProfileId": "a", "FirstName": "Ana"}]


def test_blank_text_is_unknown(write):
    frame = read_profiles(write("p.csv", 'profile_id,first_name,last_name\na,"",x\n'))
    assert frame["first_name"].to_list() == [None]


def test_an_address_as_json_text_or_as_one_line_is_a_block():
    frame = to_profiles(
        pl.DataFrame({"profile_id": ["a", "b", "c"], "Address": ['{"City": "Bonn"}', "5 Main St", None]})
    )
    assert [row and {k: v for k, v in row.items() if v} for row in frame["address"]] == [
        {"city": "Bonn"},
        {"address1": "5 Main St"},
        None,
    ]


def test_unknown_parts_of_an_address_are_kept_as_attributes():
    frame = to_profiles(pl.DataFrame({"profile_id": ["a"], "Address": [{"City": "Bonn", "Latitude": 50.7}]}))
    assert frame["attributes"].to_list() == [[{"key": "Address.Latitude", "value": "50.7"}]]


def test_last_updated_at_is_read_as_utc():
    frame = to_profiles(
        pl.DataFrame(
            {"profile_id": ["a"], "last_updated_at": ["2026-01-02T03:04:05+02:00"], "source": ["crm"]}
        )
    )
    assert frame["last_updated_at"].to_list() == [datetime(2026, 1, 2, 1, 4, 5, tzinfo=UTC)]
    naive = pl.DataFrame({"profile_id": ["a"], "LastUpdatedAt": [datetime(2026, 1, 2)]})  # noqa: DTZ001 - the case
    assert to_profiles(naive)["last_updated_at"].to_list() == [datetime(2026, 1, 2, tzinfo=UTC)]
    with pytest.raises(BadFrame, match="last_updated_at is String that cannot be read"):
        to_profiles(pl.DataFrame({"profile_id": ["a"], "last_updated_at": ["yesterday"]}))


def test_what_was_written_is_read_again(tmp_path):
    path = tmp_path / "out.parquet"
    frame = to_profiles(
        pl.DataFrame({"profile_id": ["a", "b"], "City": ["Bonn", None], "tier": ["gold", None]})
    )
    write_frame(frame, path)
    assert read_profiles(path).equals(frame)
    assert conform(frame, PROFILES).equals(frame)
    assert [p.name for p in tmp_path.iterdir()] == ["out.parquet"]


@pytest.mark.parametrize(
    ("name", "content", "complaint"),
    [
        ("p.csv", "", r"p\.csv is empty"),
        ("p.xlsx", "x", r"p\.xlsx is of no known kind \(known: \.parquet"),
        ("p.parquet", "no parquet at all", r"p\.parquet is not Parquet"),
        ("p.csv", "profile_id,x\na,1\nb,1,2\n", r"p\.csv:3: 3 cells, not 2"),
        ("p.csv", "profile_id,x\na,1\nb\n", r"p\.csv:3: 1 cells, not 2"),
        ("p.csv", 'profile_id,x\na,"1\n', r"p\.csv:\d: unexpected end of data"),
        ("p.csv", b"profile_id,x\na,\xff\xfe\n", r"p\.csv is not UTF-8"),
        ("p.csv", "profile_id,x,x\na,1,2\n", r"p\.csv:1: column x stands twice"),
        ("p.csv.gz", "profile_id,x\na,1\n", r"p\.csv\.gz is not gz"),
        ("p.jsonl", '{"profile_id": "a"}\n{"profile_id": \n', r"p\.jsonl:2: not JSON"),
        ("p.jsonl", '{"profile_id": "a"}\n[1]\n', r"p\.jsonl:2: a JSON list, not an object"),
        (
            "p.jsonl",
            '{"profile_id": "a", "x": 1}\n{"profile_id": "b", "x": [{}]}\n',
            "a field of several types",
        ),
        (
            "p.csv",
            "id,first_name\na,Ana\n",
            r"p\.csv: no column profile_id \(columns there: id, first_name\)",
        ),
        ("p.csv", "profile_id,x\n,1\na,2\n,3\n", "profile_id is null in 2 rows, the first is row 1"),
        ("p.csv", "profile_id,x\nb,1\na,2\nb,3\n", "1 profile_id repeated, the first is b"),
        ("p.csv", "profile_id,FirstName,first_name\na,1,2\n", "FirstName and first_name are both first_name"),
        ("p.jsonl", '{"profile_id": "a", "FirstName": ["x"]}', r"FirstName is List\(String\), not text"),
        ("p.jsonl", '{"profile_id": "a", "Address": ["x"]}', r"Address is List\(String\), not an address"),
        ("p.jsonl", '{"profile_id": "a", "Attributes": 5}', "Attributes is Int64, not JSON text"),
        (
            "p.csv",
            'profile_id,Attributes\na,{}\nb,"[1]"\n',
            "Attributes of row 2 is a JSON list, not an object",
        ),
        ("p.csv", 'profile_id,Attributes\na,"{""k"": 1}"\nb,"{"\n', "Attributes of row 2 is not JSON"),
        (
            "p.jsonl",
            '{"profile_id": "a", "Address": {"City": "x"}, "City": "y"}',
            "Address and City are both address",
        ),
        (
            "p.jsonl",
            '{"profile_id": "a", "City": "y", "Address": {"City": "x"}}',
            "City and Address are both address",
        ),
    ],
)
def test_a_bad_file_is_refused_with_what_is_there(write, name, content, complaint):
    with pytest.raises((BadFile, BadFrame), match=complaint):
        read_profiles(write(name, content))


def test_a_missing_file_and_a_directory_are_refused(tmp_path):
    with pytest.raises(BadFile, match=r"p\.csv does not exist"):
        read_profiles(tmp_path / "p.csv")
    with pytest.raises(BadFile, match="is a directory"):
        read_profiles(tmp_path)


def test_every_fault_of_a_table_is_named_at_once():
    table = pl.DataFrame({"profile_id": ["a", "a"], "FirstName": [["x"], None], "Attributes": [1, 2]})
    with pytest.raises(BadFrame) as fault:
        to_profiles(table)
    assert all(
        word in str(fault.value) for word in ("FirstName is", "Attributes is", "1 profile_id repeated")
    )


@pytest.mark.parametrize("value", ["\\", "a\\b", 'say "hi"', "two\nlines", "C:\\new\\table"])
def test_attribute_values_that_json_escapes_are_read_as_they_are(tmp_path, value):
    lines = [
        {"ProfileId": "a", "Attributes": {"note": value}},
        {"ProfileId": "b", "Attributes": {"note": "plain"}},
    ]
    file = tmp_path / "p.jsonl"
    file.write_text("\n".join(json.dumps(line) for line in lines), encoding="utf-8")
    held = [[pair["value"] for pair in pairs] for pairs in read_profiles(file)["attributes"].to_list()]
    assert held == [[value], ["plain"]]


PAIRS = st.lists(
    st.tuples(st.sampled_from(["a", "b", "ä", "奈", "B"]), st.sampled_from(["1", "2"])), max_size=5
)


@given(st.lists(st.none() | PAIRS.filter(bool), max_size=6))
def test_attributes_in_key_order_are_what_sorting_each_list_gives(rows):
    listed = [row and [{"key": key, "value": value} for key, value in row] for row in rows]
    series = pl.Series("attributes", listed, Attributes)

    assert in_key_order(series).to_list() == [
        row and sorted(row, key=lambda pair: (pair["key"], pair["value"])) for row in listed
    ]
