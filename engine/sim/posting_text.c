/* Texts and captions with their entities, for bots and for people. */
#include "sim/posting.h"

#include "sim/entities.h"
#include "sim/markup.h"

#include <string.h>

#define TEXT_BYTES_MAX 32768
#define TEXT_MAX 4096
#define CAPTION_MAX 1024

struct source {
    const char *text;
    size_t len;
    const char *mode;
    json_t *entities; /* borrowed; NULL: none were given */
    bool is_text;     /* else it may be empty */
    int64_t max;      /* characters; 0: any */
};

static bool is_space(char c)
{
    return c == ' ' || c == '\t' || c == '\r' || c == '\n';
}

static bool only_space(const struct buf *text)
{
    return text->len == 0 || strspn(text->data, " \t\r\n") == text->len;
}

/* Moves the entities to a text whose first `skip` units are gone and that has
 * `units` left. New. */
static json_t *moved(json_t *entities, int64_t skip, int64_t units)
{
    json_t *all = json_array();
    size_t i;
    json_t *one;
    json_array_foreach(entities, i, one)
    {
        int64_t offset = sim_int(one, "offset");
        int64_t left = offset >= 0 ? units - (offset - skip) : units;
        if (left <= 0)
            continue;
        json_t *copy = json_copy(one);
        if (offset >= 0)
            sim_set(copy, "offset", json_integer(offset - skip));
        if (sim_int(one, "length") > left)
            sim_set(copy, "length", json_integer(left));
        json_array_append_new(all, copy);
    }
    return all;
}

/* As many blanks at the beginning as no entity holds. */
static size_t leading_space(const struct posted *p)
{
    size_t blank = strspn(p->text.data, " \n");
    size_t i;
    json_t *one;
    json_array_foreach(p->entities, i, one)
    {
        int64_t offset = sim_int(one, "offset");
        if (offset >= 0 && (size_t)offset < blank)
            blank = (size_t)offset;
    }
    return blank;
}

/* Takes off the white space around the text, as Telegram does; a text of
 * nothing else stays. */
static void trim(struct posted *p)
{
    size_t end = p->text.len;
    if (only_space(&p->text))
        return;
    while (end > 0 && is_space(p->text.data[end - 1]))
        end--;
    size_t start = leading_space(p);
    if (start == 0 && end == p->text.len)
        return;
    struct buf kept = {0};
    buf_append(&kept, p->text.data + start, end - start);
    buf_free(&p->text);
    p->text = kept;
    if (p->entities == NULL)
        return;
    size_t units = entities_units(kept.data, kept.len);
    json_t *all = moved(p->entities, (int64_t)start, (int64_t)units);
    json_decref(p->entities);
    p->entities = all;
}

static bool refuse(struct call *c, enum botapi_error error)
{
    call_fail(c, error);
    return false;
}

static bool check(struct call *c, const struct source *s,
                  const struct posted *p)
{
    const char *text = p->text.len > 0 ? p->text.data : "";
    if (s->max > 0 && params_utf8_length(text, p->text.len) > s->max)
        return refuse(c, s->is_text ? BOTAPI_MESSAGE_TOO_LONG
                                    : BOTAPI_CAPTION_TOO_LONG);
    if (s->is_text && only_space(&p->text))
        return refuse(c, BOTAPI_TEXT_BLANK);
    return true;
}

static bool parse(struct call *c, const struct source *s, struct posted *out)
{
    enum markup_mode mode;
    if (s->len > TEXT_BYTES_MAX)
        return refuse(c, BOTAPI_TEXT_TOO_LONG);
    if (!markup_mode_parse(s->mode, &mode))
        return refuse(c, BOTAPI_PARSE_MODE);
    if (!markup_parse(&c->sim->world, mode, s->text, s->len, &out->text,
                      &out->entities)) {
        call_refuse(c, 400, "%s%s",
                    botapi_errors[BOTAPI_CANNOT_PARSE].description,
                    out->text.data);
        return false;
    }
    if (mode == MARKUP_NONE && s->entities != NULL) {
        json_decref(out->entities);
        out->entities = json_incref(s->entities);
    }
    trim(out);
    return check(c, s, out);
}

static bool read_source(struct call *c, const struct source *s,
                        struct posted *out)
{
    *out = (struct posted){0};
    if (s->entities != NULL && !json_is_array(s->entities)) {
        call_refuse(c, 400, "Bad Request: can't parse entities JSON object");
        return false;
    }
    if (parse(c, s, out))
        return true;
    posting_forget(out);
    return false;
}

bool posting_read(struct call *c, const char *key, struct posted *out)
{
    const struct param *given = params_find(&c->params, key);
    bool is_text = strcmp(key, "text") == 0;
    const char *marks = is_text ? "entities" : "caption_entities";
    json_t *entities =
        params_given(&c->params, marks) ? call_json(c, marks) : NULL;
    bool broken = params_given(&c->params, marks) && entities == NULL;
    const struct source s = {
        .text = given != NULL ? given->value : "",
        .len = given != NULL ? given->len : 0,
        .mode = params_text(&c->params, "parse_mode"),
        .entities = broken ? json_null() : entities,
        .is_text = is_text,
        .max = is_text ? TEXT_MAX : CAPTION_MAX,
    };
    bool fine = is_text && s.len == 0 ? refuse(c, BOTAPI_TEXT_EMPTY)
                                      : read_source(c, &s, out);
    json_decref(entities);
    return fine;
}

static const char *string_of(const json_t *object, const char *key)
{
    const char *text = json_string_value(json_object_get(object, key));
    return text != NULL ? text : "";
}

bool posting_read_caption(struct call *c, const json_t *part,
                          struct posted *out)
{
    const char *text = string_of(part, "caption");
    const struct source s = {
        .text = text,
        .len = strlen(text),
        .mode = string_of(part, "parse_mode"),
        .entities = json_object_get(part, "caption_entities"),
        .max = CAPTION_MAX,
    };
    return read_source(c, &s, out);
}

bool posting_read_member(struct call *c, const json_t *object, const char *key,
                         struct posted *out)
{
    char name[64];
    const char *text = string_of(object, key);
    struct source s = {.text = text, .len = strlen(text)};
    snprintf(name, sizeof(name), "%s_parse_mode", key);
    s.mode = string_of(object, name);
    snprintf(name, sizeof(name), "%s_entities", key);
    s.entities = json_object_get(object, name);
    return read_source(c, &s, out);
}

void posting_forget(struct posted *text)
{
    buf_free(&text->text);
    json_decref(text->entities);
    *text = (struct posted){0};
}

static bool overlaps(const json_t *a, const json_t *b)
{
    int64_t from_a = sim_int(a, "offset");
    int64_t from_b = sim_int(b, "offset");
    return from_a < from_b + sim_int(b, "length") &&
           from_b < from_a + sim_int(a, "length");
}

/* Adds what is found in the text besides the bot's own entities, in the
 * order of the text. New. */
static json_t *with_found(const struct buf *text, json_t *own)
{
    json_t *found = entities_find(text->data, text->len);
    json_t *all = own != NULL ? json_copy(own) : json_array();
    size_t i, at;
    json_t *one, *other;
    json_array_foreach(found, i, one)
    {
        size_t place = 0;
        bool clear = true;
        json_array_foreach(own, at, other)
        {
            clear = clear && !overlaps(one, other);
        }
        json_array_foreach(all, at, other)
        {
            place += sim_int(other, "offset") < sim_int(one, "offset");
        }
        if (clear)
            json_array_insert(all, place, one);
    }
    json_decref(found);
    return all;
}

void posting_put(json_t *message, const char *key, struct posted *text)
{
    const char *marks =
        strcmp(key, "text") == 0 ? "entities" : "caption_entities";
    json_object_del(message, key);
    json_object_del(message, marks);
    if (!only_space(&text->text)) {
        json_t *all = with_found(&text->text, text->entities);
        sim_set(message, key, json_stringn(text->text.data, text->text.len));
        if (json_array_size(all) > 0)
            json_object_set(message, marks, all);
        json_decref(all);
    }
    posting_forget(text);
}

void posting_set_text(json_t *message, const char *key, const char *text)
{
    struct posted p = {0};
    buf_puts(&p.text, text);
    trim(&p);
    posting_put(message, key, &p);
}
