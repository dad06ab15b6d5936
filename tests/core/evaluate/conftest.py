import pytest

from longtail.core.evaluate.report import (
    ClassValue,
    Confusion,
    EvaluatedClass,
    Figure,
    Provenance,
    Report,
    Value,
)


@pytest.fixture
def provenance():
    return Provenance(
        project="Herz & <b>Niere</b>",
        task="segmentation",
        method="supervised",
        method_title="Supervised",
        settings={"patch": "48x64x48", "batch": 2},
        seeds=(0,),
        labelled=10,
        unlabelled=140,
        validation="none",
        validation_labelled=0,
        iterations=1650,
        trained_label_version=2,
        label_version=3,
        weights_hash="ab" * 32,
        evaluated=40,
        patients=38,
        left_out=2,
        created="2026-11-21",
        versions={"longtail": "0.1.0"},
    )


@pytest.fixture
def report(provenance):
    dice = Figure(
        0.6,
        0.5,
        0.7,
        40,
        classes={
            "left <ventricle>": ClassValue(0.9, 0.85, 0.93, 40, 0, 0),
            "scar": ClassValue(0.3, 0.1, 0.55, 4, 3, 2),
            "never there": ClassValue(None, None, None, 0, 0, 0),
        },
        tiers={"head": Value(0.9, 0.85, 0.93, 40), "tail": Value(0.3, 0.1, 0.55, 4)},
    )
    hd95 = Figure(12.0, 8.0, 20.0, 40, classes={"scar": ClassValue(12.0, 8.0, 20.0, 4, 3, 2)})
    return Report(
        run="run-001-supervised",
        split="test",
        summary={"dice": dice, "hd95_mm": hd95},
        cases=({"case": "a/1", "dice": {"scar": 0.3}},),
        provenance=provenance,
        classes=(
            EvaluatedClass(1, "left <ventricle>", "#56b4e9", "head", 10, 0.9, 40),
            EvaluatedClass(2, "scar", "#cc79a7", "tail", 3, 0.02, 4),
            EvaluatedClass(3, "never there", "red;background:url(x)", "tail", 1, 0.01, 0),
        ),
        thresholds="Head: at least 20%; tail: less than 5%.",
        confusion=Confusion(("a", "b"), ((3, 1), (0, 0))),
        notes=("scar is in only 4 of the evaluated cases.",),
    )
