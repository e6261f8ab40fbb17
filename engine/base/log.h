#ifndef MOONLET_BASE_LOG_H
#define MOONLET_BASE_LOG_H

/*
 * Log lines are an event name with key=value pairs, or one JSON object each,
 * on one file descriptor. Any thread may write; a line is one write(2), so
 * lines never mix. Known secrets are cut out of every value.
 *
 *     LOG_AT(log, LOG_INFO, "polling.start", LOG_S("bot", name));
 *
 * The level is tested before the arguments are evaluated.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct clock;
struct log;

enum log_level { LOG_DEBUG, LOG_INFO, LOG_WARN, LOG_ERROR, LOG_OFF };
enum log_format { LOG_TEXT, LOG_JSON };
enum log_type { LOG_END, LOG_TYPE_TEXT, LOG_TYPE_INT, LOG_TYPE_DOUBLE };

struct log_field {
    const char *key;
    enum log_type type;
    const char *text; /* NULL prints as "-" */
    int64_t number;
    double real;
};

/* clang-format 14 takes the rows for blocks. */
/* clang-format off */
#define LOG_S(k, v) {.key = (k), .type = LOG_TYPE_TEXT, .text = (v)}
#define LOG_I(k, v) {.key = (k), .type = LOG_TYPE_INT, .number = (v)}
#define LOG_D(k, v) {.key = (k), .type = LOG_TYPE_DOUBLE, .real = (v)}

#define LOG_AT(log, level, event, ...)                                        \
    do {                                                                      \
        if (log_enabled((log), (level)))                                      \
            log_write((log), (level), (event),                                \
                      (const struct log_field[]){__VA_ARGS__                  \
                          __VA_OPT__(, ){.type = LOG_END}});                  \
    } while (0)
/* clang-format on */

/* The clock is borrowed and gives the time stamps. Owned by the caller. */
struct log *log_new(int fd, enum log_level level, enum log_format format,
                    const struct clock *clock);
void log_free(struct log *log); /* NULL is allowed */

bool log_parse_level(const char *name, enum log_level *out);
bool log_enabled(const struct log *log, enum log_level level);

/* Copies a text that must never be printed (token, password); at least
 * 4 characters, shorter ones are ignored. Before other threads start. */
void log_hide(struct log *log, const char *secret);

/* fields ends with a row of type LOG_END. A NULL log writes nothing. */
void log_write(struct log *log, enum log_level level, const char *event,
               const struct log_field *fields);

#endif
