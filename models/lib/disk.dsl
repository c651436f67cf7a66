// A virtio disk that the guest writes to: at most one request in flight, which completes in main_context.

import "qemu.dsl";

bool disk_in_flight = false;

bh disk_request_done on main_context @ "block/io.c:bdrv_dec_in_flight" {
    atomic {
        disk_in_flight = false;
        aio_wait_kick();
    }
}

// A vCPU, under the BQL.
proc virtio_blk_handle_output() requires holds(BQL) @ "hw/block/virtio-blk.c:virtio_blk_handle_output" {
    atomic {
        if (!disk_in_flight) {
            disk_in_flight = true;
            schedule disk_request_done;
        }
        assert submitted: disk_in_flight "what the guest submits is in flight until it completes";
    }
}

// Waits in whichever thread this is, which has to be in main_context.
proc bdrv_drained_begin() @ "block/io.c:bdrv_drained_begin" {
    num_waiters = num_waiters + 1;
    draining: aio_wait_while main_context (disk_in_flight);
    atomic {
        assert drained: !disk_in_flight "bdrv_drained_begin() returns when nothing is in flight";
        num_waiters = num_waiters - 1;
    }
}
