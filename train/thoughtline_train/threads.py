"""How many threads a training on CPU takes while other work comes and goes on the same machine.

A parallel loop ends when its slowest thread does, so a thread that shares its core with somebody holds all others up:
two
threads on two cores of which one is half busy are slower than one thread on the free core.
"""

import os
import time
from pathlib import Path

import torch
import torch._inductor.config

CONTENDED = 0.8  # below this share of the CPU time that the threads could have had, somebody else is at work
PATIENCE = 10.0  # seconds between two looks at whether the machine is free again


def wanted(threads: int, cores: int, share: float, free: float) -> int:
    """Threads for the next steps. `share`: CPU time had over CPU time asked for; `free`: cores that stood idle."""
    if share < CONTENDED and threads > 1:
        return max(1, threads - 1)
    return min(cores, threads + 1) if free > CONTENDED else threads


class Threads:
    """Adapts `torch.set_num_threads`; call `settle()` after each training step. Does nothing on a GPU, or where the
    system does not tell.

    `fixed`: a number of threads that is kept whatever else goes on, for a run that has precedence; 0 adapts.
    """

    STAT = Path("/proc/stat")

    def __init__(self, device: torch.device, fixed: int = 0):
        if fixed:
            torch.set_num_threads(fixed)
        self.cores = torch.get_num_threads()
        self.active = not fixed and device.type == "cpu" and self.cores > 1 and self.STAT.exists()
        if self.active:
            # Compiled loops must ask for the number each time they run.
            torch._inductor.config.cpp.dynamic_threads = True
            self.mark()

    def idle(self) -> float:
        """Seconds that all cores together have stood idle since the machine was started."""
        fields = self.STAT.read_text().split("\n", 1)[0].split()
        return (int(fields[4]) + int(fields[5])) / os.sysconf("SC_CLK_TCK")

    def mark(self) -> None:
        self.wall, self.cpu, self.free = time.monotonic(), time.process_time(), self.idle()

    def settle(self) -> None:
        threads = torch.get_num_threads()
        elapsed = time.monotonic() - self.wall if self.active else 0.0
        # One thread waits for its chance longer than several bear being held up.
        if elapsed < (2.0 if threads > 1 else PATIENCE):
            return
        share = (time.process_time() - self.cpu) / (elapsed * threads)
        chosen = wanted(threads, self.cores, share, (self.idle() - self.free) / elapsed)
        if chosen != threads:
            torch.set_num_threads(chosen)
        self.mark()
