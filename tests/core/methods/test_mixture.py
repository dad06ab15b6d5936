"""Which pixel of a mixture is learned from what."""

import pytest
import torch

from longtail.core.methods.mixture import labelled_only, labelled_view, mixed, pool_view

SIDE = 4


def batch(count=2):
    random = torch.Generator().manual_seed(0)
    label = torch.randint(0, 3, (count, SIDE, SIDE), generator=random).to(torch.uint8)
    label[:, 0] = 255
    known = torch.full((count, SIDE, SIDE), 254, dtype=torch.uint8)
    known[0, 1] = 2
    known[:, 3] = 255
    mask = torch.zeros(count, SIDE, SIDE, dtype=torch.bool)
    mask[:, :, :2] = True
    return {
        "image": torch.full((count, 1, SIDE, SIDE), 1.0) + torch.arange(count).view(-1, 1, 1, 1),
        "strong": -torch.full((count, 1, SIDE, SIDE), 1.0) - torch.arange(count).view(-1, 1, 1, 1),
        "label": label,
        "known": known,
        "mask": mask,
    }


def views(given):
    pseudo = torch.ones(given["known"].shape, dtype=torch.long)
    confidence = torch.full(given["known"].shape, 0.9)
    return labelled_view(given), pool_view(given, pseudo, confidence)


@pytest.mark.parametrize("how", ["none", "unlabelled", "labelled", "both"])
def test_every_pixel_knows_where_it_comes_from(how):
    given = batch()
    seen = mixed(*views(given), given["mask"], how)
    count = len(given["image"])
    shown = torch.cat([given["image"], given["strong"]])[:, 0]
    rows, columns = torch.meshgrid(torch.arange(SIDE), torch.arange(SIDE), indexing="ij")
    assert torch.equal(seen.images[:, 0], shown[seen.source, rows, columns])
    labels = torch.cat([given["label"], given["known"].masked_fill(given["known"] == 254, 255)])
    assert torch.equal(seen.labels, labels[seen.source, rows, columns])
    unknown = torch.cat([given["known"] * 0, given["known"]]) == 254
    assert torch.equal(seen.guessed, unknown[seen.source, rows, columns])
    assert not (seen.guessed & (seen.labels != 255)).any()
    assert (seen.pseudo[seen.guessed] == 1).all()
    assert len(seen.images) == 2 * count


def test_boxes_are_pasted_as_asked():
    given = batch()
    inside, count = given["mask"], len(given["image"])
    for how, first, second in (
        ("none", 0, 0),
        ("unlabelled", 0, "pool"),
        ("labelled", 0, "labelled"),
        ("both", "pool", "labelled"),
    ):
        seen = mixed(*views(given), given["mask"], how)
        assert (seen.source[:count][~inside] < count).all()
        assert ((seen.source[:count][inside] >= count) == (first == "pool")).all()
        assert (seen.source[count:][~inside] >= count).all()
        assert ((seen.source[count:][inside] >= count) == (second != "labelled")).all()


def test_a_lone_pool_patch_is_mixed_with_a_labelled_one():
    given = batch(1)
    seen = mixed(*views(given), given["mask"], "unlabelled")
    assert (seen.source[1][given["mask"][0]] == 0).all()


def test_gaps_of_labelled_patches_are_guessed_where_there_are_answers():
    given = batch()
    gap = torch.zeros(given["label"].shape, dtype=torch.bool)
    gap[:, 1] = True
    given |= {"gaps": gap, "label": given["label"].masked_fill(gap, 255)}
    plain = labelled_view(given)
    assert not plain.guessed.any()
    assert (plain.labels[gap] == 255).all()
    pseudo = torch.full(gap.shape, 2)
    confidence = torch.full(gap.shape, 0.8)
    filled = labelled_view(given, pseudo, confidence)
    assert torch.equal(filled.guessed, gap)
    assert torch.equal(filled.labels, plain.labels)
    assert (filled.pseudo[gap] == 2).all()


def test_labelled_patches_are_mixed_with_each_other():
    given = batch()
    seen = labelled_only(labelled_view(given), given["mask"])
    inside, count = given["mask"], len(given["image"])
    assert torch.equal(seen.images[:count], given["image"])
    assert torch.equal(seen.labels[:count], given["label"])
    neighbour = torch.tensor([1, 0]).view(-1, 1, 1).expand(inside.shape)
    assert torch.equal(seen.source[count:], torch.where(inside, neighbour, 1 - neighbour))
    swapped = torch.where(inside, given["label"].flip(0), given["label"])
    assert torch.equal(seen.labels[count:], swapped)
    assert not seen.guessed.any()
