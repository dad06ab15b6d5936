"""What the client hands to the compute process at its start, through standard input."""

import json
from dataclasses import asdict, dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class ProcessSettings:
    """The wishes of a client, and where to find it.

    Parameters
    ----------
    address
        Of the client's listener: a path or pipe, or (host, port).
    key
        Authenticates both sides; never on a command line or in the environment.
    device
        The device wished for, such as `auto`.
    threads
        How many processor threads to use.
    polite
        Whether a window is open that should have the processor first.
    idle_exit_s
        Report idleness after so many seconds without a job; never, where None.
    preload
        Modules to import while there is no job.
    """

    address: str | tuple[str, int]
    key: bytes
    device: str = "auto"
    threads: int = 1
    polite: bool = False
    idle_exit_s: float | None = None
    preload: tuple[str, ...] = ()

    def to_line(self) -> str:
        """Write the settings as one line."""
        return json.dumps({**asdict(self), "key": self.key.hex()}) + "\n"

    @classmethod
    def from_line(cls, line: str) -> "ProcessSettings":
        """Read what `to_line` wrote."""
        values = json.loads(line)
        address = values["address"]
        values["address"] = address if isinstance(address, str) else (address[0], address[1])
        values["key"] = bytes.fromhex(values["key"])
        values["preload"] = tuple(values["preload"])
        return cls(**values)
