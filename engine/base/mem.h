#ifndef MOONLET_BASE_MEM_H
#define MOONLET_BASE_MEM_H

/*
 * Allocation for our own C code. Out of memory aborts: the inbox makes a
 * sudden death harmless, half-handled allocation failures do not.
 * What is returned is owned by the caller and freed with free().
 */

#include <stddef.h>

/* Sets up malloc for the whole process; once, before other threads. */
void mem_init(void);

void *mem_alloc(size_t size);              /* not cleared */
void *mem_zero(size_t count, size_t size); /* cleared; overflow aborts */
void *mem_grow(void *old, size_t count, size_t size); /* realloc of an array */
char *mem_strdup(const char *text);
char *mem_dup(const char *data, size_t len); /* adds a terminating NUL */
char *mem_printf(const char *fmt, ...) __attribute__((format(printf, 1, 2)));

#define MEM_NEW(type) ((type *)mem_zero(1, sizeof(type)))

#endif
