#include "sim/control.h"

#include <math.h>

const struct control_field control_limits_fields[] = {
    {"per_second", FIELD_NUMBER, false},
    {"per_chat", FIELD_NUMBER, false},
    {"per_group_minute", FIELD_INTEGER, false},
    {"latent", FIELD_BOOLEAN, false},
    {"upload_max", FIELD_INTEGER, false},
    {"download_max", FIELD_INTEGER, false},
    {NULL, FIELD_STRING, false}};

#define RATE_MIN 0.001

static json_t *gate_view(const struct bot *bot, json_int_t chat, int64_t left)
{
    json_t *view = json_object();
    sim_set(view, "bot", json_integer(bot->id));
    sim_set(view, "chat", chat != 0 ? json_integer(chat) : json_null());
    sim_set(view, "retry_after", json_integer(left));
    return view;
}

static void add_gate(json_t *list, const struct sim *sim, const struct bot *bot,
                     json_int_t chat, const struct limit_gate *gate)
{
    int64_t now = (int64_t)loop_now_ms(sim->loop) * 1000;
    int64_t left = limits_blocked(&sim->limits, gate, now);
    if (left > 0)
        json_array_append_new(list, gate_view(bot, chat, left));
}

/* Who is refused now, and for how long. */
static json_t *refused_view(const struct sim *sim)
{
    json_t *list = json_array();
    for (size_t i = 0; i < sim->world.bots_count; i++) {
        const struct bot *bot = sim->world.bots[i];
        const struct map_slot *slot;
        size_t at = 0;
        add_gate(list, sim, bot, 0, &bot->limits.free);
        add_gate(list, sim, bot, 0, &bot->limits.paid);
        while ((slot = map_each(&bot->rooms, &at)) != NULL) {
            const struct room *room = slot->value;
            add_gate(list, sim, bot, room->chat->id, &room->limits.gate);
        }
    }
    return list;
}

static json_t *number(double value)
{
    double whole = floor(value);
    return whole == value ? json_integer((json_int_t)whole) : json_real(value);
}

static json_t *view(const struct sim *sim)
{
    const struct limit_rates *r = limits_rates(&sim->limits);
    json_t *view = json_object();
    sim_set(view, "per_second", number(r->per_second));
    sim_set(view, "per_chat", number(r->per_chat));
    sim_set(view, "per_group_minute", json_integer(r->per_group_minute));
    sim_set(view, "latent", json_boolean(r->latent));
    sim_set(view, "upload_max", json_integer(sim->archive.upload_max));
    sim_set(view, "download_max", json_integer(sim->archive.download_max));
    sim_set(view, "waiting", json_integer(sim->limits.waiting));
    sim_set(view, "refused", json_integer(sim->limits.refused));
    sim_set(view, "blocked", refused_view(sim));
    return view;
}

void control_show_limits(struct exchange *x, void *arg)
{
    struct control c = {.sim = arg, .x = x};
    control_reply(&c, view(c.sim));
}

/* A rate of the body; the default stays if it is not there. */
static bool read_rate(struct control *c, const char *key, double *rate)
{
    const json_t *value = json_object_get(c->body, key);
    if (value == NULL)
        return true;
    *rate = json_number_value(value);
    if (*rate == 0 || (*rate >= RATE_MIN && *rate <= LIMITS_RATE_MAX))
        return true;
    exchange_fail(c->x, 400, "%s: must be 0 (off) or %g to %d", key, RATE_MIN,
                  LIMITS_RATE_MAX);
    return false;
}

static bool read_group(struct control *c, int64_t *count)
{
    const json_t *value = json_object_get(c->body, "per_group_minute");
    if (value == NULL)
        return true;
    *count = json_integer_value(value);
    if (*count >= 0 && *count <= LIMITS_GROUP_MAX)
        return true;
    exchange_fail(c->x, 400, "per_group_minute: must be 0 (off) to %d",
                  LIMITS_GROUP_MAX);
    return false;
}

/* Bytes; stays as it is if it is not there. */
static bool read_bytes(struct control *c, const char *key, int64_t least,
                       int64_t *bytes)
{
    const json_t *value = json_object_get(c->body, key);
    if (value == NULL)
        return true;
    *bytes = json_integer_value(value);
    if (*bytes >= least && *bytes <= ARCHIVE_UPLOAD_MAX)
        return true;
    exchange_fail(c->x, 400, "%s: must be %lld to %lld bytes", key,
                  (long long)least, (long long)ARCHIVE_UPLOAD_MAX);
    return false;
}

void control_limits(struct control *c)
{
    struct archive *f = &c->sim->archive;
    int64_t upload_max = f->upload_max;
    int64_t download_max = f->download_max;
    struct limit_rates r = *limits_rates(&(struct limits){0});
    r.latent = json_is_true(json_object_get(c->body, "latent"));
    if (!read_rate(c, "per_second", &r.per_second) ||
        !read_rate(c, "per_chat", &r.per_chat) ||
        !read_group(c, &r.per_group_minute) ||
        !read_bytes(c, "upload_max", 1, &upload_max) ||
        !read_bytes(c, "download_max", 0, &download_max))
        return;
    f->upload_max = upload_max;
    f->download_max = download_max;
    limits_set(&c->sim->limits, &r);
    control_reply(c, view(c->sim));
}
