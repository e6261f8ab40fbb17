#include "app/errors.h"

#include "base/clock.h"
#include "base/json.h"
#include "base/list.h"
#include "base/map.h"
#include "base/mem.h"
#include "vm/generation.h"

#include <ctype.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#define KEY_MESSAGE_MAX 200
#define MESSAGE_MAX 1000
#define TRACEBACK_MAX 4000
#define FIELDS_MAX 2000

struct group {
    struct list link; /* in errors.groups */
    char *key;
    size_t key_len;
    uint64_t count;
    int64_t first_ms, last_ms; /* Unix time */
    struct script_error last;
    char *lane; /* NULL: of no update */
    int64_t update_id;
    uint64_t generation;
    char *fields; /* NULL: none */
};

struct errors {
    const struct clock *clock;
    struct map by_key;
    struct list groups; /* longest unseen first */
    const struct error_place *on_loop;
};

struct errors *errors_new(const struct clock *clock)
{
    struct errors *e = MEM_NEW(struct errors);
    e->clock = clock;
    list_init(&e->groups);
    return e;
}

static void forget_last(struct group *g)
{
    script_error_clear(&g->last);
    free(g->lane);
    free(g->fields);
}

static void drop(struct errors *e, struct group *g)
{
    map_remove(&e->by_key, g->key, g->key_len);
    list_remove(&g->link);
    forget_last(g);
    free(g->key);
    free(g);
}

void errors_free(struct errors *e)
{
    while (!list_empty(&e->groups))
        drop(e, LIST_ENTRY(e->groups.next, struct group, link));
    map_free(&e->by_key);
    free(e);
}

/* Behind the number at text: 12, 3.5, 10:30, 0x7f3a. */
static const char *skip_number(const char *text)
{
    while (isalnum((unsigned char)*text) ||
           (*text && strchr(".,:", *text) && isdigit((unsigned char)text[1])))
        text++;
    return text;
}

/* The quote that ends the quoted part at text, or NULL: "can't" begins
 * none. */
static const char *closing_quote(const char *start, const char *text)
{
    if (*text != '"' && *text != '\'')
        return NULL;
    if (text > start && isalnum((unsigned char)text[-1]))
        return NULL;
    const char *end = text + 1;
    while (*end && (*end != *text || isalnum((unsigned char)end[1])))
        end++;
    return *end ? end : NULL;
}

static void put_normalised(struct buf *b, const char *message)
{
    size_t limit = b->len + KEY_MESSAGE_MAX;
    const char *at = message;
    while (*at && b->len < limit) {
        const char *quote = closing_quote(message, at);
        if (quote) {
            buf_puts(b, "''");
            at = quote + 1;
        } else if (isdigit((unsigned char)*at)) {
            buf_putc(b, '#');
            at = skip_number(at);
        } else {
            buf_putc(b, *at++);
        }
    }
}

static void put_key(struct buf *b, const struct script_error *error)
{
    buf_printf(b, "%s\n%s\n%d\n", error->kind, error->script, error->line);
    put_normalised(b, error->message);
}

static struct group *group_new(struct errors *e, const struct buf *key)
{
    if (e->by_key.count == ERRORS_MAX)
        drop(e, LIST_ENTRY(e->groups.next, struct group, link));
    struct group *g = MEM_NEW(struct group);
    g->key = mem_dup(key->data, key->len);
    g->key_len = key->len;
    g->first_ms = clock_unix_ms(e->clock);
    list_init(&g->link);
    map_put(&e->by_key, g->key, g->key_len, g);
    return g;
}

/* A cut inside a character of UTF-8 is mended where it is written. */
static char *copy(const char *text, size_t max)
{
    return text ? mem_dup(text, strnlen(text, max)) : NULL;
}

static void keep_last(struct group *g, const struct script_error *error,
                      const struct error_place *place, const char *fields)
{
    forget_last(g);
    g->last = (struct script_error){
        .kind = mem_strdup(error->kind),
        .message = copy(error->message, MESSAGE_MAX),
        .script = mem_strdup(error->script),
        .line = error->line,
        .traceback = copy(error->traceback, TRACEBACK_MAX),
    };
    g->lane = place->lane ? mem_strdup(place->lane) : NULL;
    g->update_id = place->update_id;
    g->generation = place->generation;
    /* What does not fit whole would not be JSON any more. */
    bool fits = fields && strlen(fields) <= FIELDS_MAX;
    g->fields = fits ? mem_strdup(fields) : NULL;
}

void errors_add(struct errors *e, const struct script_error *error,
                const struct error_place *place, const char *fields)
{
    struct buf key = {0};
    put_key(&key, error);
    struct group *g = map_get(&e->by_key, key.data, key.len);
    if (!g)
        g = group_new(e, &key);
    buf_free(&key);
    list_remove(&g->link);
    list_push(&e->groups, &g->link);
    g->count++;
    g->last_ms = clock_unix_ms(e->clock);
    keep_last(g, error, place, fields);
}

void errors_on_loop(struct errors *e, const struct error_place *place)
{
    e->on_loop = place;
}

const struct error_place *errors_place(const struct errors *e)
{
    return e->on_loop;
}

size_t errors_count(const struct errors *e)
{
    return e->by_key.count;
}

static void put_text(struct buf *b, const char *key, const char *text)
{
    buf_printf(b, ",\"%s\":", key);
    if (text)
        js_put_string(b, text, strlen(text));
    else
        buf_puts(b, "null");
}

static void put_group(struct buf *b, const struct group *g)
{
    buf_printf(b,
               "{\"count\":%" PRIu64 ",\"first_seen\":%.3f,"
               "\"last_seen\":%.3f,\"generation\":%" PRIu64 ",\"line\":%d",
               g->count, (double)g->first_ms / 1000, (double)g->last_ms / 1000,
               g->generation, g->last.line);
    put_text(b, "kind", g->last.kind);
    put_text(b, "script", g->last.script);
    put_text(b, "message", g->last.message);
    put_text(b, "traceback", g->last.traceback);
    put_text(b, "lane", g->lane);
    buf_puts(b, ",\"update_id\":");
    if (g->lane)
        buf_int(b, g->update_id);
    else
        buf_puts(b, "null");
    buf_printf(b, ",\"fields\":%s}", g->fields ? g->fields : "null");
}

void errors_put(const struct errors *e, struct buf *out)
{
    const struct list *link = e->groups.prev;
    buf_putc(out, '[');
    for (; link != &e->groups; link = link->prev) {
        if (link != e->groups.prev)
            buf_putc(out, ',');
        put_group(out, LIST_ENTRY(link, struct group, link));
    }
    buf_putc(out, ']');
}
