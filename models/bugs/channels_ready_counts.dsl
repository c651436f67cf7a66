// Multifd since d2026ee117: every job is taken from channels_ready, whether it is for pages or for a synchronisation.
//
// A channel posts before it waits for work, so that the count is right from the start and stays so, for any number of packets.
//
// Beside: channels_ready_drifts.dsl

protocol channels_ready_counts "multifd, channels_ready taken for every job (d2026ee117)";

const SYNC_WAITS_FOR_CHANNELS = true;

import "channels_ready.dsl";

expect proved;

// What `formal mutate` may change unnoticed, and why that is no gap.
// Survives: drop multifd_send_sync_main() in migration_thread: the loop synchronises, too, as often as it likes
// Survives: swap multifd_send_sync_main(); loop in migration_thread: the same
// Survives: duplicate multifd_send_sync_main() in migration_thread: two in a row
// Survives: duplicate multifd_send_pages() in migration_thread: two packets in a row
// Survives: * next_channel = (next_channel + 1) % CHANNELS in multifd_send_pages: of two it goes on looking at one, whose job ends, too
// Survives: * next_channel = (next_channel + 1) % CHANNELS (2) in multifd_send_pages: where the next look begins
// Survives: swap wait channels_ready; wait sem_sync[c] in multifd_send_sync_main: a channel posts both, and waits for neither to be taken
