"""Training runs: made, recorded, recovered after a crash, and what they predicted."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import yaml
from sqlalchemy import Row, insert, select, update

from ..backend.event_log import is_still_written, recorded_end
from ..errors import LongtailError
from ..files import write_text, writing_failed
from .folder import next_number, read_fact
from .merging import Merging
from .records import RunRecord
from .rows import now, to_time
from .schema import runs

BROKE_OFF = "broke_off"

UNDER_WAY = ("created", "running")
STATES = (*UNDER_WAY, "completed", "stopped", "cancelled", "failed")

# libyaml is ten times faster where it is there; both are the safe kind.
_Loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
_Dumper = getattr(yaml, "CSafeDumper", yaml.SafeDumper)


class Runs(Merging):
    """The part of a project that keeps its training runs."""

    def new_run(self, spec: Mapping[str, Any]) -> RunRecord:
        """Make a run with its folder and `spec.yaml`; `spec` is plain data with a `method`.

        Raises
        ------
        LongtailError
            The project is open for reading only, or the folder cannot be written.
        """
        method = str(spec["method"])
        with self._writing() as connection:
            run_id = f"run-{next_number(connection, 'last_run'):03d}-{method}"
            version = int(spec.get("label_version") or read_fact(connection, "label_version") or 0)
            _make_run_folder(self.run_folder(run_id), spec)
            connection.execute(insert(runs).values(_new_row(run_id, method, spec, version)))
        return self.run(run_id)

    def record_run(
        self, run_id: str, *, state: str, result: Mapping[str, Any] | None = None
    ) -> RunRecord:
        """Note how a run stands; `result` is added to what is known of it.

        At the end the specification is read again from `spec.yaml`, where training has noted what
        it fixed.
        """
        if state not in STATES:
            raise ValueError(f"{state!r} is none of {STATES}")
        known = self.run(run_id)
        ended = state not in UNDER_WAY
        spec = (read_spec(self.run_folder(run_id)) if ended else None) or dict(known.spec)
        joint = {**known.result, **(result or {})}
        with self._writing() as connection:
            change = update(runs).where(runs.c.id == run_id)
            values = {"state": state, "result": json.dumps(joint), "spec": json.dumps(spec)}
            connection.execute(change.values(values))
        return self.run(run_id)

    def recover_runs(self) -> list[RunRecord]:
        """Record how runs ended that went on, or broke off, while nobody held the project.

        A run whose process goes on without a window is left as it is.

        Returns
        -------
        list of RunRecord
            The runs of which something new was learned.
        """
        waiting = [run for run in self.runs() if run.state == "running" or _broke_off(run)]
        return [run for run in map(self._recover, waiting) if run is not None]

    def runs(self) -> list[RunRecord]:
        """List the runs, the oldest first, without those in the trash."""
        query = select(runs).where(runs.c.trash.is_(None)).order_by(runs.c.created, runs.c.id)
        with self._database.reading() as connection:
            return [_to_run(row) for row in connection.execute(query)]

    def run(self, run_id: str) -> RunRecord:
        """Read one run.

        Raises
        ------
        LongtailError
            There is no such run.
        """
        with self._database.reading() as connection:
            query = select(runs).where(runs.c.id == run_id, runs.c.trash.is_(None))
            row = connection.execute(query).first()
        if row is None:
            raise LongtailError(
                f"The project {self.name} has no run named {run_id!r}.",
                "The command `longtail runs` lists them.",
            )
        return _to_run(row)

    def run_folder(self, run_id: str) -> Path:
        """Give the folder of a run, absolute.

        Raises
        ------
        LongtailError
            The name would lead out of the folder of runs.
        """
        if not run_id or set(run_id) & set("/\\:") or run_id.startswith("."):
            raise LongtailError(f"{run_id!r} is no name of a run.")
        return self.path / "runs" / run_id

    def set_run_setting(self, run_id: str, key: str, value: Any) -> None:
        """Keep what a person chose for a run, such as the place of the prior slider."""
        settings = {**self.run(run_id).settings, key: value}
        with self._writing() as connection:
            change = update(runs).where(runs.c.id == run_id)
            connection.execute(change.values(settings=json.dumps(settings)))

    def _recover(self, run: RunRecord) -> RunRecord | None:
        log = self.run_folder(run.id) / "events.jsonl"
        finished = recorded_end(log)
        if finished is not None:
            result = finished.result or {}
            told = {"reason": finished.reason, "remedy": finished.remedy, BROKE_OFF: False}
            return self.record_run(run.id, state=str(finished.outcome), result={**result, **told})
        if _broke_off(run) or is_still_written(log):
            return None
        return self.record_run(
            run.id,
            state="failed",
            result={
                "reason": f"{run.id} broke off: its process ended without saying why.",
                "remedy": "Resume it from its last checkpoint.",
                BROKE_OFF: True,
            },
        )


def read_spec(folder: Path) -> dict[str, Any] | None:
    """Read a run's `spec.yaml`; None where there is none."""
    path = folder / "spec.yaml"
    try:
        spec = yaml.load(path.read_text(encoding="utf-8"), Loader=_Loader)
    except FileNotFoundError:
        return None
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        raise LongtailError(f"The file {path} is damaged and cannot be read.") from error
    return spec if isinstance(spec, dict) else None


def write_spec(folder: Path, spec: Mapping[str, Any]) -> None:
    """Replace a run's `spec.yaml`."""
    text = yaml.dump(dict(spec), Dumper=_Dumper, sort_keys=False, allow_unicode=True)
    write_text(folder / "spec.yaml", text)


def _broke_off(run: RunRecord) -> bool:
    return run.state == "failed" and bool(run.result.get(BROKE_OFF))


def _make_run_folder(folder: Path, spec: Mapping[str, Any]) -> None:
    try:
        for name in ("checkpoints", "predictions"):
            (folder / name).mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise writing_failed(folder, error) from error
    write_spec(folder, spec)


def _new_row(run_id: str, method: str, spec: Mapping[str, Any], version: int) -> dict[str, Any]:
    return {
        "id": run_id,
        "method": method,
        "state": "created",
        "created": now(),
        "spec": json.dumps(dict(spec)),
        "result": "{}",
        "settings": "{}",
        "label_version": version,
    }


def _to_run(row: Row[Any]) -> RunRecord:
    return RunRecord(
        id=row.id,
        method=row.method,
        state=row.state,
        created=to_time(row.created),
        spec=json.loads(row.spec),
        result=json.loads(row.result),
        folder=f"runs/{row.id}",
        label_version=row.label_version,
        settings=json.loads(row.settings),
    )
