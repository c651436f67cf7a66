/* Small C of our own, in the manner of the sources that models stand for. */
#include "sluice.h"

static int level;

void sluice_open(Sluice *s)
{
    /* who opens it has the gate */
    assert(gate_locked());
    level = s->height + 1; // one above
}

#ifdef CONFIG_POSIX
static int coroutine_fn sluice_wait(Sluice *s)
{
    return poll(s->fd, 1, -1);
}
#else
static int coroutine_fn sluice_wait(Sluice *s)
{
    return WaitForSingleObject(s->handle, INFINITE);
}
#endif

static char *sluice_name(const Sluice *s)
{
    WITH_GATE_GUARD(s) {
        return strdup("a /* gate */ // b");
    }
    return NULL;
}

DEFINE_SLUICE(spillway, 3)

void sluice_shut(Sluice *s)
{
    spillway(s);
    while (level) {
        level--;
    }
}
