"""Which labels are likely wrong: confident learning, as cleanlab does it. numpy alone.

Northcutt, Jiang and Chuang, Confident Learning: Estimating Uncertainty in Dataset Labels, JAIR
2021. All of it rests on probabilities that are out of sample: given by a model that has not seen
the label in question.
"""

from dataclasses import dataclass
from typing import Any, TypeAlias

import numpy as np

Shares: TypeAlias = np.ndarray[Any, np.dtype[np.float64]]
Columns: TypeAlias = np.ndarray[Any, np.dtype[np.int64]]
Flags: TypeAlias = np.ndarray[Any, np.dtype[np.bool_]]

LEAST_TOLD_APART = 0.8
"""Area under the ROC curve from which the probabilities of a finding say enough to doubt labels: on
the noisy findings of nih_cxr1000 more than half of all images were doubted at .7, a fifth at .8."""

ROUNDING = 1e-6
"""A probability this little below a threshold reaches it (cleanlab's comparison)."""


@dataclass(frozen=True, slots=True)
class LabelDoubts:
    """What is doubted of the labels, a row a case; with several labels also a column a class.

    Attributes
    ----------
    suspect
        The label is likely wrong.
    suggested
        The class that the probabilities speak for, a column; with several labels 1 yes and 0 no.
    margin
        Normalised margin, 0 surely wrong to 1 surely right; see `normalised_margin`.
    confidence
        Probability of the label; it orders the queue.
    """

    suspect: Flags
    suggested: Columns
    margin: Shares
    confidence: Shares


def thresholds(given: Columns, shares: Shares) -> Shares:
    """Give the mean probability (class,) of each class over the cases that carry its label.

    It is what makes the method fair to rare classes: a class that the model is shy to name counts
    from a lower probability on. A class without a case is never reached.
    """
    counts = np.bincount(given, minlength=shares.shape[1])
    own = np.bincount(given, self_confidence(given, shares), shares.shape[1])
    reached = np.clip(own / np.maximum(counts, 1), 2 * ROUNDING, 1.0)
    found: Shares = np.where(counts > 0, reached, np.inf)
    return found


def confident_classes(given: Columns, shares: Shares) -> Columns:
    """Give the class (case,) that each case surely looks like, -1 where it looks like none.

    It is the class whose threshold is reached; where several are, the most probable of all.
    """
    reached = shares >= thresholds(given, shares) - ROUNDING
    number = reached.sum(axis=1)
    found: Columns = np.where(number > 1, shares.argmax(axis=1), reached.argmax(axis=1))
    return np.where(number > 0, found, -1)


def confident_joint(given: Columns, shares: Shares) -> Columns:
    """Count the cases by (label given, class that they surely look like), (class, class).

    Each class with a label keeps at least one case that is right.
    """
    classes = shares.shape[1]
    looks = confident_classes(given, shares)
    sure = looks >= 0
    joint = np.zeros((classes, classes), dtype=np.int64)
    np.add.at(joint, (given[sure], looks[sure]), 1)
    present = np.bincount(given, minlength=classes) > 0
    joint[np.diag_indices(classes)] = np.maximum(joint.diagonal(), present)
    return joint


def expected_joint(given: Columns, shares: Shares) -> Columns:
    """Scale the joint (class, class) so that it counts all cases, also those that are not sure.

    Each row adds up to the cases with that label; parts of a case go to the largest remainders.
    """
    counts = np.bincount(given, minlength=shares.shape[1])
    joint = confident_joint(given, shares)
    totals = np.maximum(joint.sum(axis=1, keepdims=True), 1)
    exact = joint / totals * counts[:, None]
    whole: Columns = np.floor(exact).astype(np.int64)
    for row, missing in enumerate(counts - whole.sum(axis=1)):
        order = np.argsort(whole[row] - exact[row], kind="stable")
        whole[row, order[:missing]] += 1
    return whole


def suspects(given: Columns, shares: Shares) -> Flags:
    """Tell (case,) whose label is likely wrong: pruned by the rate of each kind of error.

    Of the cases labelled `i`, as many as the expected joint counts as `j` are doubted: those with
    the largest margin of `j` over `i`. A case whose likeliest class is its label is not, and each
    class keeps the case that is its best.
    """
    classes = shares.shape[1]
    doubted = np.zeros(len(given), dtype=bool)
    for label, row in enumerate(expected_joint(given, shares)):
        cases = np.flatnonzero(given == label)
        for other in np.flatnonzero(row):
            if other != label:
                lead = shares[cases, other] - shares[cases, label]
                doubted[cases[lead >= np.sort(lead)[-row[other]]]] = True
    doubted &= shares.argmax(axis=1) != given
    own = self_confidence(given, shares)
    for label in range(classes):
        cases = np.flatnonzero(given == label)
        if len(cases) and doubted[cases].all():
            doubted[cases[own[cases].argmax()]] = False
    return doubted


def least_confident(given: Columns, shares: Shares) -> Flags:
    """Tell (case,) whose label is likely wrong: the least probable ones, as many as are expected.

    cleanlab's filter `low_self_confidence`: the expected joint tells how many labels are wrong in
    all, the probability of the label which ones. A case whose likeliest class is its label is not.
    """
    joint = expected_joint(given, shares)
    number = int(joint.sum() - joint.trace())
    doubted = np.zeros(len(given), dtype=bool)
    doubted[np.argsort(self_confidence(given, shares), kind="stable")[:number]] = True
    doubted &= shares.argmax(axis=1) != given
    return doubted


def self_confidence(given: Columns, shares: Shares) -> Shares:
    """Give the probability (case,) of the label that each case carries."""
    own: Shares = shares[np.arange(len(given)), given]
    return own


def normalised_margin(given: Columns, shares: Shares) -> Shares:
    """Give (p of the label - p of the best other class + 1) / 2, (case,): low is doubtful."""
    others = shares.copy()
    others[np.arange(len(given)), given] = -np.inf
    margin: Shares = (self_confidence(given, shares) - others.max(axis=1) + 1) / 2
    return margin


def evened(given: Columns, shares: Shares) -> Shares:
    """Take the threshold of each class off its probabilities, so that rare ones are not doubted.

    cleanlab's `adjust_pred_probs`: p - t + max(t), each case scaled to the sum 1.
    """
    cut = thresholds(given, shares)
    cut = np.where(np.isfinite(cut), cut, cut[np.isfinite(cut)].max(initial=0.0))
    moved = shares - cut + cut.max()
    total: Shares = moved / moved.sum(axis=1, keepdims=True)
    return total


def label_doubts(given: Columns, shares: Shares) -> LabelDoubts:
    """Doubt the labels (case,) of classes that exclude each other, by (case, class) shares.

    Suspect are those of `least_confident`, which find more wrong labels than those of `suspects`
    (`tests/benchmarks/label_errors.py`).
    """
    if not len(given) or shares.shape[1] < 2:
        sure = np.ones(len(given))
        return LabelDoubts(np.zeros(len(given), bool), given, sure, sure)
    looks = confident_classes(given, shares)
    best = shares.argmax(axis=1)
    suggested = np.where((looks >= 0) & (looks != given), looks, best)
    return LabelDoubts(
        least_confident(given, shares),
        suggested,
        normalised_margin(given, shares),
        self_confidence(given, shares),
    )


def several_label_doubts(answers: Columns, shares: Shares) -> LabelDoubts:
    """Doubt answers (case, class) 1 yes, 0 no, -1 unknown, each class against the rest.

    What is unknown is never doubted; a class that all or none of the cases have cannot be. Neither
    is one that the probabilities hardly tell from the rest: doubts would be guesses then, and most
    of the cases would be listed.
    """
    shape = answers.shape
    found = LabelDoubts(np.zeros(shape, bool), np.full(shape, -1), np.ones(shape), np.ones(shape))
    for column in range(shape[1]):
        rows = np.flatnonzero(answers[:, column] >= 0)
        said = answers[rows, column].astype(np.int64)
        if len(np.unique(said)) < 2:
            continue
        yes = shares[rows, column]
        if told_apart(said, yes) < LEAST_TOLD_APART:
            continue
        one = label_doubts(said, np.stack([1 - yes, yes], axis=1))
        found.suspect[rows, column] = one.suspect
        found.suggested[rows, column] = one.suggested
        found.margin[rows, column] = one.margin
        found.confidence[rows, column] = one.confidence
    return found


def told_apart(said: Columns, shares: Shares) -> float:
    """Give how often a case with the class has the larger probability: the area under the ROC.

    Parameters
    ----------
    said
        (case,) 1 yes and 0 no; both occur.
    shares
        (case,)
    """
    others = np.sort(shares[said == 0])
    own = shares[said == 1]
    below = np.searchsorted(others, own, "left") + np.searchsorted(others, own, "right")
    return float(below.mean() / (2 * len(others)))
