/* What belongs to an album, in which order its parts stand, and when it is
 * complete. */

#include "../loop/fixture.h"

#include "app/album.h"
#include "base/clock.h"
#include "store/inbox.h"

#define PART(id) "{\"update_id\":1,\"message\":{\"media_group_id\":\"" id "\"}}"

struct trial {
    struct world w;
    struct inbox_entry entries[ALBUM_PARTS_MAX + 1];
    struct album *album;
    int completed; /* how often */
    uint64_t complete_ms;
};

static void on_complete(void *arg)
{
    struct trial *t = arg;
    t->completed++;
    t->complete_ms = loop_now_ms(t->w.loop);
}

static struct inbox_entry entry(int64_t seq, const char *body)
{
    return (struct inbox_entry){
        .seq = seq, .body = body, .body_len = strlen(body), .mark = -1};
}

static void trial_open(struct trial *t)
{
    char key[ALBUM_KEY_MAX];
    memset(t, 0, sizeof *t);
    world_open(&t->w, true);
    for (int i = 0; i <= ALBUM_PARTS_MAX; i++)
        t->entries[i] = entry(i + 1, PART("a"));
    assert_true(album_key(&t->entries[0], key));
    t->album = album_new(t->w.loop, key, on_complete, t);
}

static void trial_close(struct trial *t)
{
    album_free(t->album);
    world_close(&t->w);
}

static void only_new_messages_of_a_group_have_a_key(void **state)
{
    static const struct {
        const char *body;
        bool has;
    } rows[] = {
        {PART("a"), true},
        {"{\"channel_post\":{\"media_group_id\":\"a\"}}", true},
        {"{\"business_message\":{\"media_group_id\":\"a\"}}", true},
        {"{\"edited_message\":{\"media_group_id\":\"a\"}}", false},
        {"{\"message\":{\"text\":\"a\"}}", false},
        {"{\"message\":{\"media_group_id\":5}}", false},
        {PART("0123456789012345678901234567890123456789012345678901234567890"),
         false},
    };
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        char key[ALBUM_KEY_MAX];
        struct inbox_entry e = entry(1, rows[i].body);
        assert_int_equal(album_key(&e, key), rows[i].has);
    }
}

static void parts_stand_in_order_of_arrival(void **state)
{
    struct trial t;
    struct inbox_entry other = entry(9, PART("b"));
    static const int order[] = {4, 0, 2, 1, 3}; /* read back out of turn */
    (void)state;

    trial_open(&t);
    for (int i = 0; i < 5; i++)
        assert_true(album_take(t.album, &t.entries[order[i]], 0));
    assert_false(album_take(t.album, &other, 0));
    for (int i = 0; i < 5; i++)
        assert_ptr_equal(t.album->parts[i], &t.entries[i]);
    assert_false(album_redelivered(t.album));
    t.entries[3].redelivered = true;
    assert_true(album_redelivered(t.album));
    trial_close(&t);
}

static void it_is_complete_after_the_quiet(void **state)
{
    struct trial t;
    (void)state;

    trial_open(&t);
    album_take(t.album, &t.entries[0], 0);
    album_take(t.album, &t.entries[1], 400);
    album_watch(t.album);
    loop_run(t.w.loop);
    assert_int_equal(t.completed, 1);
    assert_int_equal(t.complete_ms, 400 + ALBUM_QUIET_MS);
    album_watch(t.album); /* it is over already */
    loop_run(t.w.loop);
    assert_int_equal(t.completed, 2);
    assert_int_equal(t.complete_ms, 400 + ALBUM_QUIET_MS);
    album_watch(t.album);
    album_stop(t.album);
    loop_run(t.w.loop);
    assert_int_equal(t.completed, 2);
    trial_close(&t);
}

static void ten_parts_are_complete_at_once(void **state)
{
    struct trial t;
    (void)state;

    trial_open(&t);
    for (int i = 0; i < ALBUM_PARTS_MAX; i++)
        assert_true(album_take(t.album, &t.entries[i], 5000));
    assert_false(album_take(t.album, &t.entries[ALBUM_PARTS_MAX], 5000));
    album_watch(t.album);
    loop_run(t.w.loop);
    assert_int_equal(t.completed, 1);
    assert_true(t.complete_ms < 5000);
    trial_close(&t);
}

static void its_json_is_a_list(void **state)
{
    struct trial t;
    (void)state;

    trial_open(&t);
    album_take(t.album, &t.entries[1], 0);
    album_take(t.album, &t.entries[0], 0);
    for (int i = 0; i < 2; i++) { /* the same each time */
        const struct buf *json = album_json(t.album);
        const char *wanted = "[" PART("a") "," PART("a") "]";
        assert_int_equal(json->len, strlen(wanted));
        assert_memory_equal(json->data, wanted, json->len);
    }
    trial_close(&t);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(only_new_messages_of_a_group_have_a_key),
        cmocka_unit_test(parts_stand_in_order_of_arrival),
        cmocka_unit_test(it_is_complete_after_the_quiet),
        cmocka_unit_test(ten_parts_are_complete_at_once),
        cmocka_unit_test(its_json_is_a_list),
    };
    return FIXTURE_RUN(tests);
}
