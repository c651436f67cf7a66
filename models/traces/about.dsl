// Logs of real runs: how their lines map to steps, what a run does beside the models' protocols, and models for what QEMU 7.2 logs.
