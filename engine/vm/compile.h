#ifndef MOONLET_VM_COMPILE_H
#define MOONLET_VM_COMPILE_H

/*
 * The shipped library as bytecode, which loads several times faster than its
 * text: for processes that load many generations. It is good for this process
 * alone. Scripts of authors are never bytecode.
 */

#include "vm/generation.h"

/* The same rows with what their texts compile to, lines for errors included;
 * what is no Lua stays text, and require tells. One block, which owns all that
 * it points to: freed by the caller with free(). */
struct vm_source *vm_compile(const struct vm_source *rows);

/* What luaL_loadbufferx may expect of this source: "t" or "b". */
const char *vm_source_mode(const struct vm_source *source);

#endif
