"""The one driver of jobs: the same events for the window, the command line and the tests."""

import errno
import json
import logging
from collections.abc import Iterator

from ..errors import LongtailError
from .context import OnAnotherDevice
from .devices import describe_device
from .event_log import EventLog
from .events import Event, Finished, JsonDict, Outcome, Started, Warned, to_text
from .job import Cancelled, Job, JobContext, Steps
from .memory import give_back_memory, is_out_of_memory

logger = logging.getLogger(__name__)


def drive(job: Job, context: JobContext) -> Iterator[Event]:
    """Run a job: `Started`, its events, and exactly one `Finished`, whatever happens.

    Each event is in the job's event log before it is given. A log that cannot be written is told
    once, as `Warned`; the job goes on.
    """
    with EventLog(job.event_log) as log:
        log_works = True
        for event in _events(job, context):
            try:
                log.append(event)
            except OSError as error:
                if log_works:
                    yield _log_failed(job, error)
                log_works = False
            except TypeError as error:  # an event with an array in it, or the like
                event = failure(error)
                log.append(event)
            yield event
            if isinstance(event, Finished):
                return


def failure(error: BaseException, where: str = "") -> Finished:
    """Say in sentences why a job failed; `where` names the device.

    What nobody foresaw is traced in the log as well.
    """
    if isinstance(error, LongtailError):
        return Finished(Outcome.FAILED, None, error.reason, error.remedy)
    if is_out_of_memory(error):
        logger.warning("out of memory", exc_info=error)
        return Finished(Outcome.FAILED, None, *_out_of_memory(where))
    if isinstance(error, OSError) and error.errno == errno.ENOSPC:
        remedy = "Free some space, then resume the run or start again."
        return Finished(Outcome.FAILED, None, "The disk is full.", remedy)
    logger.error("a job failed", exc_info=error)
    return Finished(
        Outcome.FAILED,
        None,
        f"Something went wrong that Longtail did not foresee: {_first_line(error)}",
        "Try again. If it happens again, please report it with the log, where the trace is.",
    )


def _events(job: Job, context: JobContext) -> Iterator[Event]:
    where = ""
    try:
        where = describe_device(context.device)
        yield Started(job.title, where)
        result = yield from _work(job, context)
        outcome = Outcome.STOPPED if context.stop_asked else Outcome.COMPLETED
        finished = Finished(outcome, _as_plain_data(result))
    except Cancelled:
        finished = Finished(Outcome.CANCELLED)
    # The edge where failures become data; a library may also call sys.exit.
    except (Exception, SystemExit) as error:  # noqa: BLE001
        finished = failure(error, where)
    yield finished


def _work(job: Job, context: JobContext) -> Steps:
    """Run the job; an interactive one for which the device has no memory moves to the CPU."""
    try:
        return (yield from job.run(context))
    except (RuntimeError, MemoryError) as error:
        if not job.interactive or context.device == "cpu" or not is_out_of_memory(error):
            raise
    give_back_memory()
    where = describe_device(context.device)
    text = f"The memory of {where} is full, so this is computed on the CPU, which takes longer."
    yield Warned(text, kind="memory")
    return (yield from job.run(OnAnotherDevice(context, "cpu")))


def _as_plain_data(result: JsonDict | None) -> JsonDict | None:
    """Bring a result into the form that it has after a file or a pipe, in every mode alike."""
    plain: JsonDict | None = json.loads(to_text(result))
    return plain


def _out_of_memory(where: str) -> tuple[str, str]:
    if where in ("", "CPU"):
        return (
            "The memory of this computer was not enough for the job.",
            "Close other programs, or choose a smaller patch, image size or batch, and resume.",
        )
    return (
        f"The memory of {where} was not enough for the job.",
        "Choose a smaller patch, image size or batch, or the device cpu, and resume.",
    )


def _log_failed(job: Job, error: OSError) -> Warned:
    name = job.event_log.name if job.event_log else "events.jsonl"
    why = error.strerror or str(error)
    return Warned(f"The record {name} cannot be written ({why}); the job goes on.", kind="log")


def _first_line(error: BaseException) -> str:
    lines = str(error).strip().splitlines()
    return f"{type(error).__name__}: {lines[0]}" if lines else type(error).__name__
