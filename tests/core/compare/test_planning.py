from pathlib import Path

import pytest

from longtail.core.compare.contenders import read_contender
from longtail.core.compare.planning import default_folder
from longtail.core.errors import LongtailError


def test_a_contender_is_a_method_with_what_is_set_for_it():
    one = read_contender("cross-entropy:preset=plain:size=64")
    assert (one.name, one.method, one.preset) == (
        "cross-entropy:preset=plain:size=64",
        "cross-entropy",
        "plain",
    )
    assert one.settings == {"size": 64}


def test_a_loss_stands_for_cross_entropy_with_it():
    one = read_contender("balanced-softmax:size=96")
    assert (one.method, one.settings) == ("cross-entropy", {"loss": "balanced-softmax", "size": 96})


@pytest.mark.parametrize("text", ["nonsense", "supervised:width", "supervised:=3", "ce:a=[1]", ""])
def test_what_is_no_contender_is_refused(text):
    with pytest.raises(LongtailError):
        read_contender(text)


def test_settings_reach_the_methods_that_have_them_and_their_own_go_before(plan_for, pictures):
    plan = plan_for(
        pictures, methods=["ce", "balanced-softmax:size=48"], settings={"size": 32, "batch": 4}
    )
    assert [one.settings["size"] for one in plan.contenders] == [32, 48]
    assert [one.settings["batch"] for one in plan.contenders] == [4, 4]


def test_each_method_may_have_iterations_of_its_own(plan_for, scans):
    from longtail.core.compare.planning import plan_cell
    from longtail.core.project.store import Project

    own = {"supervised": 9, "bcp": 4}
    plan = plan_for(scans, methods=list(own), iterations=own)
    assert (plan.minutes, plan.iterations) == (None, None)
    assert plan.budget == "iterations of each method's own (supervised 9, bcp 4)"
    with Project.open(scans, write=False) as project:
        specs = [plan_cell(project, plan, one, None, 0) for one in plan.contenders]
    assert [spec.iterations for spec in specs] == [9, 4]


def test_a_preset_reaches_the_methods_that_have_it(plan_for, scans):
    plan = plan_for(scans, methods=["supervised"], presets=["slices"])
    assert plan.contenders[0].preset == "slices"
    plan = plan_for(scans, methods=["supervised:preset=auto"], presets=["supervised=slices"])
    assert plan.contenders[0].preset == "auto"


@pytest.mark.parametrize(
    ("wish", "words"),
    [
        ({"methods": ["cross-entropy"]}, "does not do segmentation"),
        ({"methods": []}, "No method"),
        ({"methods": ["supervised"], "presets": ["nonsense"]}, "no preset"),
        ({"methods": ["supervised"], "settings": {"nonsense": 1}}, "nonsense"),
        ({"methods": ["supervised"], "settings": {"width": -1}}, "Width"),
        ({"methods": ["supervised"], "labelled": ["80"]}, "there are 8"),
        ({"methods": ["supervised"], "labelled": ["a few"]}, "a few"),
        ({"methods": ["supervised"], "minutes": 3.0}, "either minutes or iterations"),
        ({"methods": ["supervised"], "iterations": {"bcp": 3}}, "'bcp', which is not compared"),
        ({"methods": ["supervised", "bcp"], "iterations": {"bcp": 3}}, "own, or none"),
        ({"methods": ["supervised"], "reference": "bcp"}, "reference bcp"),
        ({"methods": ["supervised", "supervised"]}, "named twice"),
        ({"methods": ["supervised"], "draws": [Path("/not/there.csv")]}, "there.csv"),
        ({"methods": ["supervised"], "validation": "split"}, "validation"),
    ],
)
def test_what_cannot_be_compared_is_said_before_anything_runs(plan_for, scans, wish, words):
    with pytest.raises(LongtailError, match=words):
        plan_for(scans, **wish)
    assert not (scans / "comparisons").exists()


def test_without_a_test_case_nothing_can_be_compared(plan_for, scans):
    from longtail.core.project.store import Project

    with Project.open(scans) as project:
        project.assign_splits("12/0/0", 0)
    with pytest.raises(LongtailError, match="no labelled test case"):
        plan_for(scans, methods=["supervised"])


def test_the_same_wish_leads_to_the_same_folder_inside_the_project(plan_for, scans):
    first, again = (plan_for(scans, methods=["supervised"], seeds=[0, 1]) for _ in range(2))
    other = plan_for(scans, methods=["supervised"], seeds=[0, 2])
    assert default_folder(first) == default_folder(again) != default_folder(other)
    assert default_folder(first).parent == scans.resolve() / "comparisons"


def test_a_hostile_name_of_a_draw_becomes_a_plain_one(plan_for, scans, tmp_path):
    for name in ("..%2f draw.csv", "---.csv", "draw.csv", "\u00fcber draw.csv"):
        (tmp_path / name).write_text("image,label,split\n")
    tables = sorted(tmp_path.glob("*.csv"))
    plan = plan_for(scans, methods=["supervised"], draws=tables)
    names = [draw.name for draw in plan.draws]
    assert len(set(names)) == 4
    assert all(name.replace("-", "").isalnum() for name in names)


def test_methods_that_vary_the_images_otherwise_are_noted(plan_for, pictures):
    plan = plan_for(pictures, methods=["ce", "focal:augmentation=none"])
    assert any("vary the images differently" in note for note in plan.notes)
    assert not plan_for(pictures, methods=["ce", "focal"]).notes
