/*
 * Semaphores: sets, semop, semctl. man 2 semget, semop, semctl; Linux's ipc/sem.c. What waits and goes on is in sem_queue.c.
 */
#include "ipcd.h"

#include <ipc_server.h>
#include <portico/strings.h>

/* Volatile: filled by each execution before it is used. */
static uint16_t values[SEM_PER_SET_MAX];

static size_t set_bytes(uint32_t count)
{
	return sizeof(struct sem_set) + count * sizeof(struct semaphore);
}

/* ---- sets ---- */

static struct sem_set *make(struct account *account, uint32_t count)
{
	struct sem_set *set = account_charge(account, set_bytes(count)) ? keep_allocate(set_bytes(count)) : NULL;

	if (set == NULL)
		return NULL;
	set->object.account = account;
	set->count = count;
	list_init(&set->alter);
	list_init(&set->zero);
	for (uint32_t i = 0; i < count; i++) {
		list_init(&set->sem[i].alter);
		list_init(&set->sem[i].zero);
	}
	return set;
}

static void dispose(struct sem_set *set)
{
	account_refund(set->object.account, set_bytes(set->count));
	keep_free(set);
}

static int create(const struct server_session *s, int32_t key, uint32_t count, uint32_t flags, int32_t *id)
{
	if (count == 0)
		return EINVAL;
	if (root->semaphores + (uint64_t)count > root->limits.sem_total)
		return ENOSPC;
	struct account *account = account_of(s->euid);
	if (account == NULL)
		return ENOMEM;
	struct sem_set *set = make(account, count);
	int error = set != NULL ? table_add(&root->sets, root->limits.sem_sets, &set->object, s, key, flags) : ENOMEM;
	if (error != 0) {
		if (set != NULL)
			dispose(set);
		account_put(account);
		return error;
	}
	set->change_time = ipcd_seconds();
	root->semaphores += count;
	*id = set->object.id;
	return 0;
}

int ipc_serve_sem_get(struct server_call *call, struct ipc_caller *object, int32_t key, int32_t count, uint32_t flags, int32_t *id)
{
	struct server_session *s = caller_of(call);
	struct object *found = key == IPC_PRIVATE ? NULL : table_by_key(&root->sets, key);

	(void)object;
	if (s == NULL)
		return ESRCH;
	if (count < 0 || (uint32_t)count > root->limits.sem_per_set)
		return EINVAL;
	if (found == NULL)
		return key != IPC_PRIVATE && (flags & IPC_CREAT) == 0 ? ENOENT : create(s, key, (uint32_t)count, flags, id);
	if ((flags & (IPC_CREAT | IPC_EXCL)) == (IPC_CREAT | IPC_EXCL))
		return EEXIST;
	if (((struct sem_set *)found)->count < (uint32_t)count)
		return EINVAL;
	*id = found->id;
	return access_check(s, found, flags & MODE_BITS);
}

/* All in a queue get the error. */
static void drain(struct list *queue, int error)
{
	while (!list_empty(queue)) {
		struct sem_waiter *w = list_item(queue->next, struct sem_waiter, queued);
		sem_unlink(w);
		sem_answer(w, error);
	}
}

static void destroy(struct sem_set *set)
{
	struct account *account = set->object.account;

	sem_page_drop(set);
	drain(&set->alter, EIDRM);
	drain(&set->zero, EIDRM);
	for (uint32_t i = 0; i < set->count; i++) {
		drain(&set->sem[i].alter, EIDRM);
		drain(&set->sem[i].zero, EIDRM);
	}
	while (set->undo != NULL)
		undo_free(set->undo);
	table_remove(&root->sets, &set->object);
	root->semaphores -= set->count;
	dispose(set);
	account_put(account);
}

/* The set of an id, if the caller may do this with it. */
static int find(const struct server_call *call, int32_t id, uint32_t wanted, struct sem_set **set, struct server_session **s)
{
	*s = caller_of(call);
	if (*s == NULL)
		return ESRCH;
	int error = table_find(&root->sets, id, (struct object **)set);
	return error != 0 ? error : access_check(*s, &(*set)->object, wanted);
}

/* ---- semop ---- */

static int park(struct server_call *call, struct sem_set *set, const struct ipc_sem_operation *operations, size_t count, bool alters,
                struct undo *undo, uint32_t blocking)
{
	struct sem_waiter *w = keep_allocate(sizeof(*w) + count * sizeof(w->operation[0]));

	if (w == NULL)
		return ENOMEM;
	w->set = set;
	w->undo = undo;
	w->blocking = blocking;
	w->alters = alters;
	w->count = (uint32_t)count;
	memcpy(w->operation, operations, count * sizeof(w->operation[0]));
	int result = wait_park(call, &w->waiter, WAIT_SEM);
	if (result != SERVER_PARKED)
		keep_free(w);
	else
		sem_enqueue(w);
	return result;
}

static void performed(struct sem_set *set, const struct ipc_sem_operation *operations, uint32_t count, bool alters)
{
	int64_t now = ipcd_seconds();

	set->operation_time = now;
	if (alters)
		sem_update(set, operations, count, now);
}

void sem_cancel(struct sem_waiter *w)
{
	struct sem_set *set = w->set;

	sem_dequeue(w);
	sem_answer(w, EINTR);
	sem_give(set);
}

int ipc_serve_sem_operate(struct server_call *call, struct ipc_caller *object, int32_t id, const struct ipc_sem_operation *operations,
                          size_t count)
{
	struct server_session *s;
	struct sem_set *set;
	struct undo *undo = NULL;
	uint32_t highest = 0, blocking;
	bool alters = false, undoes = false;

	(void)object;
	if (count == 0 || count > root->limits.sem_operations)
		return count == 0 ? EINVAL : E2BIG;
	for (size_t i = 0; i < count; i++) {
		if (operations[i].number > highest)
			highest = operations[i].number;
		alters |= operations[i].operation != 0;
		undoes |= (operations[i].flags & SEM_UNDO) != 0;
	}
	int error = table_find(&root->sets, id, (struct object **)&set);
	if (error != 0)
		return error;
	if (highest >= set->count)
		return EFBIG;
	error = find(call, id, alters ? MAY_WRITE : MAY_READ, &set, &s);
	if (error != 0)
		return error;
	if (undoes) {
		struct process *p = process_record(s);
		undo = p != NULL ? undo_find(p, set, true) : NULL;
		if (undo == NULL)
			return ENOMEM;
	}
	for (size_t i = 0; i < count; i++)
		sem_own(set, operations[i].number);
	error = sem_perform(set, operations, (uint32_t)count, undo, s->pid, &blocking);
	if (error < 0)
		error = park(call, set, operations, count, alters, undo, blocking);
	else if (error == 0)
		performed(set, operations, (uint32_t)count, alters);
	sem_give(set);
	return error;
}

/* ---- semctl ---- */

int ipc_serve_sem_get_value(struct server_call *call, struct ipc_caller *object, int32_t id, int32_t number, uint32_t what, uint32_t *result)
{
	struct server_session *s;
	struct sem_set *set;
	int error = find(call, id, MAY_READ, &set, &s);

	(void)object;
	if (error != 0)
		return error;
	if (number < 0 || (uint32_t)number >= set->count)
		return EINVAL;
	int32_t value;
	uint32_t pid;
	sem_look(set, (uint32_t)number, &value, &pid);
	switch (what) {
	case IPC_SEM_VALUE_VALUE:
		*result = (uint32_t)value;
		return 0;
	case IPC_SEM_VALUE_PID:
		*result = pid;
		return 0;
	default:
		*result = sem_count_waiting(set, (uint32_t)number, what == IPC_SEM_VALUE_WAITING_ZERO);
		return 0;
	}
}

/* What processes would undo of a semaphore is forgotten when its value is set. */
static void forget_adjustments(struct sem_set *set, uint32_t first, uint32_t count)
{
	for (struct undo *undo = set->undo; undo != NULL; undo = undo->next_set)
		memset(&undo->adjust[first], 0, count * sizeof(undo->adjust[0]));
}

int ipc_serve_sem_set_value(struct server_call *call, struct ipc_caller *object, int32_t id, int32_t number, int32_t new)
{
	struct server_session *s = caller_of(call);
	struct sem_set *set;

	(void)object;
	if (s == NULL)
		return ESRCH;
	if (new < 0 || new > SEM_VALUE_MAX)
		return ERANGE;
	int error = table_find(&root->sets, id, (struct object **)&set);
	if (error != 0)
		return error;
	if (number < 0 || (uint32_t)number >= set->count)
		return EINVAL;
	error = access_check(s, &set->object, MAY_WRITE);
	if (error != 0)
		return error;
	sem_own(set, (uint32_t)number);
	forget_adjustments(set, (uint32_t)number, 1);
	set->sem[number].value = new;
	set->sem[number].pid = s->pid;
	set->change_time = ipcd_seconds();
	sem_update(set, NULL, 0, set->change_time);
	sem_give(set);
	return 0;
}

int ipc_serve_sem_get_all(struct server_call *call, struct ipc_caller *object, int32_t id, struct server_window *window, uint32_t *count)
{
	struct server_session *s;
	struct sem_set *set;
	int error = find(call, id, MAY_READ, &set, &s);

	(void)object;
	if (error != 0)
		return error;
	sem_own_all(set);
	for (uint32_t i = 0; i < set->count; i++)
		values[i] = (uint16_t)set->sem[i].value;
	sem_give(set);
	*count = set->count;
	if (window->size < set->count * sizeof(values[0]))
		return EFAULT;
	int64_t status = server_window_write(window, 0, values, set->count * sizeof(values[0]));
	return status == KERN_PEER_FAULT ? SERVER_RESTART : status < 0 ? EFAULT : 0;
}

/* The values may differ when this is executed again: nothing that leaves before the commit hangs on them. */
int ipc_serve_sem_set_all(struct server_call *call, struct ipc_caller *object, int32_t id, struct server_window *window)
{
	struct server_session *s;
	struct sem_set *set;
	int error = find(call, id, MAY_WRITE, &set, &s);

	(void)object;
	if (error != 0)
		return error;
	size_t size = set->count * sizeof(values[0]);
	int64_t status = window->size < size ? KERN_FAULT : server_window_read(window, 0, values, size);
	if (status != (int64_t)size)
		return status == KERN_PEER_FAULT ? SERVER_RESTART : EFAULT;
	int64_t now = ipcd_seconds();
	for (uint32_t i = 0; i < set->count; i++) {
		if (values[i] > SEM_VALUE_MAX)
			return ERANGE;
	}
	sem_own_all(set);
	for (uint32_t i = 0; i < set->count; i++) {
		set->sem[i].value = values[i];
		set->sem[i].pid = s->pid;
	}
	forget_adjustments(set, 0, set->count);
	set->change_time = now;
	sem_update(set, NULL, 0, now);
	sem_give(set);
	return 0;
}

int ipc_serve_sem_stat(struct server_call *call, struct ipc_caller *object, uint32_t naming, int32_t id, struct ipc_sem_status *status)
{
	struct server_session *s = caller_of(call);
	struct sem_set *set;

	(void)object;
	if (s == NULL)
		return ESRCH;
	int error = table_named(&root->sets, naming, id, (struct object **)&set);
	if (error == 0 && naming != IPC_NAMING_PLACE_ANY)
		error = access_check(s, &set->object, MAY_READ);
	if (error != 0)
		return error;
	object_describe(&set->object, &status->perm);
	status->operation_time = sem_time(set);
	status->change_time = set->change_time;
	status->count = set->count;
	status->id = set->object.id;
	return 0;
}

int ipc_serve_sem_info(struct server_call *call, struct ipc_caller *object, struct ipc_sem_information *info)
{
	(void)call;
	(void)object;
	info->max_sets = root->limits.sem_sets;
	info->max_total = root->limits.sem_total;
	info->max_per_set = root->limits.sem_per_set;
	info->max_operations = root->limits.sem_operations;
	info->sets = root->sets.count;
	info->total = root->semaphores;
	info->highest = table_highest(&root->sets);
	return 0;
}

/* A set that the caller may control. */
static int controlled(const struct server_call *call, int32_t id, struct sem_set **set)
{
	struct server_session *s = caller_of(call);

	if (s == NULL)
		return ESRCH;
	int error = table_find(&root->sets, id, (struct object **)set);
	return error != 0 ? error : access_control(s, &(*set)->object);
}

int ipc_serve_sem_set(struct server_call *call, struct ipc_caller *object, int32_t id, uint32_t uid, uint32_t gid, uint32_t mode)
{
	struct sem_set *set;
	int error = controlled(call, id, &set);

	(void)object;
	if (error != 0)
		return error;
	if (uid == KEEP_ID || gid == KEEP_ID)
		return EINVAL;
	sem_own_all(set);
	sem_page_drop(set); /* who had it may do so no more, perhaps */
	set->object.uid = uid;
	set->object.gid = gid;
	set->object.mode = (set->object.mode & ~MODE_BITS) | (mode & MODE_BITS);
	set->change_time = ipcd_seconds();
	return 0;
}

int ipc_serve_sem_remove(struct server_call *call, struct ipc_caller *object, int32_t id)
{
	struct sem_set *set;
	int error = controlled(call, id, &set);

	(void)object;
	if (error == 0)
		destroy(set);
	return error;
}
