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
from .doctor_study import NO_CLASS_ID, Study
from .doctor_words import listed

BORDER = 2
"""Pixels of 24 that count as border on each side."""

MARGIN = 0.05
"""An AUC so near to the pretrained encoder's own is a warning."""

LEAST_LOW = 0.6
"""Where a class can hardly be told from anything, being near to the encoder means nothing."""

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
    small = looks.small[exam.rows].astype(np.float64) / 255
    pictures = {
        ENCODER: embedded[exam.rows],
        EDGE: small[:, :, _edge()],
        THUMBNAIL: small.reshape(len(small), -1),
    }
    answers = {
        source: examine(exam, narrowed(exam, values.reshape(len(values), -1)), by_line)
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
    labels = {name.casefold() for name in study.names} | NO_CLASS_WORDS
    columns: dict[str, tuple[str, ...]] = {}
    if study.knows_patients:
        columns[PATIENT] = tuple(patient or "" for patient in study.patients)
    for name, texts in study.columns.items():
        if not {text.casefold() for text in texts if text} <= labels:
            columns[name] = texts
    return columns


def _near(told: Sequence[Told], encoder: Sequence[Told]) -> list[tuple[Told, Told]]:
    """Give the classes that are told nearly as well as the encoder tells them, surest first."""
    pairs = [
        (one, own)
        for one, own in zip(told, encoder, strict=True)
        if one.auc >= own.auc - MARGIN and one.low > LEAST_LOW
    ]
    return sorted(pairs, key=lambda pair: -pair[0].auc)


def _finding(study: Study, exam: Exam, source: str, near: Sequence[tuple[Told, Told]]) -> Finding:
    best, own = near[0]
    name = study.names[best.column]
    names = [study.names[one.column] for one, _ in near]
    what = "The border of the picture" if source == EDGE else _column_words(source)
    also = f" The same holds for {listed(names[1:], 6)}." if len(names) > 1 else ""
    sentence = (
        f"{what} alone tells {_class_words(study, best.column)} (AUC {best.auc:.2f}; a pretrained "
        f"network on the whole picture {own.auc:.2f})."
    )
    rows = np.zeros(len(study), bool)
    for one, _ in near[:1]:
        rows |= study.has(one.column)
    if source.startswith(COLUMN):
        sentence += _block(study, source.removeprefix(COLUMN), best.column)
        then = f" A network may learn how the images were collected instead of {name}."
    else:
        then = f" A network may learn frames, markers or the crop instead of {name}."
    return Finding(
        Kind.SHORTCUT,
        Severity.ERROR if best.auc >= own.auc else Severity.WARNING,
        sentence + then + also,
        study.cases_at(rows),
    )


def _class_words(study: Study, column: int) -> str:
    if study.class_ids[column] == NO_CLASS_ID:
        return "images without any class"
    return study.names[column]


def _column_words(source: str) -> str:
    name = source.removeprefix(COLUMN)
    return "The patient's number" if name == PATIENT else f"The column {name}"


def _block(study: Study, name: str, column: int) -> str:
    """Say where the values of a class lie, if they are numbers or one word."""
    texts = _columns(study)[name]
    yes = study.has(column)
    no = study.presence[:, column] == NO
    values = as_numbers(texts)
    if values is None:
        return _commonest(texts, yes, no)
    number = values[:, 0]
    low, high = number[yes].min(), number[yes].max()
    inside = (number >= low) & (number <= high)
    whole, others = int((yes & inside).sum()), float((no & inside).sum() / max(no.sum(), 1))
    if others > 0.5:
        return ""
    return f" All {whole:,} lie from {low:g} to {high:g}, and {others:.0%} of the others."


def _commonest(texts: Sequence[str], yes: Any, no: Any) -> str:
    words = np.array(texts)
    kinds, counts = np.unique(words[yes], return_counts=True)
    word = kinds[np.argmax(counts)]
    share, others = (float((words[part] == word).mean()) for part in (yes, no))
    shown = word or "empty"
    return f" It is {shown} in {share:.0%} of them and in {others:.0%} of the others."
