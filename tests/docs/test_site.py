"""The site builds without a warning, says what the settings are, and loads nothing from the network."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from html.parser import HTMLParser
from pathlib import Path

import pytest
import yaml
from support.markdown_blocks import ROOT, pages


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The site, built as `make docs` builds it."""
    folder = tmp_path_factory.mktemp("site")
    built = subprocess.run(
        [sys.executable, "-m", "mkdocs", "build", "--strict", "--site-dir", str(folder)],
        cwd=ROOT,
        env=os.environ | {"NO_MKDOCS_2_WARNING": "1"},
        capture_output=True,
        text=True,
    )
    assert built.returncode == 0, built.stderr[-4000:]
    return folder


class _Loads(HTMLParser):
    """Collects what a browser would fetch by itself when it shows a page."""

    def __init__(self) -> None:
        super().__init__()
        self.addresses: list[str] = []

    def handle_starttag(self, tag: str, attributes: list[tuple[str, str | None]]) -> None:
        given = dict(attributes)
        if tag in ("script", "img", "iframe", "source") and given.get("src"):
            self.addresses.append(str(given["src"]))
        if tag == "link" and given.get("rel") in ("stylesheet", "preload", "icon", "preconnect"):
            self.addresses.append(str(given.get("href")))


def test_site_loads_nothing_from_the_network(site: Path) -> None:
    built = sorted(site.rglob("*.html"))
    assert len(built) > 10
    for page in built:
        loads = _Loads()
        loads.feed(page.read_text(encoding="utf-8"))
        assert loads.addresses
        assert [address for address in loads.addresses if re.match(r"(https?:)?//", address)] == [], page.name
        assert 'class="mermaid"' not in page.read_text(encoding="utf-8")


def test_every_page_is_in_the_navigation(site: Path) -> None:
    # mkdocs fails on an entry without a page; this is the other way round
    config = (ROOT / "mkdocs.yml").read_text(encoding="utf-8")
    included = set(yaml.safe_load(config)["exclude_docs"].split())
    for page in pages():
        if page.parent.name == "docs" and page.name not in included:
            assert f" {page.name}" in config, page.name


def test_changelog_and_contributing_are_the_files_of_the_root(site: Path) -> None:
    assert "An embedded result store on SQLite" in (site / "changelog" / "index.html").read_text(encoding="utf-8")
    assert "One obvious command per chore" in (site / "contributing" / "index.html").read_text(encoding="utf-8")


def test_reference_describes_the_functions(site: Path) -> None:
    reference = (site / "api" / "index.html").read_text(encoding="utf-8")
    for name in (
        "transport.analysis.analyze_diffusion",
        "dynamics.engine.run_md",
        "flows.conductivity.ConductivityMaker",
    ):
        assert f'id="superion.{name}"' in reference


def test_formulas_are_readable_as_they_stand(site: Path) -> None:
    """Nothing turns LaTeX into a formula here, so none may be left."""
    latex = re.compile(r":math:|math::|\\(?:frac|tfrac|sum|sqrt|mathrm|left|cos|exp)\b")
    for page in sorted(site.rglob("*.html")):
        text = re.sub(r"<(script|style)\b.*?</\1>", "", page.read_text(encoding="utf-8"), flags=re.DOTALL)
        assert latex.findall(text) == [], page.parent.name
    reference = (site / "api" / "index.html").read_text(encoding="utf-8")
    assert "Σₖ [1 − cos 2π(nₖ xₖ − sₖ)]" in re.sub(r"<[^>]+>", "", reference)


def test_tables_are_filled_in(site: Path) -> None:
    page = (site / "conductivity_flow" / "index.html").read_text(encoding="utf-8")
    assert "<code>quickstart</code>" in page
    assert "<code>md.stop.target_relative_error</code>" in page
    assert "<!-- settings" not in page
    assert "<!-- presets" not in page


def test_reference_covers_every_public_module_that_pages_import() -> None:
    reference = (ROOT / "docs" / "api.md").read_text(encoding="utf-8")
    used = {
        name
        for page in pages()
        for name in re.findall(r"^from (superion[\w.]+) import", page.read_text(encoding="utf-8"), re.M)
    }
    covered = set(re.findall(r"^::: ([\w.]+)$", reference, re.M))
    assert {name for name in used if not any(name == c or c.startswith(f"{name}.") for c in covered)} == set()
