/*
 * Calls whose honest answer is an error: extended attributes (no file system has any).
 */
#include "linux.h"
#include "thread.h"

/* ---- extended attributes ---- */

#define NOT_SUPPORTED(name) \
	int64_t sys_##name(void) \
	{ \
		return -EOPNOTSUPP; \
	}

NOT_SUPPORTED(setxattr)
NOT_SUPPORTED(lsetxattr)
NOT_SUPPORTED(fsetxattr)
NOT_SUPPORTED(getxattr)
NOT_SUPPORTED(lgetxattr)
NOT_SUPPORTED(fgetxattr)
NOT_SUPPORTED(listxattr)
NOT_SUPPORTED(llistxattr)
NOT_SUPPORTED(flistxattr)
NOT_SUPPORTED(removexattr)
NOT_SUPPORTED(lremovexattr)
NOT_SUPPORTED(fremovexattr)
