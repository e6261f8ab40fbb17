/* The stream of events. */
#include "fixture.h"

#include "base/buf.h"

static void say(struct fixture *f)
{
    struct answer *a = post(f, "/sim/send", "{\"from\":1001,\"text\":\"x\"}");
    assert_int_equal(a->status, 200);
}

/* How often a text stands in the stream so far. */
static int count(const struct answer *a, const char *text)
{
    int found = 0;
    for (const char *s = a->body.data; (s = strstr(s, text)) != NULL; s++)
        found++;
    return found;
}

/* Data of the first event of a type (new). */
static json_t *first(const struct answer *a, const char *type)
{
    char head[48];
    snprintf(head, sizeof(head), "\nevent: %s\ndata: ", type);
    const char *at = strstr(a->body.data, head);
    if (at == NULL) {
        fail_msg("no event %s", type);
        return NULL;
    }
    at += strlen(head);
    json_t *data = json_loadb(at, strcspn(at, "\n"), 0, NULL);
    assert_non_null(data);
    return data;
}

static void has(const struct answer *a, const char *type, const char *path)
{
    json_t *data = first(a, type);
    assert_non_null(at(data, path));
    json_decref(data);
}

static void all_kinds_are_told(void **state)
{
    struct fixture *f = *state;
    struct answer *s = get(f, "/sim/events");
    assert_int_equal(s->status, 200);
    assert_string_equal(s->content_type, "text/event-stream");
    fine(post(f, "/sim/users", "{\"first_name\":\"Bob\"}"));
    fine(post(f, "/sim/chats",
              "{\"type\":\"group\",\"title\":\"G\","
              "\"members\":[1001]}"));
    say(f);
    result(api(f, "sendMessage",
               "{\"chat_id\":1001,\"text\":\"x\",\"reply_markup\":{\"inline_"
               "keyboard\":[[{\"text\":\"A\",\"callback_data\":\"a\"}]]}}"));
    fine(post(f, "/sim/click", "{\"from\":1001,\"data\":\"a\"}"));
    result(
        api(f, "sendChatAction", "{\"chat_id\":1001,\"action\":\"typing\"}"));
    result(api(f, "setMyCommands",
               "{\"commands\":[{\"command\":\"a\","
               "\"description\":\"A\"}]}"));
    sim_notice(f->sim, "{\"kind\":\"reload\",\"generation\":2}");
    sim_notice(f->sim, "not JSON");
    loop_turn(f->loop);
    has(s, "user", "user.id");
    has(s, "chat", "chat.members");
    has(s, "message", "message.message_id");
    has(s, "update", "update.update_id");
    has(s, "call", "params.chat_id");
    has(s, "callback", "answered");
    has(s, "action", "action");
    has(s, "commands", "commands.0.command");
    has(s, "notice", "generation");
    has(s, "notice", "at");
    assert_int_equal(count(s, "event: notice"), 1);
}

static void changes_are_marked(void **state)
{
    struct fixture *f = *state;
    result(api(f, "sendMessage", "{\"chat_id\":1001,\"text\":\"x\"}"));
    struct answer *s = get(f, "/sim/events");
    result(api(f, "editMessageText",
               "{\"chat_id\":1001,\"message_id\":1,\"text\":\"new\"}"));
    loop_turn(f->loop);
    json_t *e = first(s, "message");
    assert_true(json_is_true(at(e, "edited")));
    assert_string_equal(text_at(e, "message.text"), "new");
    json_decref(e);
    struct answer *again = get(f, "/sim/events");
    result(api(f, "deleteMessage", "{\"chat_id\":1001,\"message_id\":1}"));
    loop_turn(f->loop);
    e = first(again, "message");
    assert_true(json_is_true(at(e, "deleted")));
    assert_true(json_is_true(at(e, "message.deleted")));
    json_decref(e);
    json_t *stored = fine(get(f, "/sim/chats/1001/messages"));
    assert_int_equal(json_array_size(stored), 0);
}

static void streams_resume(void **state)
{
    struct fixture *f = *state;
    struct answer *all = get(f, "/sim/events?after=0");
    say(f);
    say(f);
    loop_turn(f->loop);
    assert_int_equal(count(all, "event: user"), 1);
    assert_int_equal(count(all, "event: message"), 2);
    assert_int_equal(count(all, "event: gap"), 0);
    struct answer *some = get(f, "/sim/events?after=3");
    loop_turn(f->loop);
    assert_int_equal(count(some, "event: message"), 1);
    assert_non_null(strstr(some->body.data, "\n\nid: 4\n"));
    struct answer *none = get(f, "/sim/events");
    loop_turn(f->loop);
    assert_int_equal(count(none, "event:"), 0);
    refused(get(f, "/sim/events?after=x"), 400, "after: must be an integer");
}

static void lost_events_are_a_gap(void **state)
{
    struct fixture *f = *state;
    for (int i = 0; i < 1500; i++)
        say(f);
    struct answer *s = get(f, "/sim/events?after=5");
    loop_turn(f->loop);
    json_t *gap = first(s, "gap");
    assert_int_equal(int_at(gap, "from"), 6);
    assert_int_equal(int_at(gap, "to"), 1001);
    json_decref(gap);
    assert_int_equal(count(s, "\nid: "), 2001);
    /* A place from an earlier run of the simulator is one, too. */
    s = get(f, "/sim/events?after=99999");
    loop_turn(f->loop);
    assert_int_equal(count(s, "event: gap"), 1);
}

static void slow_readers_get_everything_later(void **state)
{
    struct fixture *f = *state;
    struct answer *s = get(f, "/sim/events");
    s->open->stream_room = 100;
    say(f);
    loop_turn(f->loop);
    assert_int_equal(count(s, "event:"), 0);
    s->open->stream_room = 1000000;
    clock_advance_to(&f->clock, clock_ns(&f->clock) + 100 * 1000000);
    loop_turn(f->loop);
    assert_int_equal(count(s, "event: message"), 1);
    assert_int_equal(count(s, "event: update"), 1);
}

static void silence_is_broken_by_comments(void **state)
{
    struct fixture *f = *state;
    struct answer *s = get(f, "/sim/events");
    for (int i = 0; i < 2; i++) {
        clock_advance_to(&f->clock,
                         clock_ns(&f->clock) + UINT64_C(15000) * 1000000);
        loop_turn(f->loop);
    }
    assert_int_equal(count(s, ": still here\n\n"), 2);
}

static void streams_end(void **state)
{
    struct fixture *f = *state;
    struct answer *left = get(f, "/sim/events");
    struct answer *stays = get(f, "/sim/events");
    hang_up(left);
    say(f);
    loop_turn(f->loop);
    assert_int_equal(count(left, "event:"), 0);
    assert_int_equal(count(stays, "event: message"), 1);
    sim_free(f->sim);
    assert_true(stays->ended);
    open_sim(f, NULL);
}

static void huge_events_become_a_gap(void **state)
{
    struct fixture *f = *state;
    struct answer *s = get(f, "/sim/events");
    struct buf b = {0};
    buf_puts(&b, "{\"chat_id\":1001,\"text\":\"x\",\"unknown\":\"");
    for (int i = 0; i < 200 * 1024; i++)
        buf_putc(&b, 'x');
    buf_puts(&b, "\"}");
    result(api(f, "sendMessage", b.data));
    buf_free(&b);
    loop_turn(f->loop);
    assert_int_equal(count(s, "event: gap"), 1);
    assert_int_equal(count(s, "event: call"), 0);
    assert_int_equal(json_array_size(fine(get(f, "/sim/calls"))), 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        SIM_TEST(all_kinds_are_told),
        SIM_TEST(changes_are_marked),
        SIM_TEST(streams_resume),
        SIM_TEST(lost_events_are_a_gap),
        SIM_TEST(slow_readers_get_everything_later),
        SIM_TEST(silence_is_broken_by_comments),
        SIM_TEST(streams_end),
        SIM_TEST(huge_events_become_a_gap),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
