#include "fixture.h"

#include "loop/semaphore.h"

/* Who was granted a place, in order: one letter each. */
struct guest {
    struct semaphore_waiter place;
    char letter;
    char *order;
};

static void on_granted(struct semaphore_waiter *w)
{
    struct guest *g = LIST_ENTRY(w, struct guest, place);
    g->order[strlen(g->order)] = g->letter;
}

struct hall {
    struct semaphore s;
    char order[32];
    struct guest guests[8];
};

static void open_hall(struct hall *h, size_t places, size_t waiting_max)
{
    memset(h, 0, sizeof(*h));
    semaphore_init(&h->s, places, waiting_max);
    for (int i = 0; i < 8; i++)
        h->guests[i] = (struct guest){
            .place.granted = on_granted,
            .letter = (char)('a' + i),
            .order = h->order,
        };
}

static enum semaphore_answer take(struct hall *h, int i)
{
    return semaphore_take(&h->s, &h->guests[i].place);
}

static void places_are_given_at_once_while_there_are_some(void **state)
{
    struct hall h;
    (void)state;
    open_hall(&h, 2, 1);
    assert_int_equal(take(&h, 0), SEMAPHORE_TAKEN);
    assert_int_equal(take(&h, 1), SEMAPHORE_TAKEN);
    assert_int_equal(take(&h, 2), SEMAPHORE_WAITS);
    assert_string_equal(h.order, "");
    semaphore_release(&h.s);
    assert_string_equal(h.order, "c");
    semaphore_release(&h.s);
    semaphore_release(&h.s);
    assert_int_equal(h.s.free, 2);
    assert_string_equal(h.order, "c");
}

static void the_first_who_waits_is_served_first(void **state)
{
    struct hall h;
    (void)state;
    open_hall(&h, 1, 7);
    for (int i = 0; i < 8; i++)
        take(&h, i);
    for (int i = 0; i < 3; i++)
        semaphore_release(&h.s);
    assert_string_equal(h.order, "bcd");
    /* One who comes now stands behind all others. */
    assert_int_equal(take(&h, 0), SEMAPHORE_WAITS);
    for (int i = 0; i < 5; i++)
        semaphore_release(&h.s);
    assert_string_equal(h.order, "bcdefgha");
}

static void the_bound_counts_those_who_wait(void **state)
{
    struct hall h;
    (void)state;
    open_hall(&h, 1, 2);
    take(&h, 0);
    take(&h, 1);
    assert_int_equal(take(&h, 2), SEMAPHORE_WAITS);
    assert_int_equal(take(&h, 3), SEMAPHORE_FULL);
    semaphore_release(&h.s);
    assert_int_equal(take(&h, 3), SEMAPHORE_WAITS);
    assert_int_equal(take(&h, 4), SEMAPHORE_FULL);
    semaphore_release(&h.s);
    semaphore_release(&h.s);
    assert_string_equal(h.order, "bcd");
}

static void one_who_leaves_is_not_served_and_makes_room(void **state)
{
    struct hall h;
    (void)state;
    open_hall(&h, 1, 3);
    for (int i = 0; i < 4; i++)
        take(&h, i);
    semaphore_leave(&h.s, &h.guests[2].place);
    assert_int_equal(take(&h, 4), SEMAPHORE_WAITS);
    assert_int_equal(take(&h, 5), SEMAPHORE_FULL);
    semaphore_leave(&h.s, &h.guests[1].place);
    for (int i = 0; i < 3; i++)
        semaphore_release(&h.s);
    assert_string_equal(h.order, "de");
    assert_int_equal(h.s.free, 1);
    assert_int_equal(h.s.waiting, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(places_are_given_at_once_while_there_are_some),
        cmocka_unit_test(the_first_who_waits_is_served_first),
        cmocka_unit_test(the_bound_counts_those_who_wait),
        cmocka_unit_test(one_who_leaves_is_not_served_and_makes_room),
    };
    return FIXTURE_RUN(tests);
}
