import json
import os
import socket
from datetime import datetime
from pathlib import Path

import numpy as np
import pytest
import yaml

from longtail.core.backend.events import Finished, Outcome, Progress, Started, to_json
from longtail.core.errors import LongtailError
from longtail.core.project.records import PredictionRecord
from longtail.core.project.runs import read_spec, write_spec
from longtail.core.project.store import Project

BEGUN = Started("Training", "CPU")
SPEC = {"method": "supervised", "seed": 3, "classes": [{"id": 1, "name": "wäll"}]}


def _log(project: Project, run_id: str, *events: object, process: int = 0, torn: str = "") -> None:
    facts = {"host": socket.gethostname(), "process": process, "time": datetime.now().isoformat()}
    lines = [json.dumps({**to_json(event), **facts}) + "\n" for event in events]
    path = project.run_folder(run_id) / "events.jsonl"
    path.write_text("".join(lines) + torn, encoding="utf-8")


def test_a_run_has_a_folder_and_its_specification(heart: Project) -> None:
    run = heart.new_run(SPEC)
    assert (run.id, run.state, run.method) == ("run-001-supervised", "created", "supervised")
    assert run.folder == "runs/run-001-supervised"
    folder = heart.run_folder(run.id)
    assert yaml.safe_load((folder / "spec.yaml").read_text(encoding="utf-8")) == SPEC
    assert (folder / "checkpoints").is_dir()
    assert (folder / "predictions").is_dir()
    assert dict(run.spec) == SPEC
    assert heart.runs() == [run]


def test_recording_adds_results_and_reads_what_training_noted(heart: Project) -> None:
    run_id = heart.new_run(SPEC).id
    heart.record_run(run_id, state="running", result={"device": "CPU"})
    write_spec(heart.run_folder(run_id), {**SPEC, "iterations_planned": 900})
    run = heart.record_run(run_id, state="completed", result={"iterations": 900})
    assert run.state == "completed"
    assert dict(run.result) == {"device": "CPU", "iterations": 900}
    assert run.spec["iterations_planned"] == 900
    with pytest.raises(ValueError, match="'done'"):
        heart.record_run(run_id, state="done")


def test_settings_of_a_run(heart: Project) -> None:
    run_id = heart.new_run(SPEC).id
    heart.set_run_setting(run_id, "prior", 0.25)
    heart.set_run_setting(run_id, "threshold", [1, 2])
    assert heart.run(run_id).settings == {"prior": 0.25, "threshold": [1, 2]}


def test_a_run_knows_the_version_of_the_labels(heart: Project, volume, mask) -> None:
    heart.add_cases([volume("one", mask)])
    assert heart.new_run(SPEC).label_version == 1
    assert heart.new_run({**SPEC, "label_version": 7}).label_version == 7


def test_an_unknown_run(heart: Project) -> None:
    with pytest.raises(LongtailError, match="no run named 'x'"):
        heart.run("x")


def test_a_damaged_specification(tmp_path: Path) -> None:
    (tmp_path / "spec.yaml").write_text("a: [1", encoding="utf-8")
    with pytest.raises(LongtailError, match="damaged"):
        read_spec(tmp_path)
    (tmp_path / "spec.yaml").write_text("!!python/object/apply:os.system [ls]", encoding="utf-8")
    with pytest.raises(LongtailError, match="damaged"):
        read_spec(tmp_path)
    assert read_spec(tmp_path / "nowhere") is None


def test_a_run_that_went_on_alone_is_recorded(heart: Project) -> None:
    run_id = heart.new_run(SPEC).id
    heart.record_run(run_id, state="running")
    done = Finished(Outcome.COMPLETED, {"iterations": 5})
    _log(heart, run_id, BEGUN, Progress(1, 5), done, torn='{"event": "Prog')
    assert [run.id for run in heart.recover_runs()] == [run_id]
    run = heart.run(run_id)
    assert (run.state, run.result["iterations"]) == ("completed", 5)
    assert heart.recover_runs() == []


def test_a_failure_keeps_its_reason(heart: Project) -> None:
    run_id = heart.new_run(SPEC).id
    heart.record_run(run_id, state="running")
    _log(heart, run_id, BEGUN, Finished(Outcome.FAILED, None, "No memory.", "Use fewer."))
    heart.recover_runs()
    run = heart.run(run_id)
    assert (run.state, run.result["reason"], run.result["remedy"]) == (
        "failed",
        "No memory.",
        "Use fewer.",
    )


def test_a_run_that_may_still_go_on_is_left_alone(heart: Project) -> None:
    run_id = heart.new_run(SPEC).id
    heart.record_run(run_id, state="running")
    _log(heart, run_id, BEGUN, Progress(1, 5), process=os.getpid())
    assert heart.recover_runs() == []
    assert heart.run(run_id).state == "running"


def test_a_run_that_broke_off_is_told_and_may_prove_alive(heart: Project) -> None:
    run_id = heart.new_run(SPEC).id
    heart.record_run(run_id, state="running")
    _log(heart, run_id, BEGUN, Progress(1, 5))
    assert [run.state for run in heart.recover_runs()] == ["failed"]
    assert "Resume" in heart.run(run_id).result["remedy"]
    assert heart.recover_runs() == []
    _log(heart, run_id, BEGUN, Progress(1, 5), Finished(Outcome.STOPPED, {"iterations": 3}))
    assert [run.state for run in heart.recover_runs()] == ["stopped"]
    assert heart.recover_runs() == []


def test_a_resumed_run_is_not_taken_for_its_former_end(heart: Project) -> None:
    run_id = heart.new_run(SPEC).id
    heart.record_run(run_id, state="running")
    _log(heart, run_id, BEGUN, Finished(Outcome.STOPPED), BEGUN, process=os.getpid())
    assert heart.recover_runs() == []
    assert heart.run(run_id).state == "running"


def test_a_run_without_a_log_broke_off(heart: Project) -> None:
    run_id = heart.new_run(SPEC).id
    heart.record_run(run_id, state="running")
    assert [run.state for run in heart.recover_runs()] == ["failed"]


def test_predictions_of_images(chest: Project, picture) -> None:
    chest.add_cases([picture("x"), picture("y")])
    run_id = chest.new_run(SPEC).id
    logits = np.array([0.5, -1.25, 3.0], np.float32)
    first = [
        PredictionRecord(case, run_id, "abc", 1, logits=logits + n, uncertainty=0.1)
        for n, case in enumerate("yx")
    ]
    chest.record_predictions(first)
    chest.record_predictions([PredictionRecord("x", run_id, "def", 2, logits=logits * 2)])
    found = chest.predictions(run_id)
    assert [(one.case, one.weights_hash, one.label_version) for one in found] == [
        ("x", "def", 2),
        ("y", "abc", 1),
    ]
    np.testing.assert_array_equal(found[0].logits, logits * 2)
    assert found[0].logits.dtype == np.float32
    assert (found[0].uncertainty, found[1].uncertainty) == (None, 0.1)
    assert chest.prediction(run_id, "y").weights_hash == "abc"
    assert chest.prediction_count(run_id) == 2


def test_predictions_of_volumes(heart: Project, volume) -> None:
    heart.add_cases([volume("one"), volume("two")])
    run_id = heart.new_run(SPEC).id
    file = f"runs/{run_id}/predictions/one.nii.gz"
    heart.record_predictions([PredictionRecord("one", run_id, "abc", 1, file=file)])
    assert heart.predictions(run_id)[0].file == file
    assert heart.prediction(run_id, "two") is None


def test_predictions_of_what_is_unknown(heart: Project) -> None:
    heart.record_predictions([])
    with pytest.raises(LongtailError, match="no run named"):
        heart.record_predictions([PredictionRecord("one", "run-9", "abc", 1)])
    run_id = heart.new_run(SPEC).id
    with pytest.raises(LongtailError, match="no case named"):
        heart.record_predictions([PredictionRecord("one", run_id, "abc", 1)])


def test_reading_only_makes_no_runs(heart: Project) -> None:
    with Project.open(heart.path) as reader:
        with pytest.raises(LongtailError, match="reading only"):
            reader.new_run(SPEC)
        assert list((heart.path / "runs").iterdir()) == []


@pytest.mark.parametrize("run_id", ["", "..", "../x", "a/b", "a\\b", "C:", ".hidden"])
def test_names_that_lead_out_of_the_runs(heart: Project, run_id: str) -> None:
    with pytest.raises(LongtailError, match="no name of a run"):
        heart.run_folder(run_id)


def test_a_tampered_prediction_points_nowhere_else(heart: Project, volume) -> None:
    heart.add_cases([volume("one")])
    run_id = heart.new_run(SPEC).id
    heart.record_predictions([PredictionRecord("one", run_id, "a", 1, file="../../secret")])
    with pytest.raises(LongtailError, match="leads out"):
        heart.predictions(run_id)
