import gzip

import pytest

from longtail.core.errors import LongtailError
from longtail.core.io.finder import FileFinder
from longtail.core.io.table import means_no_class, read_table, split_labels


def table_of(tmp_path, text, name="t.csv", encoding="utf-8"):
    (tmp_path / name).write_bytes(text.encode(encoding))
    return read_table(tmp_path / name)


@pytest.mark.parametrize("file", ["file", "Image", "path", "Image Index"])
@pytest.mark.parametrize("label", ["label", "Labels", "class", "finding", "Finding Labels"])
def test_column_aliases(file, label, tmp_path):
    table = table_of(tmp_path, f"age,{file},{label}\n7,a.png,x\n")
    assert (table.columns["file"], table.columns["label"]) == (1, 2)
    assert table.others == (0,)


@pytest.mark.parametrize("patient", ["patient", "patient_id", "subject", "Patient ID"])
def test_patient_aliases(patient, tmp_path):
    assert table_of(tmp_path, f"file,{patient}\na.png,7\n").columns["patient"] == 1


@pytest.mark.parametrize("delimiter", [",", ";", "\t"])
@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "cp1252"])
def test_spreadsheets_of_the_world(delimiter, encoding, tmp_path):
    text = f'file{delimiter}label\r\nMüller.png{delimiter}"a{delimiter}b"\r\n'
    table = table_of(tmp_path, text, encoding=encoding)
    assert table.rows == [["Müller.png", f"a{delimiter}b"]]


def test_packed_table(tmp_path):
    (tmp_path / "t.csv.gz").write_bytes(gzip.compress(b"file,label\na.png,x\n"))
    assert read_table(tmp_path / "t.csv.gz").rows == [["a.png", "x"]]


def test_short_and_empty_rows(tmp_path):
    table = table_of(tmp_path, "file,label,age\na.png\n,,\nb.png,x,3\n\n")
    assert table.rows == [["a.png", "", ""], ["b.png", "x", "3"]]


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", "holds no rows"),
        ("file,label\n", "holds no rows"),
        ("name,label\na,b\n", "no column that names the image files"),
        ("file\0,label\na,b\n", "not a table in plain text"),
    ],
)
def test_what_is_no_table_gets_a_sentence(text, words, tmp_path):
    with pytest.raises(LongtailError, match=words):
        table_of(tmp_path, text)


@pytest.mark.parametrize("columns", ["x,y,w,h", "xmin,ymin,xmax,ymax"])
def test_boxes_are_known(columns, tmp_path):
    assert table_of(tmp_path, f"file,finding,{columns}\na.png,x,1,2,3,4\n").holds_boxes


def test_labels_in_a_cell():
    assert split_labels(" Mass | Edema|Mass||") == ("Mass", "Edema")
    assert split_labels("  ") == ()


@pytest.mark.parametrize("word", ["none", "Normal", "No Finding", "NO FINDING"])
def test_words_for_no_class(word):
    assert means_no_class([word], ["Mass"])
    assert not means_no_class([word], [word.lower()])
    assert not means_no_class([word, "Mass"], [])
    assert not means_no_class([], [])


@pytest.fixture
def tree(tmp_path):
    for name in ("beside/a.png", "source/a.png", "source/b.jpg", "source/deep/c.png", "secret.png"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_bytes(b"")
    return tmp_path


def found(tree, name):
    path = FileFinder(tree / "beside", tree / "source").find(name)
    return path and path.removeprefix(f"{tree.resolve().as_posix()}/")


@pytest.mark.parametrize(
    ("name", "path"),
    [
        ("a.png", "beside/a.png"),
        ("b.png", "source/b.jpg"),
        ("b", "source/b.jpg"),
        ("deep/c.png", "source/deep/c.png"),
        ("deep\\c.png", "source/deep/c.png"),
        ("c.jpg", "source/deep/c.png"),
        ("/data/elsewhere/c.png", "source/deep/c.png"),
        ("gone.png", None),
        ("", None),
        ("../secret.png", None),
        ("../source/b.jpg", "source/b.jpg"),
    ],
)
def test_where_files_are_found(name, path, tree):
    assert found(tree, name) == path


def test_a_stem_that_two_files_have_is_not_guessed(tree):
    (tree / "source" / "b.png").write_bytes(b"")
    assert found(tree, "b.tif") is None
    assert found(tree, "b.jpg") == "source/b.jpg"
