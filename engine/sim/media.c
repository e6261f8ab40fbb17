#include "sim/media.h"

#include "sim/call.h"

#include <string.h>

bool media_is_file_id(const char *text)
{
    return *text != '\0' && text[strspn(text, "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
                                              "abcdefghijklmnopqrstuvwxyz"
                                              "0123456789-_")] == '\0';
}

void media_put_upload(const struct param *p, json_t *given)
{
    sim_set(given, "file_name", json_string(p->file_name));
    sim_set(given, "file_size", json_integer((json_int_t)p->file_size));
}

bool media_describe(struct call *c, const char *file, json_t *given)
{
    if (file == NULL || *file == '\0')
        return true;
    const struct param *part = strncmp(file, "attach://", 9) == 0
                                   ? params_find(&c->params, file + 9)
                                   : NULL;
    if (part != NULL && part->file_name != NULL)
        media_put_upload(part, given);
    else if (media_is_file_id(file))
        sim_set(given, "file_id", json_string(file));
    else if (strncasecmp(file, "http://", 7) != 0 &&
             strncasecmp(file, "https://", 8) != 0)
        call_fail(c, BOTAPI_BAD_FILE);
    return c->error == NULL;
}
