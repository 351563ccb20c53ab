from __future__ import annotations

import io

from rich.console import Console
from superion.database.documents import ConductivityDoc
from superion.workflows.presenters.registry import presenter_of
from support.conductivity_documents import make_curved_document, make_document


def printed(document: ConductivityDoc) -> str:
    console = Console(file=io.StringIO(), width=400)
    presenter_of(document.doc_type).print(document, console)
    return console.file.getvalue()


def test_a_curved_line_is_said_once():
    document = make_curved_document()
    assert document.arrhenius.curvature.note in document.arrhenius.flags
    assert printed(document).count(document.arrhenius.curvature.note) == 1


def test_other_flags_of_the_fit_are_said():
    document = make_document(temperatures=(800.0, 1100.0), withheld=())
    assert "Two temperatures only" in printed(document)


def test_the_two_counts_of_hops_have_two_names():
    document = make_document()
    withheld = document.temperatures[0].tracer.model_copy(
        update={"withheld_reason": "only about 3.1 diffusive hops were seen, 8 are needed"}
    )
    first = document.temperatures[0].model_copy(update={"tracer": withheld})
    text = printed(document.model_copy(update={"temperatures": [first, *document.temperatures[1:]]}))
    assert "eff. hops" in text
    assert "3.1 diffusive hops were seen" in text
    assert "effective hops count whatever moves an ion, diffusive hops are those that D itself amounts to" in text
    assert "diffusive hops" not in printed(make_document(withheld=()))
