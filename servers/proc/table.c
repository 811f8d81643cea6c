/*
 * Process and thread records by number. No policy but the choice of numbers.
 */
#include "proc.h"

#include <portico/strings.h>

struct process *process_by_pid(uint32_t pid)
{
	struct process *p = root->bucket[pid % PROCESS_BUCKETS];
	while (p && p->pid != pid)
		p = p->hash_next;
	return p;
}

uint64_t process_principal(const struct process *p)
{
	return (uint64_t)p->generation << 32 | p->pid;
}

struct process *process_of_principal(uint64_t principal)
{
	struct process *p = process_by_pid((uint32_t)principal);
	return p && p->state == PROCESS_ALIVE && process_principal(p) == principal ? p : NULL;
}

struct thread_id *thread_by_tid(uint32_t tid)
{
	struct thread_id *t = root->tid_bucket[tid % PROCESS_BUCKETS];
	while (t && t->tid != tid)
		t = t->hash_next;
	return t;
}

struct process *process_by_any_id(uint32_t id)
{
	struct process *p = process_by_pid(id);
	if (p)
		return p;
	struct thread_id *t = thread_by_tid(id);
	return t ? t->process : NULL;
}

/* Groups and sessions keep their number as long as they have members. */
static bool number_in_use(uint32_t number)
{
	if (process_by_pid(number) || thread_by_tid(number))
		return true;
	for (const struct process *p = root->first; p; p = p->next) {
		if (p->group == number || p->session == number)
			return true;
	}
	return false;
}

/* Numbers go up and wrap, so that one is not given again soon. 0: none left. */
static uint32_t choose_number(void)
{
	for (uint32_t i = 0; i < PID_MAX; i++) {
		uint32_t number = root->last_pid + 1 < PID_MAX ? root->last_pid + 1 : 2;
		root->last_pid = number;
		if (!number_in_use(number))
			return number;
	}
	return 0;
}

struct process *process_create(void)
{
	struct process *p = keep_allocate(sizeof(*p));
	if (!p)
		return NULL;
	p->pid = choose_number();
	if (p->pid == 0) {
		keep_free(p);
		return NULL;
	}
	p->start_time = server_now();
	p->thread_count = 1;
	p->dumpable = true;
	p->exit_signal = SIGNAL_CHILD;
	struct process **bucket = &root->bucket[p->pid % PROCESS_BUCKETS];
	p->hash_next = *bucket;
	*bucket = p;
	p->previous = root->last;
	if (root->last)
		root->last->next = p;
	else
		root->first = p;
	root->last = p;
	root->process_count++;
	return p;
}

static void leave_family(struct process *p)
{
	struct process *parent = p->parent;
	if (!parent)
		return;
	if (p->previous_sibling)
		p->previous_sibling->sibling = p->sibling;
	else
		parent->children = p->sibling;
	if (p->sibling)
		p->sibling->previous_sibling = p->previous_sibling;
	else
		parent->last_child = p->previous_sibling;
	p->parent = p->sibling = p->previous_sibling = NULL;
}

void process_adopt(struct process *parent, struct process *child)
{
	leave_family(child);
	child->parent = parent;
	child->previous_sibling = parent->last_child;
	if (parent->last_child)
		parent->last_child->sibling = child;
	else
		parent->children = child;
	parent->last_child = child;
}

void process_destroy(struct process *p)
{
	leave_family(p);
	thread_ids_destroy(p);
	struct process **link = &root->bucket[p->pid % PROCESS_BUCKETS];
	while (*link != p)
		link = &(*link)->hash_next;
	*link = p->hash_next;
	if (p->previous)
		p->previous->next = p->next;
	else
		root->first = p->next;
	if (p->next)
		p->next->previous = p->previous;
	else
		root->last = p->previous;
	root->process_count--;
	program_leave(p);
	keep_free(p->exe);
	for (uint32_t i = 0; i < IMAGES_MAX; i++)
		keep_free(p->image[i].path);
	keep_free(p);
}

struct running_program *program_create(port_name_t file)
{
	struct running_program *program = keep_allocate(sizeof(*program));
	if (program)
		*program = (struct running_program){.file = file, .users = 1};
	return program;
}

void program_leave(struct process *p)
{
	struct running_program *program = p->program;
	p->program = NULL;
	if (!program || --program->users > 0)
		return;
	server_release_right(program->file);
	keep_free(program);
}

uint32_t processes_of_user(uint32_t uid)
{
	uint32_t count = 0;
	for (const struct process *p = root->first; p; p = p->next) {
		if (p->cred.uid == uid)
			count += p->thread_count;
	}
	return count;
}

int thread_id_create(struct process *p, uint32_t slot, uint32_t *tid)
{
	struct thread_id *t = keep_allocate(sizeof(*t));
	if (!t)
		return EAGAIN;
	t->tid = choose_number();
	if (t->tid == 0) {
		keep_free(t);
		return EAGAIN;
	}
	t->slot = slot;
	t->process = p;
	t->process_next = p->threads;
	p->threads = t;
	t->hash_next = root->tid_bucket[t->tid % PROCESS_BUCKETS];
	root->tid_bucket[t->tid % PROCESS_BUCKETS] = t;
	p->thread_count++;
	*tid = t->tid;
	return 0;
}

void thread_id_destroy(struct thread_id *t)
{
	struct thread_id **link = &root->tid_bucket[t->tid % PROCESS_BUCKETS];
	while (*link != t)
		link = &(*link)->hash_next;
	*link = t->hash_next;
	link = &t->process->threads;
	while (*link != t)
		link = &(*link)->process_next;
	*link = t->process_next;
	t->process->thread_count--;
	keep_free(t);
}

void thread_ids_destroy(struct process *p)
{
	while (p->threads)
		thread_id_destroy(p->threads);
}
