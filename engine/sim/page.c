#include "sim/sim.h"

#include "base/buf.h"
#include "base/embedded.h"
#include "net/routes.h"

#include <stdbool.h>
#include <string.h>

/* No inline script or style, no other origin, and no text that could become
 * markup: a breach is an error in the browser's console. */
static const char POLICY[] =
    "default-src 'none'; script-src 'self'; style-src 'self'; "
    "img-src 'self' blob:; connect-src 'self'; base-uri 'none'; "
    "form-action 'self'; frame-ancestors 'none'; "
    "require-trusted-types-for 'script'; trusted-types 'none'";

static const struct {
    const char *ending;
    const char *type;
} types[] = {
    {".html", "text/html; charset=utf-8"},
    {".css", "text/css; charset=utf-8"},
    {".js", "text/javascript; charset=utf-8"},
    {".svg", "image/svg+xml"},
};

static const char *content_type(const char *name)
{
    const char *ending = strrchr(name, '.');

    for (size_t i = 0; i < sizeof(types) / sizeof(*types); i++) {
        if (ending != NULL && strcmp(ending, types[i].ending) == 0)
            return types[i].type;
    }
    return "application/octet-stream";
}

static bool is_index(const struct embedded_file *file)
{
    return strcmp(file->name, "index.html") == 0;
}

/* Names stay the same in every build, so a browser asks each time; the hash
 * of the content is the ETag and spares the body. */
static void answer(struct exchange *x, void *arg)
{
    const struct embedded_file *file = arg;
    const char *known = exchange_header(x, "If-None-Match");
    bool same = known != NULL && strstr(known, file->hash) != NULL;
    struct buf tag = {0};

    buf_printf(&tag, "\"%s\"", file->hash);
    exchange_add_header(x, "ETag", tag.data);
    buf_free(&tag);
    exchange_add_header(x, "Cache-Control", "no-cache");
    exchange_add_header(x, "X-Content-Type-Options", "nosniff");
    exchange_add_header(x, "Referrer-Policy", "no-referrer");
    exchange_add_header(x, "Content-Security-Policy", POLICY);
    exchange_reply(x, same ? 304 : 200, content_type(file->name),
                   (const char *)file->data, same ? 0 : file->size);
}

void sim_mount_page(struct sim *sim, struct routes *routes, const char *path)
{
    (void)sim; /* the page talks to /sim as any other client does */
    for (const struct embedded_file *f = sim_page_files; f->name; f++) {
        struct buf pattern = {0};

        buf_printf(&pattern, "/a/%s", f->name);
        routes_add(routes, "GET", is_index(f) ? path : pattern.data, answer,
                   (void *)f);
        buf_free(&pattern);
    }
}
