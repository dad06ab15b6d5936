"""Two runs of a project put beside each other, out of what lies in their folders."""

import shutil
from dataclasses import replace

import numpy as np
import pytest

from longtail.core.errors import LongtailError
from longtail.core.evaluate.report import read_report
from longtail.core.jobs.evaluation import EvaluateJob
from longtail.core.jobs.record import record
from longtail.core.jobs.versus import versus
from longtail.core.project.records import Split
from longtail.core.project.runs import read_spec

IMAGE_RUN = "run-001-cross-entropy"


@pytest.fixture
def evaluated(finish):
    """Measure a run, and give its record and report."""

    def measure(project, run_id, split="test"):
        job = EvaluateJob(project.path.as_posix(), run_id, split)
        record(project, job, finish(job))
        report = read_report(project.run_folder(run_id) / f"evaluation-{split}.json")
        return project.run(run_id), report

    return measure


def twin(project, run_id, name="checkpoints"):
    """Make another run with the same weights."""
    other = project.new_run(read_spec(project.run_folder(run_id)))
    folders = [project.run_folder(one) / name for one in (run_id, other.id)]
    shutil.copytree(*folders, dirs_exist_ok=True)
    return other.id


def test_a_run_that_answers_alike_differs_by_nothing(images, evaluated):
    other = twin(images, IMAGE_RUN)
    found = versus(images, *evaluated(images, IMAGE_RUN), *evaluated(images, other))
    assert (found.shared, found.changed) == (9, ())
    assert found.overall["balanced_accuracy"].mean == 0
    assert set(found.classes["recall"]) == {"low", "mid", "high"}


def test_the_setting_that_is_kept_with_a_run_counts(images, evaluated):
    other = twin(images, IMAGE_RUN)
    plain = evaluated(images, other)
    images.record_run(IMAGE_RUN, state="completed", result={"prior": [0.8, 0.15, 0.05]})
    tilted = np.array([1e-9, 1e-9, 1.0])
    images.set_run_setting(IMAGE_RUN, "prior_target", list(tilted / tilted.sum()))
    found = versus(images, *evaluated(images, IMAGE_RUN), *plain)
    assert found.worse > 0
    assert {one.after for one in found.changed} <= {"mid", "high"}


def test_findings_and_label_maps_are_compared_too(findings, volumes, evaluated):
    for project, run in ((findings, IMAGE_RUN), (volumes, "run-001-supervised")):
        both = [evaluated(project, one) for one in (run, twin(project, run))]
        found = versus(project, *both[0], *both[1])
        assert found.shared > 0
        assert found.changed == ()


def test_different_parts_are_not_compared(volumes, evaluated):
    run, report = evaluated(volumes, "run-001-supervised")
    with pytest.raises(LongtailError, match="measured on the part test"):
        versus(volumes, run, report, run, replace(report, split="val"))


def test_answers_that_are_gone_are_told(images, evaluated):
    run, report = evaluated(images, IMAGE_RUN)
    shutil.rmtree(images.run_folder(IMAGE_RUN) / "predictions")
    with pytest.raises(LongtailError, match="not kept any more"):
        versus(images, run, report, run, report)


def test_runs_of_other_classes_are_not_compared(volumes, evaluated):
    run, report = evaluated(volumes, "run-001-supervised")
    renamed = tuple(replace(one, name=f"x{one.id}") for one in report.classes)
    with pytest.raises(LongtailError, match="no class together"):
        versus(volumes, run, report, run, replace(report, classes=renamed))
    assert report.split == Split.TEST
