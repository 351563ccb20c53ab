"""The same documents for every test of the report."""

from __future__ import annotations

import pytest
from superion.database.documents import ConductivityDoc, DiffusionDoc
from support.conductivity_documents import make_diffusion_documents, make_document


@pytest.fixture(scope="session")
def document() -> ConductivityDoc:
    return make_document()


@pytest.fixture(scope="session")
def diffusion_documents(document: ConductivityDoc) -> list[DiffusionDoc]:
    return make_diffusion_documents(document)


@pytest.fixture(scope="session")
def document_factory():
    return make_document
