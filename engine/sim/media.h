#ifndef MOONLET_SIM_MEDIA_H
#define MOONLET_SIM_MEDIA_H

/* Files as calls name them: an upload, attach://PART, a file_id or an
 * address. Of an upload only name and size are kept. */

#include <jansson.h>
#include <stdbool.h>

struct call;
struct param;

/* Puts what is known about a file into `given`: file_name and file_size of
 * an attached part, or file_id. NULL and "" are nothing. False: refused,
 * because there is no such part or the text is no file_id. */
bool media_describe(struct call *c, const char *file, json_t *given);
void media_put_upload(const struct param *p, json_t *given);

/* Letters, digits, - and _, as file_ids are. */
bool media_is_file_id(const char *text);

#endif
