// The main loop wakes up for more than a model looks at: timers, file descriptors, coroutines of the monitor. `formal conform` adds this to
// models whose main loop polls default_main_context.

bh other_work on default_main_context { }

thread others {
    loop {
        schedule other_work;
    }
}
