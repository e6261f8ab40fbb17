#include "sim/unpack.h"

#include "base/mem.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

/* The quote that ends what begins at that one, or `end`. */
static const char *closing(const char *quote, const char *end)
{
    for (quote++; quote < end && *quote != '"'; quote++)
        quote += *quote == '\\' && quote + 1 < end;
    return quote;
}

/* The value of ; key="..." or ; key=... in a header line, as a text of its
 * own; NULL if there is none. In quotes a backslash makes the next one
 * plain. */
static char *attribute(const char *line, const char *end, const char *key)
{
    size_t key_len = strlen(key);
    for (const char *at = line; at + key_len + 1 < end; at++) {
        if (*at == '"')
            at = closing(at, end);
        if (at + key_len + 1 >= end)
            break;
        if (strncasecmp(at, key, key_len) != 0 || at[key_len] != '=' ||
            (at > line && at[-1] != ' ' && at[-1] != ';'))
            continue;
        struct buf value = {0};
        at += key_len + 1;
        bool quoted = *at == '"';
        at += quoted;
        for (; at < end && *at != (quoted ? '"' : ';'); at++) {
            at += quoted && *at == '\\' && at + 1 < end;
            buf_putc(&value, *at);
        }
        return buf_steal(&value);
    }
    return NULL;
}

bool unpack_init(struct unpack *m, const char *content_type,
                 const struct unpack_events *events, void *arg)
{
    *m = (struct unpack){.events = events, .arg = arg};
    char *boundary = attribute(content_type,
                               content_type + strlen(content_type), "boundary");
    size_t len = boundary != NULL ? strlen(boundary) : 0;
    bool fine =
        len > 0 && len <= UNPACK_BOUNDARY_MAX && strchr(boundary, '\r') == NULL;
    if (fine) {
        memcpy(m->mark, "\r\n--", 4);
        memcpy(m->mark + 4, boundary, len);
        m->mark_len = len + 4;
        /* The first mark may lack its line break. */
        m->matched = m->phantom = 2;
    }
    free(boundary);
    return fine;
}

void unpack_free(struct unpack *m)
{
    buf_free(&m->line);
}

bool unpack_complete(const struct unpack *m)
{
    return m->state == UNPACK_DONE;
}

static void give(struct unpack *m, const char *data, size_t len)
{
    if (m->state == UNPACK_BODY && len > 0)
        m->events->data(m->arg, data, len);
}

/* What looked like a mark was content after all. */
static void give_matched(struct unpack *m)
{
    if (m->matched > m->phantom)
        give(m, m->mark + m->phantom, m->matched - m->phantom);
    m->matched = m->phantom = 0;
}

/* Content up to the mark, which begins with the only \r in it: a byte that
 * does not fit can only begin a new one. Returns the bytes used. */
static size_t take_content(struct unpack *m, const char *data, size_t len)
{
    size_t at = 0;
    while (at < len && m->matched < m->mark_len) {
        if (m->matched == 0) {
            const char *mark = memchr(data + at, '\r', len - at);
            size_t plain = mark != NULL ? (size_t)(mark - data) : len;
            give(m, data + at, plain - at);
            at = plain;
            if (mark == NULL)
                break;
        }
        if (data[at] == m->mark[m->matched]) {
            m->matched++;
            at++;
        } else {
            give_matched(m);
        }
    }
    if (m->matched == m->mark_len) {
        if (m->state == UNPACK_BODY)
            m->events->end(m->arg);
        m->matched = m->phantom = 0;
        m->state = UNPACK_MARK;
        buf_clear(&m->line);
    }
    return at;
}

static void begin_head(struct unpack *m)
{
    m->state = UNPACK_HEAD;
    buf_clear(&m->line);
}

/* Of an empty part the blank line's end may be the mark's too. */
static void begin_body(struct unpack *m)
{
    m->state = UNPACK_BODY;
    m->matched = m->phantom = 2;
}

static int read_head(struct unpack *m)
{
    const char *at = m->line.data;
    const char *stop = at + m->line.len - 4;
    char *name = NULL;
    char *file_name = NULL;
    while (at < stop) {
        const char *end = memmem(at, (size_t)(stop - at), "\r\n", 2);
        end = end != NULL ? end : stop;
        if (strncasecmp(at, "content-disposition:", 20) == 0 && name == NULL) {
            name = attribute(at, end, "name");
            file_name = attribute(at, end, "filename");
        }
        at = end + 2;
    }
    int status = name == NULL                                         ? 400
                 : file_name != NULL && ++m->files > UNPACK_FILES_MAX ? 413
                                                                      : 0;
    if (status == 0) {
        begin_body(m);
        m->events->begin(m->arg, name, file_name);
    }
    free(name);
    free(file_name);
    return status;
}

static bool line_ends(const struct unpack *m, const char *with, size_t len)
{
    return m->line.len >= len &&
           memcmp(m->line.data + m->line.len - len, with, len) == 0;
}

/* Lines, a byte at a time: heads are short. */
static int take_line_byte(struct unpack *m, char c)
{
    if (m->line.len >= UNPACK_HEAD_MAX)
        return 400;
    buf_putc(&m->line, c);
    if (m->state == UNPACK_HEAD)
        return line_ends(m, "\r\n\r\n", 4) ? read_head(m) : 0;
    if (m->line.len == 2 && memcmp(m->line.data, "--", 2) == 0)
        m->state = UNPACK_DONE;
    else if (line_ends(m, "\r\n", 2))
        begin_head(m);
    return 0;
}

int unpack_feed(struct unpack *m, const char *data, size_t len)
{
    size_t at = 0;
    int status = 0;
    while (at < len && status == 0) {
        switch (m->state) {
        case UNPACK_PREAMBLE:
        case UNPACK_BODY:
            at += take_content(m, data + at, len - at);
            break;
        case UNPACK_MARK:
        case UNPACK_HEAD:
            status = take_line_byte(m, data[at++]);
            break;
        case UNPACK_DONE:
            return 0;
        }
    }
    return status;
}
