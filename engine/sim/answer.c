#include "sim/answer.h"

#include "base/botapi.h"
#include "base/buf.h"
#include "sim/call.h"

#include <string.h>

#define DEPTH_MAX 12

static json_t *build(struct call *c, const char *name, const char *type,
                     json_t *given, int depth);

static bool ends(const char *text, const char *with)
{
    size_t len = strlen(text);
    size_t tail = strlen(with);
    return len >= tail && strcmp(text + len - tail, with) == 0;
}

static bool fits(const char *type, const json_t *v)
{
    if (botapi_element(type) != NULL)
        return json_is_array(v);
    if (strcmp(type, "Integer") == 0)
        return json_is_integer(v);
    if (strcmp(type, "Float") == 0)
        return json_is_number(v);
    if (strcmp(type, "Boolean") == 0)
        return json_is_boolean(v);
    if (strcmp(type, "True") == 0)
        return json_is_true(v);
    if (strcmp(type, "String") == 0)
        return json_is_string(v);
    return json_is_object(v);
}

static json_t *made_string(struct call *c, const char *name)
{
    static const struct {
        const char *end;
        const char *value;
    } known[] = {
        {"type", "regular"},
        {"emoji", "\xf0\x9f\x8e\xb2"},
        {"currency", "XTR"},
        {"url", "https://example.com/"},
        {"format", "static"},
        {"phone_number", "+10000000000"},
        {"invite_link", "https://t.me/+example"},
    };
    for (size_t i = 0; i < sizeof(known) / sizeof(known[0]); i++)
        if (ends(name, known[i].end))
            return json_string(known[i].value);
    if (ends(name, "id"))
        return json_sprintf("%s-%lld", name, (long long)++c->sim->things);
    return json_string(name);
}

static json_t *made_integer(struct call *c, const char *name)
{
    if (ends(name, "date"))
        return json_integer((int64_t)sim_now(c->sim));
    if (ends(name, "width") || ends(name, "height"))
        return json_integer(320);
    if (ends(name, "count") || ends(name, "amount"))
        return json_integer(0);
    return json_integer(1);
}

static json_t *scalar(struct call *c, const char *name, const char *type,
                      json_t *given)
{
    if (given != NULL && fits(type, given))
        return json_incref(given);
    if (strcmp(type, "Integer") == 0)
        return made_integer(c, name);
    if (strcmp(type, "Float") == 0)
        return json_real(0.5);
    if (strcmp(type, "Boolean") == 0)
        return json_false();
    if (strcmp(type, "True") == 0)
        return json_true();
    return made_string(c, name);
}

static json_t *array(struct call *c, const char *name, const char *element,
                     json_t *given, int depth)
{
    json_t *list = json_array();
    size_t i;
    json_t *one;
    if (!json_is_array(given)) {
        if (strcmp(element, "PhotoSize") == 0)
            json_array_append_new(list, build(c, name, element, given, depth));
        return list;
    }
    json_array_foreach(given, i, one)
    {
        json_t *wrapped = json_is_string(one) && botapi_type(element) != NULL
                              ? json_pack("{s:O}", "text", one)
                              : json_incref(one);
        json_array_append_new(list, build(c, name, element, wrapped, depth));
        json_decref(wrapped);
    }
    return list;
}

/* Whether the constants of a union's member are those of `given`. */
static bool is_member(const struct botapi_type *t, const json_t *given)
{
    for (size_t i = 0; i < t->fields_count; i++) {
        const struct botapi_field *f = &t->fields[i];
        const char *has = json_string_value(json_object_get(given, f->name));
        if (f->value != NULL && has != NULL && strcmp(has, f->value) == 0)
            return true;
    }
    return false;
}

static json_t *union_of(struct call *c, const char *name, const char *one_of,
                        json_t *given, int depth)
{
    char first[BOTAPI_NAME_MAX];
    char member[BOTAPI_NAME_MAX];
    const char *at = one_of;
    botapi_each_type(&at, first);
    for (at = one_of; botapi_each_type(&at, member);) {
        const struct botapi_type *t = botapi_type(member);
        if (t != NULL && is_member(t, given))
            return build(c, name, member, given, depth);
    }
    return build(c, name, first, given, depth);
}

/* What was given for a field: the member of its name; for an object that is
 * required, the whole, so that {"latitude":…} reaches a venue's location. */
static json_t *for_field(const struct botapi_field *f, const char *type,
                         json_t *given)
{
    json_t *own = json_object_get(given, f->name);
    if (own != NULL && fits(type, own))
        return own;
    return f->required && botapi_type(type) != NULL ? given : NULL;
}

static void set_field(struct call *c, json_t *object,
                      const struct botapi_field *f, json_t *given, int depth)
{
    char type[BOTAPI_NAME_MAX];
    const char *at = f->types;
    json_t *has = NULL;
    if (f->value != NULL) {
        sim_set(object, f->name, json_string(f->value));
        return;
    }
    while (has == NULL && botapi_each_type(&at, type))
        has = for_field(f, type, given);
    if (has == NULL && !f->required)
        return;
    if (has == NULL) {
        at = f->types;
        botapi_each_type(&at, type);
    }
    sim_set(object, f->name, build(c, f->name, type, has, depth));
}

static json_t *build(struct call *c, const char *name, const char *type,
                     json_t *given, int depth)
{
    const char *element = botapi_element(type);
    const struct botapi_type *t = botapi_type(type);
    if (element != NULL)
        return array(c, name, element, given, depth + 1);
    if (t == NULL)
        return scalar(c, name, type, given);
    if (depth >= DEPTH_MAX)
        return json_object();
    if (t->one_of != NULL)
        return union_of(c, name, t->one_of, given, depth + 1);
    if (strcmp(type, "User") == 0 && sim_int(given, "id") == 0)
        return json_incref(c->bot->user);
    if (strcmp(type, "Chat") == 0 && c->room != NULL)
        return json_incref(c->room->chat->json);
    json_t *object = json_object();
    for (size_t i = 0; i < t->fields_count; i++)
        set_field(c, object, &t->fields[i], given, depth + 1);
    return object;
}

json_t *answer_build(struct call *c, const char *types, json_t *given)
{
    char type[BOTAPI_NAME_MAX];
    const char *at = types;
    while (given != NULL && botapi_each_type(&at, type))
        if (fits(type, given))
            return build(c, "", type, given, 0);
    at = types;
    botapi_each_type(&at, type);
    return build(c, "", type, given, 0);
}

json_t *answer_params(const struct call *c)
{
    struct buf b = {0};
    params_to_json(&c->params, c->method, &b);
    json_t *all = json_loadb(b.data, b.len, 0, NULL);
    buf_free(&b);
    return all != NULL ? all : json_object();
}

json_t *answer_any(struct call *c)
{
    if (strcmp(c->method->returns, "True") == 0)
        return json_true();
    json_t *given = answer_params(c);
    json_t *result = answer_build(c, c->method->returns, given);
    json_decref(given);
    return result;
}
