from __future__ import annotations

import errno

import pytest
from pydantic import ValidationError
from superion.dynamics.protocol import RunLimits
from superion.errors import SettingsError, SuperionError
from superion.scripts.failure import failure_sentence, report_failure, validation_sentence


def test_our_errors_are_printed_as_they_are(capsys):
    assert report_failure(SettingsError("keep [red]this[/red] \\[so]"), debug=False) == 1
    assert capsys.readouterr().err == "error: keep [red]this[/red] \\[so]\n"


def test_an_error_may_choose_its_exit_code(capsys):
    class Special(SuperionError):
        exit_code = 7

    assert report_failure(Special("x"), debug=False) == 7


def test_a_sentence_stays_on_one_line():
    assert failure_sentence(SettingsError("a\n   b")) == "a b"


def test_a_validation_error_names_the_field_and_the_value():
    with pytest.raises(ValidationError) as caught:
        RunLimits(duration_ps=-1, compression="zip")
    sentence = validation_sentence(caught.value)
    assert sentence.startswith("duration_ps: input should be greater than 0 (given: -1); compression: ")
    assert "'zip'" in sentence
    assert "\n" not in sentence
    assert failure_sentence(caught.value) == sentence


@pytest.mark.parametrize(
    ("number", "word"),
    [(errno.ENOSPC, "free some space"), (errno.EACCES, "permissions"), (errno.EFBIG, "ulimit"), (errno.EROFS, "disk")],
)
def test_errors_of_the_disk_say_what_to_do(number, word):
    import os

    sentence = failure_sentence(OSError(number, os.strerror(number), "/some/file"))
    assert sentence.startswith("/some/file: ")
    assert word in sentence


def test_other_errors_are_not_the_users_to_mend():
    assert failure_sentence(RuntimeError("x")) is None
    assert failure_sentence(OSError("x")) is None
