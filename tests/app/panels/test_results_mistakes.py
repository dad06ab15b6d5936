"""Which images a report counts as mistakes."""

from longtail.app.panels.results_mistakes import cases_taken, matrix_of, mistakes, wrong_cases
from longtail.core.evaluate.mistakes import most_confused
from longtail.core.evaluate.operating import Count
from longtail.core.evaluate.parts import Confusion, ImageParts
from longtail.core.evaluate.report import EvaluatedClass, Provenance, Report

PROVENANCE = Provenance(
    "p", "classification", "m", "M", {}, (0,), 9, 0, "none", 0, 10, 1, "h", 4, 4, 0, "now"
)


def of_classes(*classes):
    return tuple(
        EvaluatedClass(i + 1, name, "#ffffff", tier, training, None, 5)
        for i, (name, tier, training) in enumerate(classes)
    )


def single():
    names, counts = ("rare", "common"), ((1, 2), (1, 3))
    said = [("rare", "rare"), ("rare", "common"), ("rare", "common"), ("common", "rare")]
    said += [("common", "common")] * 3
    lines = tuple(
        {"case": f"c{i}", "true": true, "predicted": told} for i, (true, told) in enumerate(said)
    )
    images = ImageParts(pairs=most_confused(counts, names))
    classes = of_classes(("rare", "tail", 4), ("common", "head", 200))
    return Report("r", "test", {}, lines, PROVENANCE, classes, "", Confusion(names, counts), images)


def several():
    lines = (
        {"case": "a", "true": ["x"], "probabilities": {"x": 0.9, "y": 0.1}},
        {"case": "b", "true": ["x", "y"], "probabilities": {"x": 0.2, "y": 0.4}},
        {"case": "c", "true": [], "probabilities": {"x": 0.7, "y": 0.0}},
    )
    images = ImageParts({"x": Count(2, 1, 1), "y": Count(1, 1, 0)}, thresholds={"x": 0.5, "y": 0.3})
    classes = of_classes(("x", "head", 200), ("y", "tail", 4))
    return Report("r", "test", {}, lines, PROVENANCE, classes, "", None, images)


def test_pairs_name_their_images():
    told = mistakes(single())
    assert [(one.words, one.cases, one.of) for one in told] == [
        ("rare taken for common", ("c1", "c2"), 3),
        ("common taken for rare", ("c3",), 4),
    ]
    assert told[0].tier == "tail"
    assert "2 of 3 images (95 % interval 21% to 94%)" in told[0].sentence
    assert wrong_cases(single()) == ("c1", "c2", "c3")


def test_the_matrix_begins_with_the_class_that_was_trained_most():
    matrix = matrix_of(single())
    assert matrix.names == ("common", "rare")
    assert matrix.counts == ((3, 1), (2, 1))
    assert matrix.sentence(1, 0) == "rare taken for common: 2 of 3 images."
    assert matrix.sentence(0, 0) == "common: 3 of 4 found."
    assert cases_taken(single(), "rare", "common") == ("c1", "c2")


def test_of_several_findings_the_missed_are_listed():
    told = mistakes(several())
    assert [(one.words, one.cases) for one in told] == [("x missed", ("b",))]
    assert matrix_of(several()) is None
    assert wrong_cases(several()) == ("b",)
