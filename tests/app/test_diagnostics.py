"""What is copied for a report of a fault."""

import logging

from longtail.app.diagnostics import diagnostics, keep_log, log_file


def test_versions_device_and_log_are_told():
    told = diagnostics("CPU")
    for words in ("not a medical device", "napari-longtail:", "PySide6:", "Device: CPU", "Log:"):
        assert words in told


def test_a_package_that_lacks_is_said(monkeypatch):
    monkeypatch.setattr("longtail.app.diagnostics.TOLD", ("no-such-package",))
    assert "no-such-package: not installed" in diagnostics("CPU")


def test_the_log_is_kept():
    logger = logging.getLogger("longtail")
    before = list(logger.handlers)
    keep_log()
    fresh = [h for h in logger.handlers if h not in before]
    try:
        logging.getLogger("longtail.anything").error("something went wrong")
        assert "something went wrong" in log_file().read_text(encoding="utf-8")
    finally:
        for handler in fresh:
            logger.removeHandler(handler)
            handler.close()
