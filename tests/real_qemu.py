"""A real QEMU for tests: x86 under TCG, whose guest writes to flash without end, and a monitor to ask for snapshots.

In: a folder to work in, and what is to be logged. Out: a log. The guest needs no disk and no BIOS: 64 KiB of flash hold its whole program.
"""

from __future__ import annotations

import json
import shutil
import socket
import subprocess
import time
from collections.abc import Sequence
from pathlib import Path
from types import TracebackType
from typing import Any, Final

BINARY: Final = "qemu-system-x86_64"
SIZE: Final = 64 * 1024
# Real mode to flat 32-bit code; then for ever: program a byte of the other flash (0x40, data; 0xff ends it), and write to RAM once.
_BEGIN: Final = bytes.fromhex(
    "fa 2e660f011668000f20c06683c8010f22c066ea1a00ffff0800 66b810008ed88ec08ed0 31db bf0000feff"
    "c60740 881f c607ff 43 891d00100000 47 81e7ff7ffeff b900000000 49 79fd ebe0 8db40000 90".replace(" ", "")
)
_SEGMENTS: Final = bytes.fromhex("ffff0000009bcf00 ffff00000093cf00 1700 5000ffff".replace(" ", ""))  # behind an empty one
_RESET: Final = bytes.fromhex("e90d00")  # at 0xfff0: to the first byte


def missing() -> str:
    """What is not installed; "" if all is there."""
    return ", ".join(name for name in (BINARY, "qemu-img") if shutil.which(name) is None)


def firmware() -> bytes:
    """The flash that the machine boots from."""
    image = bytearray(SIZE)
    for start, part in ((0, _BEGIN), (0x58, _SEGMENTS), (0xFFF0, _RESET)):
        image[start : start + len(part)] = part
    return bytes(image)


class Qemu:
    """A running machine, started with those options besides its own; ends with the `with` block."""

    def __init__(self, folder: Path, options: Sequence[str]) -> None:
        (folder / "code.raw").write_bytes(firmware())
        (folder / "var.raw").write_bytes(bytes(SIZE))
        subprocess.run(["qemu-img", "create", "-q", "-f", "qcow2", "disk.qcow2", "64M"], cwd=folder, check=True)
        command = [BINARY, "-name", "formal,debug-threads=on", "-nodefaults", "-no-user-config", "-display", "none"]
        command += ["-M", "pc,pflash0=code,pflash1=var", "-accel", "tcg,thread=multi", "-m", "64M", "-smp", "1"]
        command += ["-blockdev", "driver=raw,node-name=code,read-only=on,file.driver=file,file.filename=code.raw"]
        command += ["-blockdev", "driver=raw,node-name=var,file.driver=file,file.filename=var.raw"]
        command += ["-blockdev", "driver=qcow2,node-name=disk0,file.driver=file,file.filename=disk.qcow2"]
        command += ["-device", "virtio-blk-pci,drive=disk0", "-qmp", "unix:qmp.sock,server=on,wait=off", *options]
        self._process = subprocess.Popen(command, cwd=folder, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True)
        self._socket = socket.socket(socket.AF_UNIX)
        self._connect(folder / "qmp.sock")
        self._lines = self._socket.makefile("r", encoding="utf-8")
        self._lines.readline()
        self.do("qmp_capabilities")

    def __enter__(self) -> Qemu:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self._process.kill()
        self._process.wait()
        self._lines.close()
        self._socket.close()
        if self._process.stderr is not None:
            self._process.stderr.close()

    def _connect(self, path: Path) -> None:
        for _ in range(200):
            try:
                self._socket.connect(str(path))
            except OSError:
                if self._process.poll() is not None:
                    raise RuntimeError(self.complaint()) from None
                time.sleep(0.05)
            else:
                self._socket.settimeout(60)
                return
        raise TimeoutError("QEMU's monitor does not answer")

    def complaint(self) -> str:
        """What it said on standard error, once it is dead."""
        self._process.wait()
        return "" if self._process.stderr is None else self._process.stderr.read()

    def do(self, command: str, **arguments: Any) -> Any:
        """One command of the monitor. Raises ConnectionError when QEMU dies meanwhile."""
        self._socket.sendall(json.dumps({"execute": command, "arguments": arguments}).encode() + b"\n")
        while True:
            answer = self._read()
            if "return" in answer:
                return answer["return"]
            if "error" in answer:
                raise RuntimeError(answer["error"]["desc"])

    def _read(self) -> dict[str, Any]:
        line = self._lines.readline()
        if not line:
            raise ConnectionError("QEMU is gone")
        answer: dict[str, Any] = json.loads(line)
        return answer

    def snapshot(self, tag: str) -> None:
        """Take one, to its end."""
        self._job("snapshot-save", tag, vmstate="disk0")

    def forget(self, tag: str) -> None:
        """Delete one."""
        self._job("snapshot-delete", tag)

    def _job(self, command: str, tag: str, **arguments: str) -> None:
        self.do(command, **{"job-id": "job", "tag": tag, "devices": ["disk0"], **arguments})
        while self.do("query-jobs")[0]["status"] != "concluded":
            time.sleep(0.01)
        self.do("job-dismiss", id="job")
