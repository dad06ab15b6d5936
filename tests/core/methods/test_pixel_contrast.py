"""Pixels that are compared: where they lie, what they are compared with, what is remembered."""

import pytest
import torch

from longtail.core.methods.pixel_contrast import LEFT_OUT, PixelContrast
from longtail.core.methods.settings_semi import ActionSettings

SIZE = (6, 5)
WIDTHS = (8, 4)


def settings(**changes):
    small = {"width_contrast": 16, "queries": 6, "negatives": 5, "mean_pixels": 9, "queue": 40}
    return ActionSettings(**{**small, **changes})


def contrast(outputs=3, **changes):
    torch.manual_seed(0)
    return PixelContrast(settings(**changes), WIDTHS, outputs, 2, "cpu", 1)


def maps(batch=3, seed=0):
    random = torch.Generator().manual_seed(seed)
    return [
        torch.randn(batch, 8, 3, 3, generator=random, requires_grad=True),
        torch.randn(batch, 4, *SIZE, generator=random, requires_grad=True),
    ]


def classes(batch=3, seed=0):
    random = torch.Generator().manual_seed(seed)
    return torch.randint(-1, 3, (batch, *SIZE), generator=random)


def first(pixels, count):
    """Of labelled pixels the row that shows them: those of the first images."""
    return torch.where(pixels.image < count, pixels.image, -1)


def generator(seed=0):
    return torch.Generator().manual_seed(seed)


@pytest.mark.parametrize("head", ["points", "dense"])
def test_pixels_are_those_of_their_classes(head):
    made, labels = contrast(head=head), classes()
    pixels = made.sample(maps(), labels, SIZE, generator())
    assert pixels.features.shape == (len(pixels.classes), 16)
    assert torch.equal(labels.flatten()[pixels.flat], pixels.classes)
    assert torch.bincount(pixels.classes).tolist() == [
        min(9, int((labels == each).sum())) for each in range(3)
    ]
    at = pixels.points
    assert torch.equal(pixels.image * 30 + at[:, 0] * 5 + at[:, 1], pixels.flat)


def test_images_without_pixels_do_no_harm():
    labels = classes()
    labels[1] = LEFT_OUT
    pixels = contrast().sample(maps(), labels, SIZE, generator())
    assert 1 not in pixels.image.tolist()
    nothing = contrast().sample(maps(), torch.full_like(labels, LEFT_OUT), SIZE, generator())
    assert len(nothing.classes) == 0
    assert nothing.features.shape == (0, 16)


def test_each_pixel_counts_once_in_the_norm():
    made, labels = contrast(), classes()
    labels[1:, 1:] = LEFT_OUT  # far fewer pixels in some images than in others
    pixels = made.sample(maps(), labels, SIZE, generator())
    assert int(made.head.layers.norm.num_batches_tracked) == 1
    hidden = []
    made.head.layers.first.register_forward_hook(lambda *call: hidden.append(call[2]))
    made.sample(maps(), labels, SIZE, generator())
    assert len(hidden[0]) == len(pixels.classes)


def test_nothing_to_compare_is_zero_with_a_gradient():
    made = contrast()
    student = maps()
    pixels = made.sample(student, torch.full((3, *SIZE), LEFT_OUT), SIZE, generator())
    sure = torch.zeros(0)
    loss = made.anatomy(pixels, sure, 0.1, generator())
    loss = loss + made.centred(pixels, maps(2), first(pixels, 2), SIZE, 0.1, generator())
    assert float(loss.detach()) == 0
    loss.backward()
    made.after_step(0, 0.99)
    assert len(made.queue) == 0


def test_easy_pixels_are_no_queries():
    made = contrast()
    pixels = made.sample(maps(), classes(), SIZE, generator())
    easy = made.anatomy(pixels, torch.ones(len(pixels.classes)), 0.1, generator())
    hard = made.anatomy(pixels, torch.zeros(len(pixels.classes)), 0.1, generator())
    assert float(easy.detach()) == 0 < float(hard.detach())


def test_centres_are_learned_from_labelled_images_alone():
    made, student = contrast(), maps()
    pixels = made.sample(student, classes(), SIZE, generator())
    loss = made.centred(pixels, maps(1, seed=5), first(pixels, 1), SIZE, 0.1, generator())
    (gradient,) = torch.autograd.grad(loss, pixels.features)
    reached = gradient.abs().sum(1) > 0
    assert reached.any()
    assert set(pixels.image[reached].tolist()) == {0}
    made.after_step(0, 0.99)
    present = pixels.classes[pixels.image == 0].bincount(minlength=3).clamp(max=6)
    assert len(made.queue) == int(present.sum())


def test_no_gradient_reaches_the_teacher():
    made, teacher = contrast(), maps(3, seed=7)
    pixels = made.sample(maps(), classes(), SIZE, generator())
    made.centred(pixels, teacher, first(pixels, 3), SIZE, 0.1, generator()).backward()
    assert all(each.grad is None for each in teacher)
    assert all(each.grad is None for each in made.teacher_head.parameters())


def test_a_lone_class_has_nobody_to_be_compared_with():
    made = contrast()
    labels = torch.ones(3, *SIZE, dtype=torch.long)
    pixels = made.sample(maps(), labels, SIZE, generator())
    loss = made.anatomy(pixels, torch.zeros(len(pixels.classes)), 0.1, generator())
    assert torch.isfinite(loss)
    assert torch.isfinite(made.centred(pixels, maps(), first(pixels, 3), SIZE, 0.1, generator()))


def test_a_step_that_came_to_nothing_leaves_no_trace():
    made = contrast()
    pixels = made.sample(maps(), classes(), SIZE, generator())
    made.centred(pixels, maps(), first(pixels, 3), SIZE, 0.1, generator())
    known = made.means.clone()
    broken = [each.detach() * torch.nan for each in maps()]
    pixels = made.sample(broken, classes(), SIZE, generator())
    made.centred(pixels, broken, first(pixels, 3), SIZE, 0.1, generator())
    assert torch.equal(made.means, known)
    made.forget()
    made.after_step(0, 0.99)
    assert len(made.queue) == 0


def test_centres_follow_their_classes_however_they_are_numbered():
    """Renaming the classes renames the centres: which class has which is not in its number."""
    made, renamed = contrast(), contrast()
    features = torch.nn.functional.normalize(torch.randn(3, 16, generator=generator(3)))
    order = torch.tensor([2, 0, 1])
    from longtail.core.losses.simplex import allocate

    made.allocation = allocate(features, made.centres)
    renamed.allocation = allocate(features[order], renamed.centres)
    torch.testing.assert_close(made.class_centres[order], renamed.class_centres)


def test_state_goes_through():
    made, other = contrast(), contrast()
    for step in range(3):
        pixels = made.sample(maps(seed=step), classes(seed=step), SIZE, generator(step))
        made.centred(pixels, maps(seed=9), first(pixels, 3), SIZE, 0.1, generator(step))
        made.after_step(step, 0.5)
    other.load_state(made.state())
    assert torch.equal(other.queue.features, made.queue.features)
    assert torch.equal(other.class_centres, made.class_centres)
    assert torch.equal(other.means, made.means)
