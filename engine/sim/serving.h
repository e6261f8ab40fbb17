#ifndef MOONLET_SIM_SERVING_H
#define MOONLET_SIM_SERVING_H

/* The bytes of files: for bots by the link that getFile gives, and for
 * people and tests by any file_id. */

#include "net/routes.h"

/* GET /file/botTOKEN/PATH; arg: struct sim. In /sim/calls and /sim/faults
 * this is the method "file". */
#define SERVING_METHOD "file"
route_handler serving_receive;

/* GET /sim/files/FILE_ID */
route_handler serving_show;

#endif
