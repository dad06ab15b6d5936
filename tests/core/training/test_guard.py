"""The tail guard in a run: it warns, keeps what was best, and goes on after a resume."""

import json

import numpy as np
import pytest
import torch

from longtail.core.backend.events import Artifact, Metric, Outcome, Progress, Told, Warned
from longtail.core.backend.local import LocalBackend
from longtail.core.checkpoints.store import load, load_network
from longtail.core.jobs.training import TrainJob
from longtail.core.project.sample import build_heart_sample
from longtail.core.project.store import Project
from longtail.core.training.changes import SampleMore, WeighMore
from longtail.core.training.plan import plan_run

SCAR = 4
FAST = {
    "width": 4,
    "dimensions": "2d",
    "patch": "48x48",
    "batch": 2,
    "oversample": "none",
    "augmentation": "none",
    "learning_rate": 0.02,
}


@pytest.fixture
def sample(tmp_path):
    """Hearts of which a single one has a scar, of four voxels."""
    path = build_heart_sample(tmp_path, scans=5)
    with Project.open(path) as project:
        cases = [case for case in project.cases(labelled=True) if case.split == "train"]
        for number, case in enumerate(cases):
            labels = project.read_label_map(case.id).copy()
            labels[labels == SCAR] = 2
            if number == 0:
                z, y, x = np.argwhere(labels == 2)[0]
                labels[z, y : y + 2, x : x + 2] = SCAR
            project.write_label_map(case.id, labels, author="test")
        spec = plan_run(project, method="supervised", iterations=250, settings=FAST)
        run = project.new_run(spec.to_mapping())
    return path, run.id


def test_a_lost_class_is_warned_of_kept_and_helped(sample):
    project, run_id = sample
    backend = LocalBackend("cpu")
    handle = backend.submit(TrainJob(project.as_posix(), run_id))
    events, helped = [], False
    for event in handle:
        events.append(event)
        if not helped and isinstance(event, Warned) and event.kind == "tail-guard":
            helped = True
            handle.tell(SampleMore(SCAR, 3.0))
            handle.tell(WeighMore(SCAR, 3.0))
    assert events[-1].outcome is Outcome.COMPLETED
    warned = next(e for e in events if isinstance(e, Warned) and e.kind == "tail-guard")
    assert warned.class_name == "scar"
    assert warned.text.startswith("scar is not being learned.")
    assert warned.remedies == ("Sample it more", "Weigh it more")
    at = events.index(warned)
    told = [event for event in events[at:] if isinstance(event, Told)]
    assert told == [
        Told("SampleMore", {"class_id": SCAR, "factor": 3.0}),
        Told("WeighMore", {"class_id": SCAR, "factor": 3.0}),
    ]
    folder = project / "runs" / run_id
    lines = (folder / "events.jsonl").read_text(encoding="utf-8").splitlines()
    kinds = [json.loads(line).get("change") for line in lines]
    assert kinds.count("SampleMore") == kinds.count("WeighMore") == 1
    saved = load(folder / "checkpoints" / "last.pt")["training"]["method"]
    assert saved["factors"] == [1.0, 1.0, 1.0, 3.0]
    assert saved["class_factors"] == [1.0, 1.0, 1.0, 1.0, 3.0]
    assert load_network(folder, f"class-{SCAR}").card.class_ids == (1, 2, 3, 4)


def test_a_remedy_is_taken_up_before_the_next_step(volumes, start):
    events, _, _ = start(volumes, "supervised", iterations=3, changes=[WeighMore(2, 3.0)])
    kinds = [type(event) for event in events]
    told = kinds.index(Told)
    assert events[told - 1] == Progress(0, 3, 0.0, "Training")
    assert Metric not in kinds[:told]


@pytest.mark.parametrize("stop_after", [30, 64])
def test_sitting_out_is_the_same_after_a_resume(many_volumes, start, stop_after):
    wishes = {"iterations": 130, "changes": [WeighMore(2, 3.0), SampleMore(2, 2.0)]}
    _, _, whole = start(many_volumes, "supervised", name="whole", **wishes)
    _, stopped, _ = start(
        many_volumes, "supervised", name="parted", stop_after=stop_after + 4, **wishes
    )
    assert 13 < stopped["iterations"] < 91
    _, _, parted = start(many_volumes, "supervised", name="parted", resume=True)
    first, second = (load(path / "checkpoints" / "last.pt") for path in (whole, parted))
    torch.testing.assert_close(first["weights"], second["weights"], rtol=0, atol=0)
    assert second["training"]["method"]["class_factors"] == [1.0, 1.0, 3.0]
    assert second["training"]["method"]["factors"] == [1.0, 2.0]


def test_cases_that_sat_out_are_measured_and_keep_the_best_of_a_class(
    many_volumes, start, monkeypatch
):
    monkeypatch.setattr("longtail.core.training.rotation.COST_SHARE", 100.0)
    monkeypatch.setattr("longtail.core.training.keeping.DEAR", 0)
    events, _, folder = start(many_volumes, "supervised", iterations=150)
    aside = [e for e in events if isinstance(e, Metric) and e.name == "aside_dice"]
    steps = sorted({metric.step for metric in aside})
    assert len(steps) == 6
    assert all(25 <= step <= 106 for step in steps)
    assert {metric.class_name for metric in aside} == {"ball", "pea", None}
    best = max(metric.value for metric in aside if metric.class_name == "ball")
    kept = load(folder / "checkpoints" / "best-class-1.pt")
    assert kept["scores"]["class-1"] == best
    assert not (folder / "checkpoints" / "best.pt").exists()


def test_a_class_that_falls_is_told_with_its_checkpoint(volumes, start, monkeypatch):
    from longtail.core.methods.supervised import SupervisedRun

    plain = SupervisedRun.step

    def step(self, batch, moment):
        result = plain(self, batch, moment)
        result.tally[0, 1] = (0.9 if moment.share < 0.3 else 0.0) * result.tally[1, 1]
        return result

    monkeypatch.setattr(SupervisedRun, "step", step)
    monkeypatch.setattr("longtail.core.training.keeping.DEAR", 0)
    wishes = {"iterations": 400, "settings": {"patch": "8x8x8"}}
    events, _, folder = start(volumes, "supervised", stop_after=395, **wishes)
    warned = [e for e in events if isinstance(e, Warned) and e.kind == "tail-guard"]
    assert [event.class_name for event in warned] == ["pea"]
    assert warned[0].text.startswith("pea is being lost. Its Dice on the training scans fell from")
    assert Artifact("checkpoints/best-class-2.pt", "checkpoint") in events
    assert load_network(folder, "class-2").card.class_ids == (1, 2)
    assert load(folder / "checkpoints" / "best-class-2.pt")["step"] <= 140
    again, _, _ = start(volumes, "supervised", resume=True)
    assert [e for e in again if isinstance(e, Warned) and e.kind == "tail-guard"] == warned
