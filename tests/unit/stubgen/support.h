/*
 * What the suites of generated code share: everything_fake as the server, one client right with badge 7.
 */
#ifndef STUBGEN_TEST_SUPPORT_H
#define STUBGEN_TEST_SUPPORT_H

#include "everything_client.h"
#include "everything_decode.h"
#include "everything_fake.h"
#include <criterion/criterion.h>
#include <loopback.h>
#include <portico/client.h>
#include <string.h>

static port_name_t to; /* the client's right */

static inline void setup(void)
{
	loopback_reset();
	everything_fake_reset();
	loopback_register(&everything_interface);
	to = loopback_connect(NAME_SERVICE, 7);
}

static inline void teardown(void)
{
	loopback_reset();
}

/* Nothing that came with a request is left at the server. */
static inline void expect_clean(void)
{
	cr_expect_eq(loopback_rights(LOOPBACK_SERVER), 0u, "%zu rights leaked", loopback_rights(LOOPBACK_SERVER));
	cr_expect_eq(loopback_regions(LOOPBACK_SERVER), 0u, "%zu regions leaked", loopback_regions(LOOPBACK_SERVER));
	cr_expect_eq(everything_fake.gets, everything_fake.puts);
}

#endif
