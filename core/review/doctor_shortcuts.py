"""Findings about shortcuts: a border, a patient's number or a column that tells the class."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from ..io.table import NO_CLASS_WORDS
from ..project.catalogue import NO
from .doctor_columns import as_numbers, numbers_of
from .doctor_looks import SIDE, Looks
from .doctor_probes import Exam, Told, by_line, by_tree, exam_of, examine, narrowed
from .doctor_records import Finding, Kind, Probe, Severity
from .doctor_study import Study
from .doctor_words import listed

BORDER = 2
"""Pixels of 24 that count as border on each side."""

MARGIN = 0.05
"""An AUC so near to the pretrained encoder's own is a warning."""

LEAST_LOW = 0.6
"""Where a class can hardly be told from anything, being near to the encoder means nothing."""

WIDE = 0.5
"""Share of the others from which a block of numbers is none any more."""

PATIENT = "patient"
ENCODER, EDGE, THUMBNAIL, COLUMN = "encoder", "border", "thumbnail", "column:"

Floats = np.ndarray[Any, np.dtype[np.float64]]
Answers = Mapping[str, Sequence[Told]]


def find_shortcuts(
    study: Study, looks: Looks, embedded: Any
) -> tuple[list[Finding], tuple[Probe, ...]]:
    """Compare what borders and columns tell of each class with what a pretrained encoder sees.

    Parameters
    ----------
    embedded
        (case, feature) of the encoder; rows without an embedding are NaN.

    Returns
    -------
    findings, probes
        24-pixel thumbnails are among the probes and never warn: colour may be a rightful cue.
    """
    exam = exam_of(study, np.isfinite(embedded).all(axis=1))
    if exam is None:
        return [], ()
    answers = _answers(study, exam, looks, embedded)
    probes = tuple(
        Probe(source, study.names[one.column], one.auc, one.low, one.high)
        for source, told in answers.items()
        for one in told
    )
    found = [
        _finding(study, exam, source, near)
        for source in answers
        if source not in (ENCODER, THUMBNAIL) and (near := _near(answers[source], answers[ENCODER]))
    ]
    return found, probes


def _answers(study: Study, exam: Exam, looks: Looks, embedded: Any) -> dict[str, list[Told]]:
    small = looks.small[exam.rows]
    pictures = {
        ENCODER: embedded[exam.rows],
        EDGE: small[:, :, _edge()],
        THUMBNAIL: small.reshape(len(small), -1),
    }
    answers = {
        source: examine(exam, narrowed(values.reshape(len(values), -1)), by_line)
        for source, values in pictures.items()
    }
    for name, texts in _columns(study).items():
        values = numbers_of([texts[row] for row in exam.rows.tolist()])
        if values is not None:
            answers[COLUMN + name] = examine(exam, values, by_tree)
    return answers


def _edge() -> Any:
    edge = np.ones((SIDE, SIDE), bool)
    edge[BORDER:-BORDER, BORDER:-BORDER] = False
    return edge


def _columns(study: Study) -> dict[str, tuple[str, ...]]:
    """Give the patients and the columns of the table that are not the label in other words."""
    labels = {_plain(name) for name in study.names} | {_plain(word) for word in NO_CLASS_WORDS}
    columns: dict[str, tuple[str, ...]] = {}
    if study.knows_patients:
        columns[PATIENT] = tuple(patient or "" for patient in study.patients)
    for name, texts in study.columns.items():
        if not labels & {_plain(text) for text in set(texts)}:
            columns[name] = texts
    return columns


def _plain(name: str) -> str:
    return "".join(letter for letter in name.casefold() if letter.isalnum())


def _near(told: Sequence[Told], encoder: Sequence[Told]) -> list[tuple[Told, Told]]:
    """Give the classes that are told nearly as well as the encoder tells them, surest first."""
    pairs = [
        (one, own)
        for one, own in zip(told, encoder, strict=True)
        if one.auc >= own.auc - MARGIN and one.low > LEAST_LOW
    ]
    return sorted(pairs, key=lambda pair: -pair[0].auc)


def _finding(study: Study, exam: Exam, source: str, near: Sequence[tuple[Told, Told]]) -> Finding:
    texts = _columns(study).get(source.removeprefix(COLUMN), ())
    best, own = min(
        (pair for pair in near if pair[0].auc >= near[0][0].auc - MARGIN),
        key=lambda pair: (_elsewhere(study, texts, pair[0].column), -pair[0].auc),
    )
    name = study.names[best.column]
    others = [study.names[one.column] for one, _ in near if one is not best]
    also = f" The same holds for {listed(others, 6)}." if others else ""
    sentence = (
        f"{_source_words(source)} alone tells which {study.noun} have {name}. Its AUC is "
        f"{best.auc:.2f}, that of a pretrained network on the whole picture {own.auc:.2f}."
        f"{_block(study, texts, best.column)} A network may learn {_instead(source)} instead."
    )
    return Finding(
        Kind.SHORTCUT,
        Severity.ERROR if best.auc >= own.auc else Severity.WARNING,
        sentence + also,
        study.cases_at(study.has(best.column)),
    )


def _source_words(source: str) -> str:
    if source == EDGE:
        return "The border of the picture"
    name = source.removeprefix(COLUMN)
    return "The patient's number" if name == PATIENT else f"The column {name}"


def _instead(source: str) -> str:
    return "frames, markers or the crop" if source == EDGE else "how the images were collected"


def _block(study: Study, texts: Sequence[str], column: int) -> str:
    """Say where the values of a class lie: in one block of numbers, or mostly one word."""
    if not texts:
        return ""
    yes, no = study.has(column), study.presence[:, column] == NO
    values = as_numbers(texts)
    if values is None:
        return _commonest(texts, yes, no)
    share = _elsewhere(study, texts, column)
    if share > WIDE:
        return ""
    low, high = values[yes, 0].min(), values[yes, 0].max()
    return (
        f" All {int(yes.sum()):,} with {study.names[column]} lie in one block from {low:g} to "
        f"{high:g}, where only {share:.0%} of the others lie."
    )


def _elsewhere(study: Study, texts: Sequence[str], column: int) -> float:
    """Give the share of other cases that lie between the lowest and highest value of a class."""
    values = as_numbers(texts) if texts else None
    if values is None:
        return 1.0
    number = values[:, 0]
    yes, no = study.has(column), study.presence[:, column] == NO
    inside = (number >= number[yes].min()) & (number <= number[yes].max())
    return float((no & inside).sum() / max(int(no.sum()), 1))


def _commonest(texts: Sequence[str], yes: Any, no: Any) -> str:
    words = np.array(texts)
    kinds = np.unique(words)
    shares = [[float((words[part] == kind).mean()) for kind in kinds] for part in (yes, no)]
    most = int(np.argmax(np.array(shares[0]) - np.array(shares[1])))
    return (
        f" It is {kinds[most] or 'empty'} in {shares[0][most]:.0%} of them and in "
        f"{shares[1][most]:.0%} of the others."
    )
