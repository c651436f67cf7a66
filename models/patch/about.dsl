// The versions of the patch, each as the constants that say who holds the BQL when.
