// As vfio.dsl, but that vfio_save_setup() takes the BQL for itself, as in 7.2: nothing in 930e239d11 says so, since 8.0 has no lock there.

protocol vfio_own_pair "save_setup of VFIO devices, taking the BQL that its caller holds";

const TCG = false;
const ANY_ORDER = false;
const VFIO_VERSION = VFIO_MAPS_OWN_PAIR;

import "../patch/merged.dsl";
import "setup.dsl";
import "../multifd_off.dsl";
import "../callbacks/vfio.dsl";

expect violated relock;
