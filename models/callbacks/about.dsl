// The setup callbacks, one file each: whoever invokes the hook save_setup calls those that its model imports.
