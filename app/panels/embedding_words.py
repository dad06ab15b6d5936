"""What the embedding panel says, in plain words."""

import math
from collections.abc import Sequence

from ...core.project.records import Case, ClassRecord
from ..session import Session
from .embedding_facts import NOTHING, RIGHT, UNKNOWN, WRONG, Facts
from .embedding_model import EmbeddingModel, Stage
from .embedding_source import WAYS
from .train_words import case_noun, plural


def invitation(model: EmbeddingModel, session: Session) -> tuple[str, str, str]:
    """Give title, text and button of what stands in place of the plane."""
    project, catalogue, source = session.project, session.catalogue, model.source
    if project is None or catalogue is None or source is None:
        return "No project open", "Open one to see how a network groups its cases.", ""
    if model.stage is Stage.READING:
        return "Reading the embedding", "There are many points, so this takes a moment.", ""
    if model.stage is Stage.FAILED:
        text = " ".join(part for part in (model.trouble.reason, model.trouble.remedy) if part)
        return "That did not work", text, "Try again"
    noun, count = case_noun(str(project.task)), len(catalogue)
    if not count:
        return f"No {noun}s yet", "Import some first: the embedding shows how alike they are.", ""
    whose = "The pretrained encoder" if source.run_id is None else "This run"
    about = (
        f"{whose} looks at {plural(count, noun)} and lays what it finds alike close together: "
        "groups, strays and likely label errors can be seen at once."
    )
    if not project.writable:
        return "Nothing computed yet", "This project is open for reading only.", ""
    return f"See how {plural(count, noun)} group", about, "Compute the embedding"


def working_title(model: EmbeddingModel) -> str:
    """Say what is being done."""
    if model.progress is not None and model.progress.what:
        return model.progress.what
    picture = model.seen is not None
    return f"Laying out by {WAYS[model.way]}" if picture else "Looking at the images"


def card_lines(
    case: Case, row: int, facts: Facts, classes: Sequence[ClassRecord]
) -> tuple[str, ...]:
    """Give the lines beside the mouse: name, class, what the run says, part and status."""
    names = {record.id: record.name for record in classes}
    return (
        case.id,
        class_words(int(facts.true[row]), names, "not labelled"),
        *said_words(row, facts, names),
        f"{case.split} · {case.status}",
    )


def said_words(row: int, facts: Facts, names: dict[int, str]) -> tuple[str, ...]:
    """Say what the run gives to a point; nothing where it says nothing."""
    said = int(facts.said[row])
    if said == UNKNOWN:
        return ()
    share = float(facts.share[row])
    sure = "" if math.isnan(share) else f" {share:.2f}"
    verdict = {RIGHT: " · right", WRONG: " · wrong"}.get(int(facts.right[row]), "")
    return (f"predicted {class_words(said, names, '')}{sure}{verdict}",)


def class_words(class_id: int, names: dict[int, str], unknown: str) -> str:
    """Name a class of the facts."""
    if class_id == UNKNOWN:
        return unknown
    return "no class" if class_id == NOTHING else names.get(class_id, f"class {class_id}")
