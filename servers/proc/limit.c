/*
 * Resource limits, priorities, usage, names, and what prctl(2) keeps here.
 *
 * Limits are inherited and told here; proc enforces NPROC and STACK itself, libposix NOFILE, DATA, AS and FSIZE, sig
 * SIGPENDING.
 */
#include "kernel_ops.h"
#include "proc.h"

#include <portico/layout.h>
#include <portico/strings.h>
#include <proc_server.h>

#define NOFILE_MAXIMUM 1048576u

void limits_default(struct process *p)
{
	for (uint32_t i = 0; i < RESOURCES; i++)
		p->limit[i] = (struct proc_limit){RESOURCE_UNLIMITED, RESOURCE_UNLIMITED};
	uint64_t processes = PID_MAX / 4;
	p->limit[RESOURCE_STACK].current = STACK_MAX_SIZE;
	p->limit[RESOURCE_CORE].current = 0;
	p->limit[RESOURCE_NPROC] = (struct proc_limit){processes, processes};
	p->limit[RESOURCE_NOFILE] = (struct proc_limit){1024, 4096};
	p->limit[RESOURCE_MEMLOCK] = (struct proc_limit){8u << 20, 8u << 20};
	p->limit[RESOURCE_SIGPENDING] = (struct proc_limit){processes, processes};
	p->limit[RESOURCE_MSGQUEUE] = (struct proc_limit){819200, 819200};
	p->limit[RESOURCE_NICE] = (struct proc_limit){0, 0};
	p->limit[RESOURCE_RTPRIO] = (struct proc_limit){0, 0};
}

/* May the caller look at and set the limits of another process? */
static bool limits_permitted(const struct process *caller, const struct process *p)
{
	const struct credentials *a = &caller->cred, *b = &p->cred;
	if (caller == p || has_capability(caller, CAPABILITY_SYS_RESOURCE))
		return true;
	return a->uid == b->uid && a->uid == b->euid && a->uid == b->suid && a->gid == b->gid && a->gid == b->egid &&
	       a->gid == b->sgid;
}

static int set_limit(const struct process *caller, struct process *p, uint32_t resource, const struct proc_limit *value)
{
	if (value->current > value->maximum)
		return EINVAL;
	if (resource == RESOURCE_NOFILE && value->maximum > NOFILE_MAXIMUM)
		return EPERM;
	if (value->maximum > p->limit[resource].maximum && !has_capability(caller, CAPABILITY_SYS_RESOURCE))
		return EPERM;
	p->limit[resource] = *value;
	return 0;
}

int proc_serve_limit(struct server_call *call, struct proc_right *right, uint32_t pid, uint32_t resource, uint8_t set,
                     const struct proc_limit *value, struct proc_limit *previous)
{
	struct process *caller = process_of_principal(call->principal);
	struct process *p = pid ? process_by_any_id(pid) : caller;
	if (resource >= RESOURCES)
		return EINVAL;
	if (!p || p->state != PROCESS_ALIVE)
		return ESRCH;
	if (right->server && !set) {
		*previous = p->limit[resource];
		return 0;
	}
	if (!caller)
		return ESRCH;
	if (!limits_permitted(caller, p))
		return EPERM;
	*previous = p->limit[resource];
	return set ? set_limit(caller, p, resource, value) : 0;
}

int proc_serve_usage(struct server_call *call, struct proc_right *right, int32_t who, struct rusage *result)
{
	(void)right;
	struct process *p = process_of_principal(call->principal);
	if (!p)
		return ESRCH;
	switch (who) {
	case -1:
		*result = p->children_usage;
		return 0;
	case 1: /* one thread of several: libposix asks the kernel itself */
		if (p->thread_count != 1)
			return EINVAL;
		/* fall through */
	case 0:
		*result = p->usage;
		task_usage(p->task, result);
		return 0;
	default:
		return EINVAL;
	}
}

/* Processes lie below all servers; nice 0 is 8. */
uint32_t nice_priority(int32_t nice)
{
	return (uint32_t)(8 - nice / 4);
}

enum priority_which { PRIORITY_PROCESS, PRIORITY_GROUP, PRIORITY_USER };

static bool priority_meant(const struct process *p, const struct process *caller, uint32_t which, uint32_t who)
{
	if (p->state != PROCESS_ALIVE)
		return false;
	switch (which) {
	case PRIORITY_PROCESS:
		return p == (who ? process_by_any_id(who) : caller);
	case PRIORITY_GROUP:
		return p->group == (who ? who : caller->group);
	default:
		return p->cred.uid == (who ? who : caller->cred.uid);
	}
}

static int set_nice(const struct process *caller, struct process *p, int32_t value)
{
	bool own = caller->cred.euid == p->cred.euid || caller->cred.euid == p->cred.uid;
	if (!own && !has_capability(caller, CAPABILITY_SYS_NICE))
		return EPERM;
	if (value < p->nice && !has_capability(caller, CAPABILITY_SYS_NICE) &&
	    (uint64_t)(20 - value) > p->limit[RESOURCE_NICE].current)
		return EACCES;
	p->nice = value;
	kernel_thread_priority(p->thread, nice_priority(value));
	return 0;
}

int proc_serve_priority(struct server_call *call, struct proc_right *right, uint32_t which, uint32_t who, uint8_t set,
                        int32_t value, int32_t *result)
{
	(void)right;
	struct process *caller = process_of_principal(call->principal);
	if (!caller)
		return ESRCH;
	if (which > PRIORITY_USER)
		return EINVAL;
	value = value < -20 ? -20 : value > 19 ? 19 : value;
	int error = ESRCH;
	int32_t best = 20;
	for (struct process *p = root->first; p; p = p->next) {
		if (!priority_meant(p, caller, which, who))
			continue;
		int one = set ? set_nice(caller, p, value) : 0;
		if (p->nice < best)
			best = p->nice;
		if (one || error == ESRCH)
			error = one;
	}
	*result = best;
	return error;
}

int proc_serve_set_name(struct server_call *call, struct proc_right *right, const char *name)
{
	(void)right;
	struct process *p = process_of_principal(call->principal);
	if (!p)
		return ESRCH;
	memset(p->name, 0, sizeof(p->name));
	memcpy(p->name, name, strnlen(name, sizeof(p->name) - 1));
	return 0;
}

int proc_serve_child_policy(struct server_call *call, struct proc_right *right, uint8_t no_zombies)
{
	(void)right;
	struct process *p = process_of_principal(call->principal);
	if (!p)
		return ESRCH;
	p->no_zombies = no_zombies != 0;
	return 0;
}

int proc_serve_thread_begin(struct server_call *call, struct proc_right *right, uint32_t slot, uint32_t *tid)
{
	(void)right;
	struct process *p = process_of_principal(call->principal);
	if (!p)
		return ESRCH;
	if (slot >= THREAD_SLOTS)
		return EAGAIN;
	if (processes_of_user(p->cred.uid) >= p->limit[RESOURCE_NPROC].current && p->cred.uid != 0 &&
	    !has_capability(p, CAPABILITY_SYS_RESOURCE) && !has_capability(p, CAPABILITY_SYS_ADMIN))
		return EAGAIN;
	return thread_id_create(p, slot, tid);
}

int proc_serve_thread_end(struct server_call *call, struct proc_right *right, uint32_t tid)
{
	(void)right;
	struct process *p = process_of_principal(call->principal);
	struct thread_id *t = thread_by_tid(tid);
	if (!p || !t || t->process != p)
		return ESRCH;
	thread_id_destroy(t);
	return 0;
}

enum control_option {
	CONTROL_SET_DEATH_SIGNAL = 1,
	CONTROL_GET_DEATH_SIGNAL = 2,
	CONTROL_GET_DUMPABLE = 3,
	CONTROL_SET_DUMPABLE = 4,
	CONTROL_GET_KEEP_CAPS = 7,
	CONTROL_SET_KEEP_CAPS = 8,
	CONTROL_READ_BOUNDING = 23,
	CONTROL_DROP_BOUNDING = 24,
	CONTROL_GET_SECUREBITS = 27,
	CONTROL_SET_SECUREBITS = 28,
	CONTROL_SET_SUBREAPER = 36,
	CONTROL_GET_SUBREAPER = 37,
	CONTROL_SET_NO_NEW_PRIVILEGES = 38,
	CONTROL_GET_NO_NEW_PRIVILEGES = 39,
};

static int control_get(const struct process *p, uint32_t option, uint64_t value, uint64_t *result)
{
	switch (option) {
	case CONTROL_GET_DEATH_SIGNAL:
		*result = p->death_signal;
		return 0;
	case CONTROL_GET_DUMPABLE:
		*result = p->dumpable;
		return 0;
	case CONTROL_GET_KEEP_CAPS:
		*result = (p->cred.securebits & SECUREBIT_KEEP_CAPS) != 0;
		return 0;
	case CONTROL_READ_BOUNDING:
		if (value > CAPABILITY_LAST)
			return EINVAL;
		*result = p->cred.cap_bounding >> value & 1;
		return 0;
	case CONTROL_GET_SECUREBITS:
		*result = p->cred.securebits;
		return 0;
	case CONTROL_GET_SUBREAPER:
		*result = p->subreaper;
		return 0;
	case CONTROL_GET_NO_NEW_PRIVILEGES:
		*result = p->cred.no_new_privileges;
		return 0;
	default:
		return EINVAL;
	}
}

static int set_securebits(struct process *p, uint64_t value)
{
	uint32_t locked = p->cred.securebits & SECUREBIT_LOCKS;
	uint32_t change = (uint32_t)value ^ p->cred.securebits;
	if (value & ~(uint64_t)SECUREBIT_ALL || change & (locked | locked >> 1) ||
	    !has_capability(p, CAPABILITY_SETPCAP))
		return EPERM;
	p->cred.securebits = (uint32_t)value;
	return 0;
}

static int drop_bounding(struct process *p, uint64_t value)
{
	if (!has_capability(p, CAPABILITY_SETPCAP))
		return EPERM;
	if (value > CAPABILITY_LAST)
		return EINVAL;
	p->cred.cap_bounding &= ~CAPABILITY_BIT(value);
	return 0;
}

static int set_keep_caps(struct process *p, uint64_t value)
{
	if (value > 1)
		return EINVAL;
	if (p->cred.securebits & SECUREBIT_KEEP_CAPS << 1)
		return EPERM;
	p->cred.securebits =
	        value ? p->cred.securebits | SECUREBIT_KEEP_CAPS : p->cred.securebits & ~(uint32_t)SECUREBIT_KEEP_CAPS;
	return 0;
}

static int control_set(struct process *p, uint32_t option, uint64_t value)
{
	switch (option) {
	case CONTROL_SET_DEATH_SIGNAL:
		if (value > SIGNALS)
			return EINVAL;
		p->death_signal = (uint32_t)value;
		return 0;
	case CONTROL_SET_DUMPABLE:
		if (value > 1)
			return EINVAL;
		p->dumpable = value;
		return 0;
	case CONTROL_SET_KEEP_CAPS:
		return set_keep_caps(p, value);
	case CONTROL_DROP_BOUNDING:
		return drop_bounding(p, value);
	case CONTROL_SET_SECUREBITS:
		return set_securebits(p, value);
	case CONTROL_SET_SUBREAPER:
		p->subreaper = value != 0;
		return 0;
	case CONTROL_SET_NO_NEW_PRIVILEGES:
		if (value != 1)
			return EINVAL;
		p->cred.no_new_privileges = 1;
		return 0;
	default:
		return EINVAL;
	}
}

static bool control_sets(uint32_t option)
{
	switch (option) {
	case CONTROL_SET_DEATH_SIGNAL:
	case CONTROL_SET_DUMPABLE:
	case CONTROL_SET_KEEP_CAPS:
	case CONTROL_DROP_BOUNDING:
	case CONTROL_SET_SECUREBITS:
	case CONTROL_SET_SUBREAPER:
	case CONTROL_SET_NO_NEW_PRIVILEGES:
		return true;
	default:
		return false;
	}
}

int proc_serve_control(struct server_call *call, struct proc_right *right, uint32_t option, uint64_t value,
                       uint64_t *result)
{
	(void)right;
	struct process *p = process_of_principal(call->principal);
	if (!p)
		return ESRCH;
	return control_sets(option) ? control_set(p, option, value) : control_get(p, option, value, result);
}
