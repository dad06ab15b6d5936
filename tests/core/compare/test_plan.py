import pytest
import yaml

from longtail.core.compare.plan import Contender, Draw, Plan, read_plan, write_plan
from longtail.core.errors import LongtailError
from longtail.core.project.records import Task


def a_plan(**changes):
    fields = {
        "task": Task.SEGMENTATION,
        "project": "/somewhere/study.longtail",
        "data": "abc",
        "contenders": (Contender(name="a", method="supervised"), Contender(name="b", method="bcp")),
        "seeds": (0, 1),
        "labelled": ("4", "8"),
        "minutes": 6.0,
        "reference": "a",
    }
    return Plan(**{**fields, **changes})


def test_seeds_are_outermost_so_that_half_of_the_runs_is_balanced():
    cells = list(a_plan().cells())
    assert [(cell.seed, cell.labelled, cell.contender) for cell in cells] == [
        (seed, labelled, name) for seed in (0, 1) for labelled in ("4", "8") for name in ("a", "b")
    ]


def test_draws_go_before_seeds():
    draws = tuple(Draw(name=name, table=f"/t/{name}.csv", sha256="0") for name in ("x", "y"))
    cells = list(a_plan(draws=draws, seeds=(3,), labelled=(None,)).cells())
    assert [(cell.draw, cell.seed) for cell in cells] == [("x", 3)] * 2 + [("y", 3)] * 2


def test_a_plan_comes_back_from_its_file(tmp_path):
    plan = a_plan(notes=("A, with | and \u00fc.",))
    write_plan(tmp_path, plan)
    assert read_plan(tmp_path) == plan
    assert read_plan(tmp_path / "elsewhere") is None


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"seeds": (0, 1, 2)}, ["the seeds"]),
        ({"minutes": None, "iterations": 9}, ["the minutes of a run", "the iterations of a run"]),
        ({"data": "xyz"}, ["the cases, parts or labels of the project"]),
        ({"contenders": (Contender(name="a", method="bcp"),)}, ["the methods or their settings"]),
        ({"validation": "split"}, ["the validation"]),
    ],
)
def test_what_differs_is_named(change, words):
    changed = a_plan(**change)
    assert sorted(changed.changed_from(a_plan())) == sorted(words)
    assert changed.digest != a_plan().digest


def test_what_decides_nothing_does_not_differ():
    changed = a_plan(reference="b", project="/moved/study.longtail", keep="all", title="T")
    assert changed.changed_from(a_plan()) == []
    assert changed.digest == a_plan().digest


def test_a_draw_may_lie_elsewhere_but_not_change():
    first = Draw(name="x", table="/t/x.csv", sha256="0")
    moved, changed = (first.model_copy(update=u) for u in ({"table": "/u/x"}, {"sha256": "1"}))
    assert a_plan(draws=(moved,)).changed_from(a_plan(draws=(first,))) == []
    assert a_plan(draws=(changed,)).changed_from(a_plan(draws=(first,))) == ["the draws"]


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"seeds": (1, 1)}, "seed is named twice"),
        ({"reference": "c"}, "reference c"),
        ({"minutes": None}, "either minutes or iterations"),
        ({"contenders": (Contender(name="a", method="x"),) * 2}, "method is named twice"),
    ],
)
def test_a_plan_that_contradicts_itself_is_refused(change, words):
    with pytest.raises(ValueError, match=words):
        a_plan(**change)


@pytest.mark.parametrize("name", ["../out", "a/b", "", ".hidden", "a b", "x" * 100])
def test_the_name_of_a_draw_is_safe_as_a_folder(name):
    with pytest.raises(ValueError, match="name"):
        Draw(name=name, table="/t", sha256="0")


@pytest.mark.parametrize("text", ["[1, 2", "- 1", "format: 1", "task: !!python/object:os.system x"])
def test_a_damaged_plan_is_a_sentence(tmp_path, text):
    (tmp_path / "comparison.yaml").write_text(text)
    with pytest.raises(LongtailError, match="damaged"):
        read_plan(tmp_path)


def test_a_plan_of_a_newer_version_is_a_sentence(tmp_path):
    document = {**a_plan().model_dump(mode="json"), "format": 2}
    (tmp_path / "comparison.yaml").write_text(yaml.safe_dump(document))
    with pytest.raises(LongtailError, match="newer"):
        read_plan(tmp_path)
