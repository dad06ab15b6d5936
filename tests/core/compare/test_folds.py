"""Cross-validation: each labelled case once, patients together, the project left as it is."""

import pytest

from longtail.core.compare.running import run_comparison
from longtail.core.errors import LongtailError
from longtail.core.project.records import NewCase, Split, Status
from longtail.core.project.store import Project

METHODS = ["supervised"]


def parts_of(folder):
    with Project.open(folder, write=False) as project:
        return {case.id: case.split for case in project.cases()}


def test_every_labelled_case_is_measured_once(plan_for, scans, work, backend, tmp_path):
    before = parts_of(scans)
    plan = plan_for(scans, methods=METHODS, folds=3)
    found = run_comparison(plan, backend, work, folder=tmp_path / "out")
    assert found.is_complete
    measured = [[case.case for case in record.cases] for record in found.records]
    assert [len(cases) for cases in measured] == [4, 4, 4]
    assert sorted(case for cases in measured for case in cases) == sorted(before)
    assert [record.labels for record in found.records] == [8, 8, 8]
    assert parts_of(scans) == before
    with Project.open(scans, write=False) as project:
        assert not project.runs()


def test_the_cases_of_all_folds_are_measured_together(plan_for, scans, work, backend, tmp_path):
    plan = plan_for(scans, methods=METHODS, folds=3, seeds=[0, 1])
    found = run_comparison(plan, backend, work, folder=tmp_path / "out")
    (row,) = found.rows
    assert row.replicates == ("seed 0", "seed 1")
    values = [case.scores["dice"]["block"] for one in found.records for case in one.cases]
    assert row.classes["dice"]["block"].mean == pytest.approx(sum(values) / len(values))
    assert any("Cross-validation in 3 folds" in note for note in found.notes)


def test_a_single_run_has_an_interval_over_its_patients(plan_for, scans, work, backend, tmp_path):
    plan = plan_for(scans, methods=METHODS, folds=2)
    (row,) = run_comparison(plan, backend, work, folder=tmp_path / "out").rows
    dice = row.overall["dice"]
    assert dice.n == 1
    assert dice.low < dice.mean < dice.high


def test_what_is_finished_is_never_run_again(plan_for, scans, work, backend, tmp_path, jobs_of):
    for _ in range(2):
        run_comparison(
            plan_for(scans, methods=METHODS, folds=2), backend, work, folder=tmp_path / "out"
        )
    for name in ("fold-1-of-2", "fold-2-of-2"):
        jobs = jobs_of(tmp_path / "out" / "projects" / f"{name}.longtail")
        assert [job[0] for job in jobs] == ["train", "evaluate", "slim"]


def test_patients_stay_together_with_their_unlabelled_cases(
    scans, plan_for, work, backend, tmp_path
):
    with Project.open(scans) as project:
        ids = sorted(case.id for case in project.cases())
        source = str(scans.parent / "scans" / "scan0.npy")
        unlabelled = NewCase("more", (source,), (4, 16, 16), 1, (1.0, 1.0, 1.0))
        project.add_cases([unlabelled], status=Status.UNLABELLED)
        for number, id_ in enumerate(ids):
            project.set_patient([id_], f"p{number // 3}")
        project.set_patient(["more"], "p0")
    plan = plan_for(scans, methods=METHODS, folds=4)
    found = run_comparison(plan, backend, work, folder=tmp_path / "out")
    for record in found.records:
        copy = tmp_path / "out" / "projects" / f"{record.draw}.longtail"
        with Project.open(copy, write=False) as project:
            test = {case.patient for case in project.cases(split=Split.TEST)}
            train = {case.patient for case in project.cases(split=Split.TRAIN)}
        assert len(test) == 1
        assert not test & train


def test_labels_that_change_meanwhile_stop_it(plan_for, scans, work, backend, tmp_path):
    plan = plan_for(scans, methods=METHODS, folds=2)
    with Project.open(scans) as project:
        id_ = project.cases()[0].id
        project.write_label_map(id_, project.read_label_map(id_) * 0, author="ada")
    found = run_comparison(plan, backend, work, folder=tmp_path / "out")
    assert [one.state for one in found.records] == ["failed", "failed"]
    assert "have changed since" in found.records[0].reason


@pytest.mark.parametrize(
    ("wish", "words"),
    [
        ({"folds": 13}, "13 folds need labelled cases of 13 patients"),
        ({"folds": 1}, "folds"),
        ({"folds": 2, "validation": "split"}, "folds go neither"),
    ],
)
def test_what_cannot_be_divided_is_said_before_anything_runs(plan_for, scans, wish, words):
    with pytest.raises(LongtailError, match=words):
        plan_for(scans, methods=METHODS, **wish)
