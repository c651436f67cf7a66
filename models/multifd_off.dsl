// A migration without the capability multifd.

proc multifd_save_setup() @ "migration/multifd.c:multifd_save_setup" { }
proc multifd_send_sync_main() @ "migration/multifd.c:multifd_send_sync_main" { }
