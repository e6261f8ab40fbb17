#include "loop/watch.h"

#include "base/log.h"
#include "base/mem.h"
#include "loop/loop.h"
#include "loop/timer.h"
#include "loop/work.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#define WATCH_FOLDERS_MAX 1000u
#define WATCH_PATIENCE 10u /* times quiet_ms */
#define WATCH_RETRY_MS 500 /* between looks for a root that vanished */

/* A folder that exists, as the last scan found it. */
struct place {
    char *path;
    dev_t dev;
    ino_t ino;
    bool watched;
    bool left_out;
};

/* Reads the tree on a pool thread. It is memory of its own because watch_free
 * does not wait for it. */
struct scan {
    struct work work;
    struct watch *watch; /* NULL: freed meanwhile */
    struct place *places;
    size_t count;
    char *except; /* NULL: nothing */
    bool truncated;
    int error; /* errno of the root, or 0 */
};

struct folder {
    struct list link;
    struct watch *watch;
    uv_fs_event_t event;
    char *path;
    dev_t dev;
    ino_t ino;
    bool moved; /* the path may be another folder by now */
};

struct watch {
    struct loop *loop;
    char *root;
    char *except;
    uint64_t quiet_ms;
    void (*changed)(void *arg);
    void *arg;
    struct timer quiet;
    uint64_t first_ms; /* of the changes gathered; while quiet runs */
    struct timer retry;
    struct list folders;
    struct scan *scan; /* the running one */
    bool scan_again;
    bool lost;   /* the root is away */
    bool warned; /* that something is not watched */
};

static bool is_ignored(const char *name)
{
    size_t len = strlen(name);
    return len == 0 || name[0] == '.' || name[len - 1] == '~';
}

/* What else lies there, as a log or a database, is none of the scripts'. */
static bool is_script(const char *name)
{
    static const char *const endings[] = {".lua", ".json", ".sql"};
    size_t len = strlen(name);
    for (size_t i = 0; i < sizeof(endings) / sizeof(*endings); i++) {
        size_t end = strlen(endings[i]);
        if (len > end && strcmp(name + len - end, endings[i]) == 0)
            return true;
    }
    return false;
}

static void add_place(struct scan *s, char *path)
{
    if (s->count == WATCH_FOLDERS_MAX) {
        s->truncated = true;
        free(path);
        return;
    }
    s->places[s->count++] = (struct place){.path = path};
}

/* Links to folders are not followed: they could lead round in a circle. */
static bool is_folder(DIR *dir, const struct dirent *entry)
{
    struct stat st;

    if (entry->d_type != DT_UNKNOWN)
        return entry->d_type == DT_DIR;
    return fstatat(dirfd(dir), entry->d_name, &st, AT_SYMLINK_NOFOLLOW) == 0 &&
           S_ISDIR(st.st_mode);
}

/* Paths can be spelt in many ways. */
static bool is_left_out(const struct scan *s, const struct place *p)
{
    struct stat st;
    return s->except != NULL && stat(s->except, &st) == 0 &&
           st.st_dev == p->dev && st.st_ino == p->ino;
}

static int read_folder(struct scan *s, size_t at)
{
    const char *path = s->places[at].path;
    const struct dirent *entry;
    struct stat st;
    DIR *dir = opendir(path);

    if (dir == NULL)
        return errno;
    if (fstat(dirfd(dir), &st) == 0) {
        s->places[at].dev = st.st_dev;
        s->places[at].ino = st.st_ino;
    }
    s->places[at].left_out = at > 0 && is_left_out(s, &s->places[at]);
    while (!s->places[at].left_out && (entry = readdir(dir)) != NULL) {
        if (!is_ignored(entry->d_name) && is_folder(dir, entry))
            add_place(s, mem_printf("%s/%s", path, entry->d_name));
    }
    closedir(dir);
    return 0;
}

static int compare_places(const void *a, const void *b)
{
    const struct place *x = a, *y = b;
    return strcmp(x->path, y->path);
}

/* Breadth first, so that a limit cuts off the deepest folders. */
static void scan_run(struct work *work)
{
    struct scan *s = LIST_ENTRY(work, struct scan, work);

    s->error = read_folder(s, 0);
    for (size_t i = 1; i < s->count; i++)
        read_folder(s, i);
    qsort(s->places, s->count, sizeof(*s->places), compare_places);
}

static struct scan *scan_new(struct watch *w)
{
    struct scan *s = MEM_NEW(struct scan);

    s->watch = w;
    s->places = mem_zero(WATCH_FOLDERS_MAX, sizeof(*s->places));
    s->except = w->except ? mem_strdup(w->except) : NULL;
    add_place(s, mem_strdup(w->root));
    return s;
}

static void scan_free(struct scan *s)
{
    for (size_t i = 0; i < s->count; i++)
        free(s->places[i].path);
    free(s->places);
    free(s->except);
    free(s);
}

static void on_scanned(struct work *work);

static void start_scan(struct watch *w)
{
    if (w->scan != NULL) {
        w->scan_again = true;
        return;
    }
    w->scan = scan_new(w);
    work_start(&w->scan->work, w->loop, scan_run, on_scanned);
}

static void warn_once(struct watch *w, const char *folder, const char *why)
{
    if (w->warned)
        return;
    w->warned = true;
    LOG_AT(loop_log(w->loop), LOG_WARN, "watch.incomplete",
           LOG_S("folder", folder), LOG_S("error", why),
           LOG_I("limit", WATCH_FOLDERS_MAX));
}

/* inotify names the folder itself when it is moved or deleted, and libuv
 * goes on watching the old one. */
static bool is_itself(const struct folder *f, const char *name)
{
    const char *slash = strrchr(f->path, '/');
    return strcmp(name, slash != NULL ? slash + 1 : f->path) == 0;
}

/* A change is to be told, soon. */
static void gather(struct watch *w)
{
    uint64_t now = loop_now_ms(w->loop);
    uint64_t wait = w->quiet_ms;
    if (!timer_active(&w->quiet))
        w->first_ms = now;
    uint64_t latest = w->first_ms + WATCH_PATIENCE * w->quiet_ms;
    if (now + wait > latest)
        wait = latest > now ? latest - now : 0;
    timer_start(&w->quiet, wait);
}

static void on_event(uv_fs_event_t *event, const char *name, int events,
                     int status)
{
    struct folder *f = event->data;
    struct watch *w = f->watch;
    bool itself = status != 0 || name == NULL || is_itself(f, name);

    if (!itself && is_ignored(name))
        return;
    if ((events & UV_RENAME) || status != 0) {
        f->moved = f->moved || itself;
        start_scan(w); /* finds out whether it was a folder */
    }
    if (itself || is_script(name))
        gather(w);
}

static void on_folder_closed(uv_handle_t *handle)
{
    struct folder *f = handle->data;
    free(f->path);
    free(f);
}

static void drop_folder(struct folder *f)
{
    list_remove(&f->link);
    uv_close((uv_handle_t *)&f->event, on_folder_closed);
}

/* 0 or an error of libuv. */
static int add_folder(struct watch *w, const struct place *p)
{
    struct folder *f = MEM_NEW(struct folder);
    int rc = uv_fs_event_init(loop_uv(w->loop), &f->event);

    if (rc < 0) {
        free(f);
        return rc;
    }
    f->watch = w;
    f->event.data = f;
    f->path = mem_strdup(p->path);
    f->dev = p->dev;
    f->ino = p->ino;
    list_push(&w->folders, &f->link);
    rc = uv_fs_event_start(&f->event, on_event, f->path, 0);
    if (rc < 0)
        drop_folder(f);
    return rc;
}

static struct place *find_place(struct scan *s, char *path)
{
    struct place key = {.path = path};
    return bsearch(&key, s->places, s->count, sizeof(key), compare_places);
}

/* Before new ones are added: two watches on one folder would share the first
 * one's path inside libuv. */
static bool drop_vanished(struct watch *w, struct scan *s)
{
    struct list *link, *next;
    bool any = false;

    for (link = w->folders.next; link != &w->folders; link = next) {
        struct folder *f = LIST_ENTRY(link, struct folder, link);
        struct place *p = find_place(s, f->path);
        next = link->next;
        if (p && !f->moved && p->ino == f->ino && p->dev == f->dev) {
            p->watched = true;
            continue;
        }
        drop_folder(f);
        any = true;
    }
    return any;
}

static bool add_missing(struct watch *w, struct scan *s)
{
    bool any = false, complete = true;

    for (size_t i = 0; i < s->count; i++) {
        struct place *p = &s->places[i];
        bool is_new = !p->watched && !p->left_out;
        int rc = is_new ? add_folder(w, p) : 0;
        any = any || (rc == 0 && is_new);
        /* One that is gone again has sent an event: a scan follows. */
        if (rc < 0 && rc != UV_ENOENT) {
            complete = false;
            warn_once(w, p->path, uv_strerror(rc));
        }
    }
    if (s->truncated)
        warn_once(w, w->root, "too many folders");
    w->warned = w->warned && (s->truncated || !complete);
    return any;
}

static void drop_all(struct watch *w)
{
    while (!list_empty(&w->folders))
        drop_folder(LIST_ENTRY(w->folders.next, struct folder, link));
}

/* A root that is away is no change to tell: there is nothing to load. */
static void lose_root(struct watch *w, int error)
{
    if (!w->lost)
        LOG_AT(loop_log(w->loop), LOG_WARN, "watch.lost",
               LOG_S("folder", w->root), LOG_S("error", strerror(error)));
    w->lost = true;
    timer_stop(&w->quiet);
    drop_all(w);
    timer_start(&w->retry, WATCH_RETRY_MS);
}

static void apply_scan(struct watch *w, struct scan *s)
{
    bool dropped, added;

    if (s->error != 0) {
        lose_root(w, s->error);
        return;
    }
    dropped = drop_vanished(w, s);
    added = add_missing(w, s);
    w->lost = false;
    /* A new folder may have got another one before it was watched. */
    w->scan_again = w->scan_again || added;
    if (dropped || added)
        gather(w);
}

static void on_scanned(struct work *work)
{
    struct scan *s = LIST_ENTRY(work, struct scan, work);
    struct watch *w = s->watch;

    if (w != NULL) {
        w->scan = NULL;
        apply_scan(w, s);
        if (w->scan_again) {
            w->scan_again = false;
            start_scan(w);
        }
    }
    scan_free(s);
}

static void on_quiet(struct timer *t)
{
    struct watch *w = LIST_ENTRY(t, struct watch, quiet);
    w->changed(w->arg);
}

static void on_retry(struct timer *t)
{
    start_scan(LIST_ENTRY(t, struct watch, retry));
}

/* The first scan is made in place, so that the caller learns of a folder
 * that cannot be watched, and changes made after watch_new are seen. */
static int watch_first(struct watch *w, struct err *e)
{
    struct scan *s = scan_new(w);
    int rc = 0;

    scan_run(&s->work);
    if (s->error != 0)
        rc = err_errno(e, s->error, "cannot read %s", w->root);
    else
        add_missing(w, s);
    if (rc == 0 && list_empty(&w->folders))
        rc = err_set(e, ERR_IO, 0, "cannot watch %s", w->root);
    scan_free(s);
    return rc;
}

struct watch *watch_new(struct loop *loop, const char *folder,
                        const char *except, uint64_t quiet_ms,
                        void (*changed)(void *arg), void *arg, struct err *e)
{
    struct watch *w = MEM_NEW(struct watch);

    w->loop = loop;
    w->root = mem_strdup(folder);
    w->except = except ? mem_strdup(except) : NULL;
    w->quiet_ms = quiet_ms;
    w->changed = changed;
    w->arg = arg;
    list_init(&w->folders);
    timer_init(&w->quiet, loop, on_quiet);
    timer_init(&w->retry, loop, on_retry);
    if (watch_first(w, e) != 0) {
        watch_free(w);
        return NULL;
    }
    start_scan(w); /* a folder may have come between reading and watching */
    return w;
}

void watch_free(struct watch *w)
{
    timer_stop(&w->quiet);
    timer_stop(&w->retry);
    drop_all(w);
    if (w->scan != NULL)
        w->scan->watch = NULL;
    free(w->except);
    free(w->root);
    free(w);
}
