"""Stand-ins for the backend, small enough to be read at once."""

from dataclasses import dataclass

from longtail.core.backend.events import Finished, Outcome, Progress, Started
from longtail.core.backend.job import Job


@dataclass(frozen=True)
class FakeJob(Job):
    """A job that is never run."""

    name: str = "a job"

    @property
    def title(self):
        return self.name

    def run(self, context):
        raise AssertionError("the fake backend runs nothing")
        yield


COMPLETED = (Started("a job", "CPU"), Progress(1, 2, 3.0), Finished(Outcome.COMPLETED, {}))


class FakeHandle:
    """Gives the events it was given, and notes what it is asked."""

    def __init__(self, job, events=COMPLETED):
        self.job, self.events, self.asked = job, events, []

    def __iter__(self):
        for event in self.events:
            if isinstance(event, Exception):
                raise event
            yield event

    def __getattr__(self, name):
        if name in ("pause", "resume", "stop", "cancel"):
            return lambda: self.asked.append(name)
        raise AttributeError(name)

    def tell(self, change):
        self.asked.append(change)


class FakeBackend:
    """Answers every job with the same events."""

    def __init__(self, events=COMPLETED):
        self.events, self.closed, self.warm = events, None, False

    def submit(self, job):
        return FakeHandle(job, self.events)

    def warm_up(self):
        self.warm = True

    def close(self, leave_running=False):
        self.closed = leave_running

    def device_label(self):
        return "CPU"


class Waiting:
    """A driver that hands over an event when the test says so."""

    def __init__(self):
        self.watched = []

    def watch(self, tracked, take):
        self.watched.append((tracked, take))

    def give(self, event, place=-1):
        tracked, take = self.watched[place]
        take(tracked, event)

    def close(self): ...
