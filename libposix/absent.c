/*
 * Calls whose honest answer is an error: sockets (there is no net server yet), extended attributes (no file system has any).
 */
#include "fd.h"
#include "linux.h"
#include "thread.h"

#include <io_types.h>

/* ---- sockets ---- */

int64_t sys_socket(void)
{
	return -EAFNOSUPPORT;
}

int64_t sys_socketpair(void)
{
	return -EAFNOSUPPORT;
}

/* On any descriptor: it is no socket. */
static int64_t no_socket(int fd)
{
	return fd_flags(fd) < 0 ? -EBADF : -ENOTSOCK;
}

#define ON_SOCKET(name) \
	int64_t sys_##name(int fd) \
	{ \
		return no_socket(fd); \
	}

ON_SOCKET(connect)
ON_SOCKET(accept)
ON_SOCKET(accept4)
ON_SOCKET(sendto)
ON_SOCKET(recvfrom)
ON_SOCKET(sendmsg)
ON_SOCKET(recvmsg)
ON_SOCKET(sendmmsg)
ON_SOCKET(recvmmsg)
ON_SOCKET(shutdown)
ON_SOCKET(bind)
ON_SOCKET(listen)
ON_SOCKET(getsockname)
ON_SOCKET(getpeername)
ON_SOCKET(setsockopt)
ON_SOCKET(getsockopt)

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
