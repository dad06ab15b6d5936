"""What the measures are called on screen and in reports, and how their values are written."""

from dataclasses import dataclass

from ..project.records import Task

NO_VALUE = "\N{EN DASH}"


@dataclass(frozen=True, slots=True)
class Measure:
    """A measure in words: `sentence` explains it; `unit` is empty or `mm`."""

    name: str
    title: str
    sentence: str
    unit: str = ""
    lower_is_better: bool = False

    def text(self, value: float | None) -> str:
        """Write a value with as many digits as it means."""
        if value is None:
            return NO_VALUE
        return f"{value:.1f}" if self.unit else f"{value:.3f}"


MEASURES = {
    measure.name: measure
    for measure in (
        Measure("dice", "Dice", "Overlap of prediction and labels: 0 nothing, 1 all."),
        Measure("jaccard", "Jaccard", "Overlap divided by union: stricter than Dice."),
        Measure(
            "hd95_mm",
            "HD95",
            "Hausdorff distance: 95 % of both surfaces lie closer than this; a class that was "
            "not found counts with the diagonal of the image.",
            unit="mm",
            lower_is_better=True,
        ),
        Measure(
            "asd_mm",
            "Surface distance",
            "Mean distance between the surfaces, both ways; a class that was not found counts "
            "with the diagonal of the image.",
            unit="mm",
            lower_is_better=True,
        ),
        Measure("nsd_1mm", "Surface Dice", "Share of both surfaces that lie within 1 mm."),
        Measure(
            "balanced_accuracy",
            "Balanced accuracy",
            "Share found right, each class counting as much as any other.",
        ),
        Measure("accuracy", "Accuracy", "Share found right, each image counting as much."),
        Measure("macro_f1", "Macro F1", "Balance of precision and recall, averaged over classes."),
        Measure(
            "recall",
            "Recall",
            "Share of a class's images that were found; also called sensitivity.",
        ),
        Measure("recall_head", "Recall, head", "Recall averaged over the frequent classes."),
        Measure("recall_medium", "Recall, medium", "Recall averaged over the classes between."),
        Measure("recall_tail", "Recall, tail", "Recall averaged over the rare classes."),
        Measure(
            "precision",
            "Precision",
            "Share of the images called a class that are it; also called positive predictive "
            "value.",
        ),
        Measure(
            "auc",
            "AUC",
            "How well a class is ranked above the rest (area under the ROC curve): 0.5 is chance.",
        ),
        Measure(
            "average_precision",
            "Average precision",
            "Precision averaged over all thresholds; chance is the share of the class.",
        ),
        Measure("mcc", "MCC", "Correlation of predicted and true classes: 0 is chance."),
        Measure("kappa", "Kappa", "Agreement beyond chance: 0 is chance, 1 is full."),
        Measure(
            "ece",
            "Calibration error",
            "How far stated confidence and share found right lie apart, over 15 bins.",
            lower_is_better=True,
        ),
        Measure(
            "box_iou",
            "Box overlap",
            "Intersection over union of drawn boxes and those from the run's map, averaged; a "
            "box that was not found counts 0.",
        ),
        *(
            Measure(
                f"box_acc_{share}",
                f"Boxes, IoU > .{share // 10}",
                f"Share of drawn boxes that a box from the run's map meets with an intersection "
                f"over union above {share / 100:g}.",
            )
            for share in range(10, 80, 10)
        ),
        Measure(
            "pointing",
            "Pointing",
            "Share of findings where the highest place of the run's map lies in a drawn box.",
        ),
    )
}


def interval_text(measure: Measure, low: float | None, high: float | None) -> str:
    """Write the ends of an interval."""
    if low is None or high is None:
        return "no interval"
    return f"{measure.text(low)} to {measure.text(high)}"


PRIMARY = {
    Task.SEGMENTATION: "dice",
    Task.CLASSIFICATION: "balanced_accuracy",
    Task.MULTILABEL: "auc",
}
"""The one number that a report of each task is about."""
