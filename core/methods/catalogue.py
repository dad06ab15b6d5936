"""The methods that Longtail knows, without the cargo: nothing here imports torch."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from importlib import import_module
from importlib.resources import files
from typing import Any

import yaml

from ... import resources
from ..errors import LongtailError
from ..project.records import Task
from .settings import CrossEntropySettings, MethodSettings, SupervisedSettings
from .settings_contrast import ProcoSettings, TwoStageSettings
from .settings_foundation import FoundationSettings
from .settings_radiomic import RadiomicContrastSettings
from .settings_semi import (
    ActionSettings,
    CopyPasteSettings,
    FixMatchSettings,
    MeanTeacherSettings,
    UncertaintySettings,
)


@dataclass(frozen=True)
class Method:
    """One way to train.

    `title` is for people, `sentence` says what it does and `when` for whom it is the right one.
    `uses_unlabelled` tells whether it also learns from cases without labels. `code` is the dotted
    path of the function that builds its run; only the compute process loads it.
    """

    name: str
    title: str
    sentence: str
    when: str
    tasks: tuple[Task, ...]
    settings: type[MethodSettings]
    code: str
    uses_unlabelled: bool = False

    @cached_property
    def presets(self) -> Mapping[str, Mapping[str, Any]]:
        """Names of presets and the settings that each changes; the first is the default."""
        return {name: preset.get("settings") or {} for name, preset in self._preset_file.items()}

    @cached_property
    def preset_sentences(self) -> Mapping[str, str]:
        """What each preset is for, by its name."""
        return {name: str(preset["sentence"]) for name, preset in self._preset_file.items()}

    @cached_property
    def preset_iterations(self) -> Mapping[str, int]:
        """Iterations of the presets that suggest them: published ones."""
        return {
            name: int(preset["suggested_iterations"])
            for name, preset in self._preset_file.items()
            if "suggested_iterations" in preset
        }

    @property
    def default_preset(self) -> str:
        """The preset that is taken when none is named."""
        return next(iter(self.presets))

    @cached_property
    def _preset_file(self) -> dict[str, dict[str, Any]]:
        text = (files(resources) / "presets" / f"{self.name}.yaml").read_text(encoding="utf-8")
        loaded: dict[str, dict[str, Any]] = yaml.safe_load(text)
        return loaded

    def load(self) -> Any:
        """Import the training code; this loads torch."""
        module, _, function = self.code.partition(":")
        return getattr(import_module(module, __package__), function)


class Catalogue:
    """Methods by name, in the order in which they are offered; refuses twins."""

    def __init__(self, *methods: Method) -> None:
        self._methods: dict[str, Method] = {}
        for method in methods:
            if method.name in self._methods:
                raise ValueError(f"two methods are called {method.name!r}")
            self._methods[method.name] = method

    def __iter__(self) -> Iterator[Method]:
        return iter(self._methods.values())

    def __len__(self) -> int:
        return len(self._methods)

    def get(self, name: str) -> Method:
        """Find a method by its name.

        Raises
        ------
        LongtailError
            There is no such method.
        """
        if name not in self._methods:
            known = ", ".join(self._methods)
            raise LongtailError(f"There is no method {name!r}.", f"Methods are: {known}.")
        return self._methods[name]

    def names(self, task: Task | None = None) -> tuple[str, ...]:
        """Names of all methods, or of those that can do `task`."""
        return tuple(each.name for each in self if task is None or task in each.tasks)


METHODS = Catalogue(
    Method(
        name="supervised",
        title="Supervised",
        sentence="Learns to outline the classes from the labelled volumes alone.",
        when="The first thing to try, and what every other method is compared with.",
        tasks=(Task.SEGMENTATION,),
        settings=SupervisedSettings,
        code=".supervised:build",
    ),
    Method(
        name="mean-teacher",
        title="Mean teacher",
        sentence="Also learns from scans without labels, by agreeing with its own running average.",
        when="A few labelled scans and many without; simple and hard to upset.",
        tasks=(Task.SEGMENTATION,),
        settings=MeanTeacherSettings,
        code=".mean_teacher:build",
        uses_unlabelled=True,
    ),
    Method(
        name="ua-mt",
        title="Uncertainty-aware mean teacher",
        sentence="A mean teacher that leaves out what several noisy looks disagree on.",
        when="For comparison with published work; slower than the mean teacher.",
        tasks=(Task.SEGMENTATION,),
        settings=UncertaintySettings,
        code=".mean_teacher:build_uncertainty",
        uses_unlabelled=True,
    ),
    Method(
        name="fixmatch",
        title="FixMatch",
        sentence="Learns from its own sure answers on scans without labels.",
        when="For comparison: the plainest use of pseudo-labels.",
        tasks=(Task.SEGMENTATION,),
        settings=FixMatchSettings,
        code=".fixmatch:build",
        uses_unlabelled=True,
    ),
    Method(
        name="bcp",
        title="Bidirectional copy-paste",
        sentence="Pastes boxes of labelled scans into unlabelled ones and the other way round.",
        when="A few labelled scans and many without; the strongest of the simple methods.",
        tasks=(Task.SEGMENTATION,),
        settings=CopyPasteSettings,
        code=".bcp:build",
        uses_unlabelled=True,
    ),
    Method(
        name="action",
        title="ACTION",
        sentence="Pre-trains on all scans, then pulls pixels of one class together and others "
        "apart.",
        when="For comparison: ACTION++ without its class centres and moving temperature.",
        tasks=(Task.SEGMENTATION,),
        settings=ActionSettings,
        code=".action:build",
        uses_unlabelled=True,
    ),
    Method(
        name="action++",
        title="ACTION++",
        sentence="Learns from scans with and without labels, and holds rare classes apart by "
        "evenly spread centres.",
        when="A few labelled scans, many without, and classes that are rare.",
        tasks=(Task.SEGMENTATION,),
        settings=ActionSettings,
        code=".action:build",
        uses_unlabelled=True,
    ),
    Method(
        name="cross-entropy",
        title="Cross-entropy",
        sentence="Learns to recognise the classes of whole images, with losses and samplers that "
        "hold up the rare ones.",
        when="The first thing to try for image-level classes, rare ones included.",
        tasks=(Task.CLASSIFICATION, Task.MULTILABEL),
        settings=CrossEntropySettings,
        code=".cross_entropy:build",
    ),
    Method(
        name="proco",
        title="ProCo",
        sentence="Learns to recognise classes and, at once, to tell images apart, with a centre "
        "for each class that rare classes keep too.",
        when="One class per image, and some classes with a handful of images.",
        tasks=(Task.CLASSIFICATION,),
        settings=ProcoSettings,
        code=".proco:build",
    ),
    Method(
        name="two-stage",
        title="Two stages",
        sentence="First learns to see what images of a class have in common, then trains a "
        "classifier on that which gives every class its due.",
        when="One class per image; also to re-balance a run that is already trained.",
        tasks=(Task.CLASSIFICATION,),
        settings=TwoStageSettings,
        code=".two_stage:build",
    ),
    Method(
        name="radiomic-contrast",
        title="Radiomic contrast",
        sentence="Learns to recognise findings and where they are, by comparing each image with "
        "the texture of the region that speaks for a finding.",
        when="X-rays with labels for the whole image, many images without labels, and the wish to "
        "see where a finding is.",
        tasks=(Task.CLASSIFICATION, Task.MULTILABEL),
        settings=RadiomicContrastSettings,
        code=".radiomic_contrast:build",
        uses_unlabelled=True,
    ),
    Method(
        name="foundation",
        title="Foundation encoder",
        sentence="Trains a classifier within seconds on what a large, ready-made encoder sees, or "
        "adapts that encoder lightly.",
        when="Few images, and an encoder that has seen images like yours.",
        tasks=(Task.CLASSIFICATION, Task.MULTILABEL),
        settings=FoundationSettings,
        code=".foundation:build",
    ),
)
