"""The executor of a cluster: a scheduler of dask's distributed, and its workers. The only importer of `distributed`.

In: calls. Out: futures of the client's executor. A worker carries out a call in a process of its own, which is ended with the call, with
the worker, and when nobody wants the answer any more. A worker that dies is the scheduler's matter: it gives the call to another one, as
often as it is set to (`distributed.scheduler.allowed-failures`). A worker with another build of this package refuses.
"""

from __future__ import annotations

import pickle
import select
import socket
import subprocess
import time
from collections.abc import Callable
from concurrent.futures import CancelledError, Executor, Future
from contextlib import suppress
from importlib import import_module
from multiprocessing.spawn import get_executable
from typing import Any, Final

from formal.build import code_digest
from formal.executor.calls import Began, Call, Done, ExecutorError, Lost, Overdue, Within
from formal.framing import Inbox, send

_CONNECT: Final = 10.0  # seconds to reach the scheduler
_LOOK: Final = 0.5  # seconds between looks whether the answer is still wanted
_ALONE: Final = 60.0  # seconds without any worker, after which nobody waits for one


class Cluster(Executor):
    """A scheduler's workers. Raises ExecutorError where there is none, or the package is missing."""

    def __init__(self, address: str) -> None:
        self.address = address
        self._client = _connected(address)
        self._executor = self._client.get_executor(pure=False)
        self._workers = self.workers()
        self._alone_since: float | None = None
        if not self._workers:
            self.stop()
            raise ExecutorError(f"the scheduler at {address} has no worker", f"`dask worker {address}` starts one")

    def submit(self, fn: Callable[..., Any], /, *args: Any, **kwargs: Any) -> Future[Any]:
        """Raises what pickle raises."""
        payload = pickle.dumps((fn, args, kwargs), protocol=pickle.HIGHEST_PROTOCOL)
        seconds = fn.seconds if isinstance(fn, Within) else None
        found: Future[Any] = self._executor.submit(carry_out, payload, seconds, code_digest())
        return found

    def shutdown(self, wait: bool = True, *, cancel_futures: bool = False) -> None:
        """Leave the cluster. dask knows no difference between calls at work and others: `cancel_futures` ends all."""
        self._executor.shutdown(wait=wait and not cancel_futures)
        self._client.close()

    def stop(self) -> None:
        """End everything now."""
        with suppress(CancelledError):
            self.shutdown(wait=False)

    def workers(self) -> frozenset[str]:
        """The addresses of those that are there, as last heard of."""
        return frozenset(self._client.scheduler_info(n_workers=-1)["workers"])

    def news(self) -> tuple[str, ...]:
        """Workers that came or went since the last call. Raises Lost when there has been none for a minute."""
        now = self.workers()
        gone, come = self._workers - now, now - self._workers
        self._workers = now
        self._alone_since = None if now else self._alone_since or time.monotonic()
        if self._alone_since is not None and time.monotonic() - self._alone_since > _ALONE:
            raise Lost(f"the scheduler at {self.address} has had no worker for {_ALONE:.0f} s")
        return (
            *(f"worker {one} is gone; others do again what it had begun" for one in sorted(gone)),
            *(f"worker {one} has come" for one in sorted(come)),
        )


def _connected(address: str) -> Any:
    try:
        distributed = import_module("distributed")
    except ImportError as error:
        raise ExecutorError("--executor dask needs the package distributed", "`pip install 'formal[cluster]'` installs it") from error
    try:
        _reach(address)
        return distributed.Client(address, timeout=_CONNECT, set_as_default=False)
    except (OSError, OverflowError, ValueError, TypeError, MemoryError) as error:  # a web server's first bytes are taken for a length
        why = str(error) or type(error).__name__
        raise ExecutorError(f"no scheduler answers at {address}: {why}", "`dask scheduler` starts one, and says its address") from error


def _reach(address: str) -> None:
    """Whether anybody listens there: a client that reaches nobody takes long to say so, and longer to go. Raises OSError, OverflowError,
    ValueError."""
    addressing = import_module("distributed.comm.addressing")
    host, port = addressing.get_address_host_port("://".join(addressing.parse_address(address)))
    socket.create_connection((host, port), timeout=_CONNECT).close()


# ---------------------------------------------------------------- on a worker


def carry_out(payload: bytes, seconds: float | None, build: str) -> Any:
    """What the call returns; raises what it raises, Overdue, or Lost."""
    if code_digest() != build:
        raise Lost("this worker runs another build of formal")
    command = [get_executable(), "-m", "formal.executor.apart"]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL) as process:
        try:
            returned, answer = pickle.loads(_asked(process, Call(0, payload, seconds)))
        finally:
            process.kill()  # and with it, by their lifelines, its children
    if not returned:
        raise answer
    return answer


def _asked(process: subprocess.Popen[bytes], call: Call) -> bytes:
    assert process.stdin is not None
    assert process.stdout is not None
    send(process.stdin.fileno(), call)
    inbox = Inbox(process.stdout.fileno())
    begun = time.monotonic()
    while not inbox.closed:
        if select.select([inbox.fd], [], [], _LOOK)[0]:
            for value in inbox.receive():
                match value:
                    case Done(payload=payload):
                        return payload
                    case Began():
                        pass
        elif _unwanted():
            raise Lost("the answer is not wanted any more")
        elif call.seconds is not None and time.monotonic() - begun > 2 * call.seconds + 10:
            raise Overdue(f"no answer after {time.monotonic() - begun:.0f} s")
    raise Lost("its process ended without an answer")


def _unwanted() -> bool:
    """Whether the scheduler has taken back what this thread is at."""
    worker = import_module("distributed.worker")
    with suppress(ValueError, AttributeError):
        task = worker.get_worker().state.tasks.get(worker.thread_state.key)
        return task is None or task.state in ("cancelled", "released", "forgotten")
    return False
