"""The file that `formal new callback` writes: a callback that proves as it is, and comments that say what to fill in.

In: names. Out: a text. What its comments show in indented lines works as soon as their slashes are gone.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Wanted:
    """`name` of the device or feature, the `hook` it is for, the C `function` as "file:function", `file` to be written, the `proofs`:
    commands that prove it."""

    name: str
    hook: str
    function: str
    file: str
    proofs: tuple[str, ...]


def callback_name(name: str, hook: str) -> str:
    """`ram` for `save_setup` is `ram_save_setup`."""
    return name if name.endswith(hook) else f"{name}_{hook}"


def names_used(name: str, hook: str) -> tuple[str, ...]:
    """Every name that the file declares, or proposes to."""
    return (callback_name(name, hook), *(f"{name}_{what}" for what in ("lock", "busy", "co_entry", "worker")))


def callback_text(wanted: Wanted) -> str:
    """The file."""
    return _before(wanted) + "\n".join(_body(wanted.name))


def _before(wanted: Wanted) -> str:
    """What the file says of itself, what else it may declare, and the head of the callback."""
    name, hook = wanted.name, wanted.hook
    callback = callback_name(name, hook)
    c_file = wanted.function.rpartition(":")[0]
    proofs = "\n".join(f"//     $ {command}" for command in wanted.proofs)
    return f"""\
// {callback}(), as {hook} calls it. Say here what the C function does, what is left out below, and why that is sound.
//
// Prove it in each protocol that calls it, in every state in which it is called:
{proofs}
// If {hook} has a contract, there is a shorter way, whatever the size of the protocol:
//     $ formal prove --contract {wanted.file}
// Only what takes a lock, waits, or changes what others look at needs to be written down. The indented lines in the comments are
// examples: take their slashes away where they fit, and delete the rest. The callback comes after those that the model has.

// Its own locks. Others that take them belong into this file too, each as a thread or a bottom half.
{_aside(f"mutex {name}_lock;", "a QemuMutex")}

// A request to the block layer: set while it is under way, and the bottom half that ends it.
//     bool {name}_busy = false;
//     bh {name}_co_entry on main_context {{ bdrv_poll_co_done({name}_busy); }}

// A thread of its own. It must not wait for what its creator holds.
//     thread {name}_worker @ "{c_file}:{name}_worker" {{
//         qemu_mutex_lock_iothread();
//         with {name}_lock {{ skip; }}
//         qemu_mutex_unlock_iothread();
//     }}

// `requires`: what the caller has to hold. Each caller is held to it: `holds(BQL)`, or `!holds(BQL)` for a callback that takes the BQL
// itself. There may be several. The string is the C function that this stands for, as file:function.
callback {callback} for {hook} requires holds(BQL) @ "{wanted.function}" {{
"""


def _body(name: str) -> list[str]:
    """The lines of the callback."""
    return [
        _aside(f"    with {name}_lock {{", "given back on every way out"),
        _aside("        skip;", "what is done under the lock"),
        "    }",
        "",
        "    // Wait for the block layer. The BQL stays held, and any bottom half that is pending on main_context may run here.",
        f"    //     bdrv_poll_co({name}_busy, {name}_co_entry);",
        "",
        "    // Wait for the thread. It needs the BQL, so that whoever waits gives it back first; what was looked up before may be",
        "    // different after. What needs no BQL can be waited for with the BQL held.",
        f"    //     spawn {name}_worker;",
        "    //     qemu_mutex_unlock_iothread();",
        f"    //     join {name}_worker;",
        "    //     qemu_mutex_lock_iothread();",
        "",
        "    // What has to hold in this place.",
        '    //     assert in_main_context: in_context(main_context) "who waits in the block layer must be in the main context";',
        "}",
    ]


def _aside(code: str, comment: str) -> str:
    """A line with its comment in the column where the models have theirs."""
    return f"{code:<48} // {comment}"


def proofs(models: Sequence[str], file: str) -> tuple[str, ...]:
    """The commands that prove the file within these models."""
    return tuple(f"formal prove {model} --with {file}" for model in models)
