"""Folders of images: with a folder of masks, with one folder a class, or without labels."""

import re
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path

from ...errors import LongtailError
from .headers import look_into
from .listing import case_id, image_files, with_unique_ids
from .masks import settle_masks
from .plan import FoundCase, ImportPlan, Skipped
from .request import CLASSIFICATION, MULTILABEL, SEGMENTATION, Request

IMAGE_FOLDERS = ("images", "imagestr", "image", "imgs", "img", "scans")
MASK_FOLDERS = ("labels", "labelstr", "label", "masks", "mask", "segmentations", "annotations")
SPLIT_FOLDERS = {
    "train": "train",
    "training": "train",
    "val": "val",
    "valid": "val",
    "validation": "val",
    "test": "test",
    "testing": "test",
}
MASK_ENDINGS = re.compile(r"[_-](mask|masks|seg|segmentation|label|labels|gt|manual1)$", re.I)
CHANNEL_ENDING = re.compile(r"_\d{4}$")


def plan_folders(request: Request) -> ImportPlan:
    """Plan a folder import.

    Raises
    ------
    LongtailError
        There are no images.
    """
    masks = request.labels or _mask_folder_beside(request.root)
    if masks is not None and request.task in ("", SEGMENTATION):
        return _plan_with_masks(request, masks)
    files = _files_of(request)
    grouped = _class_of_each(files)
    if grouped and request.task != SEGMENTATION:
        return _plan_class_folders(request, grouped)
    return _plan_plain(request, files)


def image_root(request: Request, masks: Path) -> tuple[Path, tuple[str, ...]]:
    """Choose the folder of images beside a folder of masks, and say so."""
    if not request.source.is_dir() or masks.resolve() == request.source.resolve():
        return request.root, ()
    inside = _subfolder(request.source, IMAGE_FOLDERS)
    if inside is None:
        return request.source, ()
    return inside, (f"The images are taken from the folder {inside.name}.",)


def _plan_with_masks(request: Request, folder: Path) -> ImportPlan:
    if not folder.is_dir():
        raise LongtailError(
            f"{folder} is neither a folder of masks nor a table.",
            "Give the folder that holds the masks, or a CSV file.",
        )
    images, notes = image_root(request, folder)
    names, masks = _images_and_masks(images, folder)
    _check_found(names, images)
    cases = [_masked_case(images, name, request.root, masks) for name in names]
    looked = look_into(with_unique_ids(cases))
    settled = settle_masks(looked.cases, looked.headers, request)
    return ImportPlan(
        format="folders",
        cases=settled.cases,
        skipped=(*looked.skipped, *settled.skipped, *_orphans(masks, cases)),
        notes=(*notes, *looked.notes, *settled.notes),
        class_names=settled.class_names,
        mask_values=settled.mask_values,
        ignore_values=settled.ignore_values,
        task=SEGMENTATION,
    )


def _images_and_masks(images: Path, folder: Path) -> tuple[list[str], "_Masks"]:
    """List images and masks apart, also where the masks lie below or among the images."""
    listed = image_files(images)
    if folder.resolve() == images.resolve():
        ended = [name for name in listed if MASK_ENDINGS.search(case_id(name))]
        return [name for name in listed if name not in set(ended)], _Masks(folder, ended)
    below = folder.resolve()
    names = [name for name in listed if not (images / name).resolve().is_relative_to(below)]
    return names, _Masks(folder, image_files(folder))


def _masked_case(images: Path, name: str, root: Path, masks: "_Masks") -> FoundCase:
    case = _plain_case(images / name, root if images.is_relative_to(root) else images)
    return replace(case, mask=masks.of(case_id(name)))


def _orphans(masks: "_Masks", cases: Sequence[FoundCase]) -> list[Skipped]:
    used = {case.mask for case in cases}
    left = [path for path in masks.paths.values() if path not in used]
    return [
        Skipped(Path(path).name, "there is no image of this name for the mask.") for path in left
    ]


def _plan_class_folders(
    request: Request, grouped: Mapping[str, tuple[str, str | None]]
) -> ImportPlan:
    counts = Counter(name for name, _ in grouped.values())
    found = tuple(sorted(counts, key=lambda name: (-counts[name], name)))
    names = {name: request.class_like(name) if request.classes else name for name in found}
    dropped = [f"{name} ({counts[name]})" for name in found if names[name] is None]
    cases = []
    for file, (name, split) in grouped.items():
        known = names[name]
        case = _plain_case(request.source / file, request.root)
        cases.append(replace(case, class_names=(known,) if known else None, split=split))
    looked = look_into(with_unique_ids(cases))
    return ImportPlan(
        format="folders",
        cases=looked.cases,
        skipped=looked.skipped,
        notes=("Each folder is a class.", *_dropped_words(dropped), *looked.notes),
        class_names=tuple(request.classes) or found,
        task=MULTILABEL if request.task == MULTILABEL else CLASSIFICATION,
    )


def _dropped_words(dropped: Sequence[str]) -> list[str]:
    if not dropped:
        return []
    return [
        f"Folders that are no class of the project: {', '.join(dropped)}. Their images are "
        "imported unlabelled."
    ]


def _plan_plain(request: Request, files: Sequence[str]) -> ImportPlan:
    root = request.root
    looked = look_into(with_unique_ids(_plain_case(root / name, root) for name in files))
    volumes = any(len(case.shape) == 3 for case in looked.cases)
    return ImportPlan(
        format="folders",
        cases=looked.cases,
        skipped=looked.skipped,
        notes=looked.notes,
        class_names=tuple(request.classes),
        task=request.task or (SEGMENTATION if volumes else CLASSIFICATION),
    )


def _files_of(request: Request) -> list[str]:
    if not request.source.is_dir():
        return [request.source.name]
    files = image_files(request.source)
    _check_found(files, request.source)
    return files


def _check_found(files: Sequence[str], folder: Path) -> None:
    if not files:
        raise LongtailError(
            f"The folder {folder} holds no images that Longtail reads.",
            "Choose a folder with NIfTI, NRRD, MetaImage, DICOM, PNG, JPEG, TIFF or NumPy files.",
        )


def _plain_case(path: Path, root: Path) -> FoundCase:
    relative = path.relative_to(root).as_posix()
    return FoundCase(case_id(relative), (path.resolve().as_posix(),), (), 1, None)


def _class_of_each(files: Sequence[str]) -> dict[str, tuple[str, str | None]]:
    """Give (class, split) of each file where folders are classes; empty where they are not.

    Folders are classes when every image lies right inside one, all at one depth, and the folders
    hold at least two images on average: otherwise they are patients.
    """
    placed = {file: file.split("/")[:-1] for file in files}
    depths = {len(folders) for folders in placed.values()}
    if len(depths) != 1 or depths == {0}:
        return {}
    classes = {folders[-1] for folders in placed.values()}
    if len(classes) < 2 or len(files) < 2 * len(classes):
        return {}
    splits = {tuple(folders[:-1]) for folders in placed.values()}
    last_are_splits = all(name.lower() in SPLIT_FOLDERS for name in classes)
    if last_are_splits or len(splits) > len(SPLIT_FOLDERS) or not _are_splits(splits):
        return {}
    return {file: (folders[-1], _split_in(folders[:-1])) for file, folders in placed.items()}


def _are_splits(above: set[tuple[str, ...]]) -> bool:
    """Tell whether the folders above the classes are one folder, or one each split."""
    if len(above) == 1:
        return True
    return all(_split_in(folders) is not None for folders in above)


def _split_in(folders: Sequence[str]) -> str | None:
    found = (SPLIT_FOLDERS.get(name.lower()) for name in reversed(folders))
    return next((split for split in found if split), None)


def _mask_folder_beside(root: Path) -> Path | None:
    """Find a folder of masks beside a folder of images, both right inside the source."""
    if _subfolder(root, IMAGE_FOLDERS) is None:
        return None
    return _subfolder(root, MASK_FOLDERS)


def _subfolder(root: Path, names: Sequence[str]) -> Path | None:
    folders = {path.name.lower(): path for path in root.iterdir() if path.is_dir()}
    return next((folders[name] for name in names if name in folders), None)


class _Masks:
    """Masks by the relative stem of their image, with the endings that people add."""

    def __init__(self, folder: Path, names: Sequence[str]) -> None:
        self.paths = {case_id(name): (folder / name).resolve().as_posix() for name in names}
        self._ended = {MASK_ENDINGS.sub("", stem): path for stem, path in self.paths.items()}

    def of(self, stem: str) -> str | None:
        """Give the mask of the image `stem`, None where there is none."""
        plain = CHANNEL_ENDING.sub("", stem)
        found = (self.paths.get(stem), self.paths.get(plain), self._ended.get(plain))
        return next((path for path in found if path), None)
