/* Every method of the tables: with all required parameters it answers what
 * the documentation says, and without any one of them it refuses. */
#include "fixture.h"

#include "base/botapi.h"

static void put_sample(struct fixture *f, json_t *params, const char *name,
                       const char *types);

/* The first message of a bot, for what needs one. */
static json_int_t some_message(struct fixture *f, const char *extra)
{
    char body[256];
    snprintf(body, sizeof(body), "{\"chat_id\":1001,\"text\":\"x\"%s}", extra);
    return int_at(result(api(f, "sendMessage", body)), "message_id");
}

static json_t *fresh_callback(struct fixture *f)
{
    some_message(f, ",\"reply_markup\":{\"inline_keyboard\":[[{\"text\":\"b\","
                    "\"callback_data\":\"d\"}]]}");
    json_t *c = fine(post(f, "/sim/click", "{\"from\":1001,\"data\":\"d\"}"));
    return json_incref(at(c, "id"));
}

static json_t *open_topic(struct fixture *f, bool closed)
{
    char body[64];
    json_int_t id = int_at(
        result(api(f, "createForumTopic", "{\"chat_id\":1001,\"name\":\"T\"}")),
        "message_thread_id");
    snprintf(body, sizeof(body), "{\"chat_id\":1001,\"message_thread_id\":%d}",
             (int)id);
    if (closed)
        result(api(f, "closeForumTopic", body));
    return json_integer(id);
}

/* Parameters whose value must fit the simulator's world. */
static json_t *known_sample(struct fixture *f, const char *name)
{
    if (strcmp(name, "chat_id") == 0 || strcmp(name, "from_chat_id") == 0 ||
        strcmp(name, "user_id") == 0)
        return json_integer(1001);
    if (strcmp(name, "message_id") == 0)
        return json_integer(some_message(f, ""));
    if (strcmp(name, "message_ids") == 0)
        return json_pack("[I]", some_message(f, ""));
    if (strcmp(name, "callback_query_id") == 0)
        return fresh_callback(f);
    if (strcmp(name, "message_thread_id") == 0)
        return open_topic(f, false);
    if (strcmp(name, "action") == 0)
        return json_string("typing");
    if (strcmp(name, "media") == 0)
        return json_loads("[{\"type\":\"photo\",\"media\":\"F\"}]", 0, NULL);
    return NULL;
}

static json_t *sample_object(struct fixture *f, const char *type)
{
    const struct botapi_type *t = botapi_type(type);
    json_t *object = json_object();
    char first[BOTAPI_NAME_MAX];
    const char *one_of = t != NULL ? t->one_of : NULL;
    if (one_of != NULL && botapi_each_type(&one_of, first))
        t = botapi_type(first);
    for (size_t i = 0; t != NULL && i < t->fields_count; i++) {
        const struct botapi_field *field = &t->fields[i];
        if (field->value != NULL)
            json_object_set_new(object, field->name, json_string(field->value));
        else if (field->required)
            put_sample(f, object, field->name, field->types);
    }
    return object;
}

static json_t *sample(struct fixture *f, const char *type)
{
    if (botapi_element(type) != NULL)
        return json_pack("[o]", sample(f, botapi_element(type)));
    if (strcmp(type, "Integer") == 0)
        return json_integer(1);
    if (strcmp(type, "Float") == 0)
        return json_real(1.5);
    if (strcmp(type, "Boolean") == 0 || strcmp(type, "True") == 0)
        return json_true();
    if (strcmp(type, "String") == 0 || strcmp(type, "InputFile") == 0)
        return json_string("x");
    return sample_object(f, type);
}

static void put_sample(struct fixture *f, json_t *params, const char *name,
                       const char *types)
{
    char type[BOTAPI_NAME_MAX];
    json_t *value = known_sample(f, name);
    assert_true(botapi_each_type(&types, type));
    json_object_set_new(params, name, value != NULL ? value : sample(f, type));
}

/* Edits and the like take either chat and message or an inline message, so
 * the documentation calls none of them required. */
static bool names_a_message(const struct botapi_method *m)
{
    return botapi_param(m, "inline_message_id") != NULL;
}

static json_t *samples(struct fixture *f, const struct botapi_method *m)
{
    json_t *params = json_object();
    for (size_t i = 0; i < m->params_count; i++)
        if (m->params[i].required)
            put_sample(f, params, m->params[i].name, m->params[i].types);
    if (names_a_message(m)) {
        put_sample(f, params, "chat_id", "Integer");
        put_sample(f, params, "message_id", "Integer");
    }
    if (strcmp(m->name, "editMessageText") == 0)
        json_object_set_new(params, "text", json_string("new"));
    if (strcmp(m->name, "editMessageReplyMarkup") == 0)
        json_object_set_new(params, "reply_markup",
                            json_loads("{\"inline_keyboard\":[[{\"text\":\"b\""
                                       ",\"url\":\"u\"}]]}",
                                       0, NULL));
    if (strcmp(m->name, "editMessageMedia") == 0)
        json_object_set_new(
            params, "media",
            json_loads("{\"type\":\"photo\",\"media\":\"F\"}", 0, NULL));
    return params;
}

/* Some want another chat, or another state of things. */
static void adapt(struct fixture *f, const struct botapi_method *m,
                  json_t *params)
{
    if (strcmp(m->name, "reopenForumTopic") == 0)
        json_object_set_new(params, "message_thread_id", open_topic(f, true));
    if (strcmp(m->name, "getChatAdministrators") == 0 ||
        strcmp(m->name, "leaveChat") == 0)
        json_object_set_new(params, "chat_id", json_integer(-42));
    if (strcmp(m->name, "setWebhook") == 0)
        json_object_set_new(params, "url", json_string(""));
}

/* Only a message with a file has a caption. */
static void aim_at_photo(struct fixture *f, json_t *params)
{
    json_t *photo =
        result(api(f, "sendPhoto", "{\"chat_id\":1001,\"photo\":\"F\"}"));
    json_object_set(params, "message_id", at(photo, "message_id"));
    json_object_set_new(params, "caption", json_string("new"));
}

static void aim_at_poll(struct fixture *f, json_t *params)
{
    json_t *poll = result(
        api(f, "sendPoll",
            "{\"chat_id\":1001,\"question\":\"?\",\"options\":[\"a\"]}"));
    json_object_set(params, "message_id", at(poll, "message_id"));
}

/* A file that there is. */
static void aim_at_file(struct fixture *f, json_t *params)
{
    json_t *sent =
        fine(post(f, "/sim/send", "{\"from\":1001,\"document\":true}"));
    json_object_set(params, "file_id", at(sent, "document.file_id"));
}

static bool conforms(json_t *value, const char *types);

static bool object_conforms(json_t *value, const struct botapi_type *t)
{
    for (size_t i = 0; i < t->fields_count; i++) {
        const struct botapi_field *field = &t->fields[i];
        json_t *member = json_object_get(value, field->name);
        if (member == NULL && !field->required)
            continue;
        if (member == NULL || !conforms(member, field->types) ||
            (field->value != NULL &&
             strcmp(json_string_value(member), field->value) != 0))
            return false;
    }
    return json_is_object(value);
}

static bool conforms_to(json_t *value, const char *type)
{
    if (botapi_element(type) != NULL) {
        for (size_t i = 0; i < json_array_size(value); i++)
            if (!conforms(json_array_get(value, i), botapi_element(type)))
                return false;
        return json_is_array(value);
    }
    if (strcmp(type, "Integer") == 0)
        return json_is_integer(value);
    if (strcmp(type, "Float") == 0)
        return json_is_number(value);
    if (strcmp(type, "Boolean") == 0)
        return json_is_boolean(value);
    if (strcmp(type, "True") == 0)
        return json_is_true(value);
    if (strcmp(type, "String") == 0)
        return json_is_string(value);
    const struct botapi_type *t = botapi_type(type);
    assert_non_null(t);
    return t->one_of != NULL ? conforms(value, t->one_of)
                             : object_conforms(value, t);
}

static bool conforms(json_t *value, const char *types)
{
    char type[BOTAPI_NAME_MAX];
    while (botapi_each_type(&types, type))
        if (conforms_to(value, type))
            return true;
    return false;
}

static struct answer *ask(struct fixture *f, const struct botapi_method *m,
                          json_t *params)
{
    char *body = json_dumps(params, 0);
    struct answer *a = api(f, m->name, body);
    free(body);
    return a;
}

/* Somebody who asks to be let in. */
static void aim_at_asking(struct fixture *f, json_t *params)
{
    json_t *user = fine(post(f, "/sim/users", "{\"first_name\":\"Eve\"}"));
    json_int_t id = json_integer_value(json_object_get(user, "id"));
    json_t *ask = json_pack("{s:i, s:I}", "chat", -42, "user", id);
    char *body = json_dumps(ask, 0);
    fine(post(f, "/sim/ask", body));
    free(body);
    json_decref(ask);
    json_object_set_new(params, "chat_id", json_integer(-42));
    json_object_set_new(params, "user_id", json_integer(id));
}

static void every_method_answers_its_type(void **state)
{
    struct fixture *f = *state;
    assert_int_equal(botapi_methods_count, 185);
    fine(post(f, "/sim/chats",
              "{\"type\":\"group\",\"title\":\"G\",\"members\":[1001],"
              "\"id\":-42}"));
    for (size_t i = 0; i < botapi_methods_count; i++) {
        const struct botapi_method *m = &botapi_methods[i];
        json_t *params = samples(f, m);
        if (strcmp(m->name, "editMessageCaption") == 0)
            aim_at_photo(f, params);
        if (strcmp(m->name, "getFile") == 0)
            aim_at_file(f, params);
        if (strcmp(m->name, "approveChatJoinRequest") == 0 ||
            strcmp(m->name, "declineChatJoinRequest") == 0)
            aim_at_asking(f, params);
        if (strcmp(m->name, "stopPoll") == 0)
            aim_at_poll(f, params);
        adapt(f, m, params);
        struct answer *a = ask(f, m, params);
        if (a->status != 200 ||
            !conforms(json_object_get(a->json, "result"), m->returns))
            fail_msg("%s: %d %s", m->name, a->status, a->body.data);
        json_decref(params);
        if (strcmp(m->name, "logOut") == 0)
            clock_advance_to(&f->clock,
                             clock_ns(&f->clock) + UINT64_C(601000000000));
    }
}

/* setWebhook is left out: without an address it takes the webhook away. */
static void every_required_parameter_is_missed(void **state)
{
    struct fixture *f = *state;
    size_t tried = 0;
    for (size_t i = 0; i < botapi_methods_count; i++) {
        const struct botapi_method *m = &botapi_methods[i];
        if (strcmp(m->name, "setWebhook") == 0)
            continue;
        json_t *params = samples(f, m);
        for (size_t k = 0; k < m->params_count; k++) {
            if (!m->params[k].required)
                continue;
            json_t *fewer = json_copy(params);
            json_object_del(fewer, m->params[k].name);
            struct answer *a = ask(f, m, fewer);
            json_decref(fewer);
            tried++;
            if (a->status != 400)
                fail_msg("%s without %s: %d", m->name, m->params[k].name,
                         a->status);
        }
        json_decref(params);
    }
    assert_true(tried > 300);
}

static void missing_ones_are_named_as_the_server_does(void **state)
{
    struct fixture *f = *state;
    fails(api(f, "sendMessage", "{\"text\":\"x\"}"), 400,
          "Bad Request: chat_id is empty");
    fails(api(f, "sendMessage", "{\"chat_id\":1001}"), 400,
          "Bad Request: message text is empty");
    fails(api(f, "deleteMessage", "{\"chat_id\":1001}"), 400,
          "Bad Request: message identifier is not specified");
    fails(api(f, "sendPhoto", "{\"chat_id\":1001}"), 400,
          "Bad Request: there is no photo in the request");
    fails(api(f, "getFile", "{}"), 400, "Bad Request: file_id not specified");
    fails(api(f, "sendContact", "{\"chat_id\":1001}"), 400,
          "Bad Request: parameter \"phone_number\" is required");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        SIM_TEST(every_method_answers_its_type),
        SIM_TEST(every_required_parameter_is_missed),
        SIM_TEST(missing_ones_are_named_as_the_server_does),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
