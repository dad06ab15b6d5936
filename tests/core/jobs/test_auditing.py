"""Where a run looks over a part of the data, and what remains when it forgets."""

from dataclasses import replace

import numpy as np
import pytest
import torch
from PIL import Image

from longtail.core.backend.events import Outcome
from longtail.core.backend.local import LocalBackend
from longtail.core.checkpoints.card import ModelCard
from longtail.core.checkpoints.store import save
from longtail.core.data.preprocessing import Intensity, Preprocessing
from longtail.core.jobs.auditing import AuditJob, SanityJob
from longtail.core.jobs.auditing_sanity import spread
from longtail.core.methods.spec import RunSpec
from longtail.core.nets.recipe import NetworkRecipe, build_network
from longtail.core.project.boxes import DrawnBox
from longtail.core.project.records import ImageLabels, NewCase, Split, Task
from longtail.core.project.store import Project
from longtail.core.review.audit import Inside
from longtail.core.review.audit_file import SIDE, read_audit, read_pictures

CARD = ModelCard(
    task=Task.MULTILABEL,
    class_ids=(1, 2),
    class_names=("blob", "line"),
    network=NetworkRecipe("encoder", 2, 1, 2, {"name": "resnet18"}),
    preprocessing=Preprocessing(
        2, 1, Intensity("window", 0.0, 255.0, (0.0,), (1.0,)), size=(64, 64)
    ),
    prior=(0.5, 0.1),
)


@pytest.fixture
def films(tmp_path):
    """Six pictures of a bright body on black, one with a box; a run that learned nothing."""
    random = np.random.default_rng(0)
    cases = []
    for number in range(6):
        path = tmp_path / f"{number}.png"
        picture = np.zeros((60, 80))
        picture[10:55, 15:65] = 120 + random.integers(0, 60, (45, 50))
        Image.fromarray(picture.astype(np.uint8)).save(path)
        labels = ImageLabels(frozenset({1 + number % 2}), frozenset({2 - number % 2}))
        cases.append(
            NewCase(str(number), (str(path),), (60, 80), 1, None, Split.TEST, f"p{number}", labels)
        )
    with Project.create(
        tmp_path / "f.longtail", task=Task.MULTILABEL, classes=["blob", "line"]
    ) as project:
        project.add_cases(cases)
        project.set_boxes_of({"0": [DrawnBox(1, 20, 12, 15, 20)], "1": []}, author="me")
        classes = [
            {"id": i, "name": n, "examples": 9, "volume": 0.5}
            for i, n in ((1, "blob"), (2, "line"))
        ]
        spec = RunSpec(method="cross-entropy", task=CARD.task, classes=classes, iterations=7)
        run = project.new_run(spec.to_mapping())
        torch.manual_seed(0)
        weights = build_network(CARD.network).state_dict()
        folder = project.run_folder(run.id) / "checkpoints"
        save(folder / "last.pt", {"card": CARD.to_mapping(), "weights": weights})
        yield project


def wait(job):
    finished = LocalBackend().submit(job).wait()
    return finished


def test_maps_are_compared_with_the_box_where_there_is_one_else_with_the_body(films):
    (run,) = films.runs()
    finished = wait(AuditJob(films.path.as_posix(), run.id, most=2))
    assert finished.outcome is Outcome.COMPLETED, finished.reason
    audit = read_audit(films.run_folder(run.id))
    assert len(audit.maps) == finished.result["maps"] == 4
    by_case = {one.case: one for one in audit.maps}
    # Cases that somebody looked at for boxes come first.
    assert {"0", "1"} <= set(by_case)
    assert by_case["0"].of is Inside.BOX
    assert by_case["0"].area == pytest.approx(15 * 20 / (60 * 80))
    assert by_case["1"].of is Inside.BODY
    assert by_case["1"].area == pytest.approx(45 * 50 / (60 * 80), rel=0.1)
    known = [one.inside for one in audit.maps if one.inside is not None]
    assert known == sorted(known)
    assert any("not whether it is right" in note for note in audit.notes)
    pictures = read_pictures(films.run_folder(run.id), len(audit.maps))
    assert pictures.aspects == pytest.approx(80 / 60)
    assert set(pictures.means) == {1, 2}
    assert pictures.pictures.shape == (4, SIDE, SIDE, 3)


def test_an_unreadable_image_is_left_out_and_an_empty_part_is_refused(films):
    (run,) = films.runs()
    (films.path.parent / "3.png").write_bytes(b"no picture")
    assert wait(AuditJob(films.path.as_posix(), run.id)).outcome is Outcome.COMPLETED
    audit = read_audit(films.run_folder(run.id))
    assert [case for case, _ in audit.left_out] == ["3"]
    films.set_labels([case.id for case in films.cases()], None, author="me")
    finished = wait(AuditJob(films.path.as_posix(), run.id))
    assert finished.outcome is Outcome.FAILED
    assert "No test case is labelled" in finished.reason


def test_forgetting_is_told_part_by_part_and_in_a_sentence(films):
    (run,) = films.runs()
    finished = wait(SanityJob(films.path.as_posix(), run.id, images=2))
    assert finished.outcome is Outcome.COMPLETED, finished.reason
    steps = finished.result["steps"]
    assert steps[0]["part"] == "head"
    assert len(steps) > 3
    assert finished.result["sentence"].split(":")[0] in ("Passed", "Undecided", "Failed") or (
        finished.result["trusted"] is None
    )


def test_images_for_the_check_go_round_the_classes(films):
    cases = films.cases()
    chosen = spread(cases, (1, 2), 4, seed=0)
    assert sorted(min(case.labels.yes) for case in chosen) == [1, 1, 2, 2]
    assert len(spread(cases, (1, 2), 99, seed=0)) == 6


def test_scans_are_compared_with_their_outlines(untrained, volume_card):
    card = replace(
        volume_card,
        network=NetworkRecipe("unet", 3, 1, 3, {"width": 4, "strides": [[1, 2, 2]]}),
        patch_size=(4, 8, 8),
    )
    classes = [
        {"id": i, "name": n, "examples": 3, "volume": 0.5} for i, n in ((1, "core"), (2, "rim"))
    ]
    spec = RunSpec(method="supervised", task=card.task, classes=classes, iterations=7)
    run = untrained.new_run(spec.to_mapping())
    torch.manual_seed(0)
    weights = build_network(card.network).state_dict()
    folder = untrained.run_folder(run.id) / "checkpoints"
    save(folder / "last.pt", {"card": card.to_mapping(), "weights": weights})
    finished = wait(AuditJob(untrained.path.as_posix(), run.id, most=1))
    assert finished.outcome is Outcome.COMPLETED, finished.reason
    audit = read_audit(untrained.run_folder(run.id))
    assert {one.of for one in audit.maps} == {Inside.LABEL}
    pictures = read_pictures(untrained.run_folder(run.id), len(audit.maps))
    assert ((pictures.slices >= 0) & (pictures.slices < 5)).all()
