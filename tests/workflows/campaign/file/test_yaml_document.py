"""YAML with lines: what is read, what is refused, and where."""

from __future__ import annotations

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st
from superion.workflows.campaign.file import yaml_document
from superion.workflows.campaign.file.problems import CampaignFileError
from superion.workflows.campaign.file.yaml_document import YamlDocument, read_yaml

WORDS = st.text(st.characters(codec="utf-8", exclude_categories=["Cs", "Cc", "Zl", "Zp", "Cn", "Co"]), max_size=12)
SCALARS = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(-(2**63) + 1, 2**63 - 1),
    st.floats(allow_nan=False, allow_infinity=False),
    WORDS,
)
KEYS = WORDS.filter(lambda word: word not in ("<<", "="))
DATA = st.recursive(
    SCALARS,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(KEYS, inner, max_size=4),
    max_leaves=12,
)


@given(st.dictionaries(KEYS, DATA, min_size=1, max_size=5))
def test_reads_back_what_was_written(data):
    text = yaml.safe_dump(data, allow_unicode=True, sort_keys=False)
    assert read_yaml(text).data == data


def places(data, place=()):
    yield place
    if isinstance(data, dict):
        for key, value in data.items():
            yield from places(value, (*place, key))
    if isinstance(data, list):
        for index, value in enumerate(data):
            yield from places(value, (*place, index))


PLAIN_KEYS = st.text("abcdefghij", min_size=1, max_size=6).filter(lambda word: word not in ("n", "y"))


@given(
    st.dictionaries(
        PLAIN_KEYS,
        st.recursive(
            st.integers(0, 99),
            lambda inner: (
                st.lists(inner, min_size=1, max_size=3) | st.dictionaries(PLAIN_KEYS, inner, min_size=1, max_size=3)
            ),
            max_leaves=10,
        ),
        min_size=1,
        max_size=4,
    )
)
def test_names_the_line_of_every_key(data):
    text = yaml.safe_dump(data, default_flow_style=False, sort_keys=False)
    lines = text.splitlines()
    document = read_yaml(text)
    for place in places(data):
        line = lines[document.line_of(place) - 1]
        if place and isinstance(place[-1], str):
            assert f"{place[-1]}:" in line
        elif place:
            assert "-" in line


def test_reads_words_by_yaml_1_2():
    text = "a: no\nb: 1e-3\nc: 1:30\nd: 2020-01-01\ne: on\nf: 1_000\ng: .5\nh: ~\ni:\nj: -3\nk: +2.5E+1\n"
    assert read_yaml(text).data == {
        "a": "no",
        "b": 0.001,
        "c": "1:30",
        "d": "2020-01-01",
        "e": "on",
        "f": "1_000",
        "g": 0.5,
        "h": None,
        "i": None,
        "j": -3,
        "k": 25.0,
    }


def test_merges_mappings_and_lets_own_keys_win():
    document = read_yaml("d: &d {x: 1, y: 2}\nother: &o {z: 5, x: 9}\ne:\n  <<: [*d, *o]\n  y: 3\n")
    assert document.data["e"] == {"x": 1, "y": 3, "z": 5}
    assert document.line_of(("e", "y")) == 5


def test_finds_the_line_of_what_is_missing():
    assert YamlDocument("f", {}, {(): 1, ("a",): 4}).line_of(("a", "b", 3)) == 4


def bomb(levels: int) -> str:
    lines = ["a0: &a0 [x,x,x,x,x,x,x,x,x,x]"]
    lines += [f"a{level}: &a{level} [{','.join([f'*a{level - 1}'] * 10)}]" for level in range(1, levels)]
    return "\n".join(lines)


REFUSED = {
    "nothing": ("", 1, "empty"),
    "only a comment": ("# hello\n", 1, "empty"),
    "tab": ("a:\n\tb: 1\n", 2, "tab"),
    "key twice": ("a: 1\nb: 2\na: 3\n", 3, "'a' is here a second time"),
    "inner key twice": ("a:\n  b: 1\n  c: 2\n  b: 3\n", 4, "'b' is here a second time"),
    "not UTF-8": ("a: 1\nname: Müller".encode("latin-1"), 2, "UTF-8"),
    "bytes": (bytes(range(256)), 2, "UTF-8"),
    "multiplying aliases": (bomb(9), 1, "multiply"),
    "alias of itself": ("a: &a [1, *a]\n", 1, "refers to itself"),
    "deep brackets": ("[" * 100_000, 1, "nested"),
    "deep braces": ("x: 1\na: " + "{a: " * 5000 + "}" * 5000, 2, "nested"),
    "deep dashes": ("- " * 100_000, 1, "nested"),
    "deep questions": ("? " * 20_000, 1, "nested"),
    "deep blocks": ("".join(f"{' ' * level}a:\n" for level in range(3000)), 62, "nested"),
    "python object": ("a: 1\nb: !!python/object/apply:os.system [ls]\n", 2, "tag"),
    "python name": ("a: !!python/name:os.system\n", 1, "tag"),
    "binary": ("a: !!binary aGk=\n", 1, "tag"),
    "own tag": ("a: !mine 3\n", 1, "tag"),
    "two documents": ("a: 1\n---\nb: 2\n", 2, "second document"),
    "not a number": ("a: 1\nb: .nan\n", 2, "finite"),
    "infinity": ("b: -.inf\n", 1, "finite"),
    "beyond floats": ("b: 1e999\n", 1, "finite"),
    "many digits": ("a: " + "9" * 6000, 1, "number"),
    "no such anchor": ("a: 1\nb: *nope\n", 2, "anchor"),
    "zero byte": ("a: 1\nb: c\0d\n", 2, "not allowed"),
    "list as key": ("? [1, 2]\n: 3\n", 1, "key"),
    "merge of a number": ("a: 1\n<<: 3\n", 2, "<<"),
    "open bracket": ("a: [1, 2\nb: 3\n", 2, "brackets"),
    "open quote": ("a: 'x\n", 2, "quotes"),
    "wrong indentation": ("a:\n  - x\n b: 3\n", 3, "indentation"),
    "two colons": ("a: b: c\n", 1, "colons"),
    "unknown version": ("%YAML 3.0\n---\na: 1\n", 1, "YAML"),
}


@pytest.mark.parametrize("name", REFUSED)
def test_refuses_with_line(name):
    text, line, words = REFUSED[name]
    with pytest.raises(CampaignFileError) as caught:
        read_yaml(text, "file.yaml")
    (problem,) = caught.value.problems
    assert problem.line == line
    assert words in problem.sentence
    assert str(caught.value).startswith(f"file.yaml, line {line}: ")


def test_refuses_a_huge_file(monkeypatch):
    monkeypatch.setattr(yaml_document, "MAXIMUM_BYTES", 100)
    with pytest.raises(CampaignFileError, match="larger than"):
        read_yaml("a: " + "x" * 200)


@given(st.binary(max_size=200) | st.text(max_size=200))
def test_answers_anything_with_data_or_a_problem(text):
    n_lines = len(text.splitlines()) + 2
    try:
        lines = [read_yaml(text).line_of(())]
    except CampaignFileError as error:
        lines = [problem.line for problem in error.problems]
    assert lines
    assert all(1 <= line <= n_lines for line in lines)
