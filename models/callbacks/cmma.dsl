// s390's storage attributes: asks KVM to track them. No lock, before and after.

callback cmma_save_setup for save_setup @ "hw/s390x/s390-stattrib.c:cmma_save_setup" {
    skip @ "hw/s390x/s390-stattrib-kvm.c:kvm_s390_stattrib_set_migrationmode";
}
