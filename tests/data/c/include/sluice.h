#ifndef SLUICE_H
#define SLUICE_H

#define SLUICE_WAIT_WHILE(s, cond) do {  \
        while (cond) {                   \
            sluice_wait(s); /* again */  \
        }                                \
    } while (0)

void sluice_open(Sluice *s);
void sluice_shut(Sluice *s);

#endif
