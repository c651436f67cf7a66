// Which version of VFIO's migration a model has.

enum vfio_version {
    VFIO_MAPS_OWN_PAIR,                          // 7.2
    VFIO_MAPS,                                   // 7.2 with the pair dropped
    VFIO_MAPS_NOTHING                            // 8.0; 7.2 without a region to map
}
