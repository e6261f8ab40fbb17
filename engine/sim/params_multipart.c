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

/* What stands before each part. */
struct mark {
    char text[MULTIPART_BOUNDARY_MAX + 4];
    size_t len;
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

/* 0: the part at *at was read; *at is behind its end mark. */
static int read_part(struct params *p, const char **at, const char *end,
                     const struct mark *mark, int *files)
{
    struct part part = {0};
    const char *start = read_head(*at, end, &part);
    const char *stop =
        start != NULL ? find(start - 2, end, mark->text, mark->len) : NULL;
    if (stop == NULL || part.name == NULL)
        return 400;
    size_t size = stop > start ? (size_t)(stop - start) : 0;
    if (part.file_name != NULL && ++*files > MULTIPART_FILES_MAX)
        return 413;
    if (part.file_name != NULL)
        params_add_file(p, part.name, part.name_len, part.file_name,
                        part.file_name_len, size);
    else
        params_add(p, part.name, part.name_len, start, size, false);
    *at = stop + mark->len;
    return 0;
}

static bool read_mark(const char *content_type, struct mark *mark)
{
    size_t len = 0;
    const char *text = attribute(
        content_type, content_type + strlen(content_type), "boundary", &len);
    if (text == NULL || len == 0 || len > MULTIPART_BOUNDARY_MAX)
        return false;
    memcpy(mark->text, "\r\n--", 4);
    memcpy(mark->text + 4, text, len);
    mark->len = len + 4;
    return true;
}

int params_parse_multipart(struct params *p, const char *content_type,
                           const char *body, size_t len)
{
    const char *end = body + len;
    struct mark mark;
    int files = 0;
    if (!read_mark(content_type, &mark))
        return 400;
    /* The first mark may lack its line break. */
    const char *at = find(body, end, mark.text + 2, mark.len - 2);
    if (at == NULL)
        return 400;
    at += mark.len - 2;
    while (end - at < 2 || memcmp(at, "--", 2) != 0) {
        at = find(at, end, "\r\n", 2);
        if (at == NULL)
            return 400;
        at += 2;
        int status = read_part(p, &at, end, &mark, &files);
        if (status != 0)
            return status;
    }
    return 0;
}
