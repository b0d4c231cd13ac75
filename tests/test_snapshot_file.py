from __future__ import annotations

import gzip
import json
from datetime import UTC, datetime

import polars as pl
import pytest
from bucket import bucket
from embedded import embedded
from hypothesis import given
from hypothesis import strategies as st
from pyarrow import orc

from resolver.app.exporting import ExportOptions, export_domain
from resolver.errors import BadFile, BadFrame
from resolver.local.loading import load_profiles
from resolver.model.frames import PROFILES
from resolver.model.profile import ADDRESS_PARTS, ADDRESSES, SCALARS, from_row
from resolver.profiles.domain import Domain
from resolver.snapshot_file import SnapshotSource, read_snapshot

ANA = {
    "ProfileId": "a" * 32,
    "FirstName": "Ana",
    "Address": {"Address1": '5 "Old" St', "City": "Bonn"},
    "Attributes": {"tier": "gold", "n": "1"},
}
BEN = {"ProfileId": "b" * 32, "ShippingAddress": {"Country": "NO"}, "BirthDate": "1990-02-03"}


def profiles_of(location, kind=None):
    return [from_row(row) for row in read_snapshot(SnapshotSource(str(location), kind)).iter_rows(named=True)]


def lines(*profiles):
    return "".join(json.dumps(p, ensure_ascii=False) + "\n" for p in profiles)


def table(*profiles):
    """A table as CSV and ORC hold it: nested members as JSON text."""
    names = dict.fromkeys(name for p in profiles for name in p)
    cells = {n: [p.get(n) for p in profiles] for n in names}
    return pl.DataFrame(
        {
            n: [json.dumps(c, ensure_ascii=False) if isinstance(c, dict) else c for c in cs]
            for n, cs in cells.items()
        },
        schema=dict.fromkeys(names, pl.String),
    )


def write(path, kind, *profiles):
    path.parent.mkdir(parents=True, exist_ok=True)
    if kind == "jsonl":
        path.write_text(lines(*profiles), encoding="utf-8")
    elif kind == "csv":
        table(*profiles).write_csv(path)
    elif kind == "parquet":
        table(*profiles).write_parquet(path)
    else:
        orc.write_table(table(*profiles).to_arrow(compat_level=pl.CompatLevel.oldest()), path)


@pytest.mark.parametrize("named", [True, False])
@pytest.mark.parametrize("kind", ["csv", "jsonl", "parquet", "orc"])
def test_every_kind_gives_the_same_profiles_with_and_without_a_suffix(tmp_path, kind, named):
    path = tmp_path / ("part.0.x" if not named else f"part.{kind}")
    write(path, kind, BEN, ANA)

    assert profiles_of(path) == [ANA, BEN]
    frame = read_snapshot(SnapshotSource(str(path), kind))
    assert frame.schema == pl.Schema(PROFILES.columns)


def test_a_folder_is_read_with_all_below_it_but_for_markers_and_hidden_files(tmp_path):
    write(tmp_path / "2026" / "range1" / "_profile" / "0f3c", "jsonl", ANA)
    write(tmp_path / "2026" / "range2" / "uuid", "csv", BEN)
    (tmp_path / "_SUCCESS").write_bytes(b"")
    (tmp_path / ".crc").write_bytes(b"\0")
    (tmp_path / "2026" / "empty").write_bytes(b"")

    # `_profile` is AWS's own name for the folder of a bulk export
    assert profiles_of(tmp_path) == [ANA, BEN]
    assert profiles_of(tmp_path / "2026" / "*" / "*") == [BEN]


def test_of_a_profile_in_two_files_the_later_one_counts(tmp_path):
    write(tmp_path / "1.jsonl", "jsonl", ANA, BEN)
    write(tmp_path / "2.jsonl", "jsonl", ANA | {"FirstName": "Anna"})
    assert [p.get("FirstName") for p in profiles_of(tmp_path)] == ["Anna", None]

    write(
        tmp_path / "0.jsonl", "jsonl", ANA | {"FirstName": "Newest", "LastUpdatedAt": "2026-01-01T00:00:00Z"}
    )
    assert [p.get("FirstName") for p in profiles_of(tmp_path)] == ["Newest", None]


def test_compressed_files_and_flattened_attributes_are_read(tmp_path):
    text = "ProfileId,Address.City,Attributes.tier,Attributes.a.b\n" + "c" * 32 + ",Oslo,gold,1\n"
    (tmp_path / "part.csv.gz").write_bytes(gzip.compress(text.encode()))

    assert profiles_of(tmp_path) == [
        {"ProfileId": "c" * 32, "Address": {"City": "Oslo"}, "Attributes": {"a.b": "1", "tier": "gold"}}
    ]


def test_parts_of_an_address_that_the_api_does_not_know_are_kept_as_attributes(tmp_path):
    address = {"City": "Bonn", "Floor": "3"}
    for kind in ("csv", "jsonl"):
        write(tmp_path / f"part.{kind}", kind, {"ProfileId": "c" * 32, "Address": address})
        (profile,) = profiles_of(tmp_path / f"part.{kind}")
        assert profile["Attributes"] == {"Address.Floor": "3"}
        assert profile["Address"] == {"City": "Bonn"}


@pytest.mark.parametrize(
    ("name", "content", "complaint"),
    [
        ("x.csv", "ProfileId,A\n" + "a,1\n" * 2, r"x\.csv: 1 profile_id repeated"),
        ("x.jsonl", '{"FirstName": "x"}', r"x\.jsonl: no column profile_id"),
        ("x.jsonl", '{"ProfileId": "x"}\nnonsense', r"x\.jsonl:2: not JSON"),
        ("x.orc", "no orc", r"x\.orc is not readable ORC"),
        ("x", "\0\1\2", "x is of no known kind: name it with --snapshot-kind"),
        ("_SUCCESS", "", "no files of a snapshot in it"),
        ("x.csv", "", "no profiles in it"),
    ],
)
def test_a_bad_snapshot_is_one_clear_error(tmp_path, name, content, complaint):
    (tmp_path / name).write_text(content, encoding="utf-8")

    with pytest.raises((BadFile, BadFrame), match=complaint) as caught:
        read_snapshot(SnapshotSource(str(tmp_path)))
    assert "\n" not in str(caught.value)


def test_a_snapshot_that_is_not_there_is_told(tmp_path):
    for missing in (tmp_path / "gone", tmp_path / "*.csv"):
        with pytest.raises(BadFile, match="no such file"):
            read_snapshot(SnapshotSource(str(missing)))


@pytest.mark.parametrize("kind", ["csv", "jsonl", "parquet", "orc"])
def test_a_snapshot_in_s3_is_read_file_by_file(tmp_path, monkeypatch, kind):
    files = {}
    same = dict.fromkeys([*ANA, *BEN]) if kind == "parquet" else {}  # Parquet: other columns are refused
    for number, held in enumerate([same | ANA, same | BEN]):
        write(tmp_path / "part", kind, held)
        files[f"exports/{number}"] = (tmp_path / "part").read_bytes()
    with bucket(files) as url:
        for name, value in {"ENDPOINT_URL": url, "ALLOW_HTTP": "true", "REGION": "us-east-1"}.items():
            monkeypatch.setenv(f"AWS_{name}", value)
        found = profiles_of(f"s3://{kind}/exports/", kind)
        with pytest.raises(BadFile, match="nothing/"):
            profiles_of(f"s3://{kind}/nothing/", kind)

    assert found == [ANA, BEN]


def test_an_address_in_s3_whose_name_tells_no_kind_asks_for_one():
    with pytest.raises(BadFile, match="give --snapshot-kind"):
        profiles_of("s3://bucket/exports/")


# What a service may hold: any text but half surrogates (not UTF-8) and NUL, up to 255 characters.
texts = st.text(
    st.characters(exclude_categories=("Cs",), exclude_characters="\0"), max_size=12
) | st.sampled_from(
    [
        "",
        "é" * 255,
        "奈" * 255,
        '"',
        "\\",
        "a\nb",
        "null",
        "{}",
        "[1]",
        " x ",
        '{"a": "b"}',
        "1.50",
        "007",
        "true",
    ]
)
filled = texts.filter(bool)
addresses = st.dictionaries(st.sampled_from(list(ADDRESS_PARTS)), texts, max_size=4)
attributes = st.dictionaries(filled, texts, max_size=5) | st.just({f"k{n}": f"v{n}" for n in range(1000)})
scalars = [
    name
    for name in SCALARS
    if name not in {"PartyType", "Gender", "ProfileType", "PartyTypeString", "GenderString"}
]
profiles = st.fixed_dictionaries(
    {},
    optional={
        **dict.fromkeys(scalars, texts),
        **dict.fromkeys(ADDRESSES, addresses),
        "Attributes": attributes,
        "PreferredChannel": filled,  # a member that nobody knows yet
    },
)


@pytest.fixture(scope="module")
def many_domains():
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("AWS_ACCESS_KEY_ID", "test")  # the fixture that all tests have comes later than this one
        patch.setenv("AWS_SECRET_ACCESS_KEY", "test")
        with embedded([]) as (domain, service):
            names = iter(f"d{n}" for n in range(100_000))
            yield lambda: (Domain(next(names), domain.clients), service)


@given(given_profiles=st.lists(profiles, min_size=1, max_size=4))
def test_a_snapshot_and_a_round_trip_through_the_service_give_the_same_frame(
    many_domains, tmp_path_factory, given_profiles
):
    domain, service = many_domains()
    directory = tmp_path_factory.mktemp("round")
    held = [{"ProfileId": f"{n:032x}", **fields} for n, fields in enumerate(given_profiles, 1)]
    for kind in ("jsonl", "csv"):
        write(directory / f"part.{kind}", kind, *held)
    snapshot = read_snapshot(SnapshotSource(str(directory / "part.jsonl")))
    load_profiles(service.store, domain.name, [from_row(row) for row in snapshot.iter_rows(named=True)])
    options = ExportOptions(
        directory / "out.parquet",
        datetime(2026, 3, 1, 12, tzinfo=UTC),
        known_ids=[p["ProfileId"] for p in held],
    )
    export_domain(domain, options)
    exported = pl.read_parquet(options.out)

    assert snapshot.select(exported.columns).equals(exported)
    assert all(snapshot[c].null_count() == len(held) for c in snapshot.columns if c not in exported.columns)
    assert read_snapshot(SnapshotSource(str(directory / "part.csv"))).equals(snapshot)
    for row, profile in zip(snapshot.iter_rows(named=True), held, strict=True):
        assert from_row(row) == expected(profile)


def expected(profile):
    """The slow twin: blanks out, what the API does not know among the attributes."""
    kept = {k: v for k, v in profile.items() if k in SCALARS or k in ADDRESSES or k == "ProfileId"}
    extra = {k: v for k, v in profile.items() if k == "PreferredChannel"}
    kept["Attributes"] = extra | profile.get("Attributes", {})
    tidy = {k: {p: t for p, t in v.items() if t} if isinstance(v, dict) else v for k, v in kept.items()}
    return {k: v for k, v in tidy.items() if v}
