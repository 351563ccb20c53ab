"""The project folder is found from below, made once, and never guessed."""

from __future__ import annotations

import pytest
from superion.database.project import FOLDER_NAME, ProjectFolder, find_project
from superion.errors import StoreError


def test_created_where_there_is_none(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    project = find_project(create=True)
    assert project == ProjectFolder(tmp_path.resolve())
    for folder in (project.blobs, project.trajectories, project.runs, project.reports):
        assert folder.is_dir()
        assert folder.parent == project.folder == tmp_path.resolve() / FOLDER_NAME
    assert not project.database_path.exists()
    assert (project.folder / ".gitignore").read_text() == "*\n"


def test_found_from_below(tmp_path):
    project = find_project(tmp_path, create=True)
    below = tmp_path / "a" / "b"
    below.mkdir(parents=True)
    assert find_project(below) == project
    assert find_project(below, create=True) == project
    assert not (below / FOLDER_NAME).exists()
    nearer = ProjectFolder((tmp_path / "a").resolve()).create()
    assert find_project(below) == nearer


def test_none_to_be_found(tmp_path):
    with pytest.raises(StoreError, match="There is no superion project in") as caught:
        find_project(tmp_path)
    assert "\n" not in str(caught.value)
    assert not list(tmp_path.iterdir())


def test_folder_that_cannot_be_made(tmp_path):
    (tmp_path / FOLDER_NAME).write_text("a file in its place")
    with pytest.raises(StoreError, match="cannot be made"):
        find_project(tmp_path, create=True)
