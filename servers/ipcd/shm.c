/*
 * Shared memory: segments, and who has them attached. man 2 shmget, shmop, shmctl; Linux's ipc/shm.c.
 *
 * A segment is a memory object that its users map themselves. ipcd counts attachments: libposix tells of shmat and shmdt, proc of forks, execs and
 * ends. A process that lies about it keeps its mapping, and the kernel the memory; all that changes is when the id goes.
 */
#include "ipcd.h"
#include "kernel_ops.h"

#include <ipc_server.h>
#include <portico/layout.h>
#include <portico/status_errno.h>

static uint64_t pages_of(uint64_t size)
{
	return (size + PAGE_SIZE - 1) / PAGE_SIZE;
}

/* ---- segments ---- */

static void destroy(struct segment *segment)
{
	struct account *account = segment->object.account;

	table_remove(&root->segments, &segment->object);
	for (uint32_t i = 0; i < SEGMENT_RIGHTS; i++)
		server_release_right(segment->rights[i]);
	server_release_right(segment->memory);
	root->segment_pages -= pages_of(segment->size);
	account_refund(account, sizeof(*segment));
	account_put(account);
	keep_free(segment);
}

static void destroy_if_unused(struct segment *segment)
{
	if (segment->attaches == 0 && (segment->object.mode & SHM_DEST) != 0)
		destroy(segment);
}

/* The memory and the place of a new segment. 0 or an errno; on error the caller frees the record. */
static int furnish(struct segment *segment, const struct server_session *s, int32_t key, uint32_t flags)
{
	int64_t memory = kernel_memory_create(pages_of(segment->size) * PAGE_SIZE);

	if (memory < 0)
		return ENOMEM;
	segment->memory = (port_name_t)memory;
	int error = table_add(&root->segments, root->limits.shm_segments, &segment->object, s, key, flags);
	if (error != 0)
		server_release_right(segment->memory);
	return error;
}

static int create(const struct server_session *s, int32_t key, uint64_t size, uint32_t flags, int32_t *id)
{
	if (size < 1 || size > root->limits.shm_max)
		return EINVAL;
	if ((flags & SHM_HUGETLB) != 0)
		return ENOSYS; /* as a Linux without huge pages */
	if (size > UINT64_MAX - PAGE_SIZE || pages_of(size) > root->limits.shm_pages - root->segment_pages)
		return ENOSPC;
	struct account *account = account_of(s->euid);
	if (account == NULL)
		return ENOMEM;
	struct segment *segment = account_charge(account, sizeof(*segment)) ? keep_allocate(sizeof(*segment)) : NULL;
	int error = segment == NULL ? ENOMEM : 0;
	if (error == 0) {
		segment->size = size;
		segment->object.account = account;
		segment->creator_pid = s->pid;
		error = furnish(segment, s, key, flags);
		if (error != 0)
			account_refund(account, sizeof(*segment));
	}
	if (error != 0) {
		keep_free(segment);
		account_put(account);
		return error;
	}
	segment->change_time = ipcd_seconds();
	root->segment_pages += pages_of(size);
	*id = segment->object.id;
	return 0;
}

int ipc_serve_shm_get(struct server_call *call, struct ipc_caller *object, int32_t key, uint64_t size, uint32_t flags, int32_t *id)
{
	struct server_session *s = caller_of(call);
	struct object *found = key == IPC_PRIVATE ? NULL : table_by_key(&root->segments, key);

	(void)object;
	if (s == NULL)
		return ESRCH;
	if (found == NULL)
		return key != IPC_PRIVATE && (flags & IPC_CREAT) == 0 ? ENOENT : create(s, key, size, flags, id);
	if ((flags & (IPC_CREAT | IPC_EXCL)) == (IPC_CREAT | IPC_EXCL))
		return EEXIST;
	if (((struct segment *)found)->size < size)
		return EINVAL;
	*id = found->id;
	return access_check(s, found, flags & MODE_BITS);
}

static int find(int32_t id, struct segment **segment)
{
	return table_find(&root->segments, id, (struct object **)segment);
}

/* ---- attachments ---- */

static struct attachment *attachment_of(struct process *p, const struct segment *segment)
{
	struct attachment *a = p->attached;

	while (a != NULL && a->segment != segment)
		a = a->next;
	return a;
}

/* `count` more attachments of a process. False: no memory. */
static bool attach(struct process *p, struct segment *segment, uint64_t count)
{
	struct attachment *a = attachment_of(p, segment);

	if (a == NULL) {
		a = keep_allocate(sizeof(*a));
		if (a == NULL)
			return false;
		a->segment = segment;
		a->next = p->attached;
		p->attached = a;
	}
	a->count += count;
	segment->attaches += count;
	return true;
}

static void detach(struct process *p, struct attachment *a, uint64_t count, int64_t now)
{
	struct attachment **link = &p->attached;
	struct segment *segment = a->segment;

	segment->attaches -= count;
	segment->last_pid = p->session->pid;
	segment->detach_time = now;
	a->count -= count;
	if (a->count == 0) {
		while (*link != a)
			link = &(*link)->next;
		*link = a->next;
		keep_free(a);
	}
	destroy_if_unused(segment);
}

void shm_inherit(const struct process *parent, struct process *child)
{
	int64_t now = ipcd_seconds();

	for (const struct attachment *a = parent->attached; a != NULL; a = a->next) {
		if (!attach(child, a->segment, a->count)) {
			server_log("ipcd: no memory for attachments of process %u: they are not counted", child->session->pid);
			return;
		}
		a->segment->attach_time = now;
		a->segment->last_pid = parent->session->pid;
	}
}

void shm_leave(struct process *p)
{
	if (p->attached == NULL)
		return;
	int64_t now = ipcd_seconds();
	while (p->attached != NULL)
		detach(p, p->attached, p->attached->count, now);
}

/* The right that is handed out for this access; made once and kept. 0 or an errno. */
static int right_for(struct segment *segment, uint32_t flags, port_name_t *right)
{
	bool writable = (flags & SHM_RDONLY) == 0, executable = (flags & SHM_EXEC) != 0;
	port_name_t *kept = &segment->rights[(writable ? 1 : 0) | (executable ? 2 : 0)];

	if (*kept == PORT_NULL) {
		int64_t name = kernel_memory_right(segment->memory, writable, executable);
		if (name < 0)
			return ENOMEM;
		*kept = (port_name_t)name;
	}
	*right = *kept;
	return 0;
}

int ipc_serve_shm_attach(struct server_call *call, struct ipc_caller *object_, int32_t id, uint32_t flags, struct server_port *object,
                         uint64_t *size)
{
	struct server_session *s = caller_of(call);
	struct segment *segment;

	(void)object_;
	if (s == NULL)
		return ESRCH;
	int error = find(id, &segment);
	if (error == 0)
		error = access_check(s, &segment->object, MAY_READ | ((flags & SHM_RDONLY) != 0 ? 0 : MAY_WRITE) |
		                                                  ((flags & SHM_EXEC) != 0 ? MAY_EXECUTE : 0));
	if (error == 0)
		error = right_for(segment, flags, &object->name);
	if (error != 0)
		return error;
	struct process *p = process_record(s);
	if (p == NULL || !attach(p, segment, 1))
		return ENOMEM;
	segment->attach_time = ipcd_seconds();
	segment->last_pid = s->pid;
	*size = segment->size;
	return 0;
}

/* A segment that is removed can only be named by who has it: by id it is still there. */
int ipc_serve_shm_detach(struct server_call *call, struct ipc_caller *object, int32_t id)
{
	struct server_session *s = caller_of(call);
	struct segment *segment;

	(void)object;
	if (s == NULL)
		return ESRCH;
	int error = find(id, &segment);
	if (error != 0)
		return error;
	struct process *p = s->own;
	struct attachment *a = p != NULL ? attachment_of(p, segment) : NULL;
	if (a == NULL)
		return EINVAL;
	detach(p, a, 1, ipcd_seconds());
	return 0;
}

/* ---- shmctl ---- */

int ipc_serve_shm_stat(struct server_call *call, struct ipc_caller *object, uint32_t naming, int32_t id, struct ipc_shm_status *status)
{
	struct server_session *s = caller_of(call);
	struct segment *segment;

	(void)object;
	if (s == NULL)
		return ESRCH;
	int error = table_named(&root->segments, naming, id, (struct object **)&segment);
	if (error == 0 && naming != IPC_NAMING_PLACE_ANY)
		error = access_check(s, &segment->object, MAY_READ);
	if (error != 0)
		return error;
	object_describe(&segment->object, &status->perm);
	status->size = segment->size;
	status->attach_time = segment->attach_time;
	status->detach_time = segment->detach_time;
	status->change_time = segment->change_time;
	status->creator_pid = segment->creator_pid;
	status->last_pid = segment->last_pid;
	status->attaches = segment->attaches;
	status->id = segment->object.id;
	return 0;
}

int ipc_serve_shm_info(struct server_call *call, struct ipc_caller *object, struct ipc_shm_information *info)
{
	(void)call;
	(void)object;
	info->max_size = root->limits.shm_max;
	info->max_segments = root->limits.shm_segments;
	info->max_pages = root->limits.shm_pages;
	info->segments = root->segments.count;
	info->pages = root->segment_pages;
	info->highest = table_highest(&root->segments);
	for (int32_t i = 0; i <= info->highest; i++) {
		const struct segment *segment = (const struct segment *)table_at(&root->segments, (uint32_t)i);
		if (segment != NULL)
			info->resident += kernel_memory_resident(segment->memory);
	}
	return 0;
}

/* A segment that the caller may control. */
static int controlled(const struct server_call *call, int32_t id, struct segment **segment)
{
	struct server_session *s = caller_of(call);

	if (s == NULL)
		return ESRCH;
	int error = find(id, segment);
	return error != 0 ? error : access_control(s, &(*segment)->object);
}

int ipc_serve_shm_set(struct server_call *call, struct ipc_caller *object, int32_t id, uint32_t uid, uint32_t gid, uint32_t mode)
{
	struct segment *segment;
	int error = controlled(call, id, &segment);

	(void)object;
	if (error != 0)
		return error;
	if (uid == KEEP_ID || gid == KEEP_ID)
		return EINVAL;
	segment->object.uid = uid;
	segment->object.gid = gid;
	segment->object.mode = (segment->object.mode & ~MODE_BITS) | (mode & MODE_BITS);
	segment->change_time = ipcd_seconds();
	return 0;
}

int ipc_serve_shm_remove(struct server_call *call, struct ipc_caller *object, int32_t id)
{
	struct segment *segment;
	int error = controlled(call, id, &segment);

	(void)object;
	if (error != 0)
		return error;
	segment->object.mode |= SHM_DEST;
	table_hide(&root->segments, &segment->object);
	destroy_if_unused(segment);
	return 0;
}

/* Nothing is ever paged out: what is locked is only told. */
int ipc_serve_shm_lock(struct server_call *call, struct ipc_caller *object, int32_t id, uint8_t lock)
{
	struct server_session *s = caller_of(call);
	struct segment *segment;

	(void)object;
	if (s == NULL)
		return ESRCH;
	int error = find(id, &segment);
	if (error != 0)
		return error;
	if (s->euid != segment->object.uid && s->euid != segment->object.cuid && !access_capable(s, CAPABILITY_IPC_LOCK))
		return EPERM;
	if (lock != 0)
		segment->object.mode |= SHM_LOCKED;
	else
		segment->object.mode &= ~(uint32_t)SHM_LOCKED;
	return 0;
}
