#include "sim/params.h"

#include "base/buf.h"

#include <string.h>
#include <strings.h>

#define MULTIPART_BOUNDARY_MAX 70
#define MULTIPART_FILES_MAX 50

struct part {
    const char *name;
    size_t name_len;
    const char *file_name;
    size_t file_name_len;
};

static const char *find(const char *at, const char *end, const char *what,
                        size_t len)
{
    return at < end ? memmem(at, (size_t)(end - at), what, len) : NULL;
}

/* The value of ; key="..." or ; key=... in a header line. */
static const char *attribute(const char *line, const char *end, const char *key,
                             size_t *len)
{
    size_t key_len = strlen(key);
    for (const char *at = line; at + key_len + 1 < end; at++) {
        if (strncasecmp(at, key, key_len) != 0 || at[key_len] != '=' ||
            (at > line && at[-1] != ' ' && at[-1] != ';'))
            continue;
        const char *value = at + key_len + 1;
        bool quoted = *value == '"';
        value += quoted;
        const char *stop = value;
        while (stop < end && *stop != (quoted ? '"' : ';') && *stop != '\r')
            stop++;
        *len = (size_t)(stop - value);
        return value;
    }
    return NULL;
}

/* Reads the header lines of a part; returns where its content begins. */
static const char *read_head(const char *at, const char *end, struct part *part)
{
    const char *stop = find(at, end, "\r\n\r\n", 4);
    if (stop == NULL)
        return NULL;
    while (at < stop) {
        const char *line_end = find(at, stop, "\r\n", 2);
        line_end = line_end != NULL ? line_end : stop;
        if (strncasecmp(at, "content-disposition:", 20) == 0) {
            part->name = attribute(at, line_end, "name", &part->name_len);
            part->file_name =
                attribute(at, line_end, "filename", &part->file_name_len);
        }
        at = line_end + 2;
    }
    return stop + 4;
}

bool params_parse_multipart(struct params *p, const char *content_type,
                            const char *body, size_t len)
{
    const char *end = body + len;
    size_t mark_len = 0;
    const char *mark =
        attribute(content_type, content_type + strlen(content_type), "boundary",
                  &mark_len);
    if (mark == NULL || mark_len == 0 || mark_len > MULTIPART_BOUNDARY_MAX)
        return false;
    char line[MULTIPART_BOUNDARY_MAX + 5] = "\r\n--";
    memcpy(line + 4, mark, mark_len);
    size_t line_len = mark_len + 4;
    int files = 0;
    const char *at = find(body, end, line + 2, line_len - 2);
    while (at != NULL && (at = find(at, end, "\r\n", 2)) != NULL) {
        struct part part = {0};
        const char *start = read_head(at + 2, end, &part);
        const char *stop =
            start != NULL ? find(start - 2, end, line, line_len) : NULL;
        if (stop == NULL)
            return true;
        size_t size = stop > start ? (size_t)(stop - start) : 0;
        if (part.file_name != NULL && ++files > MULTIPART_FILES_MAX)
            return false;
        if (part.name != NULL && part.file_name != NULL)
            params_add_file(p, part.name, part.name_len, part.file_name,
                            part.file_name_len, size);
        else if (part.name != NULL)
            params_add(p, part.name, part.name_len, start, size, false);
        at = stop + line_len;
        if (end - at >= 2 && memcmp(at, "--", 2) == 0)
            return true;
    }
    return true;
}
