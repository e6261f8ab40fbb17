#include "fixture.h"

#include "store/sqlite.h"

#include <signal.h>
#include <sqlite3.h>
#include <sys/resource.h>
#include <sys/stat.h>

static const char *const schema[] = {
    "CREATE TABLE IF NOT EXISTS t(id INTEGER PRIMARY KEY, v TEXT);"
    "CREATE TABLE IF NOT EXISTS child(parent INTEGER REFERENCES t(id)"
    "  DEFERRABLE INITIALLY DEFERRED)"};

/* A request that runs one SQL text and notes what it saw. */
struct probe {
    struct sqlite_request request;
    struct world *world;
    const char *sql;
    bool fails; /* run returns an error after the SQL */
    bool done;
    bool dropped;
    int synchronous; /* as it was when run was called */
};

static int read_number(struct sqlite3 *db, const char *sql)
{
    struct sqlite3_stmt *s;
    assert_int_equal(sqlite3_prepare_v2(db, sql, -1, &s, NULL), SQLITE_OK);
    assert_int_equal(sqlite3_step(s), SQLITE_ROW);
    int n = sqlite3_column_int(s, 0);
    sqlite3_finalize(s);
    return n;
}

static int run_probe(struct sqlite_request *r, struct sqlite_writer *w)
{
    struct probe *p = LIST_ENTRY(r, struct probe, request);
    p->synchronous = read_number(sqlite_handle(w), "PRAGMA synchronous");
    if (sqlite3_exec(sqlite_handle(w), p->sql, NULL, NULL, NULL))
        return sqlite_error(w, &r->result, "probe");
    if (p->fails)
        return err_set(&r->result, ERR_LIMIT, 0, "on purpose");
    return 0;
}

static void probe_done(struct strand_job *job)
{
    struct probe *p = LIST_ENTRY(job, struct probe, request.job);
    p->done = true;
    loop_stop(p->world->loop);
}

static void drop_probe(struct sqlite_request *r)
{
    LIST_ENTRY(r, struct probe, request)->dropped = true;
}

static struct probe probe_new(struct world *w, const char *sql)
{
    return (struct probe){.request.run = run_probe,
                          .request.job.done = probe_done,
                          .world = w,
                          .sql = sql};
}

static struct sqlite_writer *open_writer(struct world *w)
{
    struct err e;
    char path[128];
    world_path(w, "x.db", path);
    struct sqlite_writer *writer =
        sqlite_writer_open(w->loop, path, schema, 1, &e);
    assert_non_null(writer);
    return writer;
}

/* Runs a query on the file of a closed writer. */
static int query_file(struct world *w, const char *sql)
{
    sqlite3 *db;
    char path[128];
    world_path(w, "x.db", path);
    assert_int_equal(sqlite3_open(path, &db), SQLITE_OK);
    int n = read_number(db, sql);
    sqlite3_close(db);
    return n;
}

static off_t file_size(struct world *w, const char *name)
{
    struct stat st;
    char path[128];
    world_path(w, name, path);
    return stat(path, &st) == 0 ? st.st_size : -1;
}

static int setup_clock(void **state, bool virtual)
{
    struct world *w = MEM_NEW(struct world);
    world_make_folder(w);
    world_open_loop(w, virtual);
    *state = w;
    return 0;
}

static int setup(void **state)
{
    return setup_clock(state, true);
}

static int setup_threads(void **state)
{
    return setup_clock(state, false);
}

static int teardown(void **state)
{
    struct world *w = *state;
    world_close_loop(w);
    world_remove_folder(w);
    free(w);
    return 0;
}

static void request_is_committed_when_done(void **state)
{
    struct world *w = *state;
    struct sqlite_writer *writer = open_writer(w);
    struct probe p = probe_new(w, "INSERT INTO t(v) VALUES('a')");
    sqlite_submit(writer, &p.request);
    assert_false(p.done);
    assert_int_equal(sqlite_waiting(writer), 1);
    world_wait(w, &p.done);
    assert_int_equal(p.request.result.code, ERR_OK);
    assert_int_equal(sqlite_waiting(writer), 0);
    assert_int_equal(query_file(w, "SELECT count(*) FROM t"), 1);
    sqlite_writer_close(writer);
}

static void durable_makes_the_batch_full(void **state)
{
    struct world *w = *state;
    struct sqlite_writer *writer = open_writer(w);
    struct probe a = probe_new(w, "INSERT INTO t(v) VALUES('a')");
    struct probe b = a, c = a;
    b.request.durable = true;
    sqlite_submit(writer, &a.request);
    sqlite_submit(writer, &b.request);
    world_wait(w, &b.done);
    assert_int_equal(a.synchronous, 2);
    assert_int_equal(b.synchronous, 2);
    sqlite_submit(writer, &c.request);
    world_wait(w, &c.done);
    assert_int_equal(c.synchronous, 1);
    b.done = false;
    sqlite_submit(writer, &b.request);
    world_wait(w, &b.done);
    assert_int_equal(b.synchronous, 2);
    sqlite_writer_close(writer);
}

static void a_failure_may_stay_alone(void **state)
{
    struct world *w = *state;
    struct sqlite_writer *writer = open_writer(w);
    struct probe a = probe_new(w, "INSERT INTO t(v) VALUES('a')");
    struct probe b = a, c = a;
    b.request.may_fail = b.fails = true;
    sqlite_submit(writer, &a.request);
    sqlite_submit(writer, &b.request);
    sqlite_submit(writer, &c.request);
    world_wait(w, &c.done);
    assert_int_equal(a.request.result.code, ERR_OK);
    assert_int_equal(b.request.result.code, ERR_LIMIT);
    assert_string_equal(b.request.result.message, "on purpose");
    assert_int_equal(c.request.result.code, ERR_OK);
    sqlite_writer_close(writer);
    assert_int_equal(query_file(w, "SELECT count(*) FROM t"), 2);
}

/* Submits a, b, a in one batch; b breaks it. */
static void assert_breaks_batch(struct world *w, struct probe *b,
                                const char *why)
{
    struct sqlite_writer *writer = open_writer(w);
    struct probe a = probe_new(w, "INSERT INTO t(v) VALUES('a')");
    struct probe c = a;
    sqlite_submit(writer, &a.request);
    sqlite_submit(writer, &b->request);
    sqlite_submit(writer, &c.request);
    world_wait(w, &c.done);
    assert_true(a.done && b->done);
    assert_int_not_equal(a.request.result.code, ERR_OK);
    assert_non_null(strstr(a.request.result.message, why));
    assert_int_not_equal(b->request.result.code, ERR_OK);
    assert_string_equal(c.request.result.message, a.request.result.message);
    assert_int_equal(query_file(w, "SELECT count(*) FROM t"), 0);
    a.done = false;
    sqlite_submit(writer, &a.request);
    world_wait(w, &a.done);
    assert_int_equal(a.request.result.code, ERR_OK);
    sqlite_writer_close(writer);
    assert_int_equal(query_file(w, "SELECT count(*) FROM t"), 1);
}

static void a_failure_takes_the_batch_along(void **state)
{
    struct probe b = probe_new(*state, "INSERT INTO t(v) VALUES('b')");
    b.fails = true;
    assert_breaks_batch(*state, &b, "on purpose");
    assert_string_equal(b.request.result.message, "on purpose");
}

static void a_failed_commit_fails_every_request(void **state)
{
    struct probe b = probe_new(*state, "INSERT INTO child VALUES(99)");
    b.request.may_fail = true;
    assert_breaks_batch(*state, &b, "FOREIGN KEY");
    assert_int_equal(b.request.result.code, ERR_DB);
    assert_int_equal(b.request.result.detail, SQLITE_CONSTRAINT_FOREIGNKEY);
    assert_false(b.request.result.retryable);
}

static void a_lost_transaction_fails_every_request(void **state)
{
    struct probe b = probe_new(*state, "INSERT OR ROLLBACK INTO t(id) "
                                       "VALUES(1), (1)");
    b.request.may_fail = true;
    assert_breaks_batch(*state, &b, "UNIQUE");
    assert_int_equal(b.request.result.code, ERR_DB);
}

static void a_full_disk_fails_the_batch_and_may_pass(void **state)
{
    struct world *w = *state;
    struct sqlite_writer *writer = open_writer(w);
    struct probe a = probe_new(w, "INSERT INTO t(v) VALUES('a')");
    struct probe big =
        probe_new(w, "INSERT INTO t(v) VALUES(hex(zeroblob(200000)))");
    struct rlimit old, low = {.rlim_cur = 100000};
    signal(SIGXFSZ, SIG_IGN);
    getrlimit(RLIMIT_FSIZE, &old);
    low.rlim_max = old.rlim_max;
    setrlimit(RLIMIT_FSIZE, &low);
    sqlite_submit(writer, &a.request);
    sqlite_submit(writer, &big.request);
    world_wait(w, &big.done);
    setrlimit(RLIMIT_FSIZE, &old);
    assert_int_equal(a.request.result.code, ERR_DB);
    assert_int_equal(big.request.result.code, ERR_DB);
    assert_true(big.request.result.retryable);
    big.done = false;
    sqlite_submit(writer, &big.request);
    world_wait(w, &big.done);
    assert_int_equal(big.request.result.code, ERR_OK);
    sqlite_writer_close(writer);
    assert_int_equal(query_file(w, "SELECT count(*) FROM t"), 1);
}

static const char select_sql[] = "SELECT ?1";

static void statements_are_cached_clean(void **state)
{
    struct world *w = *state;
    struct err e;
    struct sqlite_writer *writer = open_writer(w);
    struct sqlite3_stmt *s = sqlite_prepare(writer, select_sql, &e);
    assert_non_null(s);
    sqlite3_bind_int(s, 1, 7);
    assert_int_equal(sqlite3_step(s), SQLITE_ROW);
    assert_int_equal(sqlite3_column_int(s, 0), 7);
    assert_ptr_equal(sqlite_prepare(writer, select_sql, &e), s);
    assert_false(sqlite3_stmt_busy(s));
    assert_int_equal(sqlite3_step(s), SQLITE_ROW);
    assert_int_equal(sqlite3_column_type(s, 0), SQLITE_NULL);
    sqlite3_reset(s);
    assert_null(sqlite_prepare(writer, "SELECT nothing", &e));
    assert_int_equal(e.code, ERR_DB);
    assert_non_null(strstr(e.message, "nothing"));
    sqlite_writer_close(writer);
}

static int leave_open(struct sqlite_request *r, struct sqlite_writer *w)
{
    struct sqlite3_stmt *s = sqlite_prepare(
        w, "INSERT INTO t(v) VALUES('a'),('b') RETURNING id", &r->result);
    return s && sqlite3_step(s) == SQLITE_ROW ? 0 : ERR_DB;
}

static void a_statement_left_open_does_not_stop_the_commit(void **state)
{
    struct world *w = *state;
    struct sqlite_writer *writer = open_writer(w);
    struct probe p = probe_new(w, "");
    p.request.run = leave_open;
    sqlite_submit(writer, &p.request);
    world_wait(w, &p.done);
    assert_int_equal(p.request.result.code, ERR_OK);
    assert_int_equal(query_file(w, "SELECT count(*) FROM t"), 2);
    sqlite_writer_close(writer);
}

static void files_are_private(void **state)
{
    struct world *w = *state;
    const char *names[] = {"x.db", "x.db-wal", "x.db-shm"};
    mode_t old = umask(0);
    struct sqlite_writer *writer = open_writer(w);
    umask(old);
    for (int i = 0; i < 3; i++) {
        struct stat st;
        char path[128];
        world_path(w, names[i], path);
        assert_int_equal(stat(path, &st), 0);
        assert_int_equal(st.st_mode & 0777, 0600);
    }
    sqlite_writer_close(writer);
}

static void schema_versions(void **state)
{
    struct world *w = *state;
    struct err e;
    char path[128];
    sqlite_writer_close(open_writer(w));
    assert_int_equal(query_file(w, "PRAGMA user_version"), 1);
    world_path(w, "x.db", path);
    /* Each step would fail if it ran twice. */
    const char *const steps[] = {
        schema[0],
        "CREATE TABLE second(id INTEGER)",
        "ALTER TABLE second ADD COLUMN v INTEGER NOT NULL DEFAULT 3;"
        "INSERT INTO second(id) VALUES(1)",
    };
    for (int version = 2; version <= 3; version++) {
        struct sqlite_writer *writer =
            sqlite_writer_open(w->loop, path, steps, version, &e);
        assert_non_null(writer);
        sqlite_writer_close(writer);
        assert_int_equal(query_file(w, "PRAGMA user_version"), version);
    }
    assert_int_equal(query_file(w, "SELECT sum(v) FROM second"), 3);
    assert_null(sqlite_writer_open(w->loop, path, schema, 1, &e));
    assert_int_equal(e.code, ERR_MISUSE);
    assert_non_null(strstr(e.message, "made by a newer moonlet"));
    assert_non_null(strstr(e.message, path));
}

static void what_is_no_database_is_refused(void **state)
{
    struct world *w = *state;
    struct err e;
    char path[128];
    world_path(w, "x.db", path);
    FILE *f = fopen(path, "w");
    for (int i = 0; i < 100; i++)
        fputs("this is a shopping list, not a database\n", f);
    fclose(f);
    assert_null(sqlite_writer_open(w->loop, path, schema, 1, &e));
    assert_int_equal(e.code, ERR_DB);
    assert_int_equal(e.detail, SQLITE_NOTADB);
    assert_non_null(strstr(e.message, path));
    world_path(w, "missing/x.db", path);
    assert_null(sqlite_writer_open(w->loop, path, schema, 1, &e));
    assert_int_equal(e.code, ERR_IO);
}

/* Each batch writes 2 * bytes. */
static void fill(struct world *w, struct sqlite_writer *writer, int batches,
                 int bytes)
{
    char sql[80];
    snprintf(sql, sizeof(sql), "INSERT INTO t(v) VALUES(hex(zeroblob(%d)))",
             bytes);
    for (int i = 0; i < batches; i++) {
        struct probe p = probe_new(w, sql);
        sqlite_submit(writer, &p.request);
        world_wait(w, &p.done);
        assert_int_equal(p.request.result.code, ERR_OK);
    }
}

static void the_log_stays_small(void **state)
{
    struct world *w = *state;
    struct sqlite_writer *writer = open_writer(w);
    fill(w, writer, 60, 200000); /* of about 100 pages each */
    assert_true(file_size(w, "x.db-wal") < 1300 * 4200);
    assert_true(file_size(w, "x.db") > 4000 * 4096);
    sqlite_writer_close(writer);
    assert_int_equal(file_size(w, "x.db-wal"), -1);
}

/* A log over 16,000 pages waits for readers, but not for ever, and is cut
 * to its limit when it starts over. */
static void a_long_reader_does_not_stop_the_writer(void **state)
{
    struct world *w = *state;
    sqlite3 *db;
    char path[128];
    struct sqlite_writer *writer = open_writer(w);
    fill(w, writer, 1, 200000);
    world_path(w, "x.db", path);
    assert_int_equal(sqlite3_open(path, &db), SQLITE_OK);
    sqlite3_exec(db, "BEGIN; SELECT id FROM t", NULL, NULL, NULL);
    fill(w, writer, 2, 18000000);
    assert_true(file_size(w, "x.db-wal") > 67108864);
    sqlite3_exec(db, "COMMIT", NULL, NULL, NULL);
    sqlite3_close(db);
    fill(w, writer, 15, 200000);
    assert_int_equal(file_size(w, "x.db-wal"), 67108864);
    sqlite_writer_close(writer);
    assert_int_equal(query_file(w, "SELECT count(*) FROM t"), 18);
}

static void close_commits_what_was_submitted(void **state)
{
    struct world *w = *state;
    struct sqlite_writer *writer = open_writer(w);
    struct probe p = probe_new(w, "INSERT INTO t(v) VALUES('a')");
    sqlite_submit(writer, &p.request);
    sqlite_writer_close(writer);
    assert_true(p.done);
    assert_int_equal(query_file(w, "SELECT count(*) FROM t"), 1);
}

static void kill_commits_nothing_more(void **state)
{
    struct world *w = *state;
    struct sqlite_writer *writer = open_writer(w);
    struct probe a = probe_new(w, "INSERT INTO t(v) VALUES('a')");
    struct probe b = a;
    sqlite_submit(writer, &a.request);
    world_wait(w, &a.done);
    sqlite_submit(writer, &b.request);
    sqlite_writer_kill(writer, drop_probe);
    assert_true(b.dropped);
    assert_false(b.done);
    assert_true(file_size(w, "x.db-wal") > 0);
    writer = open_writer(w);
    sqlite_writer_close(writer);
    assert_int_equal(query_file(w, "SELECT count(*) FROM t"), 1);
}

/* With a thread each request is either committed or dropped undone. */
static void kill_beside_a_running_batch(void **state)
{
    enum { COUNT = 200 };
    struct world *w = *state;
    struct probe probes[COUNT];
    struct sqlite_writer *writer = open_writer(w);
    for (int i = 0; i < COUNT; i++) {
        probes[i] = probe_new(w, "INSERT INTO t(v) VALUES('a')");
        sqlite_submit(writer, &probes[i].request);
    }
    sqlite_writer_kill(writer, drop_probe);
    for (int i = 0; i < COUNT; i++) {
        assert_true(probes[i].dropped);
        assert_false(probes[i].done);
    }
    int ran = 0;
    for (int i = 0; i < COUNT; i++)
        ran += probes[i].synchronous != 0;
    sqlite_writer_close(open_writer(w));
    assert_int_equal(query_file(w, "SELECT count(*) FROM t"), ran);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
#define THREADS(f) cmocka_unit_test_setup_teardown(f, setup_threads, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(request_is_committed_when_done),
        THREADS(request_is_committed_when_done),
        TEST(durable_makes_the_batch_full),
        TEST(a_failure_may_stay_alone),
        TEST(a_failure_takes_the_batch_along),
        TEST(a_failed_commit_fails_every_request),
        TEST(a_lost_transaction_fails_every_request),
        TEST(a_full_disk_fails_the_batch_and_may_pass),
        TEST(statements_are_cached_clean),
        TEST(a_statement_left_open_does_not_stop_the_commit),
        TEST(files_are_private),
        TEST(schema_versions),
        TEST(what_is_no_database_is_refused),
        TEST(the_log_stays_small),
        TEST(a_long_reader_does_not_stop_the_writer),
        TEST(close_commits_what_was_submitted),
        THREADS(close_commits_what_was_submitted),
        TEST(kill_commits_nothing_more),
        THREADS(kill_beside_a_running_batch),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
