#ifndef MOONLET_SIM_MEDIA_H
#define MOONLET_SIM_MEDIA_H

/* Files as calls and people name them, and what messages show of them. */

#include <jansson.h>
#include <stdbool.h>

struct call;
struct param;
struct sim;

/* Puts what a message of that key (photo, document, ...) shows of a file into
 * `given`: of the upload `part`, else of what `text` says: attach://PART, a
 * file_id or an address. Neither, or no such key, is nothing. Of a file_id
 * that no simulator has made nothing else is known. False: refused. */
bool media_describe(struct call *c, const char *key, const char *text,
                    const struct param *part, json_t *given);

/* The same for what a person sends: name, size, and text or base64, its
 * bytes. NULL, or what is wrong. */
const char *media_make(struct sim *sim, int64_t bot, const char *key,
                       json_t *given);

/* Letters, digits, - and _, as file_ids are. */
bool media_is_file_id(const char *text);

/* The file that a parameter brings, in a part of its own or by attach://;
 * NULL: none. */
const struct param *media_upload(const struct call *c, const char *name);

#endif
