#ifndef MOONLET_CLI_TYPES_BOTAPI_H
#define MOONLET_CLI_TYPES_BOTAPI_H

/*
 * LuaCATS annotations of the Bot API, from its tables: what an editor's
 * language server reads. A type is the class botapi.NAME (of a union an
 * alias), the parameters of a method are botapi.params.METHOD.
 */

struct buf;

/* Appends the source of a file with all types. */
void types_botapi_types(struct buf *out);

/* Appends the source of a file with moonlet.api and all methods. */
void types_botapi_methods(struct buf *out);

#endif
