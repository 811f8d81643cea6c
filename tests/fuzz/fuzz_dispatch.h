/*
 * The part of the generated fuzz targets (X_fuzz.c) that does not depend on the interface: bytes -> request ->
 * dispatcher.
 */
#ifndef FUZZ_DISPATCH_H
#define FUZZ_DISPATCH_H

#include <portico/decode.h>
#include <portico/server.h>

struct fuzz_options {
	bool takes_rights; /* handlers may keep what came with a request: leaks cannot be told */
};

/*
 * Reset the loopback, make one request of `data`, dispatch it, and check what must hold for any message: an answer that
 * is well formed by the tables, and no right or region left behind. Traps if it does not hold. Frees everything.
 *
 * data: 3 bytes for the caller's own use, then: how, routine, badge, descriptor count, 4 bytes a descriptor, inline
 * bytes.
 */
void fuzz_dispatch(const struct server_interface *interface, const struct decode_interface *decode,
                   const struct fuzz_options *options, const uint8_t *data, size_t size);

#endif
