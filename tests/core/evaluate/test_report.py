import json

import pytest

from longtail.core.errors import LongtailError
from longtail.core.evaluate.report import Report, few_case_notes, read_report, write_report


def test_to_json_and_back_is_the_same(report, tmp_path):
    write_report(tmp_path / "evaluation-test.json", report)
    assert read_report(tmp_path / "evaluation-test.json") == report


def test_the_contract_has_exactly_its_keys(report):
    document = report.to_contract()
    assert list(document) == ["run", "split", "summary", "cases"]
    dice = document["summary"]["dice"]
    assert list(dice) == ["mean", "low", "high", "n", "classes"]
    assert dice["classes"]["scar"] == {
        "mean": 0.3, "low": 0.1, "high": 0.55, "n": 4, "false_positives": 3, "missed": 2,
    }  # fmt: skip
    json.dumps(document, allow_nan=False)


def test_few_test_cases_are_named(report):
    notes = few_case_notes(report.classes)
    assert len(notes) == 2
    assert "scar is in only 4" in notes[0]


@pytest.mark.parametrize(
    "content", ["", "[]", "{}", '{"format": 1, "run": 3}', "\x00", '{"format": 2}']
)
def test_a_damaged_report_is_a_sentence(content, tmp_path):
    path = tmp_path / "evaluation-test.json"
    path.write_text(content)
    with pytest.raises(LongtailError):
        read_report(path)


def test_a_missing_report_is_a_sentence(tmp_path):
    with pytest.raises(LongtailError, match="cannot be read"):
        read_report(tmp_path / "absent.json")


def test_a_report_cannot_be_changed(report):
    with pytest.raises(AttributeError):
        report.run = "other"
    assert Report.from_json(report.to_json()) == report
