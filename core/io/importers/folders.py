"""Folders of images: with a folder of masks, with one folder a class, or without labels."""

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path

from ...errors import LongtailError
from .headers import look_into
from .listing import case_id, image_files, with_unique_ids
from .masknames import MASK_ENDINGS, MaskNames, channels_by_stem
from .masks import settle_masks
from .plan import FoundCase, ImportPlan
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


def plan_folders(request: Request) -> ImportPlan:
    """Plan a folder import.

    Raises
    ------
    LongtailError
        There are no images.
    """
    beside = _mask_folder_beside(request.root)
    masks = request.labels or beside
    if masks is not None and request.task in ("", SEGMENTATION):
        return _plan_with_masks(request, masks)
    if request.labels is not None:
        raise LongtailError(
            f"{request.labels.name} is a folder of masks, but this project gives its classes to "
            "whole images.",
            "Give a table of files and labels, or make a project for segmentation.",
        )
    files = _files_of(request, without=beside)
    grouped = _class_of_each(files, request.class_like)
    if grouped and request.task != SEGMENTATION:
        return _plan_class_folders(request, grouped)
    return _plan_plain(request, files)


def image_root(request: Request, masks: Path) -> tuple[Path, tuple[str, ...]]:
    """Choose the folder of images beside a folder of masks, and say so."""
    if not request.source.is_dir() or masks == request.source:
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
    root = request.root if images.is_relative_to(request.root) else images
    cases = [
        replace(
            _plain_case(images / name, root),
            channels=tuple((images / file).as_posix() for file in files),
            mask=masks.of(case_id(name)),
        )
        for name, files in channels_by_stem(names, masks).items()
    ]
    looked = look_into(with_unique_ids(cases))
    settled = settle_masks(looked.cases, looked.headers, request)
    return ImportPlan(
        format="folders",
        cases=settled.cases,
        skipped=(*looked.skipped, *settled.skipped, *masks.orphans(cases)),
        notes=(*notes, *looked.notes, *settled.notes),
        class_names=settled.class_names,
        mask_values=settled.mask_values,
        ignore_values=settled.ignore_values,
        task=SEGMENTATION,
    )


def _images_and_masks(images: Path, folder: Path) -> tuple[list[str], MaskNames]:
    """List images and masks apart, also where the masks lie below or among the images."""
    listed = image_files(images)
    if folder == images:
        ended = [name for name in listed if MASK_ENDINGS.search(case_id(name))]
        return [name for name in listed if name not in set(ended)], MaskNames(folder, ended)
    names = [name for name in listed if not (images / name).is_relative_to(folder)]
    return names, MaskNames(folder)


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


def _files_of(request: Request, without: Path | None) -> list[str]:
    """List the images, but not the masks in the folder `without`."""
    if not request.source.is_dir():
        return [request.source.name]
    files = image_files(request.source)
    if without is not None:
        files = [file for file in files if not file.startswith(f"{without.name}/")]
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
    return FoundCase(case_id(relative), (path.as_posix(),), (), 1, None)


def _class_of_each(
    files: Sequence[str], known: Callable[[str], str | None]
) -> dict[str, tuple[str, str | None]]:
    """Give (class, split) of each file where folders are classes; empty where they are not.

    Folders are classes when every image lies right inside one, all at one depth, and either a
    folder bears the name of a class of the project, or there are several that hold at least two
    images on average: otherwise they are patients.
    """
    placed = {file: file.split("/")[:-1] for file in files}
    depths = {len(folders) for folders in placed.values()}
    if len(depths) != 1 or depths == {0}:
        return {}
    classes = {folders[-1] for folders in placed.values()}
    few = len(classes) < 2 or len(files) < 2 * len(classes)
    if few and not any(known(name) for name in classes):
        return {}
    splits = {tuple(folders[:-1]) for folders in placed.values()}
    last_are_splits = all(name.lower() in SPLIT_FOLDERS for name in classes)
    if last_are_splits or len(splits) > len(SPLIT_FOLDERS) or not _are_splits(splits):
        return {}
    return {file: (folders[-1], split_in(folders[:-1])) for file, folders in placed.items()}


def _are_splits(above: set[tuple[str, ...]]) -> bool:
    """Tell whether the folders above the classes are one folder, or one each split."""
    if len(above) == 1:
        return True
    return all(split_in(folders) is not None for folders in above)


def split_in(folders: Sequence[str]) -> str | None:
    """Give the split that the innermost of some folders is called after, None if none is."""
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
