"""What a Source reads, whatever the object holds."""

from __future__ import annotations

import time

import pytest

from resolver.local.sources import BadSource, Reading, check_source

ODD = 'O\'Neil & "Söhne" <`=`> \ue000\ue001\uf8e0\uf8e1\uf8f1&amp;'
PARTIALS = [
    '{{#*inline "p"}}{{> p}}{{/inline}}{{> p}}',
    "{{>p}}",
    "{{ > p}}",
    "{{~> p}}",
    "{{~ > p}}",
    "{{#> p}}x{{/p}}",
    "{{~#  > p}}x{{/p}}",
    '{{# *inline "p"}}x{{/inline}}',
    "{{* mark}}",
    "{{#if _source.a}}{{> p}}{{/if}}",
    "{{{{raw}}}}x{{{{/raw}}}}",
]


def source_value(source, document):
    return Reading(document).value(source)


@pytest.mark.parametrize("source", PARTIALS)
def test_partials_decorators_and_raw_blocks_are_refused_before_they_run(source):
    with pytest.raises(BadSource, match="partial"):
        check_source(source)


@pytest.mark.parametrize(
    "source",
    [
        "{{_source.a}}",
        "{{~ _source.a ~}}",
        "{{{_source.a}}}",
        "{{&_source.a}}",
        '{{lookup _source "a"}}',
        "{{#with _source}}{{a}}{{/with}}",
        "{{#each _source.list}}{{this}}{{/each}}",
        "{{#each _source.keys}}{{@key}}{{/each}}",
        "{{! it's a comment }}{{!-- {{so}} is --}}{{_source.a}}",
        "{{#if _source.none}}x{{else}}{{_source.a}}{{/if}}",
        "{{#if _source.none}}x{{else if _source.a}}{{_source.a}}{{/if}}",
        f'{{{{#if (eq _source.plain "O\'Neil & <Co>")}}}}{ODD}{{{{/if}}}}',
        "{{#removeExtraSpace}}  {{_source.a}}  {{/removeExtraSpace}}",
    ],
)
def test_no_character_of_a_value_is_changed(source):
    document = {"a": ODD, "list": [ODD], "keys": {ODD: 1}, "plain": "O'Neil & <Co>"}
    check_source(source)
    assert source_value(source, document) == ODD


def test_text_that_looks_like_a_tag_or_an_escape_stays():
    document = {"a": "<{{b}}>"}
    cases = {
        r"\{{_source.a}}": "{{_source.a}}",
        r"\\{{_source.a}}": r"\<{{b}}>",
        "&amp;{{_source.a}}": "&amp;<{{b}}>",
    }
    assert {source: source_value(source, document) for source in cases} == cases


def test_a_loop_that_reaches_out_of_itself_is_refused_only_where_it_would_take_long():
    source = "{{#each _source.l}}{{#each @root._source.l}}.{{/each}}{{/each}}"
    assert source_value(source, {"l": [1, 2, 3]}) == "." * 9
    for outward in ("@root._source.l", "../_source.l"):
        with pytest.raises(BadSource, match="loops"):
            source_value(source.replace("@root._source.l", outward), {"l": list(range(1000))})
    inward = "{{#each _source.l}}{{#each this}}.{{/each}}{{/each}}"
    assert source_value(inward, {"l": [list(range(100))] * 100}) == "." * 10_000


LARGE = {"l": [0] * 80_000}  # 240 kB


@pytest.mark.parametrize(
    "source",
    [
        "{{#each _source.l}}" + "{{a}}" * 180 + "{{/each}}",
        "{{~# each _source.l ~}}" + "{{#if a}}{{/if}}" * 55 + "{{/each}}",
        "{{#each _source}}{{#each this}}" + '{{#if (eq this "a")}}{{/if}}' * 30 + "{{/each}}{{/each}}",
        "{{#with _source}}{{#each l}}" + "{{a}}" * 180 + "{{/each}}{{/with}}",
        "{{#if _source.a}}{{else each _source.l}}" + "{{a}}" * 180 + "{{/if}}",
        "{{#each _source.l}}" + "x" * 900 + "{{/each}}",
        "{{_source.l}}" * 75,
    ],
)
def test_what_would_take_long_or_fill_the_memory_is_refused(source):
    """Each took up to a quarter of a minute for one of the 250 fields that an object may have."""
    began = time.process_time()
    with pytest.raises(BadSource, match=r"loops over more|more text"):
        source_value(source, LARGE)
    assert time.process_time() - began < 5
    assert isinstance(source_value(source, {"l": [0] * 20}), str)


def test_what_the_fields_of_an_object_take_is_counted_together():
    loop = "{{#each _source.l}}{{this}}{{/each}}"
    reading = Reading(LARGE)
    assert reading.value(loop) == "0" * 80_000
    with pytest.raises(BadSource, match="loops over more"):
        [reading.value(loop) for _ in range(250)]
    reading = Reading(LARGE)
    with pytest.raises(BadSource, match="more text"):
        [reading.value("{{_source.l}}") for _ in range(250)]


def test_a_large_object_with_loops_over_small_parts_of_it_is_read():
    reading = Reading({**LARGE, "tags": ["a", "b"], "at": {"lines": [{"text": "c"}]}})
    for _ in range(40):
        assert reading.value("{{#each _source.tags}}{{this}},{{/each}}") == "a,b,"
        assert reading.value("{{#each _source.at.lines}}{{text}}{{/each}}") == "c"
