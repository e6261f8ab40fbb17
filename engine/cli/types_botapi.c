#include "cli/types_botapi.h"

#include "base/botapi.h"
#include "base/buf.h"

#include <ctype.h>
#include <string.h>

#define PAGE "https://core.telegram.org/bots/api#"

static const struct {
    const char *name;
    const char *lua;
} base_types[] = {
    {"Integer", "integer"}, {"Float", "number"},
    {"String", "string"},   {"Boolean", "boolean"},
    {"True", "true"},       {"InputFile", "string|moonlet.file"},
};

static void put_type(struct buf *out, const char *name)
{
    const char *element = botapi_element(name);
    if (element) {
        bool wide = strcmp(element, "InputFile") == 0;
        buf_puts(out, wide ? "(" : "");
        put_type(out, element);
        buf_puts(out, wide ? ")[]" : "[]");
        return;
    }
    for (size_t i = 0; i < sizeof base_types / sizeof *base_types; i++)
        if (strcmp(base_types[i].name, name) == 0) {
            buf_puts(out, base_types[i].lua);
            return;
        }
    buf_printf(out, "botapi.%s", name);
}

static void put_types(struct buf *out, const char *types)
{
    char name[BOTAPI_NAME_MAX];
    const char *between = "";
    while (botapi_each_type(&types, name)) {
        buf_puts(out, between);
        put_type(out, name);
        between = "|";
    }
}

static void put_link(struct buf *out, const char *name)
{
    buf_printf(out, "---[Bot API](%s", PAGE);
    for (; *name; name++)
        buf_putc(out, (char)tolower((unsigned char)*name));
    buf_puts(out, ")\n");
}

/* A piece may stand wherever people read a text. */
static bool takes_piece(const struct botapi_field *f)
{
    return strcmp(f->types, "String") == 0 &&
           (strcmp(f->name, "text") == 0 || strcmp(f->name, "caption") == 0);
}

enum which { EVERY, REQUIRED, OPTIONAL };

static void put_fields(struct buf *out, const struct botapi_field *fields,
                       size_t count, enum which which)
{
    bool given = which != EVERY;
    for (size_t i = 0; i < count; i++) {
        if (given && fields[i].required != (which == REQUIRED))
            continue;
        buf_printf(out, "---@field %s%s ", fields[i].name,
                   fields[i].required ? "" : "?");
        if (fields[i].value)
            buf_printf(out, "\"%s\"", fields[i].value);
        else
            put_types(out, fields[i].types);
        buf_puts(out,
                 given && takes_piece(&fields[i]) ? "|moonlet.piece\n" : "\n");
    }
}

static void put_union(struct buf *out, const struct botapi_type *t)
{
    buf_printf(out, "---@alias botapi.%s ", t->name);
    put_types(out, t->one_of);
    buf_putc(out, '\n');
}

void types_botapi_types(struct buf *out)
{
    buf_puts(out, "---@meta\n\n"
                  "---A file below DATA_DIR/files, or bytes, to be sent.\n"
                  "---@class moonlet.file\n---@field path? string\n"
                  "---@field data? string\n---@field name? string\n");
    for (size_t i = 0; i < botapi_types_count; i++) {
        const struct botapi_type *t = &botapi_types[i];
        if (strcmp(t->name, "InputFile") == 0)
            continue;
        buf_putc(out, '\n');
        put_link(out, t->name);
        if (t->one_of) {
            put_union(out, t);
            continue;
        }
        buf_printf(out, "---@class botapi.%s\n", t->name);
        put_fields(out, t->fields, t->fields_count, EVERY);
    }
}

static bool needs_any(const struct botapi_method *m)
{
    for (size_t i = 0; i < m->params_count; i++)
        if (m->params[i].required)
            return true;
    return false;
}

static void put_method(struct buf *out, const struct botapi_method *m)
{
    buf_putc(out, '\n');
    put_link(out, m->name);
    buf_printf(out, "---@param params%s botapi.params.%s\n",
               needs_any(m) ? "" : "?", m->name);
    buf_puts(out, "---@param options? moonlet.api.options\n---@return ");
    put_types(out, m->returns);
    buf_printf(out, "\nfunction api.%s(params, options) end\n", m->name);
}

void types_botapi_methods(struct buf *out)
{
    buf_puts(out, "---@meta moonlet.api\n\n---@class moonlet.api.options\n"
                  "---@field timeout? number|string\n"
                  "---@field on_unknown? \"error\"|\"resend\"|\"skip\"\n"
                  "---@field unchecked? boolean\n"
                  "---@field progress? fun(sent: integer, all: integer)\n"
                  "---@field action? boolean\n");
    for (size_t i = 0; i < botapi_methods_count; i++) {
        const struct botapi_method *m = &botapi_methods[i];
        buf_printf(out, "\n---@class botapi.opts.%s\n", m->name);
        put_fields(out, m->params, m->params_count, OPTIONAL);
        buf_printf(out, "\n---@class botapi.params.%s: botapi.opts.%s\n",
                   m->name, m->name);
        put_fields(out, m->params, m->params_count, REQUIRED);
    }
    buf_puts(out, "\n---Any method of the Bot API by its own name.\n"
                  "---@class moonlet.api\nlocal api = {}\n");
    for (size_t i = 0; i < botapi_methods_count; i++)
        put_method(out, &botapi_methods[i]);
    buf_puts(out, "\nreturn api\n");
}
