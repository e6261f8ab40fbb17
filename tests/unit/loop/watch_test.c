#include "fixture.h"

#include "base/mem.h"
#include "loop/watch.h"

#include <fcntl.h>
#include <ftw.h>
#include <pthread.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <time.h>

#define QUIET_MS 100

/* inotify queues an event before the system call that caused it returns, so
 * on a virtual clock a few turns see all there is and nothing is timed. */
struct site {
    struct world world;
    char dir[64];
    struct watch *watch;
    int changes;
};

static void on_change(void *arg)
{
    struct site *s = arg;
    s->changes++;
    if (!s->world.clock.is_virtual)
        loop_stop(s->world.loop);
}

static const char *path_of(const struct site *s, const char *name)
{
    static char path[1024];
    snprintf(path, sizeof(path), "%s/%s", s->dir, name);
    return path;
}

static void make_folder(struct site *s, const char *name)
{
    assert_int_equal(mkdir(path_of(s, name), 0700), 0);
}

static void save(struct site *s, const char *name)
{
    int fd = open(path_of(s, name), O_WRONLY | O_CREAT | O_APPEND, 0600);
    assert_true(fd >= 0);
    assert_int_equal(write(fd, "x", 1), 1);
    close(fd);
}

static void move(struct site *s, const char *from, const char *to)
{
    char *old = mem_strdup(path_of(s, from));
    assert_int_equal(rename(old, path_of(s, to)), 0);
    free(old);
}

static void turns(struct site *s)
{
    for (int i = 0; i < 8; i++)
        loop_turn(s->world.loop);
}

static void pass(struct site *s, uint64_t ms)
{
    turns(s);
    clock_advance_to(&s->world.clock, clock_ns(&s->world.clock) + ms * 1000000);
    turns(s);
}

/* How many changes are told when all is quiet again. */
static int told(struct site *s)
{
    int changes;

    pass(s, QUIET_MS);
    pass(s, QUIET_MS);
    changes = s->changes;
    s->changes = 0;
    return changes;
}

static void site_open(struct site *s, bool is_virtual)
{
    struct err e;

    memset(s, 0, sizeof(*s));
    world_open(&s->world, is_virtual);
    snprintf(s->dir, sizeof(s->dir), "/tmp/moonlet-watch-XXXXXX");
    assert_non_null(mkdtemp(s->dir));
    make_folder(s, "sub");
    save(s, "main.lua");
    s->watch = watch_new(s->world.loop, s->dir, path_of(s, "data"), QUIET_MS,
                         on_change, s, &e);
    assert_non_null(s->watch);
    if (is_virtual)
        turns(s);
}

static int remove_one(const char *path, const struct stat *st, int flag,
                      struct FTW *ftw)
{
    (void)st;
    (void)flag;
    (void)ftw;
    return remove(path);
}

static void remove_tree(const char *path)
{
    assert_int_equal(nftw(path, remove_one, 16, FTW_DEPTH | FTW_PHYS), 0);
}

static void site_close(struct site *s)
{
    if (s->watch)
        watch_free(s->watch);
    world_close(&s->world);
    remove_tree(s->dir);
}

static void a_save_is_told_once_it_is_quiet(void **state)
{
    struct site s;
    (void)state;

    site_open(&s, true);
    assert_int_equal(told(&s), 0);
    save(&s, "main.lua");
    pass(&s, QUIET_MS - 1);
    assert_int_equal(s.changes, 0);
    save(&s, "sub/a.lua");
    pass(&s, QUIET_MS - 1);
    assert_int_equal(s.changes, 0);
    pass(&s, 1);
    assert_int_equal(s.changes, 1);
    assert_int_equal(told(&s), 1);
    assert_int_equal(told(&s), 0);
    site_close(&s);
}

/* Someone writes into the folder all the time. */
static void changes_without_an_end_are_told_now_and_then(void **state)
{
    struct site s;
    (void)state;

    site_open(&s, true);
    assert_int_equal(told(&s), 0);
    for (int i = 0; i < 19; i++) {
        save(&s, "main.lua");
        pass(&s, QUIET_MS / 2);
    }
    save(&s, "main.lua");
    pass(&s, QUIET_MS / 2 - 1);
    assert_int_equal(s.changes, 0);
    pass(&s, 1);
    assert_int_equal(s.changes, 1);
    save(&s, "main.lua");
    pass(&s, QUIET_MS - 1);
    assert_int_equal(s.changes, 1);
    pass(&s, 1);
    assert_int_equal(s.changes, 2);
    site_close(&s);
}

static void hidden_names_and_backups_are_ignored(void **state)
{
    struct site s;
    (void)state;

    site_open(&s, true);
    save(&s, ".main.lua.swp");
    save(&s, "main.lua~");
    save(&s, "sub/.x");
    make_folder(&s, ".git");
    make_folder(&s, "old~");
    assert_int_equal(told(&s), 0);
    save(&s, ".git/index");
    save(&s, "old~/main.lua");
    assert_int_equal(told(&s), 0);
    save(&s, "x~y.lua");
    assert_int_equal(told(&s), 1);
    site_close(&s);
}

static void what_is_no_script_is_no_change(void **state)
{
    struct site s;
    (void)state;

    site_open(&s, true);
    save(&s, "run.log");
    save(&s, "sub/lua");
    move(&s, "run.log", "run.log.1");
    assert_int_equal(unlink(path_of(&s, "run.log.1")), 0);
    assert_int_equal(told(&s), 0);
    save(&s, "sub/en.json");
    assert_int_equal(told(&s), 1);
    save(&s, "sub/0001_first.sql");
    assert_int_equal(told(&s), 1);
    site_close(&s);
}

static void a_folder_may_be_left_out(void **state)
{
    struct site s;
    (void)state;

    site_open(&s, true);
    make_folder(&s, "data");
    make_folder(&s, "data/files");
    assert_int_equal(told(&s), 0);
    save(&s, "data/files/kept.json");
    save(&s, "data/x.lua");
    assert_int_equal(told(&s), 0);
    make_folder(&s, "sub/data");
    assert_int_equal(told(&s), 1);
    save(&s, "sub/data/x.lua");
    assert_int_equal(told(&s), 1);
    site_close(&s);
}

static void a_save_by_rename_is_seen(void **state)
{
    struct site s;
    (void)state;

    site_open(&s, true);
    save(&s, ".tmp");
    assert_int_equal(told(&s), 0);
    for (int i = 0; i < 3; i++) {
        save(&s, ".tmp");
        move(&s, ".tmp", "main.lua");
        assert_int_equal(told(&s), 1);
    }
    assert_int_equal(unlink(path_of(&s, "main.lua")), 0);
    assert_int_equal(told(&s), 1);
    site_close(&s);
}

static void new_folders_are_watched_with_all_below(void **state)
{
    struct site s;
    (void)state;

    site_open(&s, true);
    make_folder(&s, "a");
    make_folder(&s, "a/b");
    make_folder(&s, "a/b/c");
    assert_int_equal(told(&s), 1);
    save(&s, "a/b/c/x.lua");
    assert_int_equal(told(&s), 1);
    save(&s, "a/x.lua");
    assert_int_equal(told(&s), 1);
    site_close(&s);
}

static void make_crowd(struct site *s, int count)
{
    char name[32];

    for (int i = 0; i < count; i++) {
        snprintf(name, sizeof(name), "sub/%d", i);
        make_folder(s, name);
    }
}

#define CHAIN_DEPTH 300
#define CHAIN_NS 100000 /* a scan of the crowd beside it takes longer */

static void *make_chain(void *arg)
{
    char path[1024];
    int len = snprintf(path, sizeof(path), "%s", (const char *)arg);

    for (int i = 0; i < CHAIN_DEPTH; i++) {
        len += snprintf(path + len, sizeof(path) - (size_t)len, "/d");
        if (mkdir(path, 0700) != 0)
            return NULL;
        nanosleep(&(struct timespec){.tv_nsec = CHAIN_NS}, NULL);
    }
    return arg;
}

/* One comes between the reading of its parent and the watch on it. */
static void folders_made_during_a_scan_are_found(void **state)
{
    struct site s;
    char path[1024] = "d";
    pthread_t maker;
    void *made;
    (void)state;

    site_open(&s, true);
    make_crowd(&s, 500);
    told(&s);
    pthread_create(&maker, NULL, make_chain, s.dir);
    while (pthread_tryjoin_np(maker, &made) != 0)
        loop_turn(s.world.loop);
    assert_non_null(made);
    told(&s);
    for (int i = 1; i < CHAIN_DEPTH; i++)
        strcat(path, "/d");
    strcat(path, "/x.lua");
    save(&s, path);
    assert_int_equal(told(&s), 1);
    site_close(&s);
}

/* The path is the same, the folder is not. */
static void a_folder_that_is_replaced_is_watched_anew(void **state)
{
    struct site s;
    (void)state;

    site_open(&s, true);
    assert_int_equal(rmdir(path_of(&s, "sub")), 0);
    make_folder(&s, "sub");
    assert_int_equal(told(&s), 1);
    save(&s, "sub/x.lua");
    assert_int_equal(told(&s), 1);
    make_folder(&s, "sub/deep");
    assert_int_equal(told(&s), 1);
    move(&s, "sub", "moved");
    make_folder(&s, "sub");
    make_folder(&s, "sub/deep");
    assert_int_equal(told(&s), 1);
    save(&s, "sub/deep/x.lua");
    assert_int_equal(told(&s), 1);
    save(&s, "moved/deep/x.lua");
    assert_int_equal(told(&s), 1);
    site_close(&s);
}

static void a_folder_moved_away_is_no_longer_watched(void **state)
{
    struct site s;
    char *away;
    (void)state;

    site_open(&s, true);
    away = mem_printf("%s.away", s.dir);
    assert_int_equal(rename(path_of(&s, "sub"), away), 0);
    assert_int_equal(told(&s), 1);
    assert_int_equal(rename(away, path_of(&s, ".sub")), 0);
    save(&s, ".sub/x.lua");
    assert_int_equal(told(&s), 0);
    site_close(&s);
    free(away);
}

static void links_to_folders_are_not_followed(void **state)
{
    struct site s;
    (void)state;

    site_open(&s, true);
    assert_int_equal(symlink("..", path_of(&s, "sub/up")), 0);
    assert_int_equal(told(&s), 0);
    save(&s, "main.lua");
    assert_int_equal(told(&s), 1);
    assert_int_equal(world_logged(&s.world, "watch.incomplete"), 0);
    site_close(&s);
}

static void a_root_that_comes_back_is_watched_again(void **state)
{
    struct site s;
    (void)state;

    site_open(&s, true);
    remove_tree(s.dir);
    for (int i = 0; i < 20; i++)
        assert_int_equal(told(&s), 0);
    assert_int_equal(world_logged(&s.world, "watch.lost"), 1);
    assert_int_equal(mkdir(s.dir, 0700), 0);
    make_folder(&s, "sub");
    pass(&s, 1000);
    assert_int_equal(told(&s), 1);
    save(&s, "sub/x.lua");
    assert_int_equal(told(&s), 1);
    remove_tree(s.dir);
    assert_int_equal(told(&s), 0);
    assert_int_equal(world_logged(&s.world, "watch.lost"), 2);
    assert_int_equal(mkdir(s.dir, 0700), 0);
    pass(&s, 1000);
    site_close(&s);
}

static void a_root_that_is_replaced_is_watched_again(void **state)
{
    struct site s;
    char *old;
    (void)state;

    site_open(&s, true);
    old = mem_printf("%s.old", s.dir);
    assert_int_equal(rename(s.dir, old), 0);
    assert_int_equal(mkdir(s.dir, 0700), 0);
    assert_int_equal(told(&s), 1);
    save(&s, "main.lua");
    assert_int_equal(told(&s), 1);
    assert_int_equal(world_logged(&s.world, "watch.lost"), 0);
    site_close(&s);
    remove_tree(old);
    free(old);
}

static void too_many_folders_are_a_warning_not_an_end(void **state)
{
    struct site s;
    (void)state;

    site_open(&s, true);
    make_crowd(&s, 1010);
    assert_int_equal(told(&s), 1);
    make_folder(&s, "one_more");
    assert_int_equal(told(&s), 1);
    assert_int_equal(world_logged(&s.world, "watch.incomplete"), 1);
    assert_int_equal(world_logged(&s.world, "limit=1000"), 1);
    save(&s, "main.lua");
    assert_int_equal(told(&s), 1);
    site_close(&s);
}

static void a_folder_that_is_not_there_is_an_error(void **state)
{
    struct world w;
    struct err e;
    (void)state;

    world_open(&w, false);
    assert_null(
        watch_new(w.loop, "/nonexistent/bot", NULL, 10, on_change, NULL, &e));
    assert_int_equal(e.code, ERR_IO);
    assert_non_null(strstr(e.message, "/nonexistent/bot"));
    assert_null(watch_new(w.loop, "/dev/null", NULL, 10, on_change, NULL, &e));
    assert_int_equal(e.code, ERR_IO);
    world_close(&w);
}

static void slashes_at_the_end_do_not_matter(void **state)
{
    struct site s;
    struct err e;
    char *slashed;
    (void)state;

    site_open(&s, true);
    watch_free(s.watch);
    slashed = mem_printf("%s//", s.dir);
    s.watch =
        watch_new(s.world.loop, slashed, NULL, QUIET_MS, on_change, &s, &e);
    assert_non_null(s.watch);
    free(slashed);
    remove_tree(s.dir);
    assert_int_equal(told(&s), 0);
    assert_int_equal(mkdir(s.dir, 0700), 0);
    pass(&s, 1000);
    assert_int_equal(told(&s), 1);
    site_close(&s);
}

static void no_change_is_told_after_the_free(void **state)
{
    struct site s;
    (void)state;

    site_open(&s, true);
    make_folder(&s, "new");
    loop_turn(s.world.loop); /* a scan is deferred, the timer runs */
    watch_free(s.watch);
    s.watch = NULL;
    assert_int_equal(told(&s), 0);
    site_close(&s);
}

static void change_and_free(void *arg)
{
    struct site *s = arg;
    s->changes++;
    watch_free(s->watch);
    s->watch = NULL;
}

static void the_callback_may_free_the_watch(void **state)
{
    struct site s;
    struct err e;
    (void)state;

    site_open(&s, true);
    watch_free(s.watch);
    s.watch =
        watch_new(s.world.loop, s.dir, NULL, QUIET_MS, change_and_free, &s, &e);
    save(&s, "main.lua");
    turns(&s);
    loop_run(s.world.loop);
    assert_int_equal(s.changes, 1);
    assert_null(s.watch);
    site_close(&s);
}

/* On the real clock the tree is read on the pool. */
static void it_works_on_the_real_clock(void **state)
{
    struct site s;
    (void)state;

    site_open(&s, false);
    save(&s, "main.lua");
    loop_run(s.world.loop);
    assert_int_equal(s.changes, 1);
    make_folder(&s, "a");
    make_folder(&s, "a/b");
    loop_run(s.world.loop);
    assert_int_equal(s.changes, 2);
    save(&s, "a/b/x.lua");
    loop_run(s.world.loop);
    assert_int_equal(s.changes, 3);
    site_close(&s);

    site_open(&s, false); /* closes with a scan on its way */
    site_close(&s);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_save_is_told_once_it_is_quiet),
        cmocka_unit_test(changes_without_an_end_are_told_now_and_then),
        cmocka_unit_test(hidden_names_and_backups_are_ignored),
        cmocka_unit_test(what_is_no_script_is_no_change),
        cmocka_unit_test(a_folder_may_be_left_out),
        cmocka_unit_test(a_save_by_rename_is_seen),
        cmocka_unit_test(new_folders_are_watched_with_all_below),
        cmocka_unit_test(folders_made_during_a_scan_are_found),
        cmocka_unit_test(a_folder_that_is_replaced_is_watched_anew),
        cmocka_unit_test(a_folder_moved_away_is_no_longer_watched),
        cmocka_unit_test(links_to_folders_are_not_followed),
        cmocka_unit_test(a_root_that_comes_back_is_watched_again),
        cmocka_unit_test(a_root_that_is_replaced_is_watched_again),
        cmocka_unit_test(too_many_folders_are_a_warning_not_an_end),
        cmocka_unit_test(a_folder_that_is_not_there_is_an_error),
        cmocka_unit_test(slashes_at_the_end_do_not_matter),
        cmocka_unit_test(no_change_is_told_after_the_free),
        cmocka_unit_test(the_callback_may_free_the_watch),
        cmocka_unit_test(it_works_on_the_real_clock),
    };
    return FIXTURE_RUN(tests);
}
