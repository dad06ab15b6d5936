"""Comparisons that really train: three iterations a run on generated samples."""

import numpy as np
import pytest
import torch

from longtail.core.backend.events import Metric
from longtail.core.compare.running import run_comparison
from longtail.core.evaluate.report import read_report
from longtail.core.jobs.comparing import JOBS, compare
from longtail.core.jobs.training import TrainJob
from longtail.core.project.store import Project

pytestmark = pytest.mark.slow  # it waits for torch and MONAI

QUICK = {"patch": "16x16", "dimensions": "2d", "width": 4, "batch": 1}


def test_an_interrupted_comparison_of_outlines_goes_on_and_keeps_only_weights(
    plan_for, scans, backend
):
    plan = plan_for(
        scans, methods=["supervised"], seeds=[0, 1], labelled=["2"], iterations=3, settings=QUICK
    )
    pressed = []

    def press(event):
        if not pressed and isinstance(event, Metric):
            pressed.append(event)
            raise KeyboardInterrupt

    stopped = run_comparison(plan, backend, JOBS, on_event=press)
    assert pressed
    assert not stopped.records
    found = compare(plan, backend)
    assert found.is_complete
    assert [record.iterations for record in found.records] == [3, 3]
    with Project.open(scans) as project:
        assert len(project.runs()) == 2
        for record in found.records:
            folder = project.run_folder(record.run)
            assert [path.name for path in (folder / "checkpoints").iterdir()] == ["last.pt"]
            state = torch.load(folder / "checkpoints" / "last.pt", weights_only=True)
            assert "training" not in state
            told = read_report(folder / "evaluation-test.json").summary["dice"]
            value = next(
                v
                for r, v in zip(found.records, found.rows[0].points["dice"], strict=True)
                if r is record
            )
            assert value == pytest.approx(told.mean)


def test_pictures_are_compared_with_post_hoc_adjustment(plan_for, pictures, backend):
    settings = {"size": 32, "batch": 4}
    plan = plan_for(pictures, methods=["ce", "balanced-softmax"], iterations=3, settings=settings)
    found = compare(plan, backend)
    assert found.is_complete
    assert [row.name for row in found.rows] == ["ce", "ce, post-hoc adjusted", "balanced-softmax"]
    with Project.open(pictures) as project:
        run = found.records[0].run
        told = read_report(project.run_folder(run) / "evaluation-test.json").summary
    for name in ("balanced_accuracy", "macro_f1", "auc", "ece"):
        assert found.rows[0].overall[name].mean == pytest.approx(told[name].mean, abs=1e-4)
    finished = backend.submit(TrainJob(pictures.as_posix(), run, resume=True)).wait()
    assert "only its weights" in finished.reason
    assert found.records[0].prior == pytest.approx(np.array([7, 4, 1]) / 12)
