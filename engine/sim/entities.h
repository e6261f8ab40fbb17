#ifndef MOONLET_SIM_ENTITIES_H
#define MOONLET_SIM_ENTITIES_H

/* Finds what Telegram marks in plain text by itself: /commands, @mentions,
 * #hashtags and http links. */

#include <jansson.h>
#include <stddef.h>

/* Array of MessageEntity (offsets in UTF-16 units), or NULL if there is
 * nothing to mark. New. text is valid UTF-8. */
json_t *entities_find(const char *text, size_t len);

/* Its length in UTF-16 units. text is valid UTF-8. */
size_t entities_units(const char *text, size_t len);

#endif
