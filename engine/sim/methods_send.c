#include "sim/methods.h"

#include "sim/answer.h"
#include "sim/posting.h"

#include <ctype.h>
#include <string.h>

#define TEXT_BYTES_MAX 32768
#define TEXT_MAX 4096
#define CAPTION_MAX 1024
#define ALBUM_MAX 10

static bool only_space(const char *text)
{
    return text[strspn(text, " \t\r\n")] == '\0';
}

static bool check_text(struct call *c, const struct param *text)
{
    if (only_space(text->value))
        call_fail(c, BOTAPI_TEXT_EMPTY);
    else if (text->len > TEXT_BYTES_MAX)
        call_fail(c, BOTAPI_TEXT_TOO_LONG);
    else if (params_utf8_length(text->value, text->len) > TEXT_MAX)
        call_fail(c, BOTAPI_MESSAGE_TOO_LONG);
    return c->status == 0;
}

json_t *method_send_message(struct call *c)
{
    const struct param *text = params_find(&c->params, "text");
    json_t *entities = NULL;
    json_t *keyboard = NULL;
    if (!check_text(c, text) || !posting_entities(c, "entities", &entities))
        return NULL;
    json_t *message = posting_draft(c, &keyboard);
    if (message != NULL) {
        posting_set_text(message, "text", text->value, entities);
        posting_add(c->sim, c->bot, c->room, message, keyboard);
    }
    json_decref(entities);
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

/* What is known about an upload or a file_id goes into the new object. */
static void describe_file(struct call *c, const char *key, json_t *given)
{
    const struct param *p = params_find(&c->params, key);
    if (p != NULL && strncmp(p->value, "attach://", 9) == 0)
        p = params_find(&c->params, p->value + 9);
    if (p == NULL)
        return;
    if (p->file_name != NULL) {
        json_object_del(given, key);
        sim_set(given, "file_name", json_string(p->file_name));
        sim_set(given, "file_size", json_integer((json_int_t)p->file_size));
    } else if (!p->raw && strstr(p->value, "://") == NULL) {
        sim_set(given, "file_id", json_string(p->value));
    }
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
    return answer_build(c, f->types, json_is_object(own) ? own : given);
}

static bool set_caption(struct call *c, json_t *message)
{
    const struct param *caption = params_find(&c->params, "caption");
    json_t *entities = NULL;
    if (caption == NULL || caption->len == 0)
        return true;
    if (params_utf8_length(caption->value, caption->len) > CAPTION_MAX) {
        call_fail(c, BOTAPI_CAPTION_TOO_LONG);
        return false;
    }
    if (!posting_entities(c, "caption_entities", &entities))
        return false;
    posting_set_text(message, "caption", caption->value, entities);
    json_decref(entities);
    return true;
}

json_t *method_send_content(struct call *c)
{
    char key[BOTAPI_NAME_MAX];
    json_t *keyboard = NULL;
    json_t *message = posting_draft(c, &keyboard);
    if (message == NULL)
        return NULL;
    if (!set_caption(c, message)) {
        json_decref(message);
        json_decref(keyboard);
        return NULL;
    }
    json_t *given = answer_params(c);
    content_key(c->method->name, key);
    describe_file(c, key, given);
    json_t *made = content(c, key, given);
    if (made != NULL)
        sim_set(message, key, made);
    json_decref(given);
    posting_add(c->sim, c->bot, c->room, message, keyboard);
    return json_incref(message);
}

static json_t *album_part(struct call *c, json_t *part, const char *album)
{
    const char *key = json_string_value(json_object_get(part, "type"));
    const char *media = json_string_value(json_object_get(part, "media"));
    const char *caption = json_string_value(json_object_get(part, "caption"));
    json_t *keyboard = NULL;
    json_t *message = posting_draft(c, &keyboard);
    json_t *given = json_copy(part);
    if (media != NULL && strstr(media, "://") == NULL)
        sim_set(given, "file_id", json_string(media));
    json_t *made = content(c, key != NULL ? key : "", given);
    json_decref(given);
    if (made != NULL)
        sim_set(message, key, made);
    sim_set(message, "media_group_id", json_string(album));
    if (caption != NULL)
        posting_set_text(message, "caption", caption,
                         json_object_get(part, "caption_entities"));
    posting_add(c->sim, c->bot, c->room, message, keyboard);
    return json_incref(message);
}

json_t *method_send_media_group(struct call *c)
{
    json_t *media = call_json(c, "media");
    json_t *sent = NULL;
    char album[24];
    size_t i;
    json_t *part;
    if (!json_is_array(media))
        call_fail(c, BOTAPI_MEDIA_EXPECTED);
    else if (json_array_size(media) == 0)
        call_fail(c, BOTAPI_ALBUM_EMPTY);
    else if (json_array_size(media) > ALBUM_MAX)
        call_fail(c, BOTAPI_ALBUM_TOO_BIG);
    else if (posting_allowed(c))
        sent = json_array();
    snprintf(album, sizeof(album), "%lld", (long long)++c->sim->things);
    for (i = 0; sent != NULL && i < json_array_size(media); i++) {
        part = json_array_get(media, i);
        json_array_append_new(sent, album_part(c, part, album));
    }
    json_decref(media);
    return sent;
}
