/*
 * New threads and processes, and their ends: clone, fork, vfork, exit; thread slots and areas.
 *
 * Above: table.c. Below: proc (fork, tids, exit), the kernel's thread traps. A thread lives in THREAD_AREAS + slot *
 * THREAD_AREA_SIZE: endpoint pages, a guard page, its libposix stack.
 */
#include "fd.h"
#include "linux.h"
#include "local.h"
#include "offsets.h"
#include "signals.h"
#include "start.h"
#include "string.h"
#include "usercopy.h"

#include <proc_client.h>

#define AREA_STACK 0x5000u
#define SLOT_WORDS (THREAD_SLOTS / 64)
#define VECTORS_MAX 12288u
#define ROBUST_LIST_LIMIT 2048u
#define FUTEX_OWNER_DIED UINT32_C(0x40000000)
#define FUTEX_WAITERS UINT32_C(0x80000000)
#define FUTEX_TID_MASK UINT32_C(0x3fffffff)

_Static_assert(R_RAX == offsetof(struct portico_block, personality) + offsetof(struct thread_state, regs.rax), "offsets.h");
_Static_assert(R_R15 == offsetof(struct portico_block, personality) + offsetof(struct thread_state, regs.r15), "offsets.h");
_Static_assert(R_RSP == offsetof(struct portico_block, personality) + offsetof(struct thread_state, regs.rsp), "offsets.h");
_Static_assert(S_NUMBER == offsetof(struct portico_block, personality) + offsetof(struct thread_state, number), "offsets.h");
_Static_assert(BLOCK_FRAME_RIP == offsetof(struct portico_block, frame.rip), "offsets.h");
_Static_assert(BLOCK_INTERRUPTED == offsetof(struct portico_block, interrupted), "offsets.h");
_Static_assert(TRAP_FRAME_RESUME == TRAP_frame_resume && TRAP_THREAD_EXIT == TRAP_thread_exit, "offsets.h");
_Static_assert(SYSCALL_COUNT == SYSCALL_HANDLERS, "offsets.h");

/* What the new thread finds at its first stack pointer. */
struct child_area {
	struct child_start start;
	_Alignas(64) uint8_t vectors[VECTORS_MAX];
};

PROCESS_LOCK slots_lock;
static uint64_t slots_used[SLOT_WORDS];

static uint64_t area_of(uint32_t slot)
{
	return THREAD_AREAS + slot * THREAD_AREA_SIZE;
}

void threads_begin(void)
{
	slots_used[0] = 1;
}

/* ---- locks ---- */

void lock_slowly(struct lock *lock)
{
	while (__atomic_exchange_n(&lock->word, 2, __ATOMIC_ACQUIRE) != 0)
		trap5(TRAP_futex_wait, (uint64_t)&lock->word, 2, 0, DEADLINE_NEVER, (uint64_t)FUTEX_BITS_ALL);
}

void unlock_slowly(struct lock *lock)
{
	trap4(TRAP_futex_wake, (uint64_t)&lock->word, 1, 0, (uint64_t)FUTEX_BITS_ALL);
}

/* ---- memory ---- */

void *pages_allocate(size_t size)
{
	size = (size + PAGE_SIZE - 1) & ~(PAGE_SIZE - 1);
	int64_t address = trap6(TRAP_vm_map, TASK_SELF, LIBPOSIX_HEAP + 0x1000000, size, PORT_NULL, 0,
				VM_READ | VM_WRITE | VM_INHERIT_ALWAYS_COPY);
	return address < 0 ? NULL : (void *)address;
}

void pages_free(void *pages, size_t size)
{
	if (pages)
		trap3(TRAP_vm_unmap, TASK_SELF, (uint64_t)pages, (size + PAGE_SIZE - 1) & ~(PAGE_SIZE - 1));
}

/* ---- slots ---- */

/*
 * A free slot with its stack mapped. A thread that is about to leave has given its slot back already, so the map may still be
 * taken: then the next one will do.
 */
static int slot_reserve(void)
{
	int found = -1;

	lock_take(&slots_lock);
	for (uint32_t slot = 1; slot < THREAD_SLOTS && found < 0; slot++) {
		if (slots_used[slot / 64] >> slot % 64 & 1)
			continue;
		if (trap6(TRAP_vm_map, TASK_SELF, area_of(slot) + AREA_STACK, THREAD_AREA_STACK_TOP - AREA_STACK, PORT_NULL, 0,
			  VM_READ | VM_WRITE | VM_FIXED_NOREPLACE | VM_INHERIT_ALWAYS_COPY) < 0)
			continue;
		slots_used[slot / 64] |= UINT64_C(1) << slot % 64;
		found = (int)slot;
	}
	lock_drop(&slots_lock);
	return found;
}

static void slot_release(uint32_t slot)
{
	lock_take(&slots_lock);
	slots_used[slot / 64] &= ~(UINT64_C(1) << slot % 64);
	lock_drop(&slots_lock);
}

static void slot_unmap(uint32_t slot)
{
	trap3(TRAP_vm_unmap, TASK_SELF, area_of(slot) + AREA_STACK, THREAD_AREA_STACK_TOP - AREA_STACK);
}

/* In a forked child: the areas of the parent's other threads are only waste. */
static void slots_forked(uint32_t own)
{
	slots_used[own / 64] &= ~(UINT64_C(1) << own % 64);
	for (uint32_t word = 0; word < SLOT_WORDS; word++)
		for (uint64_t bits = slots_used[word]; bits; bits &= bits - 1)
			slot_unmap(word * 64 + (uint32_t)__builtin_ctzll(bits));
	memset(slots_used, 0, sizeof(slots_used));
	slots_used[own / 64] = UINT64_C(1) << own % 64;
}

/* Those of epoll sets first: their holders ask for others. */
void locks_take_all(void)
{
	epoll_lock_sets();
	for (struct lock *lock = locks_begin; lock < locks_end; lock++)
		lock_take(lock);
}

void locks_drop_all(void)
{
	for (struct lock *lock = locks_begin; lock < locks_end; lock++)
		lock_drop(lock);
	epoll_unlock_sets();
}

/* In a forked child. */
static void locks_forked(void)
{
	for (struct lock *lock = locks_begin; lock < locks_end; lock++)
		lock->word = 0;
	epoll_forked();
}

/* ---- beginning ---- */

static uint64_t segment_base(bool gs)
{
	uint64_t base;
	if (gs)
		__asm__ volatile("rdgsbase %0" : "=r"(base));
	else
		__asm__ volatile("rdfsbase %0" : "=r"(base));
	return base;
}

/* The program's registers as the child sees them. Vector registers are saved, for a new thread begins with none. */
static bool child_prepare(struct child_area *area, const struct clone_request *request, uint8_t *vectors_at)
{
	const struct portico_block *block = client_block();
	const struct thread_state *thread = thread_self();
	struct child_start *start = &area->start;

	if (vectors_size() > VECTORS_MAX)
		return false;
	start->regs = thread->regs;
	start->regs.rax = 0;
	start->regs.rip = start->regs.rcx = block->syscall_rip;
	start->regs.rflags = start->regs.r11 = block->syscall_rflags;
	if (request->stack)
		start->regs.rsp = request->stack;
	start->blocked = signals_blocked(thread);
	start->clear_handlers = (request->flags & L_CLONE_CLEAR_SIGHAND) != 0;
	start->set_tid = request->flags & L_CLONE_CHILD_SETTID ? request->child_tid : 0;
	start->clear_tid = request->flags & L_CLONE_CHILD_CLEARTID ? request->child_tid : 0;
	start->vectors = vectors_at;
	start->vectors_mask = vectors_mask();
	memset(area->vectors + 512, 0, 64);
	user_save_vectors(area->vectors, start->vectors_mask);
	return true;
}

int64_t clone_process(const struct clone_request *request)
{
	const struct thread_state *thread = thread_self();
	struct child_area area;
	uint32_t flags = 0, pid = 0;

	area.start = (struct child_start){ .process = true };
	if (!child_prepare(&area, request, area.vectors))
		return -ENOMEM;
	area.start.slot = thread->slot;
	/* vfork's child runs on the parent's stack, but for its own libposix; an alternate stack is kept by fork alone. */
	if (!(request->flags & L_CLONE_VM) || request->flags & L_CLONE_VFORK) {
		area.start.stack_base = thread->stack_base;
		area.start.stack_size = thread->stack_size;
	}
	area.start.stack_flags = thread->stack_flags;
	flags |= request->flags & L_CLONE_VM ? PROC_FORK_FLAGS_SHARE_MEMORY : 0;
	flags |= request->flags & L_CLONE_VFORK ? PROC_FORK_FLAGS_WAIT : 0;
	flags |= request->flags & L_CLONE_PARENT ? PROC_FORK_FLAGS_SHARE_PARENT : 0;
	locks_take_all();
	int error = proc_fork(NAME_PROC, flags, (uint64_t)child_entry, (uint64_t)&area.start,
			      request->flags & L_CLONE_SETTLS ? request->tls : segment_base(false), segment_base(true),
			      thread->slot, request->exit_signal, &pid);
	locks_drop_all();
	if (error)
		return result_of(error);
	if (request->flags & L_CLONE_PARENT_SETTID)
		user_put((uint32_t *)request->parent_tid, &pid);
	return pid;
}

/* The kernel's side of a new thread, suspended. Its name or a negative status. */
static int64_t thread_make(uint32_t slot, uint64_t first_stack, uint64_t fs_base)
{
	int64_t name = trap5(TRAP_thread_create, TASK_SELF, slot, area_of(slot), 0, PORT_NULL);
	if (name < 0)
		return name;
	struct portico_frame frame = {
		.rip = (uint64_t)child_entry, .rsp = first_stack, .rdi = area_of(slot), .rflags = 0x202, .fs_base = fs_base,
		.gs_base = segment_base(true) };
	memcpy(client_block()->argument, &frame, sizeof(frame));
	return name;
}

static int64_t thread_launch(uint32_t slot, uint32_t tid, const struct clone_request *request)
{
	struct child_area *area = (struct child_area *)(area_of(slot) + THREAD_AREA_STACK_TOP - sizeof(struct child_area));

	if (!child_prepare(area, request, area->vectors))
		return -ENOMEM;
	area->start.tid = tid;
	area->start.slot = slot;
	area->start.stack_flags = L_SS_DISABLE;
	if ((request->flags & L_CLONE_PARENT_SETTID) && user_put((uint32_t *)request->parent_tid, &tid))
		return -EFAULT;
	int64_t name = thread_make(slot, (uint64_t)&area->start,
				   request->flags & L_CLONE_SETTLS ? request->tls : segment_base(false));
	if (name < 0)
		return -kern_errno(name);
	process.threaded = true;
	__atomic_add_fetch(&process.thread_count, 1, __ATOMIC_SEQ_CST);
	int64_t status = trap1(TRAP_thread_start, (uint64_t)name);
	if (status < 0) {
		__atomic_sub_fetch(&process.thread_count, 1, __ATOMIC_SEQ_CST);
		trap1(TRAP_thread_terminate, (uint64_t)name);
	}
	trap1(TRAP_right_release, (uint64_t)name);
	return status < 0 ? -(int64_t)kern_errno(status) : (int64_t)tid;
}

int64_t clone_thread(const struct clone_request *request)
{
	uint32_t tid;
	int slot = slot_reserve();

	if (slot < 0)
		return -EAGAIN;
	int error = proc_thread_begin(NAME_PROC, (uint32_t)slot, &tid);
	int64_t result = error ? -(int64_t)error : thread_launch((uint32_t)slot, tid, request);
	if (result < 0) {
		if (!error)
			proc_thread_end(NAME_PROC, tid);
		slot_unmap((uint32_t)slot);
		slot_release((uint32_t)slot);
	}
	return result;
}

static void process_begin(struct thread_state *thread, const struct child_start *start)
{
	struct proc_identity identity;

	locks_forked();
	process.threaded = false;
	process.thread_count = 1;
	fd_forked();
	slots_forked(thread->slot);
	if (proc_identity(NAME_PROC, &identity) == 0) {
		process.pid = identity.pid;
		process.parent = identity.parent;
		process.group = identity.group;
		process.session = identity.session;
	}
	thread->tid = process.pid;
	signals_child(start);
}

/* From child_entry, on the new thread's stack; `start` lies above everything that is used of it. */
void child_begin(struct portico_block *block, const struct child_start *start)
{
	struct thread_state *thread = (struct thread_state *)block->personality;

	memset(thread, 0, sizeof(*thread));
	thread->number = -1;
	thread->slot = start->slot;
	thread->regs = start->regs;
	thread->clear_tid = start->clear_tid;
	thread->stack_base = start->stack_base;
	thread->stack_size = start->stack_size;
	thread->stack_flags = start->stack_flags;
	if (start->process) {
		personality_register();
		process_begin(thread, start);
	} else {
		thread->tid = start->tid;
		signals_thread_begin(thread, start->blocked);
	}
	if (start->set_tid)
		user_put((uint32_t *)start->set_tid, &thread->tid);
	user_load_vectors(start->vectors, start->vectors_mask);
}

/* ---- ending ---- */

_Noreturn void process_exit(int32_t status)
{
	for (;;) {
		proc_exit(NAME_PROC, status);
		trap1(TRAP_task_terminate, TASK_SELF);
	}
}

/* A robust mutex whose owner dies: marked, and one waiter woken. */
static void robust_release(uint64_t address, uint32_t tid)
{
	uint32_t value, found;

	if (address & 3 || user_get(&value, (const uint32_t *)address))
		return;
	while ((value & FUTEX_TID_MASK) == tid) {
		if (user_exchange((uint32_t *)address, value, (value & FUTEX_WAITERS) | FUTEX_OWNER_DIED, &found))
			return;
		if (found == value) {
			if (value & FUTEX_WAITERS)
				trap4(TRAP_futex_wake, address, 1, FUTEX_SHARED, (uint64_t)FUTEX_BITS_ALL);
			return;
		}
		value = found;
	}
}

static void robust_walk(const struct thread_state *thread)
{
	struct linux_robust_list_head head;
	uint64_t entry;

	if (thread->robust_list == 0 || user_get(&head, (const struct linux_robust_list_head *)thread->robust_list))
		return;
	entry = head.list.next;
	for (uint32_t i = 0; i < ROBUST_LIST_LIMIT && (entry & ~UINT64_C(1)) != thread->robust_list; i++) {
		uint64_t next;
		if (user_get(&next, (const uint64_t *)(entry & ~UINT64_C(1))))
			return;
		if (entry != head.pending)
			robust_release((entry & ~UINT64_C(1)) + (uint64_t)head.futex_offset, thread->tid);
		entry = next;
	}
	if (head.pending)
		robust_release((head.pending & ~UINT64_C(1)) + (uint64_t)head.futex_offset, thread->tid);
}

int64_t sys_exit_group(int status)
{
	robust_walk(thread_self());
	process_exit((status & 0xff) << 8);
}

int64_t sys_exit(int status)
{
	struct thread_state *thread = thread_self();
	uint32_t slot = thread->slot;
	uint64_t word = thread->clear_tid;

	robust_walk(thread);
	if (__atomic_sub_fetch(&process.thread_count, 1, __ATOMIC_SEQ_CST) == 0)
		process_exit((status & 0xff) << 8);
	if (thread->tid != process.pid)
		proc_thread_end(NAME_PROC, thread->tid);
	signals_thread_end(thread);
	slot_release(slot);
	thread_leave(area_of(slot) + AREA_STACK, THREAD_AREA_STACK_TOP - AREA_STACK, word, (uint64_t)(uint32_t)status);
}

int64_t sys_set_tid_address(uint64_t word)
{
	thread_self()->clear_tid = word;
	return thread_self()->tid;
}

int64_t sys_set_robust_list(uint64_t head, size_t size)
{
	if (size != sizeof(struct linux_robust_list_head))
		return -EINVAL;
	thread_self()->robust_list = head;
	return 0;
}

int64_t sys_get_robust_list(int tid, uint64_t *head, uint64_t *size)
{
	struct thread_state *thread = thread_self();
	uint64_t length = sizeof(struct linux_robust_list_head);

	if (tid != 0 && (uint32_t)tid != thread->tid)
		return -EPERM;
	if (user_put(head, &thread->robust_list) || user_put(size, &length))
		return -EFAULT;
	return 0;
}
