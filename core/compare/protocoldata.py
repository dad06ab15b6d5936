"""The project of a published protocol, made from a folder of its data; imports no torch."""

from collections import Counter
from dataclasses import replace
from pathlib import Path

from ..errors import LongtailError
from ..io.importers import FoundCase, ImportPlan, plan_import
from ..io.importers.caselists import listed_splits
from ..project.importing import apply_plan
from ..project.records import Split
from ..project.store import Project
from .aside import made_aside
from .protocols import Protocol

DRAWN_BY = 0
"""Seed of the division where the data bring none: one division for all seeds of the runs."""


def find_cases(protocol: Protocol, data: Path) -> ImportPlan:
    """Find what a protocol takes of a folder: cases of its lists, else of the training part.

    Raises
    ------
    LongtailError
        The folder is of another layout, or holds no labelled case.
    """
    plan = plan_import(
        data, format=protocol.format, task=protocol.task.value, classes=protocol.classes
    )
    has_lists = _has_lists(protocol, data)
    taken = [case for case in plan.cases if _is_taken(case, protocol, has_lists)]
    if not any(_is_labelled(case) for case in taken):
        raise LongtailError(
            f"{data} holds no labelled case for the protocol {protocol.name}.",
            "Choose the folder of the training data, with its labels.",
        )
    cases = taken if has_lists else [replace(case, split=None) for case in taken]
    left = len(plan.cases) - len(cases)
    notes = [f"{left} cases are no part of the protocol and are left out."] if left else []
    return replace(plan, cases=tuple(cases), notes=(*plan.notes, *notes))


def make_project(protocol: Protocol, plan: ImportPlan, target: Path) -> list[str]:
    """Make the project at `target`, whole or not at all; say how its cases are divided.

    Parameters
    ----------
    plan
        From `find_cases`.
    target
        A folder that is not there yet; its name ends in `.longtail`.

    Raises
    ------
    LongtailError
        It cannot be written, or a mask does not fit so that nothing is labelled.
    """
    classes = protocol.classes or plan.class_names
    with (
        made_aside(target) as aside,
        Project.create(aside, task=protocol.task, classes=classes) as project,
    ):
        result = apply_plan(project, plan)
        listed = any(case.split for case in plan.cases)
        if not listed:
            project.assign_splits(protocol.split, DRAWN_BY)
        told = [_split_words(project, protocol, listed=listed)]
    return [*told, *(f"{case}: {reason}" for case, reason in result.skipped)]


def _has_lists(protocol: Protocol, data: Path) -> bool:
    return protocol.format in ("acdc", "la") and data.is_dir() and bool(listed_splits(data))


def _is_taken(case: FoundCase, protocol: Protocol, has_lists: bool) -> bool:
    if has_lists:
        return case.split is not None
    if protocol.taken == "labelled":
        return _is_labelled(case)
    return case.split in (None, "train")


def _is_labelled(case: FoundCase) -> bool:
    return case.mask is not None or bool(case.class_names)


def _split_words(project: Project, protocol: Protocol, *, listed: bool) -> str:
    groups: dict[Split, set[str]] = {part: set() for part in Split}
    cases: Counter[Split] = Counter()
    for case in project.cases():
        groups[case.split].add(case.patient or case.id)
        cases[case.split] += 1
    counts = ", ".join(
        f"{cases[part]} {part.value} ({len(groups[part])} {protocol.group})" for part in Split
    )
    how = (
        "divided as the lists of the data say"
        if listed
        else f"drawn as {protocol.split}, since the data bring no lists, each of the "
        f"{protocol.group} into one part"
    )
    return f"The cases are {how}: {counts}."
