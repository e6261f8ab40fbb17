#include "base/botapi_check.h"

#include "base/botapi.h"
#include "base/buf.h"
#include "base/json.h"
#include "base/nearest.h"

#include <assert.h>
#include <stdint.h>
#include <string.h>

#define SHOWN_MAX 40 /* bytes of a value or name that was given */

static const char *nearest_method(const char *name)
{
    struct nearest n = nearest_to(name);
    for (size_t i = 0; i < botapi_methods_count; i++)
        nearest_try(&n, botapi_methods[i].name);
    return n.found;
}

const struct botapi_method *botapi_check_method(const char *name,
                                                struct buf *why)
{
    const struct botapi_method *m = botapi_method(name);
    if (m && strcmp(m->name, name) == 0)
        return m;
    const char *meant = nearest_method(name);
    buf_printf(why, "there is no Bot API method \"%.*s\"", NEAREST_NAME_MAX,
               name);
    if (meant)
        buf_printf(why, ": did you mean %s?", meant);
    return NULL;
}

/* --- values */

static bool is_digits(struct jslice v)
{
    size_t i = 1; /* behind the quote */
    if (i < v.len && v.at[i] == '-')
        i++;
    if (i + 1 >= v.len)
        return false;
    for (; i + 1 < v.len; i++)
        if (v.at[i] < '0' || v.at[i] > '9')
            return false;
    return true;
}

static bool is_decimal(struct jslice v)
{
    for (size_t i = 1; i + 1 < v.len; i++)
        if (!strchr("+-.0123456789eE", v.at[i]))
            return false;
    return v.len > 2;
}

static bool is_integer(struct jslice v, enum js_type type)
{
    int64_t number;
    return (type == JS_NUMBER && js_int(v, &number)) ||
           (type == JS_STRING && is_digits(v));
}

static bool is_float(struct jslice v, enum js_type type)
{
    return type == JS_NUMBER || (type == JS_STRING && is_decimal(v));
}

/* Written as text, a number is a text too. */
static bool is_string(struct jslice v, enum js_type type)
{
    (void)v;
    return type == JS_STRING || type == JS_NUMBER;
}

static bool is_boolean(struct jslice v, enum js_type type)
{
    static const char *const words[] = {"true", "false", "yes", "no", "1", "0"};
    int64_t number;
    if (type == JS_NUMBER)
        return js_int(v, &number) && (number == 0 || number == 1);
    for (size_t i = 0; i < sizeof words / sizeof *words; i++)
        if (type == JS_STRING && js_equal(v, words[i]))
            return true;
    return type == JS_BOOL;
}

/* Bytes to upload; text names a file that Telegram has or fetches. */
static bool is_file(struct jslice v, enum js_type type)
{
    (void)v;
    return type == JS_STRING || type == JS_OBJECT;
}

static bool is_empty(struct jslice container)
{
    size_t cursor = 0;
    struct jslice value;
    return !js_each(container, &cursor, NULL, &value);
}

/* A text that may be JSON of the author's own; an empty one is as if it were
 * not there. */
static bool is_json_text(struct jslice v, enum js_type type, char first)
{
    size_t i = 1; /* behind the quote */
    if (type != JS_STRING)
        return false;
    while (i < v.len && v.at[i] == ' ')
        i++;
    return v.at[i] == first || v.at[i] == '"' || v.at[i] == '\\';
}

/* A Lua table without content may be either. */
static bool is_list(struct jslice v, enum js_type type)
{
    return type == JS_ARRAY || is_json_text(v, type, '[') ||
           (type == JS_OBJECT && is_empty(v));
}

static bool is_object(struct jslice v, enum js_type type)
{
    return type == JS_OBJECT || is_json_text(v, type, '{') ||
           (type == JS_ARRAY && is_empty(v));
}

static const struct base_type {
    const char *name;
    bool (*fits)(struct jslice v, enum js_type type);
} base_types[] = {
    {"Integer", is_integer}, {"Float", is_float},  {"String", is_string},
    {"Boolean", is_boolean}, {"True", is_boolean}, {"InputFile", is_file},
};

static bool fits_one(const char *name, size_t len, struct jslice v,
                     enum js_type type)
{
    if (len > 9 && memcmp(name, "Array of ", 9) == 0)
        return is_list(v, type);
    for (size_t i = 0; i < sizeof base_types / sizeof *base_types; i++)
        if (strlen(base_types[i].name) == len &&
            memcmp(base_types[i].name, name, len) == 0)
            return base_types[i].fits(v, type);
    return is_object(v, type);
}

/* Of "Integer|String" a number is the first: as a text it would name nothing,
 * such as a chat 1.5. */
static bool fits(const char *types, struct jslice v)
{
    enum js_type type = js_type(v);
    bool is_whole = type == JS_NUMBER && strncmp(types, "Integer", 7) == 0;
    while (*types) {
        size_t len = strcspn(types, "|");
        bool skipped = is_whole && len == 6 && memcmp(types, "String", 6) == 0;
        if (!skipped && fits_one(types, len, v, type))
            return true;
        types += len + (types[len] == '|');
    }
    return false;
}

/* --- words */

static void put_types(struct buf *why, const char *types)
{
    char name[BOTAPI_NAME_MAX];
    const char *between = "";
    while (botapi_each_type(&types, name)) {
        buf_printf(why, "%s%s", between, name);
        between = " or ";
    }
}

/* Of so many bytes, which is less than all, those without a broken letter at
 * their end. */
static size_t whole_letters(struct jslice text, size_t len)
{
    while (len > 0 && (text.at[len] & 0xC0) == 0x80)
        len--;
    return len;
}

static void put_value(struct buf *why, struct jslice v)
{
    int shown =
        v.len > SHOWN_MAX ? (int)whole_letters(v, SHOWN_MAX) : (int)v.len;
    switch (js_type(v)) {
    case JS_STRING:
        buf_printf(why, "the text %.*s%s", shown, v.at,
                   shown < (int)v.len ? "…" : "");
        break;
    case JS_NUMBER:
        buf_printf(why, "the number %.*s", shown, v.at);
        break;
    case JS_BOOL:
        buf_printf(why, "the boolean %.*s", shown, v.at);
        break;
    case JS_ARRAY:
        buf_puts(why, "a list");
        break;
    case JS_OBJECT:
        buf_puts(why, "a table");
        break;
    case JS_NULL:
    case JS_ABSENT:
        buf_puts(why, "nothing");
        break;
    }
}

/* Names that older versions of the Bot API had, and that much code still
 * has. */
static const struct {
    const char *old;
    const char *now;
} renamed[] = {
    {"reply_to_message_id", "reply_parameters = { message_id = ... }"},
    {"allow_sending_without_reply",
     "reply_parameters = { allow_sending_without_reply = ... }"},
    {"disable_web_page_preview",
     "link_preview_options = { is_disabled = ... }"},
    {"thumb", "thumbnail"},
};

static const char *renamed_to(const char *name)
{
    for (size_t i = 0; i < sizeof renamed / sizeof *renamed; i++)
        if (strcmp(renamed[i].old, name) == 0)
            return renamed[i].now;
    return NULL;
}

static void put_unknown(struct buf *why, const struct botapi_method *m,
                        struct jslice key)
{
    char name[NEAREST_NAME_MAX + 2];
    size_t len =
        key.len < sizeof name ? key.len : whole_letters(key, sizeof name - 1);
    memcpy(name, key.at, len);
    name[len] = '\0';
    struct nearest n = nearest_to(name);
    for (size_t i = 0; i < m->params_count; i++)
        nearest_try(&n, m->params[i].name);
    const char *meant = renamed_to(name);
    buf_printf(why, "%s has no parameter \"%s\"", m->name, name);
    if (meant || n.found)
        buf_printf(why, ": did you mean %s?", meant ? meant : n.found);
}

static void put_missing(struct buf *why, const struct botapi_method *m,
                        uint64_t given)
{
    size_t missing = 0, named = 0;
    for (size_t i = 0; i < m->params_count; i++)
        missing += m->params[i].required && !(given >> i & 1);
    buf_printf(why, "%s needs ", m->name);
    for (size_t i = 0; i < m->params_count; i++) {
        if (!m->params[i].required || given >> i & 1)
            continue;
        named++;
        buf_printf(why, "%s%s", m->params[i].name,
                   named == missing       ? ""
                   : named == missing - 1 ? " and "
                                          : ", ");
    }
}

/* --- a call */

static size_t find_param(const struct botapi_method *m, struct jslice key)
{
    for (size_t i = 0; i < m->params_count; i++) {
        const char *name = m->params[i].name;
        if (strncmp(name, key.at, key.len) == 0 && name[key.len] == '\0')
            return i;
    }
    return m->params_count;
}

static bool check_one(const struct botapi_method *m, struct jslice key,
                      struct jslice value, uint64_t *given, struct buf *why)
{
    size_t i = find_param(m, key);
    if (i == m->params_count) {
        put_unknown(why, m, key);
        return false;
    }
    if (js_type(value) == JS_NULL)
        return true; /* as if it were not there */
    *given |= UINT64_C(1) << i;
    if (fits(m->params[i].types, value))
        return true;
    buf_printf(why, "%s: %s must be ", m->name, m->params[i].name);
    put_types(why, m->params[i].types);
    buf_puts(why, ", got ");
    put_value(why, value);
    return false;
}

bool botapi_check_params(const struct botapi_method *m, struct jslice params,
                         struct buf *why)
{
    size_t cursor = 0;
    struct jslice key, value;
    uint64_t given = 0, required = 0;

    assert(m->params_count <= 64);
    if (js_type(params) == JS_ARRAY) {
        buf_printf(why, "%s takes its parameters by name, got a list", m->name);
        return false;
    }
    while (js_each(params, &cursor, &key, &value))
        if (!check_one(m, key, value, &given, why))
            return false;
    for (size_t i = 0; i < m->params_count; i++)
        required |= (uint64_t)m->params[i].required << i;
    if ((required & ~given) == 0)
        return true;
    put_missing(why, m, given);
    return false;
}
