from __future__ import annotations

import pytest
from ase.build import bulk
from ase.calculators.lj import LennardJones
from superion.errors import PotentialError
from superion.potentials.registry import load_potential
from superion.potentials.specification import PotentialSpecification


def specify(model: str | None, **options: object) -> PotentialSpecification:
    return PotentialSpecification(name="ase", model=model, options=options)


def test_options_are_keyword_arguments():
    atoms = bulk("Ar", "fcc", a=5.3, cubic=True)
    atoms.calc = load_potential(
        specify("ase.calculators.lj.LennardJones", epsilon=0.01, sigma=3.4, rc=8.0)
    ).calculator()
    reference = bulk("Ar", "fcc", a=5.3, cubic=True)
    reference.calc = LennardJones(epsilon=0.01, sigma=3.4, rc=8.0)
    assert atoms.get_potential_energy() == reference.get_potential_energy()


def test_provenance_depends_on_parameters_and_not_on_their_order():
    one = load_potential(specify("ase.calculators.lj.LennardJones", epsilon=0.01, sigma=3.4)).provenance
    same = load_potential(specify("ase.calculators.lj.LennardJones", sigma=3.4, epsilon=0.01)).provenance
    other = load_potential(specify("ase.calculators.lj.LennardJones", epsilon=0.01, sigma=3.5)).provenance
    assert one == same
    assert one.weights_sha256 != other.weights_sha256
    assert (one.package, one.device, one.dtype) == ("ase", "cpu", "float64")


def test_a_file_among_the_parameters_enters_by_its_bytes(tmp_path):
    digests = []
    for folder, content in (("a", "1 2 3"), ("b", "1 2 3"), ("c", "1 2 4")):
        (tmp_path / folder).mkdir()
        table = tmp_path / folder / "al.eam"
        table.write_text(content)
        digests.append(
            load_potential(specify("ase.calculators.eam.EAM", potential=str(table))).provenance.weights_sha256
        )
    assert digests[0] == digests[1] != digests[2]


def test_file_that_is_replaced_is_read_again(tmp_path):
    table = tmp_path / "al.eam"
    table.write_text("1 2 3")
    before = load_potential(specify("ase.calculators.eam.EAM", potential=str(table))).provenance.weights_sha256
    table.write_text("1 2 3 4")
    after = load_potential(specify("ase.calculators.eam.EAM", potential=str(table))).provenance.weights_sha256
    assert before != after


@pytest.mark.parametrize(
    ("model", "sentence"),
    [
        (None, "needs the dotted path"),
        ("EMT", "needs the dotted path"),
        ("no.such.Calculator", "cannot be imported"),
        ("ase.calculators.emt.EMTT", "has no calculator named 'EMTT'"),
    ],
)
def test_bad_path_is_one_sentence(model: str | None, sentence: str):
    with pytest.raises(PotentialError, match=sentence):
        load_potential(specify(model)).calculator()


def test_bad_option_is_one_sentence(cosine_system):
    options = {**cosine_system.specification.options, "spacing": 3}
    with pytest.raises(PotentialError, match="cannot be built with the options"):
        load_potential(cosine_system.specification.model_copy(update={"options": options})).calculator().calculate()


def test_device_that_the_calculator_cannot_use_is_refused():
    with pytest.raises(PotentialError, match="has no argument 'device'"):
        load_potential(PotentialSpecification(name="ase", model="ase.calculators.emt.EMT", device="cuda"))


def test_precision_that_cannot_be_set_is_refused():
    with pytest.raises(PotentialError, match="cannot set the precision"):
        load_potential(PotentialSpecification(name="ase", model="ase.calculators.emt.EMT", dtype="float32"))


def test_unknown_elements_are_named_where_the_calculator_says(cosine_system):
    potential = load_potential(cosine_system.specification)
    with pytest.raises(PotentialError, match="does not know the element Na"):
        potential.check_elements(["Li", "Na"])
    assert load_potential(specify("ase.calculators.emt.EMT")).known_elements() is None
