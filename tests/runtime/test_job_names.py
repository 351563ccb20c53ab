"""Names of jobs, which queues write into lines of shell as they are."""

from __future__ import annotations

import subprocess

from hypothesis import given, settings
from hypothesis import strategies as st
from superion.runtime.job_names import sanitize_job_name

HOSTILE = st.text(st.sampled_from("aZ9 .()[]{}<>|&;$`\"'\\*?~#!/\n\tÅ→"), max_size=40)


@given(HOSTILE)
def test_nothing_is_left_that_a_shell_or_a_folder_would_take_for_more(text):
    name = sanitize_job_name(text)
    assert not set(name) & set("()[]{}<>|&;$`\"'\\*?~#!/\n\t")
    assert sanitize_job_name(name) == name


@settings(max_examples=20)
@given(st.lists(HOSTILE, min_size=5, max_size=20))
def test_bash_reads_the_words_as_they_stand(texts):
    names = [sanitize_job_name(text) for text in texts]
    script = "\n".join(f"printf '%s\\n' {name}" for name in names)
    printed = subprocess.run(["bash", "-c", script], capture_output=True, text=True, check=True).stdout
    assert printed.split() == [word for name in names for word in name.split()]
