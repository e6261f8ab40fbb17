#include "sim/control.h"

#include "base/botapi.h"
#include "sim/serving.h"

#include <stdlib.h>
#include <string.h>

void control_list_faults(struct exchange *x, void *arg)
{
    struct sim *sim = arg;
    struct faults *f = &sim->faults;
    json_t *list = json_array();
    for (struct list *l = f->list.next; l != &f->list; l = l->next)
        json_array_append_new(list,
                              fault_view(LIST_ENTRY(l, struct fault, link)));
    struct text *text = sim_text(list);
    control_reply_text(x, text->data, text->len);
    text_unref(text);
}

void control_clear_faults(struct exchange *x, void *arg)
{
    struct sim *sim = arg;
    faults_clear(&sim->faults, 0);
    control_reply_text(x, "true", 4);
}

void control_clear_fault(struct exchange *x, void *arg)
{
    struct sim *sim = arg;
    int64_t id = strtoll(exchange_wildcard(x, 0), NULL, 10);
    if (faults_find(&sim->faults, id) == NULL) {
        exchange_fail(x, 404, "there is no fault %.32s",
                      exchange_wildcard(x, 0));
        return;
    }
    faults_clear(&sim->faults, id);
    control_reply_text(x, "true", 4);
}

const struct control_field control_fault_fields[] = {
    {"mode", FIELD_STRING, true},
    {"method", FIELD_STRING, false},
    {"chat", FIELD_INTEGER, false},
    {"count", FIELD_INTEGER, false},
    {"retry_after", FIELD_INTEGER, false},
    {"seconds", FIELD_NUMBER, false},
    {"code", FIELD_INTEGER, false},
    {"description", FIELD_STRING, false},
    {NULL, FIELD_STRING, false}};

/* An integer of the body that must be positive. */
static bool positive(struct control *c, const char *key, int64_t fallback,
                     int64_t *out)
{
    json_t *value = json_object_get(c->body, key);
    *out = value != NULL ? json_integer_value(value) : fallback;
    if (*out > 0)
        return true;
    exchange_fail(c->x, 400, "%s: must be 1 or more", key);
    return false;
}

/* What Telegram says in the place of doing it. */
static bool read_refusal(struct control *c, struct fault *f)
{
    const char *text =
        json_string_value(json_object_get(c->body, "description"));
    const json_t *code = json_object_get(c->body, "code");
    if (f->mode != FAULT_REFUSED)
        return true;
    f->code = code != NULL ? (int)json_integer_value(code) : 400;
    if (f->code < 400 || f->code > 499 || f->code == 429) {
        exchange_fail(c->x, 400,
                      "code: must be 400 to 499, and for 429 there is a mode");
        return false;
    }
    if (text == NULL || strlen(text) > FAULT_DESCRIPTION_MAX) {
        exchange_fail(c->x, 400,
                      "description: what the server says is required, such as "
                      "\"Bad Request: message thread not found\", up to %d "
                      "bytes",
                      FAULT_DESCRIPTION_MAX);
        return false;
    }
    strcpy(f->description, text);
    return true;
}

static bool read_fault(struct control *c, struct fault *f)
{
    const char *mode = json_string_value(json_object_get(c->body, "mode"));
    const char *name = json_string_value(json_object_get(c->body, "method"));
    const struct botapi_method *m = name != NULL ? botapi_method(name) : NULL;
    json_t *seconds = json_object_get(c->body, "seconds");
    if (!fault_mode_parse(mode, &f->mode)) {
        exchange_fail(c->x, 400,
                      "mode: must be 429, 500, 502html, cut_before, "
                      "cut_after, slow, duplicate or refused");
        return false;
    }
    bool download = name != NULL && strcmp(name, SERVING_METHOD) == 0;
    if (name != NULL && m == NULL && !download) {
        exchange_fail(c->x, 400,
                      "method: %.64s is no method of the Bot API, nor \"file\" "
                      "(a download)",
                      name);
        return false;
    }
    f->method = download ? SERVING_METHOD : m != NULL ? m->name : NULL;
    f->chat = sim_int(c->body, "chat");
    f->seconds = seconds != NULL ? json_number_value(seconds) : 1.0;
    return read_refusal(c, f) && positive(c, "count", 1, &f->count) &&
           positive(c, "retry_after", 1, &f->retry_after);
}

void control_fault(struct control *c)
{
    struct fault wanted = {0};
    if (!read_fault(c, &wanted))
        return;
    struct fault *f = faults_add(&c->sim->faults);
    if (f == NULL) {
        exchange_fail(c->x, 400, "there are %d faults already", FAULTS_MAX);
        return;
    }
    wanted.link = f->link;
    wanted.id = f->id;
    *f = wanted;
    control_reply(c, fault_view(f));
}
