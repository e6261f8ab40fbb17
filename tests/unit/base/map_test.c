#include "base/map.h"

#include "base/rng.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

static void values_are_put_replaced_and_removed(void **state)
{
    struct map m = {0};
    char a, b;

    (void)state;
    assert_null(map_get(&m, "k", 1));
    assert_null(map_remove(&m, "k", 1));
    assert_null(map_put(&m, "k", 1, &a));
    assert_ptr_equal(map_get(&m, "k", 1), &a);
    assert_null(map_get(&m, "kk", 2));
    assert_null(map_get(&m, "k\0", 2));
    assert_ptr_equal(map_put(&m, "k", 1, &b), &a);
    assert_int_equal(m.count, 1);
    assert_null(map_put(&m, "", 0, &a));
    assert_ptr_equal(map_get(&m, "", 0), &a);
    assert_ptr_equal(map_remove(&m, "k", 1), &b);
    assert_null(map_get(&m, "k", 1));
    assert_int_equal(m.count, 1);
    map_free(&m);
    assert_int_equal(m.cap, 0);
}

static void keys_are_copied(void **state)
{
    struct map m = {0};
    char key[] = "key";
    char value;

    (void)state;
    map_put(&m, key, 3, &value);
    key[0] = 'x';
    assert_ptr_equal(map_get(&m, "key", 3), &value);
    map_free(&m);
}

/* The same random steps on the map and on an array must agree. */
static void it_agrees_with_an_array(void **state)
{
    static char values[500];
    char *model[500] = {0};
    size_t count = 0;
    struct map m = {0};
    struct rng rng;

    (void)state;
    rng_seed(&rng, 5);
    for (int step = 0; step < 50000; step++) {
        int64_t id = (int64_t)rng_below(&rng, 500);
        char *old = model[id];

        if (rng_below(&rng, 2) == 0) {
            char *value = &values[rng_below(&rng, 500)];
            assert_ptr_equal(map_put(&m, &id, sizeof(id), value), old);
            model[id] = value;
            count += old == NULL;
        } else {
            assert_ptr_equal(map_remove(&m, &id, sizeof(id)), old);
            model[id] = NULL;
            count -= old != NULL;
        }
        assert_int_equal(m.count, count);
        assert_ptr_equal(map_get(&m, &id, sizeof(id)), model[id]);
    }
    for (int64_t id = 0; id < 500; id++)
        assert_ptr_equal(map_get(&m, &id, sizeof(id)), model[id]);
    map_free(&m);
}

/* Deleted slots are reused: a map that is short at all times stays small. */
static void churn_does_not_grow_it(void **state)
{
    struct map m = {0};
    char value;

    (void)state;
    for (int i = 0; i < 10000; i++) {
        map_put(&m, &i, sizeof(i), &value);
        assert_ptr_equal(map_remove(&m, &i, sizeof(i)), &value);
    }
    assert_int_equal(m.count, 0);
    assert_in_range(m.cap, 1, 32);
    map_free(&m);
}

static void each_sees_all_and_may_remove(void **state)
{
    struct map m = {0};
    int values[100];
    int seen[100] = {0};
    const struct map_slot *slot;
    size_t cursor = 0;

    (void)state;
    assert_null(map_each(&m, &cursor));
    for (int i = 0; i < 100; i++)
        map_put(&m, &i, sizeof(i), &values[i]);
    while ((slot = map_each(&m, &cursor)) != NULL) {
        int id;

        assert_int_equal(slot->key_len, sizeof(id));
        memcpy(&id, slot->key, sizeof(id));
        assert_ptr_equal(slot->value, &values[id]);
        seen[id]++;
        map_remove(&m, slot->key, slot->key_len);
    }
    for (int i = 0; i < 100; i++)
        assert_int_equal(seen[i], 1);
    assert_int_equal(m.count, 0);
    map_free(&m);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(values_are_put_replaced_and_removed),
        cmocka_unit_test(keys_are_copied),
        cmocka_unit_test(it_agrees_with_an_array),
        cmocka_unit_test(churn_does_not_grow_it),
        cmocka_unit_test(each_sees_all_and_may_remove),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
