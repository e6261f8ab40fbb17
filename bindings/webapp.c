/*
 * core.webapp_is_genuine: who has signed what a Web App sends. Not for
 * scripts of authors: what they call is moonlet.webapp, and the bot's token
 * reaches no script.
 */
#include "bindings/support.h"

#include "vm/vm.h"

#include <lauxlib.h>
#include <nettle/base16.h>
#include <nettle/hmac.h>
#include <nettle/memops.h>
#include <string.h>

/* The key of a key: Bot API, "Validating data received via the Mini App". */
static const char KEY[] = "WebAppData";

static void sign(const char *token, const char *text, size_t len,
                 uint8_t digest[SHA256_DIGEST_SIZE])
{
    struct hmac_sha256_ctx hmac;
    hmac_sha256_set_key(&hmac, strlen(KEY), (const uint8_t *)KEY);
    hmac_sha256_update(&hmac, strlen(token), (const uint8_t *)token);
    hmac_sha256_digest(&hmac, SHA256_DIGEST_SIZE, digest);
    hmac_sha256_set_key(&hmac, SHA256_DIGEST_SIZE, digest);
    hmac_sha256_update(&hmac, len, (const uint8_t *)text);
    hmac_sha256_digest(&hmac, SHA256_DIGEST_SIZE, digest);
}

static bool decode(const char *hex, size_t len,
                   uint8_t digest[SHA256_DIGEST_SIZE])
{
    struct base16_decode_ctx base16;
    uint8_t bytes[BASE16_DECODE_LENGTH(2 * SHA256_DIGEST_SIZE)];
    size_t n = sizeof bytes;
    if (len != 2 * (size_t)SHA256_DIGEST_SIZE)
        return false;
    base16_decode_init(&base16);
    if (!base16_decode_update(&base16, &n, bytes, len, hex) ||
        !base16_decode_final(&base16) || n != SHA256_DIGEST_SIZE)
        return false;
    memcpy(digest, bytes, SHA256_DIGEST_SIZE);
    return true;
}

/* core.webapp_is_genuine(text, hash): is hash (in hexadecimal) what Telegram
 * gives the text, which holds the fields in order, for this bot? The time
 * that it takes tells nothing of the right one. */
int binding_webapp_is_genuine(lua_State *L)
{
    const struct services *services = vm_services(L);
    size_t len, hash_len;
    const char *text = luaL_checklstring(L, 1, &len);
    const char *hash = luaL_checklstring(L, 2, &hash_len);
    uint8_t right[SHA256_DIGEST_SIZE], given[SHA256_DIGEST_SIZE];
    bool same = false;
    if (services->token && decode(hash, hash_len, given)) {
        sign(services->token, text, len, right);
        same = memeql_sec(right, given, sizeof right) != 0;
    }
    lua_pushboolean(L, same);
    return 1;
}

/* sign(token, text): the hash that belongs to it, for specs, whose token is
 * no secret. */
int binding_webapp_sign(lua_State *L)
{
    size_t len;
    const char *token = luaL_checkstring(L, 1);
    const char *text = luaL_checklstring(L, 2, &len);
    uint8_t digest[SHA256_DIGEST_SIZE];
    char hex[BASE16_ENCODE_LENGTH(SHA256_DIGEST_SIZE)];
    sign(token, text, len, digest);
    base16_encode_update(hex, sizeof digest, digest);
    lua_pushlstring(L, hex, sizeof hex);
    return 1;
}
