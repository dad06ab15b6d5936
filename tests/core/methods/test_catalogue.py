"""The methods, their settings and their presets."""

import pytest

from longtail.core.errors import LongtailError
from longtail.core.methods.catalogue import METHODS, Catalogue
from longtail.core.methods.settings import (
    CrossEntropySettings,
    SupervisedSettings,
    read_settings,
)
from longtail.core.project.records import Task

each_method = pytest.mark.parametrize("method", METHODS, ids=lambda method: method.name)


@each_method
def test_every_preset_can_be_chosen(method):
    assert method.default_preset in method.presets
    assert method.preset_sentences.keys() == method.presets.keys()
    for changes in method.presets.values():
        read_settings(method.settings, changes)


@each_method
def test_every_setting_has_words(method):
    for name, field in method.settings.model_fields.items():
        assert field.title, name
        assert field.description, name
        assert field.description.endswith("."), name


@each_method
def test_the_code_is_there(method):
    assert callable(method.load())


def test_methods_by_task():
    outlining = METHODS.names(Task.SEGMENTATION)
    assert outlining[0] == "supervised"
    assert outlining[-1] == "action++"
    assert METHODS.names(Task.MULTILABEL)[0] == "cross-entropy"
    assert METHODS.names()[: len(outlining)] == outlining
    assert {"cross-entropy", "proco"} <= set(METHODS.names(Task.CLASSIFICATION))
    with pytest.raises(LongtailError, match="no method 'none'"):
        METHODS.get("none")


def test_twins_are_refused():
    method = METHODS.get("supervised")
    with pytest.raises(ValueError, match="two methods"):
        Catalogue(method, method)


def test_settings_read_text():
    read = read_settings(CrossEntropySettings, {"size": "96", "loss": "ldam"})
    assert read.size == 96
    assert read.learning_rate == 1e-3


@pytest.mark.parametrize(
    ("values", "words"),
    [
        ({"size": "big"}, r"Image size \(size\) cannot be 'big'"),
        ({"loss": "hope"}, r"Loss \(loss\) cannot be 'hope'"),
        ({"colour": 1}, "There is no setting 'colour'"),
        ({"pretrained": "lite0", "encoder": "resnet50"}, "do not fit resnet50"),
    ],
)
def test_refusals_name_the_setting(values, words):
    with pytest.raises(LongtailError, match=words):
        read_settings(CrossEntropySettings, values)


def test_patches_read():
    assert read_settings(SupervisedSettings, {"patch": "48 x 64 X 48"}).patch_size == (48, 64, 48)
    assert read_settings(SupervisedSettings, {}).patch_size is None
    with pytest.raises(LongtailError, match="48x64x48"):
        read_settings(SupervisedSettings, {"patch": "large"})
