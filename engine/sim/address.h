#ifndef MOONLET_SIM_ADDRESS_H
#define MOONLET_SIM_ADDRESS_H

/* Addresses of webhooks, as a Bot API server of one's own takes them: http
 * and https, every host and port. Without a scheme it is https. */

#include <stdbool.h>
#include <stddef.h>

#define ADDRESS_MAX 2048 /* bytes, with the end */

bool address_fits(const char *url);

/* The host of an address that fits, without user and port. */
void address_host(const char *url, char out[ADDRESS_MAX]);

/* What to post to: the address without its user, who becomes the value of a
 * header (NULL: there is none). The caller owns both. */
char *address_split(const char *url, char **authorization);

bool address_is_ip(const char *text);

#endif
