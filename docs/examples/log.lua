-- log.debug
log.debug("cart.seen", { user = ctx.from.id })
-- log.info
log.info("cart.filled", { items = 3 })
-- log.warn
log.warn("cart.full", { items = 100 })
-- log.error
log.error("cart.lost", { user = ctx.from.id })
