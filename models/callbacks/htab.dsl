// pseries' hash table: puts its size, and starts over. No lock, before and after.

callback htab_save_setup for save_setup @ "hw/ppc/spapr.c:htab_save_setup" {
    skip @ "hw/ppc/spapr.c:htab_save_setup";
}
