"""The commands, one module each: `configure(parser)` declares its arguments, `run(arguments)` does it and returns the exit code."""
