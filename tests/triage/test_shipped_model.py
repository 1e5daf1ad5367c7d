import pytest

from triage import artifact
from triage.errors import ArtifactError
from triage.resources import DATA
from triage.taxonomy import load_taxonomy


@pytest.fixture(scope="module")
def folder():
    try:
        return artifact.served_folder()
    except ArtifactError:
        pytest.skip("no model was promoted in this checkout")


def test_the_shipped_model_is_whole_and_answers_the_taxonomys_labels(folder):
    classifier, manifest = artifact.load(folder)
    assert folder.name == manifest.folder_name
    for head, known in load_taxonomy().labels.items():
        assert set(classifier.heads[head]) == set(known)


def test_the_shipped_model_was_trained_on_batches_of_the_corpus_that_is_here(folder):
    manifest = artifact.read_manifest(folder)
    here = {path.name for path in (DATA / "corpus").rglob("*.jsonl")}
    assert manifest.data
    assert {file.name for file in manifest.data} <= here  # batches written since wait for the next model


def test_the_shipped_model_is_small_enough_for_a_repository(folder):
    assert sum(path.stat().st_size for path in folder.iterdir()) < 60_000_000
