// Multifd before d2026ee117: a synchronisation hands out jobs without taking them from channels_ready.
//
// Every synchronisation leaves the count higher by the number of channels. The first one is what makes it right, the second makes it
// wrong. multifd_send_pages() then does not wait: it goes round the channels, all of them at work, until one is done.

protocol channels_ready_drifts "multifd, channels_ready not taken for a synchronisation (before d2026ee117)";

const SYNC_WAITS_FOR_CHANNELS = false;

import "channels_ready.dsl";

expect violated assert.finds_a_channel;
expect violated invariant.promises_kept;
expect violated invariant.counts_idle_channels;
expect violated range;                           // the third synchronisation in a row
