/*
 * The one table from a kernel status to an errno, for libposix and for servers. They differ in what an interruption means.
 */
#ifndef PORTICO_STATUS_ERRNO_H
#define PORTICO_STATUS_ERRNO_H

#include <portico/errno.h>
#include <portico/status.h>
#include <stdint.h>

/* 0 for a status that is no error. `interrupted`: what KERN_INTERRUPTED becomes. */
static inline int status_errno(int64_t status, int interrupted)
{
	static const uint8_t table[] = {
	        [-KERN_INVALID_ARGUMENT] = EINVAL,
	        [-KERN_INVALID_NAME] = EBADF,
	        [-KERN_INVALID_RIGHT] = EBADF,
	        [-KERN_NAME_EXISTS] = EEXIST,
	        [-KERN_NO_ACCESS] = EACCES,
	        [-KERN_DEAD] = EIO,
	        [-KERN_NO_MEMORY] = ENOMEM,
	        [-KERN_TIMED_OUT] = ETIMEDOUT,
	        [-KERN_FAULT] = EFAULT,
	        [-KERN_QUEUE_FULL] = EAGAIN,
	        [-KERN_TOO_LARGE] = EMSGSIZE,
	        [-KERN_WOULD_BLOCK] = EAGAIN,
	        [-KERN_BUSY] = EBUSY,
	        [-KERN_NO_SPACE] = ENOMEM,
	        [-KERN_NOT_SUPPORTED] = ENOSYS,
	        [-KERN_NO_REPLY] = EIO,
	        [-KERN_PEER_FAULT] = EFAULT,
	        [-KERN_GONE] = EIO,
	};

	if (status >= 0)
		return 0;
	if (status == KERN_INTERRUPTED)
		return interrupted;
	return status < KERN_GONE ? EIO : table[-status];
}

#endif
