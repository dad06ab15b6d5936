"""How the tail guard says what it has found, in words and figures."""

from ..project.records import Task
from .losing import Finding

MEASURES = {"dice": "Dice", "recall": "recall", "average_precision": "average precision"}
VALIDATION, ASIDE, TRAINING = "validation", "aside", "training"
WHERE = {
    VALIDATION: "the validation {cases}",
    ASIDE: "labelled {cases} set aside in turn",
    TRAINING: "the training {cases}",
}


def sentences(name: str, finding: Finding, measure: str, where: str, step: int, task: Task) -> str:
    """Say which class it is about, and why, from what.

    Parameters
    ----------
    measure
        `dice`, `recall` or `average_precision`.
    where
        On what it was measured: `validation`, `aside` or `training`.
    step
        The step that it was found at.
    """
    cases = "scans" if task is Task.SEGMENTATION else "images"
    if finding.kind in ("rare", "common"):
        return _about_share(name, finding, cases)
    if finding.kind == "unseen":
        pieces = "pieces of scans" if task is Task.SEGMENTATION else "images"
        return f"{name} is not being learned. None of the {pieces} until step {step:,} showed it."
    what = f"{MEASURES.get(measure, measure)} on {WHERE[where].format(cases=cases)}"
    if finding.kind == "lost":
        return (
            f"{name} is being lost. Its {what} fell from {finding.then:.2f} at step "
            f"{finding.then_step:,} to {finding.now:.2f} at step {step:,}, while the loss improved."
        )
    return (
        f"{name} is not being learned. Its {what} is {finding.now:.2f} at step {step:,}; the other "
        f"classes have {finding.then:.2f}."
    )


def _about_share(name: str, finding: Finding, cases: str) -> str:
    trouble = "is being lost" if finding.kind == "rare" else "is predicted far too often"
    return (
        f"{name} {trouble}. It takes up {_percent(finding.now)} of the unlabelled {cases} as "
        f"predicted now, but {_percent(finding.then)} of what is labelled."
    )


def _percent(share: float) -> str:
    return "less than 0.01 %" if share < 1e-4 else f"{100 * share:.2g} %"
