#ifndef MOONLET_VM_ORDER_H
#define MOONLET_VM_ORDER_H

/*
 * pairs and next of a simulation. Lua's own order comes from a random seed
 * and from addresses; here numbers come first, ascending, then strings by
 * their bytes, then false and true, then objects in the order in which they
 * were made. C functions of the libraries come last, in no certain order.
 *
 * pairs notes the keys when a traversal begins: those that are removed later
 * are left out, those that are added do not come. Each call of next looks at
 * all keys.
 */

#include <lua.h>

/* Replaces the globals of a state whose memory is numbered; before they are
 * sealed. */
void order_open(lua_State *L);

/* Pushes an iterator as pairs returns it, for the table that follows. */
void order_push_iterator(lua_State *L);

#endif
