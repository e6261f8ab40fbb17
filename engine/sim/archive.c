#include "sim/archive.h"

#include "base/buf.h"
#include "base/mem.h"
#include "base/rng.h"
#include "sim/content.h"
#include "sim/core.h"
#include "sim/image.h"
#include "sim/spool.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

static const struct file_kind kinds[] = {
    {"photo", "photos", "AgACAgIAA-", "AQAD-", "Photo", "jpg"},
    {"document", "documents", "BQACAgIAA-", "AgAD-", "Document", ""},
    {"video", "videos", "BAACAgIAA-", "AgAD-", "Video", "mp4"},
    {"audio", "music", "CQACAgIAA-", "AgAD-", "Audio", "mp3"},
    {"voice", "voice", "AwACAgIAA-", "AgAD-", "VoiceNote", "oga"},
    {"animation", "animations", "CgACAgIAA-", "AgAD-", "Animation", "mp4"},
    {"sticker", "stickers", "CAACAgIAA-", "AgAD-", "Sticker", "webp"},
    {"video_note", "video_notes", "DQACAgIAA-", "AQAD-", "VideoNote", "mp4"},
    {"thumbnail", "thumbnails", "AAMCAgIAA-", "AQAD-", "Thumbnail", "jpg"},
};

static const struct {
    const char *extension;
    const char *type;
} types[] = {{"txt", "text/plain"},        {"csv", "text/csv"},
             {"html", "text/html"},        {"json", "application/json"},
             {"pdf", "application/pdf"},   {"zip", "application/zip"},
             {"gz", "application/gzip"},   {"png", "image/png"},
             {"jpg", "image/jpeg"},        {"jpeg", "image/jpeg"},
             {"gif", "image/gif"},         {"webp", "image/webp"},
             {"svg", "image/svg+xml"},     {"mp4", "video/mp4"},
             {"webm", "video/webm"},       {"mov", "video/quicktime"},
             {"mp3", "audio/mpeg"},        {"m4a", "audio/mp4"},
             {"oga", "audio/ogg"},         {"ogg", "audio/ogg"},
             {"wav", "audio/x-wav"},       {"xml", "application/xml"},
             {"doc", "application/msword"}};

const struct file_kind *archive_kind(const char *key)
{
    for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++)
        if (strcmp(kinds[i].key, key) == 0)
            return &kinds[i];
    return NULL;
}

void archive_init(struct archive *f, struct sim *sim)
{
    f->sim = sim;
    f->spool = spool_new(sim->loop);
    f->next = 1;
    f->upload_max = ARCHIVE_UPLOAD_DEFAULT;
    list_init(&f->kept);
}

static void forget_content(struct archive *f, struct file *file)
{
    struct content *c = file->content;
    list_remove(&file->link);
    file->content = NULL;
    if (c == NULL)
        return;
    if (--c->kept == 0) {
        f->kept_count--;
        f->memory -= c->data.len;
        f->disk -= c->written;
    }
    content_unref(c);
}

static void forget(struct archive *f, struct file *file)
{
    forget_content(f, file);
    free(file->name);
    free(file->links);
    free(file);
}

void archive_free(struct archive *f)
{
    spool_close(f->spool);
    for (size_t i = 0; i < ARCHIVE_MAX; i++)
        if (f->ring[i] != NULL)
            forget(f, f->ring[i]);
}

/* Photos share their bytes, so the count of files is not that of contents. */
static void make_room(struct archive *f)
{
    while (f->kept_count > ARCHIVE_CONTENTS_MAX ||
           f->memory > ARCHIVE_MEMORY_MAX || f->disk > ARCHIVE_DISK_MAX)
        forget_content(f, LIST_ENTRY(f->kept.next, struct file, link));
}

static struct content *keep(struct archive *f, struct content *c)
{
    if (c->kept++ == 0) {
        f->kept_count++;
        f->memory += c->data.len;
        f->disk += c->written;
    }
    return content_ref(c);
}

static struct file *add(struct archive *f, const struct file_facts *facts)
{
    struct file **slot = &f->ring[f->next % ARCHIVE_MAX];
    if (*slot != NULL)
        forget(f, *slot);
    struct file *file = *slot = MEM_NEW(struct file);
    file->n = file->first = file->last = f->next++;
    file->kind = facts->kind;
    file->size = (int64_t)facts->content->size;
    file->width = facts->width;
    file->height = facts->height;
    file->content = keep(f, facts->content);
    if (facts->name != NULL && *facts->name != '\0')
        file->name = mem_strdup(facts->name);
    list_init(&file->link);
    list_push(&f->kept, &file->link);
    return file;
}

static int64_t scaled(int64_t side, int64_t longest, int64_t to)
{
    int64_t to_side = side * to / longest;
    return to_side > 0 ? to_side : 1;
}

/* The sizes that the server makes of a photo, smallest first. They share the
 * bytes of what was sent. */
static struct file *add_photo(struct archive *f, const struct file_facts *facts)
{
    static const int64_t sides[] = {90, 320, 800, 1280, 2560};
    int64_t w = facts->width;
    int64_t h = facts->height;
    int64_t longest = w > h ? w : h;
    int64_t first = f->next;
    struct file_facts one = *facts;
    for (size_t i = 0; i < sizeof(sides) / sizeof(sides[0]); i++) {
        bool last = sides[i] >= longest || sides[i] == 2560;
        int64_t to = sides[i] < longest ? sides[i] : longest;
        one.width = scaled(w, longest, to);
        one.height = scaled(h, longest, to);
        add(f, &one);
        if (last)
            break;
    }
    for (int64_t n = first; n < f->next; n++) {
        archive_number(f, n)->first = first;
        archive_number(f, n)->last = f->next - 1;
    }
    return archive_number(f, first);
}

struct file *archive_add(struct archive *f, const struct file_facts *facts)
{
    struct file_facts known = *facts;
    struct content *c = facts->content;
    size_t len = 0;
    const char *head = content_head(c, &len);
    struct image image = image_read(head, len);
    if (f->salt == 0)
        f->salt = (uint32_t)rng_next(loop_rng(f->sim->loop)) | 1;
    if (known.width <= 0 || known.height <= 0) {
        known.width = image.width;
        known.height = image.height;
    }
    bool photo = strcmp(known.kind->key, "photo") == 0;
    if (photo && (known.width <= 0 || known.height <= 0)) {
        known.width = 800;
        known.height = 600;
    }
    struct file *file = photo ? add_photo(f, &known) : add(f, &known);
    make_room(f);
    return file;
}

struct file *archive_number(const struct archive *f, int64_t n)
{
    struct file *file = n > 0 ? f->ring[n % ARCHIVE_MAX] : NULL;
    return file != NULL && file->n == n ? file : NULL;
}

/* PREFIX N - salt - bot. False: it is not shaped so. */
static bool read_id(const char *file_id, const struct file_kind **kind,
                    int64_t *n, uint32_t *salt, int64_t *bot)
{
    for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++) {
        size_t len = strlen(kinds[i].prefix);
        long long number;
        long long owner;
        unsigned s;
        int end = 0;
        if (strncmp(file_id, kinds[i].prefix, len) != 0 ||
            sscanf(file_id + len, "%18lld-%8x-%18lld%n", &number, &s, &owner,
                   &end) < 3 ||
            file_id[len + (size_t)end] != '\0')
            continue;
        *kind = &kinds[i];
        *n = number;
        *salt = s;
        *bot = owner;
        return true;
    }
    return false;
}

static struct file *find(struct archive *f, const char *file_id, int64_t *bot,
                         bool *ours)
{
    const struct file_kind *kind = NULL;
    int64_t n = 0;
    uint32_t salt = 0;
    *ours = read_id(file_id, &kind, &n, &salt, bot);
    if (!*ours || salt != f->salt)
        return NULL;
    struct file *file = archive_number(f, n);
    return file != NULL && file->kind == kind ? file : NULL;
}

struct file *archive_find(struct archive *f, const char *file_id, int64_t bot,
                          bool *ours)
{
    int64_t owner = 0;
    struct file *file = find(f, file_id, &owner, ours);
    return owner == bot ? file : NULL;
}

struct file *archive_any(struct archive *f, const char *file_id)
{
    int64_t owner = 0;
    bool ours = false;
    return find(f, file_id, &owner, &ours);
}

static const char *extension_of(const struct file *file)
{
    const char *dot = file->name != NULL ? strrchr(file->name, '.') : NULL;
    return dot != NULL ? dot + 1 : file->kind->extension;
}

static const char *picture_type(const struct file *file)
{
    size_t len = 0;
    if (file->content == NULL)
        return NULL;
    const char *head = content_head(file->content, &len);
    return image_read(head, len).type;
}

bool archive_is_picture(const struct file *file)
{
    return picture_type(file) != NULL;
}

const char *archive_type(const struct file *file)
{
    const char *extension = extension_of(file);
    const char *picture = picture_type(file);
    if (picture != NULL)
        return picture;
    for (size_t i = 0; i < sizeof(types) / sizeof(types[0]); i++)
        if (strcasecmp(types[i].extension, extension) == 0)
            return types[i].type;
    return "application/octet-stream";
}

static bool has_name(const struct file_kind *kind)
{
    static const char *const nameless[] = {"photo", "voice", "sticker",
                                           "video_note", "thumbnail"};
    for (size_t i = 0; i < sizeof(nameless) / sizeof(nameless[0]); i++)
        if (strcmp(kind->key, nameless[i]) == 0)
            return false;
    return true;
}

void archive_describe(const struct archive *f, const struct file *file,
                      int64_t bot, json_t *out)
{
    const struct file_kind *kind = file->kind;
    sim_set(out, "file_id",
            json_sprintf("%s%lld-%08x-%lld", kind->prefix, (long long)file->n,
                         (unsigned)f->salt, (long long)bot));
    sim_set(out, "file_unique_id",
            json_sprintf("%s%lld-%08x", kind->unique, (long long)file->n,
                         (unsigned)f->salt));
    sim_set(out, "file_size", json_integer(file->size));
    if (file->width > 0) {
        sim_set(out, "width", json_integer(file->width));
        sim_set(out, "height", json_integer(file->height));
    }
    if (file->name != NULL && has_name(kind))
        sim_set(out, "file_name", json_string(file->name));
    if (strcmp(kind->key, "photo") != 0)
        sim_set(out, "mime_type", json_string(archive_type(file)));
}

static struct file_link *link_of(const struct file *file, int64_t bot)
{
    for (size_t i = 0; i < file->links_count; i++)
        if (file->links[i].bot == bot)
            return &file->links[i];
    return NULL;
}

/* Letters and digits of the name's extension; the path is not the name. */
static void put_extension(const struct file *file, struct buf *path)
{
    const char *extension = extension_of(file);
    if (strcmp(file->kind->key, "photo") == 0)
        extension = file->kind->extension;
    size_t len = strspn(extension, "abcdefghijklmnopqrstuvwxyz"
                                   "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789");
    if (len > 0 && extension[len] == '\0' && len <= ARCHIVE_EXTENSION_MAX)
        buf_printf(path, ".%s", extension);
}

static void put_path(const struct file *file, struct buf *path)
{
    buf_printf(path, "%s/file_%lld", file->kind->folder, (long long)file->n);
    put_extension(file, path);
}

char *archive_link(struct archive *f, struct file *file, int64_t bot)
{
    struct buf path = {0};
    struct file_link *link = link_of(file, bot);
    if (link == NULL) {
        file->links =
            mem_grow(file->links, file->links_count + 1, sizeof(*file->links));
        link = &file->links[file->links_count++];
        link->bot = bot;
    }
    link->until_ms = loop_now_ms(f->sim->loop) + ARCHIVE_LINK_MS;
    put_path(file, &path);
    return buf_steal(&path);
}

struct file *archive_linked(struct archive *f, const char *path, int64_t bot)
{
    const char *number = strstr(path, "/file_");
    struct file *file = number != NULL
                            ? archive_number(f, strtoll(number + 6, NULL, 10))
                            : NULL;
    const struct file_link *link = file != NULL ? link_of(file, bot) : NULL;
    struct buf own = {0};
    if (link == NULL || link->until_ms <= loop_now_ms(f->sim->loop))
        return NULL;
    put_path(file, &own);
    bool same = strcmp(own.data, path) == 0;
    buf_free(&own);
    return same ? file : NULL;
}

/* At most so many characters, without what no file name may hold. */
static void put_clean(struct buf *out, const char *text, size_t len, size_t max)
{
    size_t start = out->len;
    size_t count = 0;
    for (size_t i = 0; i < len; i++) {
        unsigned char c = (unsigned char)text[i];
        bool begins = (c & 0xc0) != 0x80;
        if (begins && count++ == max)
            break;
        bool bad = c < 32 || c == 127 || strchr("<>:\"|?*&`'\\", c) != NULL;
        if (!bad || out->len > start)
            buf_putc(out, bad ? ' ' : (char)c);
    }
    while (out->len > start && out->data[out->len - 1] == ' ')
        out->data[--out->len] = '\0';
}

char *archive_clean_name(const char *name)
{
    struct buf out = {0};
    const char *slash = strpbrk(name, "/\\") != NULL ? name : NULL;
    for (const char *at = slash; at != NULL && *at != '\0'; at++)
        if (*at == '/' || *at == '\\')
            name = at + 1;
    const char *dot = strrchr(name, '.');
    size_t stem =
        dot != NULL && dot > name ? (size_t)(dot - name) : strlen(name);
    put_clean(&out, name, stem, ARCHIVE_NAME_MAX);
    if (name[stem] == '.') {
        buf_putc(&out, '.');
        put_clean(&out, name + stem + 1, strlen(name + stem + 1),
                  ARCHIVE_EXTENSION_MAX);
    }
    return buf_steal(&out);
}
