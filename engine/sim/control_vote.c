/* Votes of people in a bot's polls. */
#include "sim/control.h"

#include "sim/methods.h"
#include "sim/posting.h"

#include <stdio.h>
#include <string.h>

const struct control_field control_vote_fields[] = {
    {"from", FIELD_INTEGER, true},
    {"message_id", FIELD_INTEGER, true},
    {"options", FIELD_IDS, true}, /* indexes; none takes the vote back */
    {"chat", FIELD_INTEGER, false},
    {NULL, FIELD_STRING, false}};

/* NULL: an answer was sent. */
static struct message *poll_message(struct control *c, struct room *room)
{
    int64_t id = sim_int(c->body, "message_id");
    struct message *m = room_find(room, id);
    const json_t *poll = m != NULL ? json_object_get(m->json, "poll") : NULL;
    if (poll == NULL)
        exchange_fail(c->x, 404,
                      "message_id: chat %lld has no message %lld with a poll",
                      (long long)room->chat->id, (long long)id);
    else if (methods_poll_over(c->sim, room, m))
        exchange_fail(c->x, 400, "message_id: that poll is closed");
    else
        return m;
    return NULL;
}

/* Whether `at` is one of the first `count`. */
static bool is_among(const json_t *list, size_t count, json_int_t at)
{
    for (size_t i = 0; i < count; i++)
        if (json_integer_value(json_array_get(list, i)) == at)
            return true;
    return false;
}

/* False: an answer was sent. */
static bool may_vote(struct control *c, const struct message *m,
                     const char *voter)
{
    const json_t *poll = json_object_get(m->json, "poll");
    const json_t *wanted = json_object_get(c->body, "options");
    size_t count = json_array_size(json_object_get(poll, "options"));
    bool many = json_is_true(json_object_get(poll, "allows_multiple_answers"));
    if (!json_is_true(json_object_get(poll, "allows_revoting")) &&
        json_object_get(m->votes, voter) != NULL) {
        exchange_fail(c->x, 400,
                      "from: in this poll an answer stays (allows_revoting)");
        return false;
    }
    if (json_array_size(wanted) > (many ? count : 1)) {
        exchange_fail(c->x, 400, "options: the poll takes at most %zu",
                      many ? count : (size_t)1);
        return false;
    }
    for (size_t i = 0; i < json_array_size(wanted); i++) {
        json_int_t at = json_integer_value(json_array_get(wanted, i));
        bool is_there = at >= 0 && at < (json_int_t)count;
        if (is_there && !is_among(wanted, i, at))
            continue;
        exchange_fail(c->x, 400,
                      is_there ? "options: 0 to %zu, each once, not again %lld"
                               : "options: the poll has 0 to %zu, not %lld",
                      count - 1, (long long)at);
        return false;
    }
    return true;
}

static int votes_for(const json_t *votes, json_int_t option)
{
    const char *voter;
    json_t *chosen, *one;
    size_t i;
    int count = 0;
    json_object_foreach((json_t *)votes, voter, chosen)
    {
        json_array_foreach(chosen, i, one)
        {
            count += json_integer_value(one) == option;
        }
    }
    return count;
}

/* The message with the votes counted anew. */
static void count_votes(struct message *m)
{
    json_t *message = json_copy(m->json);
    json_t *poll = json_deep_copy(json_object_get(m->json, "poll"));
    size_t i;
    json_t *option;
    json_array_foreach(json_object_get(poll, "options"), i, option)
    {
        sim_set(option, "voter_count",
                json_integer(votes_for(m->votes, (json_int_t)i)));
    }
    sim_set(poll, "total_voter_count",
            json_integer((json_int_t)json_object_size(m->votes)));
    sim_set(message, "poll", poll);
    message_replace(m, message);
}

/* New. */
static json_t *persistent_ids(const struct control *c, const json_t *poll)
{
    const json_t *options = json_object_get(poll, "options");
    json_t *ids = json_array();
    size_t i;
    json_t *at;
    json_array_foreach(json_object_get(c->body, "options"), i, at)
    {
        const json_t *option =
            json_array_get(options, (size_t)json_integer_value(at));
        json_array_append(ids, json_object_get(option, "persistent_id"));
    }
    return ids;
}

/* The bot hears how the poll stands, and who it was if the poll is open. */
static void tell_bot(struct control *c, const struct user *user,
                     const struct room *room, const struct message *m)
{
    json_t *poll = json_object_get(m->json, "poll");
    struct queue *queue = &c->bot->queue;
    queue_push(queue, "poll", json_incref(poll), room->chat->id, false);
    if (json_is_true(json_object_get(poll, "is_anonymous")))
        return;
    json_t *answer = json_object();
    json_object_set(answer, "poll_id", json_object_get(poll, "id"));
    json_object_set(answer, "user", user->json);
    json_object_set(answer, "option_ids", json_object_get(c->body, "options"));
    sim_set(answer, "option_persistent_ids", persistent_ids(c, poll));
    queue_push(queue, "poll_answer", answer, room->chat->id, false);
}

void control_vote(struct control *c)
{
    char voter[24];
    const struct user *user = control_user(c, "from");
    struct room *room = user != NULL ? control_room_of(c, user) : NULL;
    if (room == NULL || !control_speaks(c, user, room))
        return;
    struct message *m = poll_message(c, room);
    snprintf(voter, sizeof(voter), "%lld", (long long)user->id);
    if (m == NULL || !may_vote(c, m, voter))
        return;
    json_t *wanted = json_object_get(c->body, "options");
    if (m->votes == NULL)
        m->votes = json_object();
    if (json_array_size(wanted) > 0)
        json_object_set(m->votes, voter, wanted);
    else
        json_object_del(m->votes, voter);
    count_votes(m);
    posting_tell_marks(c->sim, room, m);
    tell_bot(c, user, room, m);
    control_reply(c, message_view(m));
}
