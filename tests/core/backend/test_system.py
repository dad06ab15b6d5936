"""What the compute process asks of the system it runs on."""

import subprocess
import sys

FAULTS_OF_A_SECOND_BLOCK = """
import resource, threading
import numpy as np
from longtail.core.backend import system

system.share_heap()
system.keep_blocks(kept=True)
system.keep_blocks(kept={keep})

def faults_of_a_block():
    before = resource.getrusage(resource.RUSAGE_SELF).ru_minflt
    np.ones(100_000_000, np.uint8)
    return resource.getrusage(resource.RUSAGE_SELF).ru_minflt - before

def look():
    print(faults_of_a_block(), faults_of_a_block())

thread = threading.Thread(target=look)
thread.start()
thread.join()
"""


def page_faults(keep: bool) -> list[int]:
    script = FAULTS_OF_A_SECOND_BLOCK.format(keep=keep)
    answer = subprocess.run(
        [sys.executable, "-c", script], check=True, capture_output=True, text=True, timeout=60
    )
    return [int(each) for each in answer.stdout.split()]


def test_a_block_that_was_freed_is_used_again_by_the_threads_that_compute() -> None:
    first, second = page_faults(keep=True)
    assert second < first / 10
    # What it is there for: else the system clears the same pages a second time.
    first, second = page_faults(keep=False)
    assert second > first / 2
