/*
 * moonlet.crypto: signatures, hashes and secrets, as for requests that
 * bot.http serves: is this one from whom it says? `as`, the last argument,
 * is how bytes are written: "hex" (small letters) unless it is said,
 * "base64", "base64url" (without "=") or "bytes" (as they are). Wrong
 * arguments raise "misuse".
 */
#include "bindings/support.h"

#include "base/clock.h"
#include "base/rng.h"
#include "loop/loop.h"
#include "vm/script_error.h"
#include "vm/vm.h"

#include <errno.h>
#include <lauxlib.h>
#include <nettle/base16.h>
#include <nettle/base64.h>
#include <nettle/hmac.h>
#include <nettle/md5.h>
#include <nettle/memops.h>
#include <nettle/nettle-meta.h>
#include <string.h>
#include <sys/random.h>

#define TEXT_MAX ((size_t)16 << 20) /* some 50 ms of work */
#define RANDOM_MAX 1024

static const char *const not_built[] = {NULL};

enum encoding { AS_HEX, AS_BASE64, AS_BASE64URL, AS_BYTES };

static const char *const encodings[] = {"hex", "base64", "base64url", "bytes"};

/* In the order of `hashes`. */
static const char *const algorithms[] = {"sha256", "sha512", "sha1", "md5"};

#define CHOICES(list) (sizeof(list) / sizeof((list)[0]))

/* The place of the text at index in the list. */
static size_t choice(lua_State *L, int index, const char *const *list,
                     size_t count, const char *what)
{
    const char *given = lua_tostring(L, index);
    for (size_t i = 0; given && i < count; i++)
        if (strcmp(given, list[i]) == 0)
            return i;
    luaL_Buffer names;
    luaL_buffinit(L, &names);
    for (size_t i = 0; i < count; i++) {
        luaL_addstring(&names, i == 0 ? "\"" : ", \"");
        luaL_addstring(&names, list[i]);
        luaL_addchar(&names, '"');
    }
    luaL_pushresult(&names);
    return (size_t)script_error_misuse(L, "%s must be one of %s, got %s", what,
                                       lua_tostring(L, -1),
                                       given ? given : luaL_typename(L, index));
}

static enum encoding encoding_at(lua_State *L, int index)
{
    if (lua_isnoneornil(L, index))
        return AS_HEX;
    return (enum encoding)choice(L, index, encodings, CHOICES(encodings),
                                 "what says how bytes are written");
}

static const struct nettle_hash *algorithm_at(lua_State *L, int index,
                                              const char *what)
{
    const struct nettle_hash *const hashes[] = {&nettle_sha256, &nettle_sha512,
                                                &nettle_sha1, &nettle_md5};
    return hashes[choice(L, index, algorithms, CHOICES(algorithms), what)];
}

static const uint8_t *text_at(lua_State *L, int index, size_t *len,
                              const char *what)
{
    if (lua_type(L, index) != LUA_TSTRING)
        script_error_misuse(L, "%s needs a text, got %s", what,
                            luaL_typename(L, index));
    const char *text = lua_tolstring(L, index, len);
    if (*len > TEXT_MAX)
        script_error_misuse(L, "%s takes at most %d bytes, got %d", what,
                            (int)TEXT_MAX, (int)*len);
    return (const uint8_t *)text;
}

static void push_base64(lua_State *L, const uint8_t *bytes, size_t len,
                        bool for_url)
{
    struct base64_encode_ctx base64;
    luaL_Buffer b;
    char *out = luaL_buffinitsize(
        L, &b, BASE64_ENCODE_LENGTH(len) + BASE64_ENCODE_FINAL_LENGTH);
    if (for_url)
        base64url_encode_init(&base64);
    else
        base64_encode_init(&base64);
    size_t n = base64_encode_update(&base64, out, len, bytes);
    n += base64_encode_final(&base64, out + n);
    while (for_url && n > 0 && out[n - 1] == '=')
        n--;
    luaL_pushresultsize(&b, n);
}

static int push_bytes(lua_State *L, const uint8_t *bytes, size_t len,
                      enum encoding as)
{
    luaL_Buffer b;
    switch (as) {
    case AS_HEX:
        base16_encode_update(
            luaL_buffinitsize(L, &b, BASE16_ENCODE_LENGTH(len) + 1), len,
            bytes);
        luaL_pushresultsize(&b, BASE16_ENCODE_LENGTH(len));
        break;
    case AS_BASE64:
    case AS_BASE64URL:
        push_base64(L, bytes, len, as == AS_BASE64URL);
        break;
    case AS_BYTES:
        lua_pushlstring(L, (const char *)bytes, len);
        break;
    }
    return 1;
}

/* crypto.hash(algorithm, text [, as]): the hash of a text. algorithm:
 * "sha256", "sha512", "sha1" or "md5"; the last two are no protection any
 * more, and are for servers that still want them. */
static int crypto_hash(lua_State *L)
{
    union nettle_hash_state {
        struct sha512_ctx sha512;
        struct sha256_ctx sha256;
        struct sha1_ctx sha1;
        struct md5_ctx md5;
    } state;
    uint8_t digest[SHA512_DIGEST_SIZE];
    size_t len;
    const struct nettle_hash *hash =
        algorithm_at(L, 1, "the algorithm of crypto.hash");
    const uint8_t *text = text_at(L, 2, &len, "crypto.hash");
    enum encoding as = encoding_at(L, 3);
    hash->init(&state);
    hash->update(&state, len, text);
    hash->digest(&state, hash->digest_size, digest);
    return push_bytes(L, digest, hash->digest_size, as);
}

/* crypto.hmac(algorithm, key, text [, as]): the signature of a text by a
 * secret key (HMAC), with an algorithm of crypto.hash. */
static int crypto_hmac(lua_State *L)
{
    struct hmac_sha512_ctx hmac; /* the largest */
    uint8_t digest[SHA512_DIGEST_SIZE];
    size_t key_len, len;
    const struct nettle_hash *hash =
        algorithm_at(L, 1, "the algorithm of crypto.hmac");
    const uint8_t *key = text_at(L, 2, &key_len, "the key of crypto.hmac");
    const uint8_t *text = text_at(L, 3, &len, "crypto.hmac");
    enum encoding as = encoding_at(L, 4);
    hmac_set_key(&hmac.outer, &hmac.inner, &hmac.state, hash, key_len, key);
    hmac_update(&hmac.state, hash, len, text);
    hmac_digest(&hmac.outer, &hmac.inner, &hmac.state, hash, hash->digest_size,
                digest);
    return push_bytes(L, digest, hash->digest_size, as);
}

/* crypto.equal(a, b): whether two texts are the same. Unlike ==, the time
 * that it takes does not tell a stranger how much of a guess is right; only
 * the length shows. false if one is nil, as a header that is missing. */
static int crypto_equal(lua_State *L)
{
    size_t a_len = 0, b_len = 0;
    const uint8_t *a = NULL, *b = NULL;
    luaL_checkany(L, 2);
    if (!lua_isnil(L, 1))
        a = text_at(L, 1, &a_len, "crypto.equal");
    if (!lua_isnil(L, 2))
        b = text_at(L, 2, &b_len, "crypto.equal");
    lua_pushboolean(L, a && b && a_len == b_len && memeql_sec(a, b, a_len));
    return 1;
}

static void fill_with_chance(lua_State *L, uint8_t *bytes, size_t count)
{
    if (vm_clock(L)->is_virtual) {
        struct rng *rng = loop_rng(vm_loop(L));
        for (size_t i = 0; i < count; i++)
            bytes[i] = (uint8_t)rng_below(rng, 256);
        return;
    }
    while (count > 0) {
        ssize_t n = getrandom(bytes, count, 0);
        if (n < 0 && errno != EINTR)
            luaL_error(L, "crypto.random: %s", strerror(errno));
        if (n > 0) {
            bytes += n;
            count -= (size_t)n;
        }
    }
}

/* crypto.random(count [, as]): that many bytes (1 to 1024) that nobody can
 * guess, for keys, tokens and codes. In specs they come from the seed. Not
 * while scripts load. */
static int crypto_random(lua_State *L)
{
    uint8_t bytes[RANDOM_MAX];
    int whole = 0;
    lua_Integer count = lua_tointegerx(L, 1, &whole);
    if (!whole || count < 1 || count > RANDOM_MAX)
        script_error_misuse(L,
                            "crypto.random needs how many bytes, 1 to %d, "
                            "got %s",
                            RANDOM_MAX, luaL_tolstring(L, 1, NULL));
    enum encoding as = encoding_at(L, 2);
    if (!vm_loop(L))
        script_error_misuse(L, "crypto.random: not while the scripts load; "
                               "bot.on_start can call it");
    fill_with_chance(L, bytes, (size_t)count);
    return push_bytes(L, bytes, (size_t)count, as);
}

/* crypto.encode(bytes [, as]): bytes as a text. */
static int crypto_encode(lua_State *L)
{
    size_t len;
    const uint8_t *bytes = text_at(L, 1, &len, "crypto.encode");
    return push_bytes(L, bytes, len, encoding_at(L, 2));
}

static bool decode_hex(const char *text, size_t len, char *out, size_t *n)
{
    struct base16_decode_ctx base16;
    base16_decode_init(&base16);
    return base16_decode_update(&base16, n, (uint8_t *)out, len, text) &&
           base16_decode_final(&base16);
}

/* Those of URLs come without "=". */
static bool decode_base64(const char *text, size_t len, bool for_url, char *out,
                          size_t *n)
{
    struct base64_decode_ctx base64;
    size_t more = 0;
    if (for_url)
        base64url_decode_init(&base64);
    else
        base64_decode_init(&base64);
    if (!base64_decode_update(&base64, n, (uint8_t *)out, len, text))
        return false;
    for (size_t bare = len; for_url && bare % 4 != 0 && bare % 4 != 1; bare++)
        if (!base64_decode_update(&base64, &more, (uint8_t *)out + *n, 1, "="))
            return base64_decode_final(&base64);
    return base64_decode_final(&base64);
}

/* crypto.decode(text [, as]): the bytes that a text stands for; nil if it is
 * no such text. */
static int crypto_decode(lua_State *L)
{
    size_t len, n;
    luaL_Buffer b;
    const char *text = (const char *)text_at(L, 1, &len, "crypto.decode");
    enum encoding as = encoding_at(L, 2);
    char *out = luaL_buffinitsize(L, &b, BASE64_DECODE_LENGTH(len) + 3);
    bool fine = true;
    n = BASE64_DECODE_LENGTH(len) + 3;
    switch (as) {
    case AS_HEX:
        fine = decode_hex(text, len, out, &n);
        break;
    case AS_BASE64:
    case AS_BASE64URL:
        fine = decode_base64(text, len, as == AS_BASE64URL, out, &n);
        break;
    case AS_BYTES:
        lua_settop(L, 1);
        return 1;
    }
    luaL_pushresultsize(&b, fine ? n : 0);
    if (!fine)
        lua_pushnil(L);
    return 1;
}

static const luaL_Reg functions[] = {
    {"hash", crypto_hash},
    {"hmac", crypto_hmac},
    {"equal", crypto_equal},
    {"random", crypto_random},
    {"encode", crypto_encode},
    {"decode", crypto_decode},
    {NULL, NULL},
};

int binding_crypto(lua_State *L)
{
    luaL_newlib(L, functions);
    binding_close_module(L, "crypto", not_built);
    return 1;
}
