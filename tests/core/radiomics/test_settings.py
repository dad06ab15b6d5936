import pytest

from longtail.core.errors import LongtailError
from longtail.core.radiomics.settings import RadiomicSettings, read_settings


def written(folder, text):
    path = folder / "params.yaml"
    path.write_text(text, encoding="utf-8")
    return path


def test_the_defaults_are_102_features_of_a_picture_and_107_of_a_volume():
    assert len(RadiomicSettings().names(flat=True)) == 102
    assert len(RadiomicSettings().names(flat=False)) == 107


def test_a_parameter_file_of_pyradiomics_is_read(tmp_path):
    path = written(
        tmp_path,
        "imageType:\n  Original: {}\nfeatureClass:\n  glcm:\n    - Contrast\n    - Idm\n"
        "  shape2D:\n  firstorder: []\nsetting:\n  binWidth: 10\n  force2D: true\n"
        "  distances: [1, 2]\n  label: 1\n  resampledPixelSpacing:\n",
    )
    settings = read_settings(path)
    assert (settings.bin_width, settings.force_2d, settings.distances) == (10, True, (1, 2))
    names = settings.names(flat=True)
    assert len(names) == 18 + 9 + 2
    assert "original_glcm_Contrast" in names
    assert "original_shape2D_Perimeter" in names


@pytest.mark.parametrize(
    ("text", "named"),
    [
        ("setting:\n  binWidht: 3\n", "binWidht"),
        ("setting:\n  normalize: true\n", "normalize"),
        ("setting:\n  resampledPixelSpacing: [2, 2, 2]\n", "resampledPixelSpacing"),
        ("imageType:\n  Wavelet: {}\n", "Wavelet"),
        ("setting:\n  binWidth: -1\n", "bin_width"),
        ("featureClass:\n  glcm: [Nothing]\n", "Nothing"),
        ("featureClass:\n  colour:\n", "colour"),
        ("odd: 1\n", "odd"),
        ("- 1\n", "no named parts"),
        ("setting: 3\n", "setting"),
        ("!!python/object/apply:os.system ['true']\n", "could not be read"),
    ],
)
def test_what_cannot_be_done_is_named(tmp_path, text, named):
    with pytest.raises(LongtailError, match=r"params\.yaml") as caught:
        read_settings(written(tmp_path, text))
    assert named in str(caught.value)


def test_an_absent_file_is_told(tmp_path):
    with pytest.raises(LongtailError, match="could not be read"):
        read_settings(tmp_path / "none.yaml")
