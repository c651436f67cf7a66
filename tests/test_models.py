"""The QEMU models: each meets its own `expect`, at the default size and larger, and fails the way QEMU does."""

from __future__ import annotations

from pathlib import Path

import pytest

from formal.engines import explicit
from formal.engines.protocol import Event, Finding, Options
from formal.frontend import load, load_text
from formal.interp import Machine, replay
from formal.program import Program
from formal.verdict import Verdict, Witness

MODELS = Path(__file__).parent.parent / "models"
# Sizes and settings other than their own, in which models meet the same expectation.
SAVEVM = ({"VCPUS": "4"}, {"HEADER_FLUSHES": "true"})
MULTIFD = ({"VCPUS": "4", "CHANNELS": "1"}, {"CHANNELS": "3", "CONNECT_CAN_FAIL": "false"})
SETTINGS: dict[str, tuple[dict[str, str], ...]] = {
    "savevm_unlocked": SAVEVM,
    "savevm_locked": (*SAVEVM, {"TCG": "true"}),
    "savevm_resume": SAVEVM,
    "savevm_drained": SAVEVM,
    "savevm_context_lock": (*SAVEVM, {"TCG": "true"}),
    "savevm_posted_first": SAVEVM,
    "hmp_savevm_unlocked": SAVEVM,
    "hmp_savevm_locked": SAVEVM,
    "multifd_sync_locked": MULTIFD,
    "multifd_sync_unlocked": MULTIFD,
    "multifd_sync_unlocked_7_2": MULTIFD,
    "bg_migration_after": ({"VCPUS": "3"},),
    "save_setup/all": ({"VCPUS": "1"},),
}
LONGEST = 150  # lines of a file that can be read in one sitting


def program_of(name: str, defines: dict[str, str]) -> Program:
    loaded = load(str(MODELS / f"{name}.dsl"), defines)
    assert loaded.program is not None, [f"{d.code}: {d.message}" for d in loaded.diagnostics]
    return loaded.program


def settle(program: Program, *names: str) -> dict[str, Finding]:
    """What the explicit engine finds about these properties (none: all), by name."""
    asked = names or tuple(prop.name for prop in program.properties)
    events: list[Event] = []
    explicit.run(program, Options(asked), events.append)
    found = {event.prop: event for event in events if isinstance(event, Finding)}
    assert set(found) == set(asked)
    return found


def witness_of(program: Program, prop: str) -> Witness:
    trace = settle(program, prop)[prop].trace
    assert trace is not None
    return replay(Machine(program), trace)


@pytest.mark.parametrize(("name", "defines"), [(name, setting) for name, settings in SETTINGS.items() for setting in settings])
def test_meets_its_expectation(name: str, defines: dict[str, str]) -> None:
    program = program_of(name, defines)
    expected = {one.prop for one in program.expectations if one.verdict == "violated"}
    found = settle(program)
    violated = {prop for prop, finding in found.items() if finding.verdict is Verdict.VIOLATED}
    assert violated == expected
    if not expected:
        assert {finding.verdict for finding in found.values()} == {Verdict.PROVED}


@pytest.mark.parametrize("vcpus", ["1", "4"])
def test_the_assertion_fails_in_a_vcpu_that_runs_the_job(vcpus: str) -> None:
    witness = witness_of(program_of("savevm_unlocked", {"VCPUS": vcpus}), "wrong_context")
    last = witness.steps[-1]
    stack = list(last.stack)
    assert last.thread.startswith("vcpu[")
    assert [frame for frame in stack if frame in BACKTRACE] == list(BACKTRACE)


# The frames of the abort that QEMU 7.2.22 leaves, outermost first.
BACKTRACE = (
    "pflash_update",
    "snapshot_save_job_bh",
    "save_snapshot",
    "qemu_savevm_state",
    "qemu_savevm_state_setup",
    "ram_save_setup",
    "qemu_fflush",
    "bdrv_writev_vmstate",
)


def test_the_job_ran_where_the_race_put_it() -> None:
    """The request is made by the main loop; the vCPU is inside its pflash write when the bottom half comes up."""
    witness = witness_of(program_of("savevm_unlocked", {}), "wrong_context")
    stacks = [(step.thread, step.stack) for step in witness.steps]
    asked = next(i for i, (_, stack) in enumerate(stacks) if "do_qmp_dispatch_bh" in stack)
    ran = next(i for i, (_, stack) in enumerate(stacks) if "snapshot_save_job_bh" in stack)
    assert stacks[asked][0] == "main_loop"
    assert asked < ran
    assert any(thread == stacks[ran][0] and "bdrv_poll_co" in stack for thread, stack in stacks[:ran])


def test_the_multifd_deadlock_names_who_waits_for_whom() -> None:
    witness = witness_of(program_of("multifd_sync_locked", {}), "deadlock.partial")
    for name in ("migration_thread", "main_loop", "BQL", "multifd_send_thread"):
        assert name in witness.explanation
    assert "channels_ready" in witness.explanation or "sem_sync" in witness.explanation


def test_the_left_hang_is_the_main_loop_asleep_with_nobody_to_wake_it() -> None:
    witness = witness_of(program_of("savevm_resume", {}), "invariant.pause_is_awaited")
    assert "vm_start" in witness.steps[-1].stack
    assert any(step.thread == "main_loop" and "pause_all_vcpus" in step.stack for step in witness.steps)


LOCKED_BUT = """
protocol savevm_locked_but "savevm_locked, with a question to it";
const BEYOND = NOTHING;
import "patch/merged.dsl";
import "savevm_qmp.dsl";
invariant never: {never};
"""


@pytest.mark.parametrize(
    "never",
    [
        "!(exists v in vcpu: at(v, bdrv_poll_co.waiting) && vmstate_in_progress && holds(v, BQL))",
        "!(at(main_loop, bdrv_poll_co.waiting) && vmstate_in_progress)",
        "!(vmstate_in_progress && (forall v in vcpu: stopped[v]))",
        "!(at(main_loop, pause_all_vcpus.paused) && vmstate_in_progress)",
    ],
)
def test_the_proof_is_not_about_nothing(never: str) -> None:
    """The job does write its state in a vCPU as in the main loop, with the guest stopped and while the main loop stops it."""
    loaded = load_text(LOCKED_BUT.format(never=never))
    assert loaded.program is not None
    assert settle(loaded.program, "invariant.never")["invariant.never"].verdict is Verdict.VIOLATED


# 17e2a4a47d: the main loop waits for an I/O thread, which needs the context's lock to complete the request.
RECURSIVE_CONTEXT_LOCK = """
protocol save_vmstate "the context's lock, taken once too often";
import "lib/qemu.dsl";
const TWICE = {twice};
recursive mutex context_lock;
bool busy = true;
thread iothread {{ with context_lock {{ atomic {{ busy = false; aio_wait_kick(); }} }} }}
thread main_loop {{
    qemu_mutex_lock_iothread();
    lock context_lock;
    if (TWICE) {{ lock context_lock; }}
    aio_wait_while_elsewhere(busy, context_lock);
    if (TWICE) {{ unlock context_lock; }}
    unlock context_lock;
    loop {{ os_host_main_loop_wait(); poll main_context; }}
}}
deadlock free;
"""


@pytest.mark.parametrize("twice", [False, True])
def test_a_wait_elsewhere_gives_the_context_lock_back_once(twice: bool) -> None:
    loaded = load_text(RECURSIVE_CONTEXT_LOCK.format(twice=str(twice).lower()))
    assert loaded.program is not None
    violated = {prop for prop, finding in settle(loaded.program).items() if finding.verdict is Verdict.VIOLATED}
    assert violated == ({"deadlock.global"} if twice else set())


@pytest.mark.parametrize("path", sorted(MODELS.rglob("*.dsl")), ids=lambda path: path.name)
def test_reads_in_one_sitting(path: Path) -> None:
    lines = path.read_text(encoding="utf-8").splitlines()
    assert len(lines) <= LONGEST
    assert max(map(len, lines)) <= 140
