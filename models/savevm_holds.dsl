// What is asked of every snapshot: the properties of savevm.dsl, and which mutants of it nothing notices.

deadlock free;

// qemu_mutex_iothread_locked() is true of the owner of the BQL, and of others only while they sleep on a condition variable.
invariant owner_has_flag: forall t in thread: holds(t, BQL) implies t.iothread_locked;
invariant flag_without_bql: forall t in thread: t.iothread_locked && !holds(t, BQL)
    implies at(t, pause_all_vcpus.paused) || at(t, qemu_wait_io_event.idle) || at(t, run_on_cpu.working);
// Nobody waits in the block layer without the BQL. Nothing asserts that on the main loop, whose context is its own: there it is no crash
// but a data race: bottom halves, coroutines and completions run without the BQL, beside whoever has it.
invariant main_loop_under_bql: at(main_loop, bdrv_poll_co.waiting) implies holds(main_loop, BQL);
invariant one_poller: (number of t in thread: at(t, bdrv_poll_co.waiting)) <= 1;
// The main loop sleeps without the BQL.
invariant idle_without_bql: at(main_loop, os_host_main_loop_wait.idle) implies !holds(main_loop, BQL);
// Nothing of the VM's state is written unless the guest is stopped, or is to be: a vCPU only asks for it. A request is answered once.
invariant saved_after_stop: vmstate_in_progress implies vmstop_requested || current_run_state != RUN_STATE_RUNNING;
invariant request_answered: vmstop_requested implies current_run_state == RUN_STATE_RUNNING;
// A stopped vCPU does nothing, and is not in the guest.
invariant stopped_sleeps: forall v in vcpu: stopped[v]
    implies at(v, qemu_wait_io_event.asleep) || at(v, qemu_wait_io_event.idle) || at(v, qemu_wait_io_event.woken);
// Who sleeps until the guest is stopped has asked every vCPU to stop, and a vCPU stops only for a guest that is stopped, or is to be.
invariant pause_is_awaited: at(main_loop, pause_all_vcpus.paused) implies (forall v in vcpu: stop[v] || stopped[v]);
invariant stopped_for_good: forall v in vcpu: stopped[v] implies vmstop_requested || current_run_state != RUN_STATE_RUNNING;

// What survives `formal mutate`, and why. In how many turns the main loop does its work, and in which order, is its own matter.
// Survives: drop requires.save_snapshot in save_snapshot: whoever dispatches it has the BQL, by other properties
// Survives: duplicate os_host_main_loop_wait() in main_loop: a turn with nothing in it
// Survives: swap os_host_main_loop_wait(); poll main_context in main_loop: begins with the second half of a turn
// Survives: duplicate poll main_context in main_loop: two of a turn, as glib
// Survives: swap poll main_context; poll iohandler_context in main_loop: the order of sources
// Survives: duplicate pflash_update(*) in vcpu: two stores in one exit
// Survives: duplicate qemu_wait_io_event(*) in vcpu: it looks twice
// Survives: duplicate invoke save_setup in qemu_savevm_state_setup: the callbacks do the same again
// Survives: duplicate bdrv_writev_vmstate() in qemu_fflush: a flush of nothing
// Survives: duplicate qemu_fflush() in ram_save_setup: a flush of nothing
