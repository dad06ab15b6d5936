"""A project: the folder on the disk, and everything that may be asked of it or done to it."""

import shutil
from collections.abc import Sequence
from pathlib import Path
from typing import Self

from .adding import Adding
from .dividing import Dividing
from .folder import make_folder
from .records import Task
from .trash import Trash


class Project(Adding, Dividing, Trash):
    """A study: its cases, classes, labels, splits, runs and predictions.

    Open it with `Project.open` or make one with `Project.create`, and close it, best as a context
    manager. One process holds the lock and writes; others read. It may be used from several
    threads.
    """

    @classmethod
    def create(cls, path: Path, *, task: Task, classes: Sequence[str]) -> Self:
        """Make a project and open it.

        Parameters
        ----------
        path
            Its folder, which must not hold anything yet; `.longtail` is added where it lacks.
        task
            What the classes are given to.
        classes
            Names in the order of their ids, from 1; the background is not one of them.

        Raises
        ------
        LongtailError
            Something is there already, a name is not allowed, or nothing can be written there.
        """
        folder = make_folder(path, task)
        try:
            project = cls(folder, write=True)
            try:
                project._add_classes(classes)
            except BaseException:
                project.close()
                raise
        except BaseException:
            # It was empty or absent a moment ago, so all that is in it is ours.
            shutil.rmtree(folder, ignore_errors=True)
            raise
        return project
