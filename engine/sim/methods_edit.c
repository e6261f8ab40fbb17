#include "sim/methods.h"

#include "sim/answer.h"
#include "sim/media.h"
#include "sim/posting.h"

#include <stdlib.h>
#include <string.h>

/* The message that an edit is about. NULL: refused, or c->result is set
 * because an inline message is meant, of which the server knows nothing. */
static struct message *target(struct call *c)
{
    if (params_given(&c->params, "inline_message_id")) {
        buf_puts(&c->result, "true");
        return NULL;
    }
    struct message *m = NULL;
    int64_t id = params_int(&c->params, "message_id", 0, 0, INT32_MAX);
    if (c->room == NULL)
        call_fail(c, BOTAPI_CHAT_ID_EMPTY);
    else if (id == 0)
        call_fail(c, BOTAPI_NO_MESSAGE_ID);
    else if ((m = room_find(c->room, id)) == NULL)
        call_fail(c, BOTAPI_EDIT_NOT_FOUND);
    else if (m->keyboard != NULL ||
             (c->room->chat->kind != CHAT_CHANNEL &&
              sim_int(json_object_get(m->json, "from"), "id") != c->bot->id))
        call_fail(c, BOTAPI_CANNOT_EDIT);
    return c->status == 0 ? m : NULL;
}

json_t *methods_edited(struct call *c, const struct message *m)
{
    json_t *markup = NULL;
    json_t *keyboard = NULL;
    if (!posting_markup(c, &markup, &keyboard))
        return NULL;
    if (keyboard != NULL) {
        json_decref(keyboard);
        return call_fail(c, BOTAPI_INLINE_EXPECTED);
    }
    json_t *copy = json_copy(m->json);
    json_object_del(copy, "reply_markup");
    if (markup != NULL)
        sim_set(copy, "reply_markup", markup);
    return copy;
}

static bool same(const json_t *a, const json_t *b)
{
    char *left = json_dumps(a, JSON_COMPACT | JSON_SORT_KEYS);
    char *right = json_dumps(b, JSON_COMPACT | JSON_SORT_KEYS);
    bool equal = left != NULL && right != NULL && strcmp(left, right) == 0;
    free(left);
    free(right);
    return equal;
}

/* Puts the changed copy in the message's place, if it is one. */
static json_t *finish(struct call *c, struct message *m, json_t *copy)
{
    if (same(m->json, copy)) {
        json_decref(copy);
        return call_fail(c, BOTAPI_NOT_MODIFIED);
    }
    sim_set(copy, "edit_date", json_integer((int64_t)sim_now(c->sim)));
    message_replace(m, copy);
    posting_tell(c->sim, c->room, m, "edited");
    return json_incref(copy);
}

static json_t *set_text(struct call *c, struct message *m, const char *key)
{
    struct posted text;
    if (!posting_read(c, key, &text))
        return NULL;
    json_t *copy = methods_edited(c, m);
    if (copy == NULL) {
        posting_forget(&text);
        return NULL;
    }
    json_object_del(copy, "rich_message");
    posting_put(copy, key, &text);
    return finish(c, m, copy);
}

static json_t *set_rich(struct call *c, struct message *m)
{
    json_t *copy = methods_edited(c, m);
    json_t *given = call_json(c, "rich_message");
    if (copy != NULL) {
        json_object_del(copy, "text");
        json_object_del(copy, "entities");
        sim_set(copy, "rich_message", answer_build(c, "RichMessage", given));
    }
    json_decref(given);
    return copy != NULL ? finish(c, m, copy) : NULL;
}

json_t *method_edit_text(struct call *c)
{
    bool rich = params_given(&c->params, "rich_message");
    if (!rich && !params_given(&c->params, "text"))
        return call_fail(c, BOTAPI_TEXT_EMPTY);
    struct message *m = target(c);
    if (m == NULL)
        return NULL;
    if (json_object_get(m->json, "text") == NULL &&
        json_object_get(m->json, "rich_message") == NULL)
        return call_fail(c, BOTAPI_NO_TEXT_TO_EDIT);
    return rich ? set_rich(c, m) : set_text(c, m, "text");
}

static bool takes_caption(const json_t *message)
{
    static const char *const kinds[] = {"photo",      "video",     "document",
                                        "animation",  "audio",     "voice",
                                        "paid_media", "live_photo"};
    for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++)
        if (json_object_get(message, kinds[i]) != NULL)
            return true;
    return false;
}

json_t *method_edit_caption(struct call *c)
{
    struct message *m = target(c);
    if (m == NULL)
        return NULL;
    if (!takes_caption(m->json))
        return call_fail(c, BOTAPI_NO_CAPTION_TO_EDIT);
    return set_text(c, m, "caption");
}

json_t *method_edit_markup(struct call *c)
{
    struct message *m = target(c);
    json_t *copy = m != NULL ? methods_edited(c, m) : NULL;
    return copy != NULL ? finish(c, m, copy) : NULL;
}

/* The field of Message that an edit of other content fills, with what was
 * given for it (new). */
static const char *new_content(struct call *c, json_t **given)
{
    *given = answer_params(c);
    json_t *media = json_object_get(*given, "media");
    if (!json_is_object(media))
        return json_object_get(*given, "checklist") != NULL ? "checklist"
                                                            : "location";
    json_t *part = json_incref(media);
    json_decref(*given);
    *given = part;
    const char *kind = json_string_value(json_object_get(part, "type"));
    kind = kind != NULL ? kind : "";
    media_describe(c, kind, json_string_value(json_object_get(part, "media")),
                   NULL, part);
    return kind;
}

static void drop_content(json_t *message)
{
    static const char *const kinds[] = {"photo",
                                        "video",
                                        "document",
                                        "animation",
                                        "audio",
                                        "text",
                                        "entities",
                                        "caption",
                                        "caption_entities",
                                        "live_photo",
                                        "has_media_spoiler",
                                        "show_caption_above_media"};
    for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++)
        json_object_del(message, kinds[i]);
}

/* Puts what was given in the place of the old content; takes over copy.
 * NULL: refused. */
static json_t *replaced(struct call *c, json_t *copy)
{
    json_t *given = NULL;
    struct posted caption = {0};
    const char *key = new_content(c, &given);
    const struct botapi_field *f =
        botapi_type_field(botapi_type("Message"), key);
    if (c->error != NULL || !posting_read_caption(c, given, &caption)) {
        json_decref(given);
        json_decref(copy);
        return NULL;
    }
    if (f != NULL) {
        json_t *own = json_object_get(given, key);
        bool is_own = json_is_object(own) || json_is_array(own);
        drop_content(copy);
        sim_set(copy, key, answer_build(c, f->types, is_own ? own : given));
        methods_mark_media(copy, key, given);
        posting_put(copy, "caption", &caption);
    }
    posting_forget(&caption);
    json_decref(given);
    return copy;
}

json_t *method_edit_content(struct call *c)
{
    struct message *m = target(c);
    json_t *copy = m != NULL ? methods_edited(c, m) : NULL;
    if (copy != NULL)
        copy = replaced(c, copy);
    return copy != NULL ? finish(c, m, copy) : NULL;
}
