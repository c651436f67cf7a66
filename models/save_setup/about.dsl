// The save_setup callbacks alone and together, called by a migration thread; and 930e239d11 on 7.2.
