#include "sim/params.h"

#include "base/botapi.h"
#include "base/buf.h"
#include "base/json.h"
#include "base/mem.h"
#include "sim/content.h"
#include "sim/parts.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

int64_t params_utf8_length(const char *text, size_t len)
{
    const unsigned char *s = (const unsigned char *)text;
    int64_t count = 0;
    for (size_t i = 0; i < len; count++) {
        unsigned char c = s[i];
        size_t more = c < 0x80 ? 0 : c < 0xe0 ? 1 : c < 0xf0 ? 2 : 3;
        if ((c >= 0x80 && c < 0xc2) || c > 0xf4 || i + more >= len)
            return -1;
        for (size_t k = 1; k <= more; k++)
            if ((s[i + k] & 0xc0) != 0x80)
                return -1;
        if ((c == 0xe0 && s[i + 1] < 0xa0) || (c == 0xed && s[i + 1] > 0x9f) ||
            (c == 0xf0 && s[i + 1] < 0x90) || (c == 0xf4 && s[i + 1] > 0x8f))
            return -1;
        i += more + 1;
    }
    return count;
}

int64_t params_json_length(const json_t *text)
{
    const char *utf8 = json_string_value(text);
    return utf8 != NULL ? params_utf8_length(utf8, json_string_length(text))
                        : 0;
}

/* NULL: there are too many. */
static struct param *add(struct params *p, const char *name, size_t name_len)
{
    if (p->count == PARAMS_MAX) {
        p->too_many = true;
        return NULL;
    }
    if (p->count == p->cap) {
        p->cap = p->cap == 0 ? 8 : p->cap * 2;
        p->list = mem_grow(p->list, p->cap, sizeof(*p->list));
    }
    struct param *one = &p->list[p->count++];
    memset(one, 0, sizeof(*one));
    one->name = mem_dup(name, name_len);
    return one;
}

void params_add(struct params *p, const char *name, size_t name_len,
                const char *value, size_t len, bool raw)
{
    struct param *one = add(p, name, name_len);
    if (one == NULL)
        return;
    one->value = mem_dup(value, len);
    one->len = len;
    one->raw = raw;
}

void params_add_file(struct params *p, const char *name, const char *file_name,
                     struct content *content)
{
    struct param *one = add(p, name, strlen(name));
    if (one == NULL) {
        content_unref(content);
        return;
    }
    one->value = mem_strdup("");
    one->file_name = mem_strdup(file_name);
    one->content = content;
}

void params_free(struct params *p)
{
    for (size_t i = 0; i < p->count; i++) {
        free(p->list[i].name);
        free(p->list[i].value);
        free(p->list[i].file_name);
        content_unref(p->list[i].content);
    }
    free(p->list);
    *p = (struct params){0};
}

static int hex(char c)
{
    return isdigit((unsigned char)c)    ? c - '0'
           : isxdigit((unsigned char)c) ? tolower((unsigned char)c) - 'a' + 10
                                        : -1;
}

static void decode(const char *text, size_t len, struct buf *out)
{
    buf_clear(out);
    for (size_t i = 0; i < len; i++) {
        if (text[i] == '+') {
            buf_putc(out, ' ');
        } else if (text[i] == '%' && i + 2 < len && hex(text[i + 1]) >= 0 &&
                   hex(text[i + 2]) >= 0) {
            buf_putc(out, (char)(hex(text[i + 1]) * 16 + hex(text[i + 2])));
            i += 2;
        } else {
            buf_putc(out, text[i]);
        }
    }
}

void params_parse_pairs(struct params *p, const char *text, size_t len)
{
    struct buf name = {0};
    struct buf value = {0};
    const char *end = text + len;
    while (text < end) {
        const char *stop = memchr(text, '&', (size_t)(end - text));
        stop = stop != NULL ? stop : end;
        const char *eq = memchr(text, '=', (size_t)(stop - text));
        const char *name_end = eq != NULL ? eq : stop;
        decode(text, (size_t)(name_end - text), &name);
        decode(eq != NULL ? eq + 1 : stop,
               eq != NULL ? (size_t)(stop - eq - 1) : 0, &value);
        if (name.len > 0)
            params_add(p, name.data, name.len, value.len > 0 ? value.data : "",
                       value.len, false);
        text = stop + 1;
    }
    buf_free(&name);
    buf_free(&value);
}

static const char *skip_space(const char *at, const char *end)
{
    while (at < end &&
           (*at == ' ' || *at == '\t' || *at == '\n' || *at == '\r'))
        at++;
    return at;
}

static const char *string_end(const char *at, const char *end)
{
    for (at++; at < end && *at != '"'; at++)
        if (*at == '\\')
            at++;
    return at < end ? at + 1 : end;
}

/* Where the value that begins at `at` ends, if it is well formed. */
static const char *value_end(const char *at, const char *end)
{
    int depth = 0;
    while (at < end) {
        if (*at == '"') {
            at = string_end(at, end);
            if (depth == 0)
                return at;
            continue;
        }
        if (depth == 0 && strchr(",} \t\r\n", *at) != NULL)
            return at;
        depth += *at == '{' || *at == '[';
        depth -= *at == '}' || *at == ']';
        at++;
        if (depth == 0 && (at[-1] == '}' || at[-1] == ']'))
            return at;
    }
    return end;
}

/* One "name":value at *at; false if it is not one. */
static bool parse_member(struct params *p, const char **at, const char *end)
{
    if (*at >= end || **at != '"')
        return false;
    const char *name_end = string_end(*at, end);
    struct jslice key = js_check(*at, (size_t)(name_end - *at));
    const char *colon = skip_space(name_end, end);
    if (key.at == NULL || colon >= end || *colon != ':')
        return false;
    const char *start = skip_space(colon + 1, end);
    const char *stop = value_end(start, end);
    struct jslice value = js_check(start, (size_t)(stop - start));
    if (value.at == NULL)
        return false;
    struct buf name = {0};
    struct buf text = {0};
    js_text(key, &name);
    bool is_string = js_text(value, &text);
    params_add(p, name.len > 0 ? name.data : "", name.len,
               is_string ? (text.len > 0 ? text.data : "") : value.at,
               is_string ? text.len : value.len, !is_string);
    buf_free(&name);
    buf_free(&text);
    *at = stop;
    return true;
}

/* A body that breaks off or is malformed is not an error: what was read
 * until there counts, as the server has it. */
static void parse_json(struct params *p, const char *body, size_t len)
{
    const char *end = body + len;
    const char *at = skip_space(body, end);
    if (at >= end || *at != '{')
        return;
    do {
        at = skip_space(at + 1, end);
        if (!parse_member(p, &at, end))
            return;
        at = skip_space(at, end);
    } while (at < end && *at == ',');
}

static bool is_type(const char *content_type, const char *name)
{
    return content_type != NULL && strcasestr(content_type, name) != NULL;
}

/* A value that is not UTF-8 refuses the call, and is not shown either. */
int params_check(struct params *p)
{
    size_t bytes = 0;
    for (size_t i = 0; i < p->count; i++) {
        struct param *one = &p->list[i];
        bytes += one->len;
        if (params_utf8_length(one->value, one->len) >= 0)
            continue;
        one->len = 0;
        one->value[0] = '\0';
        one->raw = false;
        p->bad_text = true;
    }
    return bytes > PARAMS_BYTES_MAX || p->too_many ? 413 : 0;
}

bool params_is_multipart(const char *type)
{
    return is_type(type, "multipart/form-data");
}

bool params_is_read(const char *type)
{
    return params_is_multipart(type) || is_type(type, "application/json") ||
           is_type(type, "application/x-www-form-urlencoded");
}

int params_parse_body(struct params *p, const char *type, const char *body,
                      size_t len)
{
    int status = 0;
    if (len > 0 && params_is_multipart(type))
        status = parts_parse(p, type, body, len);
    else if (len > PARAMS_BYTES_MAX && params_is_read(type))
        return 413;
    else if (is_type(type, "application/json"))
        parse_json(p, body, len);
    else if (params_is_read(type))
        params_parse_pairs(p, body, len);
    return status != 0 ? status : params_check(p);
}

const struct param *params_find(const struct params *p, const char *name)
{
    for (size_t i = 0; i < p->count; i++)
        if (strcmp(p->list[i].name, name) == 0)
            return &p->list[i];
    return NULL;
}

const char *params_text(const struct params *p, const char *name)
{
    const struct param *one = params_find(p, name);
    return one != NULL ? one->value : "";
}

bool params_given(const struct params *p, const char *name)
{
    const struct param *one = params_find(p, name);
    return one != NULL && (one->len > 0 || one->file_name != NULL);
}

int64_t params_int(const struct params *p, const char *name, int64_t fallback,
                   int64_t min, int64_t max)
{
    const char *text = params_text(p, name);
    if (*text == '\0')
        return fallback;
    int64_t value = strtoll(text, NULL, 10);
    return value < min ? min : value > max ? max : value;
}

bool params_bool(const struct params *p, const char *name)
{
    const char *text = params_text(p, name);
    return strcasecmp(text, "true") == 0 || strcasecmp(text, "yes") == 0 ||
           strcmp(text, "1") == 0;
}

/* Whether a value that was sent as text is shown as the JSON that it is. */
static bool shown_as_json(const struct param *one, const char *types)
{
    if (one->raw)
        return true;
    if (one->len == 0 || (types != NULL && strcmp(types, "String") == 0))
        return false;
    if (types == NULL && *one->value != '{' && *one->value != '[')
        return false;
    return js_check(one->value, one->len).at != NULL;
}

static void put_value(const struct param *one, const char *types,
                      struct buf *out)
{
    if (one->file_name != NULL) {
        buf_puts(out, "{\"file_name\":");
        js_put_string(out, one->file_name, strlen(one->file_name));
        buf_printf(out, ",\"size\":%llu}",
                   (unsigned long long)one->content->size);
    } else if (shown_as_json(one, types)) {
        size_t from = out->len;
        buf_append(out, one->value, one->len);
        for (char *c = out->data + from; c < out->data + out->len; c++)
            if (*c == '\n' || *c == '\r')
                *c = ' ';
    } else {
        js_put_string(out, one->value, one->len);
    }
}

void params_to_json(const struct params *p, const struct botapi_method *m,
                    struct buf *out)
{
    buf_putc(out, '{');
    for (size_t i = 0; i < p->count; i++) {
        const struct param *one = &p->list[i];
        if (params_find(p, one->name) != one)
            continue;
        const struct botapi_field *field =
            m != NULL ? botapi_param(m, one->name) : NULL;
        if (out->data[out->len - 1] != '{')
            buf_putc(out, ',');
        js_put_string(out, one->name, strlen(one->name));
        buf_putc(out, ':');
        put_value(one, field != NULL ? field->types : NULL, out);
    }
    buf_putc(out, '}');
}
