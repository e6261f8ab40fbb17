#include "sim/methods.h"

#include "sim/access.h"
#include "sim/answer.h"
#include "sim/media.h"
#include "sim/posting.h"

#include <ctype.h>
#include <string.h>

#define ALBUM_MAX 10

json_t *method_send_message(struct call *c)
{
    struct posted text;
    json_t *keyboard = NULL;
    if (!posting_read(c, "text", &text))
        return NULL;
    json_t *message =
        access_send(c, "text") ? posting_draft(c, &keyboard) : NULL;
    if (message == NULL) {
        posting_forget(&text);
        return NULL;
    }
    posting_put(message, "text", &text);
    posting_add(c->sim, c->bot, c->room, message, keyboard);
    return json_incref(message);
}

/* sendVideoNote -> video_note: the field of Message that it fills. */
static void content_key(const char *method, char out[BOTAPI_NAME_MAX])
{
    size_t len = 0;
    for (const char *at = method + strlen("send"); *at != '\0'; at++) {
        if (isupper((unsigned char)*at) && len > 0)
            out[len++] = '_';
        out[len++] = (char)tolower((unsigned char)*at);
    }
    out[len] = '\0';
}

/* What is known about the file of a parameter. False: refused. */
static bool describe_file(struct call *c, const char *key, json_t *given)
{
    const struct param *p = params_find(&c->params, key);
    const struct botapi_field *f = botapi_param(c->method, key);
    if (p == NULL || f == NULL || !botapi_has_type(f->types, "InputFile"))
        return true;
    return media_describe(c, key, p->value, p->file_name != NULL ? p : NULL,
                          given);
}

/* The message's content of that key, out of the given members; an object
 * given under the key itself goes before them. */
static json_t *content(struct call *c, const char *key, json_t *given)
{
    const struct botapi_field *f =
        botapi_type_field(botapi_type("Message"), key);
    json_t *own = json_object_get(given, key);
    if (f == NULL)
        return NULL;
    bool is_own = json_is_object(own) || json_is_array(own);
    return answer_build(c, f->types, is_own ? own : given);
}

/* NULL: refused. */
static json_t *content_draft(struct call *c, json_t **keyboard)
{
    struct posted caption;
    if (!posting_read(c, "caption", &caption))
        return NULL;
    json_t *message = posting_draft(c, keyboard);
    if (message != NULL)
        posting_put(message, "caption", &caption);
    else
        posting_forget(&caption);
    return message;
}

/* False: refused. */
static bool check_given(struct call *c, const char *key, json_t *given)
{
    if (strcmp(key, "poll") == 0)
        return methods_poll_given(c, given);
    if (strcmp(key, "invoice") == 0)
        return methods_invoice_given(c, given);
    return describe_file(c, key, given);
}

void methods_mark_media(json_t *message, const char *key, const json_t *given)
{
    static const char *const pictures[] = {"photo", "video", "animation"};
    for (size_t i = 0; i < sizeof(pictures) / sizeof(pictures[0]); i++) {
        if (strcmp(pictures[i], key) != 0)
            continue;
        if (json_is_true(json_object_get(given, "has_spoiler")))
            sim_set(message, "has_media_spoiler", json_true());
        if (json_is_true(json_object_get(given, "show_caption_above_media")))
            sim_set(message, "show_caption_above_media", json_true());
    }
}

json_t *method_send_content(struct call *c)
{
    char key[BOTAPI_NAME_MAX];
    json_t *keyboard = NULL;
    content_key(c->method->name, key);
    if (!access_send(c, key))
        return NULL;
    json_t *given = answer_params(c);
    json_t *message =
        check_given(c, key, given) ? content_draft(c, &keyboard) : NULL;
    json_t *made = message != NULL ? content(c, key, given) : NULL;
    if (made != NULL)
        sim_set(message, key, made);
    if (message != NULL)
        methods_mark_media(message, key, given);
    json_decref(given);
    if (message == NULL)
        return NULL;
    posting_add(c->sim, c->bot, c->room, message, keyboard);
    return json_incref(message);
}

/* What each part becomes, checked before the first one is sent. NULL:
 * refused. */
static json_t *album_contents(struct call *c, const json_t *media)
{
    json_t *all = json_array();
    for (size_t i = 0; i < json_array_size(media) && c->error == NULL; i++) {
        json_t *part = json_array_get(media, i);
        const char *key = json_string_value(json_object_get(part, "type"));
        json_t *given = json_is_object(part) ? json_copy(part) : json_object();
        key = key != NULL ? key : "";
        if (access_send(c, key) &&
            media_describe(c, key,
                           json_string_value(json_object_get(part, "media")),
                           NULL, given))
            json_array_append_new(all, content(c, key, given));
        json_decref(given);
    }
    if (c->error == NULL)
        return all;
    json_decref(all);
    return NULL;
}

static json_t *album_part(struct call *c, json_t *part, json_t *made,
                          const char *album)
{
    const char *key = json_string_value(json_object_get(part, "type"));
    json_t *keyboard = NULL;
    struct posted caption;
    if (!posting_read_caption(c, part, &caption))
        return NULL;
    json_t *message = posting_draft(c, &keyboard);
    if (message == NULL) {
        posting_forget(&caption);
        return NULL;
    }
    json_object_set(message, key != NULL ? key : "", made);
    methods_mark_media(message, key != NULL ? key : "", part);
    sim_set(message, "media_group_id", json_string(album));
    posting_put(message, "caption", &caption);
    posting_add(c->sim, c->bot, c->room, message, keyboard);
    return json_incref(message);
}

static json_t *send_album(struct call *c, const json_t *media)
{
    char album[24];
    json_t *contents = album_contents(c, media);
    json_t *sent = contents != NULL ? json_array() : NULL;
    snprintf(album, sizeof(album), "%lld", (long long)++c->sim->things);
    for (size_t i = 0; i < json_array_size(contents) && c->error == NULL; i++)
        json_array_append_new(sent,
                              album_part(c, json_array_get(media, i),
                                         json_array_get(contents, i), album));
    json_decref(contents);
    if (c->error == NULL)
        return sent;
    json_decref(sent);
    return NULL;
}

json_t *method_send_media_group(struct call *c)
{
    json_t *media = call_json(c, "media");
    json_t *sent = NULL;
    if (!json_is_array(media))
        call_fail(c, BOTAPI_MEDIA_EXPECTED);
    else if (json_array_size(media) == 0)
        call_fail(c, BOTAPI_ALBUM_EMPTY);
    else if (json_array_size(media) > ALBUM_MAX)
        call_fail(c, BOTAPI_ALBUM_TOO_BIG);
    else
        sent = send_album(c, media);
    json_decref(media);
    return sent;
}
