"""Values through a pipe between two processes of ours: each behind its length.

In: values that pickle can carry, file descriptors. Out: the same values. It must not know what they mean, nor read what comes from a
stranger.
"""

from __future__ import annotations

import os
import pickle
import struct
from collections.abc import Iterator
from typing import Any, Final

_HEADER: Final = struct.Struct("!Q")
_CHUNK: Final = 1 << 20


def send(fd: int, value: Any) -> None:
    """One value into a pipe. Raises OSError."""
    data = pickle.dumps(value, protocol=pickle.HIGHEST_PROTOCOL)
    view = memoryview(_HEADER.pack(len(data)) + data)
    while view:
        view = view[os.write(fd, view) :]


class Inbox:
    """The other end of `send`. `closed`: nothing more will come."""

    def __init__(self, fd: int) -> None:
        self.fd = fd
        self.closed = False
        self._buffer = bytearray()

    def receive(self) -> Iterator[Any]:
        """What has arrived. Call it when `fd` is readable."""
        data = os.read(self.fd, _CHUNK)
        self.closed = not data
        self._buffer += data
        while len(self._buffer) >= _HEADER.size:
            (size,) = _HEADER.unpack_from(self._buffer)
            end = _HEADER.size + size
            if len(self._buffer) < end:
                return
            value = pickle.loads(bytes(self._buffer[_HEADER.size : end]))  # from our own process, over a private pipe
            del self._buffer[:end]
            yield value
