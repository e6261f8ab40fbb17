#include "sim/sim.h"

#include "base/buf.h"
#include "base/mem.h"
#include "net/routes.h"
#include "sim/call.h"
#include "sim/control.h"
#include "sim/core.h"
#include "sim/receiving.h"
#include "sim/serving.h"

#include <stdlib.h>

double sim_now(const struct sim *sim)
{
    return (double)clock_unix_ms(loop_clock(sim->loop)) / 1000.0;
}

static int append(const char *data, size_t len, void *arg)
{
    buf_append(arg, data, len);
    return 0;
}

void sim_dump(const json_t *value, struct buf *out)
{
    json_dump_callback(value, append, out,
                       JSON_COMPACT | JSON_ENCODE_ANY |
                           JSON_REAL_PRECISION(15));
}

struct text *sim_text(json_t *value)
{
    struct buf b = {0};
    sim_dump(value, &b);
    json_decref(value);
    struct text *text = text_new(b.data, b.len);
    buf_free(&b);
    return text;
}

void sim_set(json_t *object, const char *key, json_t *value)
{
    json_object_set_new_nocheck(object, key, value);
}

int64_t sim_int(const json_t *object, const char *key)
{
    return json_integer_value(json_object_get(object, key));
}

struct sim *sim_new(struct loop *loop, const struct sim_options *o)
{
    struct sim *sim = MEM_NEW(struct sim);
    sim->loop = loop;
    sim->client = o->client;
    advance_init(sim, o);
    list_init(&sim->open);
    list_init(&sim->receiving);
    list_init(&sim->posts);
    archive_init(&sim->archive, sim);
    faults_init(&sim->faults);
    events_init(&sim->events, sim);
    calls_init(&sim->calls);
    if (o->token != NULL) {
        sim->token = mem_strdup(o->token);
        world_claim_bot(&sim->world, sim, strtoll(o->token, NULL, 10));
    }
    return sim;
}

void sim_free(struct sim *sim)
{
    advance_free(sim);
    calls_abort(sim);
    receivings_abort(sim);
    control_abort(sim);
    events_free(&sim->events);
    world_free(&sim->world);
    faults_clear(&sim->faults, 0);
    calls_free(&sim->calls);
    archive_free(&sim->archive);
    free(sim->token);
    free(sim);
}

void sim_mount(struct sim *sim, struct routes *routes)
{
    routes_add_streamed(routes, NULL, "/bot*", call_receive, sim);
    routes_add_streamed(routes, NULL, "/bot*/**", call_receive, sim);
    routes_add(routes, "GET", "/file/bot*/**", serving_receive, sim);
    control_mount(sim, routes);
}

static json_t *person(int64_t id, const char *name, const char *username)
{
    json_t *user = json_object();
    sim_set(user, "id", json_integer(id));
    sim_set(user, "is_bot", json_false());
    sim_set(user, "first_name", json_string(name));
    sim_set(user, "username", json_string(username));
    sim_set(user, "language_code", json_string("en"));
    return user;
}

void sim_demo_world(struct sim *sim)
{
    static const int64_t members[] = {5000000001, 5000000002};
    struct world *w = &sim->world;
    json_t *team = json_object();
    world_add_user(w, person(members[0], "Ann", "ann_demo"), true);
    world_add_user(w, person(members[1], "Bob", "bob_demo"), true);
    sim_set(team, "id", json_integer(world_free_chat_id(w, CHAT_SUPERGROUP)));
    sim_set(team, "title", json_string("Team"));
    sim_set(team, "type", json_string("supergroup"));
    struct chat *chat = world_add_chat(w, team, CHAT_SUPERGROUP, members, 2);
    chat_set_rank(chat, members[0], RANK_ADMIN); /* Ann made it */
}

void sim_notice(struct sim *sim, const char *json)
{
    json_t *notice = json_loads(json, 0, NULL);
    if (json_is_object(notice)) {
        sim_set(notice, "at", json_real(sim_now(sim)));
        events_emit(&sim->events, "notice", sim_text(json_incref(notice)));
    }
    json_decref(notice);
}

void sim_listen(struct sim *sim,
                void (*heard)(void *arg, const char *type, const char *json,
                              size_t len),
                void *arg)
{
    sim->events.listener = heard;
    sim->events.listener_arg = arg;
}
