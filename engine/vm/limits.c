#include "vm/limits.h"

#include "base/mem.h"
#include "vm/script_error.h"
#include "vm/vm_internal.h"

#include <errno.h>
#include <lauxlib.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#define TICKS 4         /* of one limit: it is kept to a quarter */
#define STUCK_LIMITS 10 /* limits that an unstoppable call is given */
#define LEVELS_MAX 1000 /* lua_getstack walks from the top at each call */
#define LONG_FACTOR 10
#define LIMIT_SIGNAL SIGRTMIN
#define COUNT_STEPS 100 /* instructions between two looks at the count */
#define SWITCH_STEPS 20 /* that a change of coroutine counts as */

struct limits {
    timer_t timer;
    uint64_t limit_ms;
    limits_stuck *stuck;
    void *stuck_arg;
    uint64_t steps_max; /* 0: there is a timer, nothing is counted */
    uint64_t steps;     /* of this slice */
    /* Shared with the signal handler, which runs on the same thread. */
    lua_State *volatile innermost; /* NULL: no Lua code is running */
    volatile uint32_t slice;
    volatile uint32_t seen;   /* slice at the last tick */
    volatile int ticks;       /* that this slice has run through */
    volatile int stuck_ticks; /* when `stuck` is called */
    volatile bool over;
};

/* For a task that catches the error and returns: nothing of it is left. */
static void note_place(lua_State *L, struct task *t)
{
    const char *script;
    if (t && t->limit_line == 0 && limits_place(L, &script, &t->limit_line))
        snprintf(t->limit_script, sizeof t->limit_script, "%s", script);
}

static void count_steps(lua_State *L, lua_Debug *ar);

/* The hook of code that is within its limit. A coroutine keeps the one that it
 * has, and with it what it has run of COUNT_STEPS. */
static void arm_quietly(const struct limits *m, lua_State *L)
{
    if (m->steps_max == 0)
        lua_sethook(L, NULL, 0, 0);
    else if (lua_gethook(L) != count_steps)
        lua_sethook(L, count_steps, LUA_MASKCOUNT, COUNT_STEPS);
}

/* Raises once a slice is over its limit, again and again until its task has
 * ended: with the error of the first time, which knows the place. */
static void over_limit(lua_State *L, lua_Debug *ar)
{
    struct generation *g = vm__generation(L);
    struct limits *m = g->host->limits;
    char text[96];

    (void)ar;
    if (!m->over) {
        arm_quietly(m, L);
        return;
    }
    if (g->limit_error == LUA_NOREF) {
        snprintf(text, sizeof text,
                 "ran longer than HANDLER_CPU_LIMIT (%u ms) without waiting",
                 (unsigned)m->limit_ms);
        note_place(L, g->running);
        script_error_push(L, "limit", text);
        script_error_trace(L);
        g->limit_error = luaL_ref(L, LUA_REGISTRYINDEX);
    }
    lua_rawgeti(L, LUA_REGISTRYINDEX, g->limit_error);
    lua_error(L);
}

static void add_steps(struct limits *m, lua_State *L, uint64_t steps)
{
    m->steps += steps;
    if (m->steps < m->steps_max)
        return;
    m->over = true;
    lua_sethook(L, over_limit, LUA_MASKCOUNT, 1);
}

static void count_steps(lua_State *L, lua_Debug *ar)
{
    struct limits *m = vm__generation(L)->host->limits;
    add_steps(m, L, COUNT_STEPS);
    if (m->over)
        over_limit(L, ar);
}

static void on_tick(int number, siginfo_t *info, void *context)
{
    struct limits *m = info->si_value.sival_ptr;
    lua_State *L = m->innermost;

    (void)number;
    (void)context;
    if (!L)
        return;
    if (m->seen != m->slice) {
        m->seen = m->slice;
        m->ticks = 0;
        return;
    }
    m->ticks++;
    if (m->ticks < TICKS)
        return;
    m->over = true;
    lua_sethook(L, over_limit, LUA_MASKCOUNT, 1);
    if (m->ticks >= m->stuck_ticks)
        m->stuck(m->stuck_arg, L);
}

static int make_timer(struct limits *m)
{
    struct sigaction action = {.sa_sigaction = on_tick,
                               .sa_flags = SA_SIGINFO | SA_RESTART};
    struct sigevent event = {.sigev_notify = SIGEV_THREAD_ID,
                             .sigev_signo = LIMIT_SIGNAL};
    event.sigev_value.sival_ptr = m;
    event._sigev_un._tid = (pid_t)syscall(SYS_gettid);
    sigemptyset(&action.sa_mask);
    if (sigaction(LIMIT_SIGNAL, &action, NULL) != 0)
        return -1;
    return timer_create(CLOCK_THREAD_CPUTIME_ID, &event, &m->timer);
}

struct limits *limits_new(uint64_t cpu_limit_ms, limits_stuck *stuck, void *arg,
                          struct err *e)
{
    struct limits *m = MEM_NEW(struct limits);
    uint64_t tick_ns = cpu_limit_ms * 1000000 / TICKS;
    struct timespec tick = {(time_t)(tick_ns / 1000000000),
                            (long)(tick_ns % 1000000000)};
    const struct itimerspec every = {tick, tick};

    m->limit_ms = cpu_limit_ms;
    m->stuck = stuck;
    m->stuck_arg = arg;
    if (make_timer(m) != 0) {
        err_errno(e, errno, "no CPU timer for HANDLER_CPU_LIMIT");
        free(m);
        return NULL;
    }
    timer_settime(m->timer, 0, &every, NULL);
    return m;
}

struct limits *limits_new_counted(uint64_t cpu_limit_ms)
{
    struct limits *m = MEM_NEW(struct limits);
    m->limit_ms = cpu_limit_ms;
    m->steps_max = cpu_limit_ms * LIMITS_STEPS_PER_MS;
    return m;
}

void limits_free(struct limits *m)
{
    if (!m)
        return;
    if (m->steps_max == 0) {
        timer_delete(m->timer);
        signal(LIMIT_SIGNAL, SIG_IGN); /* one may still be pending */
    }
    free(m);
}

void limits_enter(struct limits *m, lua_State *L)
{
    if (!m)
        return;
    m->slice++;
    m->over = false;
    m->stuck_ticks = TICKS * STUCK_LIMITS;
    m->steps = 0;
    if (m->steps_max > 0)
        lua_sethook(L, count_steps, LUA_MASKCOUNT, COUNT_STEPS);
    m->innermost = L;
}

void limits_enter_long(struct limits *m, lua_State *L)
{
    if (!m)
        return;
    limits_enter(m, L);
    m->stuck_ticks *= LONG_FACTOR;
}

void limits_enter_over(struct limits *m, lua_State *L)
{
    if (!m)
        return;
    limits_enter(m, L);
    m->over = true;
    lua_sethook(L, over_limit, LUA_MASKCOUNT, 1);
}

bool limits_is_over(const struct limits *m)
{
    return m && m->over;
}

uint64_t limits_steps(const struct limits *m)
{
    return m ? m->steps : 0;
}

bool limits_leave(struct limits *m)
{
    if (!m)
        return false;
    m->innermost = NULL;
    return m->over;
}

lua_State *limits_switch(struct limits *m, lua_State *L)
{
    if (!m)
        return NULL;
    lua_State *before = m->innermost;
    m->innermost = L;
    if (m->steps_max > 0) {
        arm_quietly(m, L);
        add_steps(m, L, SWITCH_STEPS);
    }
    /* The loop may be around the coroutine, not in it. */
    if (m->over)
        lua_sethook(L, over_limit, LUA_MASKCOUNT, 1);
    return before;
}

bool limits_place(lua_State *L, const char **script, int *line)
{
    lua_Debug ar;
    for (int level = 0; level < LEVELS_MAX && lua_getstack(L, level, &ar);
         level++) {
        if (!lua_getinfo(L, "Sl", &ar) || ar.source[0] != '@')
            continue;
        *script = ar.source + 1;
        *line = ar.currentline;
        return true;
    }
    return false;
}
