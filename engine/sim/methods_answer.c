/* Answers to queries, and what is only shown for a moment. */
#include "sim/methods.h"

#include "sim/answer.h"
#include "sim/archive.h"
#include "sim/call.h"
#include "sim/media.h"

#include <stdlib.h>
#include <string.h>

#define RESULTS_MAX 50
/* As long as the press itself is kept for the bot. */
#define QUERY_LIFE_S 150

json_t *method_answer_callback(struct call *c)
{
    struct callback *cb = world_callback(
        &c->sim->world, params_text(&c->params, "callback_query_id"));
    if (cb == NULL || cb->answered || sim_now(c->sim) - cb->at > QUERY_LIFE_S)
        return call_fail(c, BOTAPI_QUERY_TOO_OLD);
    cb->answered = true;
    json_t *event = callback_view(cb);
    if (params_given(&c->params, "text"))
        sim_set(event, "text", json_string(params_text(&c->params, "text")));
    sim_set(event, "show_alert",
            json_boolean(params_bool(&c->params, "show_alert")));
    events_emit(&c->sim->events, "callback", sim_text(event));
    return json_true();
}

json_t *method_answer_inline(struct call *c)
{
    json_t *results = call_json(c, "results");
    if (!json_is_array(results) && !json_is_null(results))
        call_refuse(c, 400,
                    "Bad Request: expected an Array of inline query results");
    else if (json_array_size(results) > RESULTS_MAX)
        call_fail(c, BOTAPI_TOO_MANY_RESULTS);
    json_decref(results);
    return c->error == NULL ? json_true() : NULL;
}

static bool is_action(const char *action)
{
    static const char *const known[] = {"cancel",           "typing",
                                        "record_video",     "upload_video",
                                        "record_audio",     "record_voice",
                                        "upload_audio",     "upload_voice",
                                        "upload_photo",     "upload_document",
                                        "choose_sticker",   "pick_up_location",
                                        "find_location",    "record_video_note",
                                        "upload_video_note"};
    for (size_t i = 0; i < sizeof(known) / sizeof(known[0]); i++)
        if (strcmp(known[i], action) == 0)
            return true;
    return false;
}

json_t *method_chat_action(struct call *c)
{
    const char *action = params_text(&c->params, "action");
    if (!is_action(action))
        return call_fail(c, BOTAPI_WRONG_ACTION);
    json_t *event = json_object();
    sim_set(event, "chat_id", json_integer(c->chat_id));
    sim_set(event, "action", json_string(action));
    events_emit(&c->sim->events, "action", sim_text(event));
    return json_true();
}

/* The link is good for an hour, or until it is asked for again. */
json_t *method_get_file(struct call *c)
{
    const char *id = params_text(&c->params, "file_id");
    struct archive *f = &c->sim->archive;
    bool ours = false;
    struct file *file = archive_find(f, id, c->bot->number, &ours);
    if (!media_is_file_id(id) || (file == NULL && ours))
        return call_fail(c, BOTAPI_BAD_FILE_ID);
    if (file == NULL || file->content == NULL)
        return call_refuse(c, 400,
                           "Bad Request: wrong file_id or the file is "
                           "temporarily unavailable");
    if (f->download_max > 0 && file->size > f->download_max)
        return call_refuse(c, 400, "Bad Request: file is too big");
    json_t *known = json_object();
    archive_describe(f, file, c->bot->number, known);
    char *path = archive_link(f, file, c->bot->number);
    sim_set(known, "file_path", json_string(path));
    json_t *answer = answer_build(c, "File", known);
    json_decref(known);
    free(path);
    return answer;
}
