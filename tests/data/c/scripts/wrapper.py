"""A script that writes C."""


def gen_wrapper(name: str) -> str:
    # the wrapper polls
    return f"int {name}_co(void) {{ poll(); }}"
