#include "cli/restart.h"

#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#define DEATHS_MAX 6
#define DEATHS_SECONDS 60
#define DEATHS_NAME "MOONLET_DEATHS="
#define ENVIRONMENT_MAX 4096
#define STACK_SIZE (64 * 1024)

/* Handlers of fatal signals get no argument, so what they need is here and
 * not in struct engine. Written once, before any other thread runs. */
static struct {
    char **argv;
    char *environment[ENVIRONMENT_MAX + 1];
    char deaths_text[160]; /* DEATHS_NAME and the times; in environment */
    time_t deaths[DEATHS_MAX];
    int death_count;
    bool json;
    char stack[STACK_SIZE]; /* for a handler after a stack overflow */
} self;

struct words {
    char text[512];
    size_t len;
};

static void add(struct words *w, const char *text)
{
    for (; *text && w->len < sizeof w->text - 1; text++)
        w->text[w->len++] = *text;
}

static void add_number(struct words *w, int64_t n)
{
    char digits[24];
    size_t at = sizeof digits - 1;
    digits[at] = '\0';
    do {
        digits[--at] = (char)('0' + n % 10);
        n /= 10;
    } while (n > 0);
    add(w, digits + at);
}

/* A path of a script; what would break the line's form is left out. */
static void add_path(struct words *w, const char *path)
{
    for (char one[2] = {0}; *path; path++) {
        one[0] = *path;
        if ((unsigned char)*path >= ' ' && *path != '"' && *path != '\\')
            add(w, one);
    }
}

static void say(const char *event, const char *script, int line)
{
    struct words w = {.len = 0};
    const bool json = self.json;

    add(&w, json ? "{\"level\":\"error\",\"event\":\"" : "error ");
    add(&w, event);
    add(&w, json ? "\"" : "");
    if (script) {
        add(&w, json ? ",\"script\":\"" : " script=");
        add_path(&w, script);
        add(&w, json ? "\",\"line\":" : " line=");
        add_number(&w, line);
    }
    add(&w, json ? ",\"deaths\":" : " deaths=");
    add_number(&w, self.death_count);
    add(&w, json ? "}\n" : "\n");
    if (write(STDERR_FILENO, w.text, w.len) < 0)
        return; /* nothing is left that could be told */
}

static void forget_old(time_t now)
{
    int kept = 0;
    for (int i = 0; i < self.death_count; i++)
        if (now - self.deaths[i] < DEATHS_SECONDS)
            self.deaths[kept++] = self.deaths[i];
    self.death_count = kept;
}

static void write_deaths(void)
{
    struct words w = {.len = 0};
    add(&w, DEATHS_NAME);
    for (int i = 0; i < self.death_count; i++) {
        add(&w, i ? "," : "");
        add_number(&w, (int64_t)self.deaths[i]);
    }
    memcpy(self.deaths_text, w.text, w.len);
    self.deaths_text[w.len] = '\0';
}

_Noreturn void restart_now(const char *event, const char *script, int line)
{
    time_t now = time(NULL);
    sigset_t none;

    forget_old(now);
    if (self.death_count < DEATHS_MAX)
        self.deaths[self.death_count++] = now;
    say(event, script, line);
    if (self.death_count >= DEATHS_MAX || !self.argv)
        _exit(EXIT_FAILURE);
    write_deaths();
    close_range(STDERR_FILENO + 1, ~0u, 0);
    sigemptyset(&none);
    sigprocmask(SIG_SETMASK, &none, NULL);
    execve("/proc/self/exe", self.argv, self.environment);
    _exit(EXIT_FAILURE);
}

/* A sanitizer's report of the fault is worth more than going on. */
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
static void take_fatal_signals(void)
{
}
#else
static const char *name_of(int number)
{
    switch (number) {
    case SIGSEGV:
        return "engine.died_sigsegv";
    case SIGBUS:
        return "engine.died_sigbus";
    case SIGFPE:
        return "engine.died_sigfpe";
    case SIGILL:
        return "engine.died_sigill";
    default:
        return "engine.died_sigabrt";
    }
}

static void on_fatal(int number)
{
    restart_now(name_of(number), NULL, 0);
}

static void take_fatal_signals(void)
{
    static const int fatal[] = {SIGSEGV, SIGBUS, SIGFPE, SIGILL, SIGABRT};
    const stack_t stack = {.ss_sp = self.stack, .ss_size = sizeof self.stack};
    struct sigaction action = {.sa_handler = on_fatal,
                               .sa_flags = (int)(SA_ONSTACK | SA_RESETHAND)};
    sigfillset(&action.sa_mask);
    sigaltstack(&stack, NULL);
    for (size_t i = 0; i < sizeof fatal / sizeof *fatal; i++)
        sigaction(fatal[i], &action, NULL);
}
#endif

static void read_deaths(const char *text)
{
    while (*text && self.death_count < DEATHS_MAX) {
        char *end;
        long long at = strtoll(text, &end, 10);
        if (end == text)
            return;
        self.deaths[self.death_count++] = (time_t)at;
        text = *end ? end + 1 : end;
    }
}

void restart_remember(char **argv)
{
    extern char **environ;
    const char *deaths = getenv("MOONLET_DEATHS");
    size_t n = 0;

    self.argv = argv;
    if (deaths)
        read_deaths(deaths);
    for (char **row = environ; *row && n < ENVIRONMENT_MAX - 1; row++)
        if (strncmp(*row, DEATHS_NAME, sizeof DEATHS_NAME - 1) != 0)
            self.environment[n++] = *row;
    self.environment[n++] = self.deaths_text;
    self.environment[n] = NULL;
}

int restart_arm(bool json)
{
    self.json = json;
    forget_old(time(NULL));
    take_fatal_signals();
    return self.death_count;
}
