// Multifd since d2026ee117: every job is taken from channels_ready, whether it is for pages or for a synchronisation.
//
// A channel posts before it waits for work, so that the count is right from the start and stays so, for any number of packets.

protocol channels_ready_counts "multifd, channels_ready taken for every job (d2026ee117)";

const SYNC_WAITS_FOR_CHANNELS = true;

import "channels_ready.dsl";

expect proved;
