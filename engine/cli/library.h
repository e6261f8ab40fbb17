#ifndef MOONLET_CLI_LIBRARY_H
#define MOONLET_CLI_LIBRARY_H

/*
 * The shipped Lua library as the host wants it, from the files compiled into
 * the binary.
 */

#include "base/err.h"
#include "vm/generation.h"

/* Rows up to one with name NULL; freed by the caller with free(). */
struct vm_source *library_sources(void);
/* The same with what `moonlet check` needs besides. */
struct vm_source *library_with_check(void);

/* The same as bytecode, which loads several times faster: for a process that
 * loads many generations, be it at reloads, and shares the rows among them.
 * Making it takes about 3 ms. Freed with free(). */
struct vm_source *library_compiled(void);

/* One line about scripts that do not load, "main.lua:12: ...". */
void library_describe(const struct script_error *why, const char *scripts_dir,
                      struct err *e);

#endif
