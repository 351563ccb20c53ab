"""Dotted settings and presets: applied where they belong, refused with the nearest known name."""

from __future__ import annotations

import pytest
from superion.errors import SettingsError
from superion.flows.conductivity import ConductivityMaker
from superion.flows.presets import list_presets, load_preset
from superion.flows.registry import flow_maker, list_flows
from superion.flows.settings import apply_settings, flatten, list_settings, parse_assignment


@pytest.mark.parametrize(
    ("assignment", "reach", "expected"),
    [
        ("md.time_step_fs=1", lambda maker: maker.md.protocol.time_step_fs, 1.0),
        ("md.protocol.time_step_fs=1.5", lambda maker: maker.md.protocol.time_step_fs, 1.5),
        ("md.duration_ps=7", lambda maker: maker.md.limits.duration_ps, 7.0),
        ("md.target_relative_error=null", lambda maker: maker.md.stop.target_relative_error, None),
        ("temperatures_k=600,800", lambda maker: maker.temperatures_k, (600.0, 800.0)),
        ("temperatures_k=[600, 800]", lambda maker: maker.temperatures_k, (600.0, 800.0)),
        ("temperatures_k=600", lambda maker: maker.temperatures_k, (600.0,)),
        ("potential=chgnet", lambda maker: (maker.potential.name, maker.potential.model), ("chgnet", None)),
        (
            "potential=mace:a/b.model",
            lambda maker: (maker.potential.name, maker.potential.model),
            ("mace", "a/b.model"),
        ),
        ("potential.dtype=float64", lambda maker: maker.potential.dtype, "float64"),
        ("potential.options={a: 1}", lambda maker: maker.potential.options, {"a": 1}),
        ("potential.options.runtime=auto", lambda maker: maker.potential.options, {"runtime": "auto"}),
        ("relax=false", lambda maker: maker.relax, None),
        ("volume=true", lambda maker: maker.volume.protocol.ensemble, "npt"),
        (
            "volume.duration_ps=3",
            lambda maker: (maker.volume.limits.duration_ps, maker.volume.protocol.ensemble),
            (3.0, "npt"),
        ),
        ("mobile_ion=Na+", lambda maker: maker.mobile_ion, "Na+"),
        ("md.analysis.equilibration_ps=2", lambda maker: maker.md.analysis.equilibration_ps, 2.0),
    ],
)
def test_setting_reaches_its_place(assignment, reach, expected):
    original = ConductivityMaker()
    name, value = parse_assignment(assignment)
    assert reach(apply_settings(original, {name: value})) == expected
    assert original.as_dict() == ConductivityMaker().as_dict()


@pytest.mark.parametrize(
    ("assignment", "words"),
    [
        ("md.time_step=1", "no setting 'md.time_step': did you mean 'md.time_step_fs'"),
        ("n_replica=2", "did you mean 'n_replicas'"),
        ("temperature=300", "did you mean 'temperatures_k'"),
        ("md.stop.target_sigma=1", "did you mean 'md.stop.target_sigma_300k_ms_cm'"),
        ("md.protocol.temperature_k=3", "There is no setting"),
        ("md.duration_ps=-3", "'md.duration_ps' cannot be -3.0: input should be greater than 0"),
        ("md.time_step_fs=quick", "cannot be 'quick'"),
        ("md.thermostat=berendsen", "'bussi', 'nose_hoover_chain' or 'langevin'"),
        ("n_replicas=1.5", "cannot be 1.5"),
        ("supercell=false", "cannot be left out"),
        ("md=3", "give one of its own settings"),
        ("temperatures_k.first=3", "goes too deep"),
        ("no-equals-sign", "not of the form name=value"),
    ],
)
def test_mistake_is_one_sentence(assignment, words):
    with pytest.raises(SettingsError) as caught:
        apply_settings(ConductivityMaker(), dict([parse_assignment(assignment)]))
    assert words in str(caught.value)
    assert "\n" not in str(caught.value)


def test_every_listed_setting_can_be_set_to_its_value():
    maker = apply_settings(ConductivityMaker(), {"volume": True, "spot_check.teacher": "chgnet"})
    for info in list_settings(maker):
        assert info.description, info.name
        if info.type not in ("on or off",):
            assert apply_settings(maker, {info.name: info.value}).as_dict() == maker.as_dict(), info.name


def test_one_option_of_a_potential_leaves_the_others():
    maker = apply_settings(
        ConductivityMaker(), {"potential.options": {"head": "pbe"}, "potential.options.runtime": "auto"}
    )
    assert maker.potential.options == {"head": "pbe", "runtime": "auto"}


def test_flatten_keeps_a_calculators_own_options_whole():
    nested = {
        "potential": {"name": "ase", "options": {"barriers_ev": {"Li": 0.2}}},
        "md": {"limits": {"segment_ps": 1}},
    }
    assert flatten(nested) == {
        "potential.name": "ase",
        "potential.options": {"barriers_ev": {"Li": 0.2}},
        "md.limits.segment_ps": 1,
    }


def test_every_shipped_preset_fits_its_flow():
    names = [preset.name for preset in list_presets()]
    assert {"conductivity", "quickstart"} <= set(names)
    for preset in list_presets():
        maker = preset.maker()
        assert preset.description
        flow = maker.make(*(preset.inputs or ("Li6PS5Cl",)))
        assert len(flow.jobs) >= 5
    quick = load_preset("quickstart")
    assert (quick.inputs, quick.maker().potential.name) == (("Li6PS5Cl",), "chgnet")
    assert len(quick.maker().temperatures_k) >= 3


@pytest.mark.parametrize("name", [None, *(preset.name for preset in list_presets() if preset.flow == "conductivity")])
def test_temperatures_are_safe_and_testable(name):
    """Soft frameworks melt above 1000 K; curvature takes four temperatures."""
    maker = ConductivityMaker() if name is None else load_preset(name).maker()
    assert len(maker.temperatures_k) >= 4
    assert max(maker.temperatures_k) <= 1000
    assert list(maker.temperatures_k) == sorted(maker.temperatures_k)


def test_own_preset_file_and_overrides(tmp_path):
    path = tmp_path / "mine.yaml"
    path.write_text(
        "description: mine\nflow: conductivity\nsettings:\n  md.time_step_fs: 1.0\n  md: {limits: {duration_ps: 5}}\n"
    )
    maker = load_preset(path).maker({"md.duration_ps": 9})
    assert maker.md.protocol.time_step_fs == 1.0
    assert maker.md.limits.duration_ps == 9.0


@pytest.mark.parametrize(
    ("content", "words"),
    [
        ("description: x\nflow: conductivity\nsetings: {}\n", "unknown key 'setings': did you mean 'settings'"),
        ("flow: conductivity\n", "wrong at 'description'"),
        ("a: [1\n", "not valid YAML"),
        ("- 1\n", "must be a mapping"),
        ("description: x\nflow: conductivty\n", "did you mean 'conductivity'"),
        ("description: x\nflow: conductivity\nsettings: {md: {tim_step_fs: 1}}\n", "did you mean 'md.time_step_fs'"),
    ],
)
def test_wrong_preset_is_one_sentence(tmp_path, content, words):
    path = tmp_path / "wrong.yaml"
    path.write_text(content)
    with pytest.raises(SettingsError) as caught:
        load_preset(path).maker()
    assert words in str(caught.value)
    assert "\n" not in str(caught.value)


def test_missing_preset_names_the_nearest(tmp_path):
    with pytest.raises(SettingsError, match="did you mean 'quickstart'"):
        load_preset("quickstrt")
    with pytest.raises(SettingsError, match="does not exist"):
        load_preset(tmp_path / "none.yaml")


def test_flows_of_other_packages_are_found(monkeypatch):
    from importlib.metadata import EntryPoint

    from superion import plugins
    from superion.flows import registry

    theirs = EntryPoint("theirs", "superion.flows.conductivity:ConductivityMaker", registry.FLOWS.entry_point_group)
    broken = EntryPoint("broken", "no_such_package:Maker", registry.FLOWS.entry_point_group)
    known = tuple(plugins.entry_points(group=registry.FLOWS.entry_point_group))
    monkeypatch.setattr(plugins, "entry_points", lambda group: (*known, theirs, broken))
    assert [info.name for info in list_flows()] == sorted([*(point.name for point in known), "broken", "theirs"])
    assert flow_maker("theirs") is ConductivityMaker
    with pytest.raises(SettingsError, match="does not load"):
        flow_maker("broken")
    with pytest.raises(SettingsError, match="did you mean 'conductivity'"):
        flow_maker("conductivty")
