#include "cli/world.h"

#include "base/clock.h"
#include "base/list.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/rng.h"
#include "cli/engine.h"
#include "cli/folder.h"
#include "cli/library.h"
#include "cli/settings.h"
#include "cli/sweeper.h"
#include "loop/loop.h"
#include "net/http_client.h"
#include "net/routes.h"
#include "sim/sim.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

/* A day like others: 2026-01-05, a Monday, 09:00 UTC. */
#define EPOCH_UNIX_MS INT64_C(1767603600000)
#define TRAVEL_MAX_MS 20
#define STOP_MARGIN_MS 10000
#define LOG_SHOWN_MAX (256u * 1024)
#define SETTINGS_MAX 80 /* 60 of a case, and our own */
#define NS_PER_MS 1000000u

struct worlds {
    char *config_path;
    char *folder; /* of all data */
    struct sweeper sweeper;
    int log_fd;
    bool log_is_ours;
    struct vm_source *library;
    struct coverage *coverage;
    struct buf shown; /* of the log */
};

struct world {
    struct test_world face; /* first member */
    struct worlds *all;
    struct clock clock;
    struct rng rng;
    struct log *log;
    off_t log_from;        /* what was there before is of other worlds */
    struct routes *routes; /* of the simulator */
    struct http_client *telegram;
    struct http_client *hooks; /* by which the simulator delivers */
    struct engine_home home;
    struct engine *engine; /* NULL: it does not run */
    char *data;
    char *bot;
    struct config_fixed settings[SETTINGS_MAX]; /* texts are owned */
};

static struct world *world_of(struct test_world *w)
{
    return (struct world *)(void *)w;
}

static void on_notice(void *arg, const char *json)
{
    struct world *w = arg;
    sim_notice(w->face.sim, json);
}

/* --- settings of the engine */

static void set(struct world *w, const char *name, const char *value)
{
    size_t i = 0;
    while (w->settings[i].name && strcmp(w->settings[i].name, name) != 0)
        i++;
    if (i + 1 >= SETTINGS_MAX)
        return;
    free((char *)w->settings[i].value);
    if (!w->settings[i].name)
        w->settings[i].name = mem_strdup(name);
    w->settings[i].value = mem_strdup(value);
}

static void collect_settings(struct world *w,
                             const struct test_world_options *o)
{
    set(w, "LOG_LEVEL", "debug");
    set(w, "LOG_FORMAT", "json");
    if (o->webhook) {
        set(w, "WEBHOOK_URL", "http://bot/webhook");
        set(w, "WEBHOOK_SECRET", "of-the-test");
    }
    for (const struct config_fixed *row = o->settings; row->name; row++)
        set(w, row->name, row->value);
    set(w, "DATA_DIR", w->data);
}

static int check_names(const struct world *w, const struct config *c,
                       struct err *e)
{
    for (const struct config_fixed *row = w->settings; row->name; row++) {
        if (config_origin(c, row->name))
            continue;
        const char *near = config_nearest(row->name);
        return err_set(e, ERR_CONFIG, 0, "there is no setting %s%s%s",
                       row->name, near ? ": did you mean " : "",
                       near ? near : "");
    }
    return 0;
}

static int load_settings(struct world *w, struct settings *s, struct err *e)
{
    if (settings_load_fixed(s, w->all->config_path, w->bot, w->settings, e) !=
        0)
        return e->code;
    if (check_names(w, &s->config, e) == 0 && settings_check_run(s, e) == 0)
        return 0;
    settings_free(s);
    return e->code;
}

/* --- the engine's life */

static void join_up(struct world *w)
{
    struct engine *e = w->engine;
    http_direct_connect(w->hooks, e ? engine_routes(e) : NULL);
    http_direct_connect(w->face.web, e ? engine_routes(e) : NULL);
    http_direct_connect(w->face.engine, e ? engine_control_routes(e) : NULL);
}

static int world_start(struct test_world *face, struct err *e)
{
    struct world *w = world_of(face);
    struct settings settings;
    const struct engine_start start = {.home = &w->home};
    if (w->engine)
        return err_set(e, ERR_MISUSE, 0, "it runs already");
    if (load_settings(w, &settings, e) != 0)
        return e->code;
    w->engine = engine_new(&settings, &start, e);
    if (!w->engine) {
        settings_free(&settings);
        return e->code;
    }
    join_up(w);
    engine_begin(w->engine);
    return 0;
}

static void world_kill(struct test_world *face)
{
    struct world *w = world_of(face);
    struct engine *e = w->engine;
    if (!e)
        return;
    w->engine = NULL;
    engine_kill(e);
    join_up(w);
}

static void world_stop(struct test_world *face)
{
    struct world *w = world_of(face);
    struct engine *e = w->engine;
    if (!e)
        return;
    engine_stop(e);
    uint64_t until = clock_ns(&w->clock) +
                     (uint64_t)STOP_MARGIN_MS * NS_PER_MS +
                     engine_shutdown_ms(e) * NS_PER_MS;
    while (!engine_ended(e) && loop_step(face->loop, until))
        ;
    w->engine = NULL;
    engine_free(e);
    join_up(w);
}

/* --- the world */

static void free_settings(struct world *w)
{
    for (struct config_fixed *row = w->settings; row->name; row++) {
        free((char *)row->name);
        free((char *)row->value);
    }
}

static void world_close(struct test_world *face)
{
    struct world *w = world_of(face);
    world_kill(face);
    http_client_free(w->telegram);
    http_client_free(w->home.web);
    http_client_free(face->control);
    http_client_free(face->engine);
    http_client_free(face->web);
    sim_free(face->sim);
    http_client_free(w->hooks);
    loop_free(face->loop);
    routes_free(w->routes);
    log_free(w->log);
    folder_remove(w->data);
    free_settings(w);
    free(w->data);
    free(w->bot);
    free(w);
}

static void open_sim(struct world *w)
{
    struct loop *loop = w->face.loop;
    w->hooks = http_client_new_direct(loop, NULL);
    const struct sim_options options = {.token = "1:PLAY", .client = w->hooks};
    w->face.sim = sim_new(loop, &options);
    w->routes = routes_new();
    sim_mount(w->face.sim, w->routes);
    w->telegram = http_client_new_direct(loop, w->routes);
    http_direct_travel(w->telegram, TRAVEL_MAX_MS);
    http_direct_travel(w->hooks, TRAVEL_MAX_MS);
    w->face.control = http_client_new_direct(loop, w->routes);
    w->face.engine = http_client_new_direct(loop, NULL);
    w->face.web = http_client_new_direct(loop, NULL);
}

static void open_base(struct world *w, uint64_t seed)
{
    clock_init_virtual(&w->clock, EPOCH_UNIX_MS);
    rng_seed(&w->rng, seed);
    w->log = log_new(w->all->log_fd, LOG_DEBUG, LOG_JSON, &w->clock);
    log_hide(w->log, w->all->folder); /* its name has chance in it */
    w->face.loop = loop_new(&w->clock, w->log, &w->rng);
    w->home = (struct engine_home){
        .clock = &w->clock,
        .rng = &w->rng,
        .log = w->log,
        .loop = w->face.loop,
        .library = w->all->library,
        .notice = on_notice,
        .arg = w,
    };
}

static int open_folders(struct world *w, const struct test_world_options *o,
                        struct err *e)
{
    w->data = mem_printf("%s/data", w->all->folder);
    if (!o->copy && !o->main) {
        w->bot = mem_strdup(o->bot);
        w->home.coverage = w->all->coverage; /* not of what specs write */
        w->home.coverage_folder = w->bot;
        return 0;
    }
    w->bot = mem_printf("%s/bot", w->data);
    if (folder_make(w->data, e) != 0)
        return e->code;
    if (!o->main)
        return folder_copy(o->bot, w->bot, e);
    if (folder_make(w->bot, e) != 0)
        return e->code;
    return folder_write(w->bot, "main.lua", o->main, strlen(o->main), e);
}

static struct test_world *
world_open(void *arg, const struct test_world_options *o, struct err *e)
{
    struct world *w = MEM_NEW(struct world);
    w->all = arg;
    if (w->all->log_is_ours)
        (void)!ftruncate(w->all->log_fd, 0);
    off_t end = lseek(w->all->log_fd, 0, SEEK_END);
    w->log_from = end > 0 ? end : 0;
    open_base(w, o->seed);
    open_sim(w);
    w->home.telegram = w->telegram;
    w->home.web =
        http_client_new_scripted(w->face.loop, o->teller, o->teller_arg);
    if (open_folders(w, o, e) != 0) {
        world_close(&w->face);
        return NULL;
    }
    collect_settings(w, o);
    return &w->face;
}

static const char *world_log(struct test_world *face, size_t *len)
{
    struct worlds *all = world_of(face)->all;
    off_t end = lseek(all->log_fd, 0, SEEK_END);
    off_t from = world_of(face)->log_from;
    if (end - from > (off_t)LOG_SHOWN_MAX)
        from = end - (off_t)LOG_SHOWN_MAX;
    buf_clear(&all->shown);
    buf_reserve(&all->shown, LOG_SHOWN_MAX);
    ssize_t n = pread(all->log_fd, all->shown.data, LOG_SHOWN_MAX, from);
    *len = n > 0 ? (size_t)n : 0;
    return all->shown.data;
}

static int world_write(struct test_world *face, const char *name,
                       const char *text, size_t len, struct err *e)
{
    struct world *w = world_of(face);
    if (strncmp(w->bot, w->data, strlen(w->data)) != 0)
        return err_set(e, ERR_MISUSE, 0,
                       "only a copy of the bot may be written to: give the "
                       "case the option copy = true");
    return folder_write(w->bot, name, text, len, e);
}

struct test_composer worlds_composer(struct worlds *worlds)
{
    return (struct test_composer){
        .arg = worlds,
        .open = world_open,
        .close = world_close,
        .start = world_start,
        .stop = world_stop,
        .kill = world_kill,
        .log = world_log,
        .write = world_write,
    };
}

/* Memory is quick, and a sync costs nothing there. */
static char *make_folder(struct sweeper *sweeper, struct err *e)
{
    const char *tmp = getenv("TMPDIR");
    const char *places[] = {"/dev/shm", tmp && *tmp ? tmp : "/tmp"};
    for (size_t i = 0; i < sizeof places / sizeof *places; i++) {
        char *name = mem_printf("%s/moonlet-test-XXXXXX", places[i]);
        if (mkdtemp(name) && sweeper_start(sweeper, name, e) == 0)
            return name;
        int code = errno;
        rmdir(name);
        free(name);
        errno = code;
    }
    err_errno(e, errno, "no place for the data of the tests in %s", places[1]);
    return NULL;
}

struct worlds *worlds_new(const char *config_path, int log_fd,
                          struct coverage *coverage, struct err *e)
{
    struct worlds *all = MEM_NEW(struct worlds);
    all->folder = make_folder(&all->sweeper, e);
    all->log_is_ours = log_fd < 0;
    all->log_fd = log_fd < 0 ? memfd_create("log", MFD_CLOEXEC) : log_fd;
    all->library = library_compiled();
    all->coverage = coverage;
    if (all->folder && all->log_fd < 0)
        err_errno(e, errno, "no memory for the log");
    if (config_path)
        all->config_path = mem_strdup(config_path);
    if (all->folder && all->log_fd >= 0)
        return all;
    worlds_free(all);
    return NULL;
}

void worlds_free(struct worlds *all)
{
    if (all->folder)
        sweeper_end(&all->sweeper);
    if (all->log_is_ours && all->log_fd >= 0)
        close(all->log_fd);
    buf_free(&all->shown);
    free(all->library);
    free(all->config_path);
    free(all->folder);
    free(all);
}
