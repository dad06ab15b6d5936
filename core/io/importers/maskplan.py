"""From cases with masks to a plan: what every format of label maps ends with."""

from collections.abc import Mapping, Sequence

from .headers import look_into
from .listing import with_unique_ids
from .masks import IGNORED, settle_masks
from .plan import FoundCase, ImportPlan, Skipped
from .request import SEGMENTATION, Request

NO_MASK = "the mask is not there. The image is imported unlabelled."


def plan_with_masks(
    format: str,
    cases: Sequence[FoundCase],
    request: Request,
    *,
    named: Mapping[int, str] | None = None,
    ignore: tuple[int, ...] = (IGNORED,),
    skipped: Sequence[Skipped] = (),
    notes: Sequence[str] = (),
) -> ImportPlan:
    """Look into images and masks, and plan the import of those that fit.

    Parameters
    ----------
    format
        One of the keys of `plan.FORMAT_TITLES`.
    named, ignore
        As for `masks.settle_masks`.
    skipped, notes
        What the format has to tell itself; it comes first.
    """
    looked = look_into(with_unique_ids(cases))
    settled = settle_masks(looked.cases, looked.headers, request, named, ignore)
    return ImportPlan(
        format=format,
        cases=settled.cases,
        skipped=(*skipped, *looked.skipped, *settled.skipped),
        notes=(*notes, *looked.notes, *settled.notes),
        class_names=settled.class_names,
        mask_values=settled.mask_values,
        ignore_values=settled.ignore_values,
        task=SEGMENTATION,
    )
