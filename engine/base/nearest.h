#ifndef MOONLET_BASE_NEAREST_H
#define MOONLET_BASE_NEAREST_H

/*
 * Finds the name that somebody may have meant by a mistyped one: the nearest
 * in edits (one letter put in, left out or replaced, two neighbours swapped),
 * in any letter case. A third of the letters may be wrong; of short names,
 * one.
 */

struct nearest {
    const char *name; /* that was given */
    unsigned best;    /* edits that a better one has to stay below */
    const char *found;
};

#define NEAREST_NAME_MAX 64 /* longer names are near to nothing */

struct nearest nearest_to(const char *name);
/* Offers a name that exists, which is borrowed. */
void nearest_try(struct nearest *n, const char *candidate);

#endif
