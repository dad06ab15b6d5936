"""How many swapped labels the review queue finds, beside chance and confidence alone.

    python tests/benchmarks/label_errors.py --embedding FILE.npz [--seeds 0,1,2] [--json]

`FILE.npz` holds `f` (image, width) and `y` (image,) class names; without one the images of
`../shared/data/pbc8_sample` are embedded by the pretrained encoder first, at 192 pixels. 5 % of
the labels are swapped by seed, each to another class drawn evenly; the head is cross-fitted on
the swapped labels, so nothing knows the truth. Precision is measured at as many as were swapped.
"""

import argparse
import csv
import json
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

from longtail.app.cli.bench import result
from longtail.core.review.confident import (
    evened,
    label_doubts,
    normalised_margin,
    self_confidence,
    suspects,
)
from longtail.core.review.crossfit import Labelled, cross_fitted

PBC = Path(__file__).resolve().parents[3] / "shared" / "data" / "pbc8_sample"
SWAPPED = 0.05
SIZE = 192


def swapped(labels: np.ndarray, seed: int) -> tuple[np.ndarray, np.ndarray]:
    """Give labels of which 5 % are another class, and which."""
    random = np.random.default_rng(seed)
    wrong = np.zeros(len(labels), bool)
    wrong[random.choice(len(labels), round(SWAPPED * len(labels)), replace=False)] = True
    classes = labels.max() + 1
    moved = (labels + random.integers(1, classes, len(labels))) % classes
    return np.where(wrong, moved, labels), wrong


def ways(given: np.ndarray, shares: np.ndarray, seed: int) -> dict[str, np.ndarray]:
    """Give the doubt (case,) of each way of ordering, high first."""
    found = label_doubts(given, shares)
    even = evened(given, shares)
    return {
        "random": np.random.default_rng([seed, 1]).random(len(given)),
        "confidence alone (1 - highest probability)": 1 - shares.max(axis=1),
        "entropy": -(shares * np.log(np.clip(shares, 1e-12, 1))).sum(axis=1),
        "self-confidence of the label": 1 - self_confidence(given, shares),
        "normalised margin": 1 - normalised_margin(given, shares),
        "normalised margin, thresholds evened": 1 - normalised_margin(given, even),
        "pruned by noise rate, by margin": suspects(given, shares) + (1 - found.margin),
        "review queue": found.suspect + (1 - found.confidence),
    }


def precision(doubt: np.ndarray, wrong: np.ndarray) -> float:
    """Give the share of wrong labels among as many first ones as there are wrong labels."""
    first = np.argsort(-doubt, kind="stable")[: wrong.sum()]
    return float(wrong[first].mean())


def measure() -> list[dict[str, Any]]:
    """Measure on the blood cells beside the checkout, where they are; for `longtail bench`."""
    name = "wrong labels among as many first ones as were swapped"
    if not (PBC / "labels.csv").is_file():
        return [result(name, None, "share", note=f"There is no {PBC}.")]
    features, names = embed(PBC, say)
    labels = np.unique(names, return_inverse=True)[1]
    found = count_found(features, labels, [0, 1, 2], say)["precision"]
    return [result(f"{name}: {way}", mean, "share") for way, (mean, *_) in found.items()]


def count_found(
    features: np.ndarray, labels: np.ndarray, seeds: list[int], tell: Callable[[str], Any]
) -> dict[str, Any]:
    """Swap, cross-fit and count for each seed."""
    classes = int(labels.max()) + 1
    rows: dict[str, list[float]] = {}
    suspected: list[tuple[int, float, float]] = []
    for seed in seeds:
        given, wrong = swapped(labels, seed)
        began = time.monotonic()
        patients = [str(row) for row in range(len(given))]
        told = Labelled(features, given, patients)
        *_, (_, _, shares) = cross_fitted(told, classes, seed=seed)
        spent = time.monotonic() - began
        for name, doubt in ways(given, shares, seed).items():
            rows.setdefault(name, []).append(precision(doubt, wrong))
        flagged = label_doubts(given, shares).suspect
        hits = int((flagged & wrong).sum())
        suspected.append((int(flagged.sum()), hits / max(flagged.sum(), 1), hits / wrong.sum()))
        right = float((shares.argmax(axis=1) == labels).mean())
        tell(f"seed {seed}: {spent:.1f} s, {wrong.sum()} swapped, head right in {right:.3f}")
    return {
        "images": len(labels),
        "swapped": round(SWAPPED * len(labels)),
        "precision": {name: [float(np.mean(v)), *v] for name, v in rows.items()},
        "suspects": [
            {"flagged": count, "precision": share, "recall": recall}
            for count, share, recall in suspected
        ],
    }


def embed(folder: Path, tell: Callable[[str], Any]) -> tuple[np.ndarray, np.ndarray]:
    """Embed the images of a folder by the pretrained encoder: (image, width), class names."""
    import torch
    from PIL import Image

    from longtail.core.nets.encoders import build_encoder

    network = build_encoder("efficientnet-lite0", 2, 3, 1, pretrained="lite0").eval()
    middle, spread = (
        torch.tensor(values)[:, None, None]
        for values in ((0.485, 0.456, 0.406), (0.229, 0.224, 0.225))
    )
    with (folder / "labels.csv").open(encoding="utf-8", newline="") as file:
        lines = list(csv.DictReader(file))
    found = []
    for start in range(0, len(lines), 64):
        pictures = [
            np.asarray(Image.open(folder / line["file"]).convert("RGB").resize((SIZE, SIZE)))
            for line in lines[start : start + 64]
        ]
        batch = torch.from_numpy(np.stack(pictures)).permute(0, 3, 1, 2).float() / 255
        with torch.inference_mode():
            found.append(network.features((batch - middle) / spread).numpy())
        tell(f"{start + len(pictures)} of {len(lines)} embedded")
    return np.concatenate(found), np.array([line["label"] for line in lines])


def say(words: str) -> None:
    """Write a line."""
    sys.stdout.write(f"{words}\n")
    sys.stdout.flush()


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--embedding", type=Path)
    parser.add_argument("--seeds", default="0,1,2")
    parser.add_argument("--json", action="store_true")
    asked = parser.parse_args()
    if asked.embedding:
        with np.load(asked.embedding, allow_pickle=False) as stored:
            features, names = stored["f"], stored["y"]
    else:
        features, names = embed(PBC, say)
    labels = np.unique(names, return_inverse=True)[1]
    tell = (lambda _words: None) if asked.json else say
    document = count_found(features, labels, [int(s) for s in asked.seeds.split(",")], tell)
    if asked.json:
        say(json.dumps(document))
        return
    for name, (mean, *each) in document["precision"].items():
        say(f"{name:45s} {mean:.3f}   {'  '.join(f'{value:.3f}' for value in each)}")
    for one in document["suspects"]:
        say(
            f"suspects: {one['flagged']} flagged, precision {one['precision']:.3f}, "
            f"recall {one['recall']:.3f}"
        )


if __name__ == "__main__":
    main()
