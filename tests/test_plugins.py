"""Groups of entry points: what is registered is found, what is broken says whose fault it is."""

from __future__ import annotations

from importlib.metadata import EntryPoint

import pytest
from superion import plugins
from superion.errors import PotentialError, SettingsError
from superion.plugins import BrokenPluginWarning, PluginGroup

GROUP = "superion.test"
POINTS = tuple(
    EntryPoint(name, value, GROUP)
    for name, value in [
        ("ordered", "collections:OrderedDict"),
        ("counter", "collections:Counter"),
        ("list", "collections:UserList"),
        ("nothing", "collections:Nothing"),
    ]
)


@pytest.fixture(autouse=True)
def registered(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(plugins, "entry_points", lambda group: POINTS if group == GROUP else ())


def test_names_are_sorted_and_nothing_is_imported() -> None:
    assert PluginGroup(GROUP, "mapping", dict).names() == ("counter", "list", "nothing", "ordered")


def test_the_class_is_given() -> None:
    from collections import Counter

    assert PluginGroup(GROUP, "mapping", dict).load("counter") is Counter


@pytest.mark.parametrize(
    ("name", "sentence"),
    [
        ("conter", "There is no mapping 'conter': did you mean 'counter'? known names are counter, list,"),
        ("zzz", "There is no mapping 'zzz': known names are counter,"),
        ("nothing", "The mapping 'nothing' of collections:Nothing does not load (AttributeError:"),
        ("list", "The mapping 'list' of collections:UserList is not a subclass of builtins.dict: this is a bug"),
    ],
)
def test_what_does_not_serve_is_one_sentence(name: str, sentence: str) -> None:
    with pytest.raises(SettingsError) as caught:
        PluginGroup(GROUP, "mapping", dict).load(name)
    assert str(caught.value).startswith(sentence)
    assert "\n" not in str(caught.value)


def test_each_group_raises_its_own_kind_of_error() -> None:
    with pytest.raises(PotentialError, match="known names are none"):
        PluginGroup("superion.empty", "potential", object, PotentialError).load("x")


def test_a_name_that_two_packages_register_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    other = EntryPoint("counter", "collections:ChainMap", GROUP)
    monkeypatch.setattr(plugins, "entry_points", lambda group: (*POINTS, POINTS[0], other))
    with pytest.raises(SettingsError, match="'counter' is registered twice, as collections:Counter and as"):
        PluginGroup(GROUP, "mapping", dict).names()


def test_what_need_not_be_there_may_be_broken() -> None:
    group = PluginGroup(GROUP, "mapping", dict)
    with pytest.warns(BrokenPluginWarning, match="The mapping 'nothing' of collections:Nothing does not load"):
        assert group.find_sound("nothing") is None
    assert group.find_sound("unregistered") is None
    assert group.find_sound("counter") is not None
