"""The one exception for failures that a user can do something about."""


class LongtailError(Exception):
    """An expected failure, told in a sentence that a clinician can act on.

    Parameters
    ----------
    reason
        What happened and to which file, as a sentence.
    remedy
        What to do about it, as a sentence; empty when nothing can be done.
    """

    def __init__(self, reason: str, remedy: str = "") -> None:
        super().__init__(reason, remedy)
        self.reason = reason
        self.remedy = remedy

    def __str__(self) -> str:
        return f"{self.reason} {self.remedy}".strip()
