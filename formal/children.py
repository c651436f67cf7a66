"""Child processes that tell values while they work.

In: functions to run, each in a forked copy of this process. Out: what each of them told, as it comes, and how it ended. It must not know
what the values mean. A child never outlives its parent: it watches a pipe that only the parent holds open.
"""

from __future__ import annotations

import fcntl
import os
import select
import signal
import sys
import traceback
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, TypeAlias

from formal.framing import Inbox, send

_REPORTED_CRASH = 70  # exit status of a child whose function raised: its traceback came through the pipe

Tell: TypeAlias = Callable[[Any], None]


@dataclass(frozen=True, slots=True)
class Ended:
    """The child is gone. `crash` is None after a return, else what happened, a traceback or a signal, as text."""

    crash: str | None


@dataclass(frozen=True, slots=True)
class _Crash:
    """How a child tells that its function raised."""

    text: str


class Child:
    """One function at work in a process of its own. `work(tell)` runs in the child."""

    def __init__(self, work: Callable[[Tell], None], others: Sequence[Child] = ()) -> None:
        read_end, write_end = os.pipe()
        life_read, life_write = os.pipe()
        sys.stdout.flush()
        sys.stderr.flush()
        self.pid = os.fork()
        if self.pid == 0:
            os.close(read_end)
            os.close(life_write)
            for other in others:  # a sibling must not keep another one's lifeline open
                other.forget()
            _live(work, write_end, life_read)
        os.close(write_end)
        os.close(life_read)
        self.fd = read_end
        self._lifeline = life_write
        self._inbox = Inbox(read_end)
        self._crash: str | None = None
        self.ended = False

    def forget(self) -> None:
        """Close this process's ends of the pipes."""
        for fd in (self.fd, self._lifeline):
            if fd >= 0:
                os.close(fd)
        self.fd = self._lifeline = -1

    def receive(self) -> Iterator[Any]:
        """What has arrived; the last value is an `Ended` when nothing more will come. Call it when `fd` is readable."""
        for value in self._inbox.receive():
            if isinstance(value, _Crash):
                self._crash = value.text
            else:
                yield value
        if self._inbox.closed:
            yield self._bury()

    def end(self) -> None:
        """End the child now, whatever it is doing."""
        if not self.ended:
            os.kill(self.pid, signal.SIGKILL)
            self._bury()

    def _bury(self) -> Ended:
        _, status = os.waitpid(self.pid, 0)
        self.ended = True
        self.forget()
        code = os.waitstatus_to_exitcode(status)
        if self._crash is not None or code == 0:
            return Ended(self._crash)
        return Ended(f"killed by {signal.Signals(-code).name}" if code < 0 else f"exited with status {code}")


def _live(work: Callable[[Tell], None], write_end: int, life_read: int) -> None:
    """The child's whole life; does not return."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C reaches the whole group; the parent decides
    signal.signal(signal.SIGTERM, signal.SIG_DFL)
    _end_with_parent(life_read)
    status = 0
    try:
        work(lambda value: send(write_end, value))
    except BrokenPipeError:
        status = 1
    except BaseException:
        status = _REPORTED_CRASH
        send(write_end, _Crash(traceback.format_exc()))
    finally:
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(status)


def _end_with_parent(life_read: int) -> None:
    """Have the kernel end this process when the parent's end of the pipe closes, even in the middle of a solver's query."""
    signal.signal(signal.SIGIO, signal.SIG_DFL)  # whose default is to end the process
    fcntl.fcntl(life_read, fcntl.F_SETOWN, os.getpid())
    fcntl.fcntl(life_read, fcntl.F_SETFL, fcntl.fcntl(life_read, fcntl.F_GETFL) | os.O_ASYNC)
    if select.select([life_read], [], [], 0)[0]:  # the parent was gone before the kernel knew
        os._exit(1)


def wait(children: Sequence[Child], seconds: float) -> list[Child]:
    """Those of the living children that have something to receive, after at most so many seconds; in the given order."""
    waiting = {child.fd: child for child in children if not child.ended}
    if not waiting:
        return []
    ready, _, _ = select.select(list(waiting), [], [], max(0.0, seconds))
    return [waiting[fd] for fd in ready]
