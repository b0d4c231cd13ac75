"""What a Source reads, whatever the object holds."""

from __future__ import annotations

import pytest

from resolver.local.sources import BadSource, check_source, source_value

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
