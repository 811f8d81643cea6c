/* The system calls behind mq_open(3) and its relatives: names are without the slash. */
#ifndef IPC_MQ_H
#define IPC_MQ_H

#include <mqueue.h>

static inline int mq_sys_open(const char *name, int flags, int mode, struct mq_attr *attributes)
{
	return (int)syscall(SYS_mq_open, name, flags, mode, attributes);
}
static inline int mq_sys_unlink(const char *name)
{
	return (int)syscall(SYS_mq_unlink, name);
}
static inline int mq_sys_send(int queue, const char *text, size_t size, unsigned priority, const struct timespec *timeout)
{
	return (int)syscall(SYS_mq_timedsend, queue, text, size, priority, timeout);
}
static inline long mq_sys_receive(int queue, char *text, size_t size, unsigned *priority, const struct timespec *timeout)
{
	return syscall(SYS_mq_timedreceive, queue, text, size, priority, timeout);
}
static inline int mq_sys_notify(int queue, const struct sigevent *event)
{
	return (int)syscall(SYS_mq_notify, queue, event);
}
static inline int mq_sys_getsetattr(int queue, const struct mq_attr *attributes, struct mq_attr *old)
{
	return (int)syscall(SYS_mq_getsetattr, queue, attributes, old);
}

#endif
