/*
 * Kernel traps: numbers and C wrappers.
 *
 * `syscall` with rax = -number is a kernel trap: arguments in rdi, rsi, rdx, r10, r8, r9, result in rax; rcx and r11
 * are clobbered, everything else is kept. A non-negative rax is a Linux system call and goes to the personality.
 * No trap but the window, memory-copy and futex ones takes a pointer: longer arguments and results travel in the control
 * block (block->argument, block->result) or in the send page. Results: >= 0 success, < 0 enum kern_status.
 * A `chosen` argument is the name that the new right gets: PORT_NULL lets the kernel choose.
 */
#ifndef PORTICO_TRAPS_H
#define PORTICO_TRAPS_H

#include <portico/block.h>
#include <portico/message.h>
#include <portico/rights.h>
#include <portico/status.h>

/* name, number, arguments; the one list from which kernel, tracer and reference are made. */
#define PORTICO_TRAPS(T) \
	/* messages (message.h) */ \
	T(msg, 1, "op, destination, receive, deadline") \
	T(reply_park, 2, "chosen") /* move the reply slot's right to a name; the caller stays blocked -> name */ \
	T(window_read, 3, "reply name or 0 for the slot, descriptor index, offset, address, length") /* -> bytes copied; KERN_PEER_FAULT + result[0] = caller address; KERN_FAULT: own address */ \
	T(window_write, 4, "reply name or 0, descriptor index, offset, address, length") \
	/* rights */ \
	T(port_create, 5, "chosen, queue limit (0: default)") /* -> name of the receive right */ \
	T(portset_create, 6, "chosen") \
	T(portset_move, 7, "receive right, port set or 0") \
	T(right_make, 8, "receive or mintable send right, badge, flags, chosen") /* new send right -> name */ \
	T(right_copy, 9, "name, flags to keep, chosen") /* send rights */ \
	T(right_release, 10, "name") /* any kind; a receive right: the port dies */ \
	T(right_info, 11, "name") /* -> result[]: struct right_info */ \
	T(right_inherit, 12, "name, on") /* set or clear RIGHT_INHERIT */ \
	T(right_insert, 13, "task, chosen in the task, own name, disposition") /* needs RIGHT_CONTROL; descriptor badge: argument[0], flags: argument[1] */ \
	T(right_extract, 14, "task, name in the task, disposition, chosen") \
	T(right_request, 15, "name, kind (enum request_kind), port (receive right), cookie") /* arm a notification */ \
	T(port_notify, 16, "name, bits") /* or the bits into the port's word */ \
	T(right_rename, 17, "name, chosen") \
	/* address spaces */ \
	T(vm_map, 20, "task, address, size, object or 0, offset, flags (VM_*)") /* -> address */ \
	T(vm_unmap, 21, "task, address, size") \
	T(vm_protect, 22, "task, address, size, VM_READ|VM_WRITE|VM_EXECUTE") \
	T(vm_inherit, 23, "task, address, size, VM_INHERIT_*") \
	T(vm_move, 24, "task, address, size, new address or 0, new size, flags") /* mremap of one entry -> address; grows in place; VM_TOP_DOWN: may move; VM_FIXED: to that address */ \
	T(vm_advise, 25, "task, address, size, advice") /* VM_ADVISE_* */ \
	T(vm_query, 26, "task, address") /* entry at or above address -> result[]: struct vm_query */ \
	T(vm_resident, 27, "task, address, pages (<= 1024)") /* bitmap -> send page data */ \
	T(vm_read, 28, "task, address, own address, length") /* other task's memory; -> bytes */ \
	T(vm_write, 29, "task, address, own address, length") \
	/* memory objects */ \
	T(object_create, 30, "size, flags, pager (send right) or 0, badge, chosen") \
	T(object_resize, 31, "object, size") \
	T(object_supply, 32, "object, offset, own address, length") /* copy pages in; resident ones are left; wakes faulters */ \
	T(object_discard, 33, "object, offset, length") /* drop pages: they read as zero, or ask the pager */ \
	T(object_info, 34, "object") /* result[0] size, [1] resident pages, [2] mappings, [3] flags */ \
	T(object_read, 35, "object, offset, own address, length") /* without mapping -> bytes */ \
	T(object_write, 36, "object, offset, own address, length") \
	T(object_fail, 37, "object, offset, length") /* the pager cannot: faulters get FAULT_PAGER */ \
	T(object_clone, 38, "object, offset, length, flags, chosen") /* copy-on-write copy as a new anonymous object */ \
	/* tasks */ \
	T(space_create, 40, "chosen") \
	T(task_create, 41, "space, recovery domain or 0, ledger or 0, chosen") /* -> task right with RIGHT_CONTROL */ \
	T(task_duplicate, 42, "task, flags (TASK_DUP_*), ledger or 0, chosen") \
	T(task_terminate, 43, "task") \
	T(task_suspend, 44, "task") /* counted */ \
	T(task_resume, 45, "task") \
	T(task_set_principal, 46, "task, principal") \
	T(task_info, 47, "task") /* -> result[]: struct task_info */ \
	T(task_interrupt, 48, "task, slot") /* the thread with that slot; KERN_INVALID_ARGUMENT if none */ \
	T(task_personality, 49, "task") /* argument[]: struct personality */ \
	/* threads */ \
	T(thread_create, 50, "task, slot, endpoint address, flags (THREAD_*), chosen") /* suspended */ \
	T(thread_start, 51, "thread") /* registers from argument[]: struct portico_frame */ \
	T(thread_exit, 52, "address, size to unmap, word to clear and wake, status") /* does not return */ \
	T(thread_terminate, 53, "thread") \
	T(thread_interrupt, 54, "thread") \
	T(thread_get_state, 55, "thread") /* -> result/argument area: struct portico_frame at argument[] */ \
	T(thread_set_state, 56, "thread") \
	T(thread_info, 57, "thread") /* result[0] user ns, [1] system ns, [2] state, [3] slot, [4] priority, [5] cpu */ \
	T(thread_priority, 58, "thread, priority 0-31, affinity mask (0: leave)") \
	T(frame_resume, 59, "") /* load all registers from block->frame; does not return */ \
	T(thread_yield, 60, "") \
	T(thread_sleep, 61, "deadline, flags (MSG_INTERRUPTIBLE >> 32 or 0)") \
	/* futexes */ \
	T(futex_wait, 65, "address, expected (32 bits), flags (FUTEX_*), deadline, bits") \
	T(futex_wake, 66, "address, count, flags, bits") /* -> woken */ \
	T(futex_wait_many, 67, "count (<= 16), flags, deadline") /* argument[2i] address, [2i+1] expected -> index woken */ \
	T(futex_requeue, 68, "address, wake count, requeue count, address 2, flags, expected (FUTEX_COMPARE)") /* -> woken + requeued */ \
	/* time */ \
	T(timer_create, 75, "port (receive right), bits, chosen") /* port_notify at expiry */ \
	T(timer_set, 76, "timer, deadline, interval ns") /* DEADLINE_NEVER disarms */ \
	T(clock_set, 77, "machine, realtime offset") \
	/* ledgers */ \
	T(ledger_create, 80, "parent or 0, pages, kernel bytes, chosen") \
	T(ledger_info, 81, "ledger or 0") /* result[0..3]: pages used, limit, kernel bytes used, limit */ \
	T(ledger_set, 82, "ledger, pages, kernel bytes") \
	/* devices; all made from the machine right */ \
	T(machine_interrupt, 90, "machine, line, chosen") \
	T(machine_ioports, 91, "machine, first, count, chosen") \
	T(machine_physical, 92, "machine, address, size, chosen") /* -> memory object */ \
	T(interrupt_bind, 93, "interrupt, port (receive right), bits") \
	T(interrupt_ack, 94, "interrupt") /* unmask */ \
	T(ioport_read, 95, "range, offset, width 1 2 4") /* -> value */ \
	T(ioport_write, 96, "range, offset, width, value") \
	T(ioport_write_string, 97, "range, offset, count") /* bytes from the send page's data */ \
	/* system */ \
	T(null, 100, "") \
	T(log_write, 101, "log, length") /* text from the send page's data */ \
	T(system_power, 102, "machine, enum power_action") \
	T(system_counters, 103, "") /* -> result[]: struct system_counters */ \
	T(module_get, 104, "machine, index") /* boot module: result[0] memory object name, [1] size; name -> send page data */ \
	T(machine_physical_of, 105, "machine, object, offset") /* DMA: physical address of a wired object's page */ \
	/* recovery domains (domain.h) */ \
	T(domain_create, 110, "ledger or 0, chosen") /* -> right with RIGHT_CONTROL */ \
	T(domain_info, 111, "domain") /* -> send page data: struct domain_info */ \
	T(domain_clear, 112, "domain") /* without incarnation: mappings, dynamic and given names, pending call and caller go; counters stay */

enum portico_trap {
#define T(name, number, arguments) TRAP_##name = number,
	PORTICO_TRAPS(T)
#undef T
	TRAP_MAX = 128,
};

/* vm_map flags, vm_protect protection. Write and execute together: KERN_INVALID_ARGUMENT unless VM_ALLOW_WX. */
enum vm_flags {
	VM_READ = 1 << 0,
	VM_WRITE = 1 << 1,
	VM_EXECUTE = 1 << 2,
	VM_FIXED = 1 << 3,        /* exactly there, replacing what is mapped */
	VM_FIXED_NOREPLACE = 1 << 4, /* exactly there, or KERN_NAME_EXISTS */
	VM_COPY = 1 << 5,         /* private: writes go to a copy */
	VM_INHERIT_SHARE = 0 << 8,
	VM_INHERIT_COPY = 1 << 8,
	VM_INHERIT_NONE = 2 << 8,
	VM_INHERIT_ALWAYS_COPY = 3 << 8, /* copied even by TASK_DUP_SHARE: libposix's private range */
	VM_INHERIT_MASK = 3 << 8,
	VM_TOP_DOWN = 1 << 10,    /* first fit from the hint downwards */
	VM_GROWS_DOWN = 1 << 11,  /* reported by vm_query; a stack */
	VM_ALLOW_WX = 1 << 12,    /* a JIT asked for it by name */
	VM_WIRED = 1 << 13,       /* resident now, and kept so */
	VM_TAG_SHIFT = 16,        /* 8 bits for the owner, returned by vm_query */
};

enum vm_advice { VM_ADVISE_DONTNEED = 1, VM_ADVISE_WILLNEED = 2, VM_ADVISE_FREE = 3 };

/* vm_query's result. */
struct vm_query {
	uint64_t start, end;
	uint64_t flags;      /* protection, VM_COPY, inheritance, tag */
	uint64_t offset;     /* in the object */
	uint64_t object_id;  /* 0: nothing yet */
	uint64_t max_protection;
	uint64_t resident;   /* pages */
};

enum object_flags {
	OBJECT_WIRED = 1 << 0,      /* resident and contiguous if OBJECT_CONTIGUOUS: DMA memory */
	OBJECT_CONTIGUOUS = 1 << 1,
};

enum task_duplicate_flags {
	TASK_DUP_MEMORY = 1 << 0, /* fork: every entry by its inheritance */
	TASK_DUP_SHARE = 1 << 1,  /* vfork, CLONE_VM: every entry shared, but for INHERIT_ALWAYS_COPY and _NONE */
	TASK_DUP_RIGHTS = 1 << 2, /* inheritable rights under the same names */
};

enum thread_flags {
	THREAD_NO_FPU = 1 << 0,  /* vector registers are not used: not saved; using them is an exception */
	THREAD_SERVER = 1 << 1,  /* has a request page and a reply slot, may receive */
};

/* Registered by task_personality. Addresses in the task; all zero: none, exceptions are messages. */
struct personality {
	uint64_t entry;          /* redirected system call of the thread in slot s: entry + s * entry_stride */
	uint64_t entry_stride;
	uint64_t event_entry;    /* exceptions and interrupts: rdi = block address, interrupts the same; frame in the block */
	uint64_t text_begin, text_end;       /* an interrupt with rip in here only sets block->interrupted ... */
	uint64_t restart_begin, restart_end; /* ... but in here also continues at `restart`, rdi = block address */
	uint64_t restart;
	uint64_t exception_port; /* tasks without a personality: send right for exception messages (own name), or 0 */
};

enum request_kind {
	REQUEST_DEAD_NAME = 1,   /* send right (port, task, thread): MSG_DEAD_NAME to the port when the object dies */
	REQUEST_NO_SENDERS = 2,  /* receive right: MSG_NO_SENDERS for every badge whose count falls to 0 */
};

struct task_info {
	uint64_t object_id, principal, threads;
	uint64_t user_ns, system_ns;      /* of all threads, dead ones included */
	uint64_t virtual_pages, resident_pages;
	uint64_t state;                   /* 0 running, 1 suspended, 2 dead */
	uint64_t faults, messages;
	uint64_t max_resident_pages;
	uint64_t voluntary_switches, involuntary_switches;
};

enum futex_flags {
	FUTEX_SHARED = 1 << 0,       /* key by memory object, not by address space */
	FUTEX_INTERRUPTIBLE = 1 << 1,
	FUTEX_COMPARE = 1 << 2,
	FUTEX_BITS_ALL = -1,
};

enum power_action { POWER_OFF = 0, POWER_REBOOT = 1, POWER_PANIC = 2 };

/* Live counts; the leak tests compare them. */
struct system_counters {
	uint64_t pages_total, pages_free, pages_kernel;
	uint64_t objects[16];             /* by enum object_kind; fits result[] with the three above */
};

static inline int64_t trap6(uint64_t n, uint64_t a, uint64_t b, uint64_t c, uint64_t d, uint64_t e, uint64_t f)
{
	register uint64_t r10 __asm__("r10") = d;
	register uint64_t r8 __asm__("r8") = e;
	register uint64_t r9 __asm__("r9") = f;
	int64_t r;
	__asm__ volatile("syscall"
			 : "=a"(r)
			 : "a"(-n), "D"(a), "S"(b), "d"(c), "r"(r10), "r"(r8), "r"(r9)
			 : "rcx", "r11", "memory");
	return r;
}

static inline int64_t trap4(uint64_t n, uint64_t a, uint64_t b, uint64_t c, uint64_t d)
{
	register uint64_t r10 __asm__("r10") = d;
	int64_t r;
	__asm__ volatile("syscall"
			 : "=a"(r)
			 : "a"(-n), "D"(a), "S"(b), "d"(c), "r"(r10)
			 : "rcx", "r11", "memory");
	return r;
}

static inline int64_t trap5(uint64_t n, uint64_t a, uint64_t b, uint64_t c, uint64_t d, uint64_t e)
{
	register uint64_t r10 __asm__("r10") = d;
	register uint64_t r8 __asm__("r8") = e;
	int64_t r;
	__asm__ volatile("syscall"
			 : "=a"(r)
			 : "a"(-n), "D"(a), "S"(b), "d"(c), "r"(r10), "r"(r8)
			 : "rcx", "r11", "memory");
	return r;
}

static inline int64_t trap3(uint64_t n, uint64_t a, uint64_t b, uint64_t c)
{
	int64_t r;
	__asm__ volatile("syscall" : "=a"(r) : "a"(-n), "D"(a), "S"(b), "d"(c) : "rcx", "r11", "memory");
	return r;
}

static inline int64_t trap2(uint64_t n, uint64_t a, uint64_t b)
{
	int64_t r;
	__asm__ volatile("syscall" : "=a"(r) : "a"(-n), "D"(a), "S"(b) : "rcx", "r11", "memory");
	return r;
}

static inline int64_t trap1(uint64_t n, uint64_t a)
{
	int64_t r;
	__asm__ volatile("syscall" : "=a"(r) : "a"(-n), "D"(a) : "rcx", "r11", "memory");
	return r;
}

static inline int64_t trap0(uint64_t n)
{
	int64_t r;
	__asm__ volatile("syscall" : "=a"(r) : "a"(-n) : "rcx", "r11", "memory");
	return r;
}

static inline int64_t trap_msg(uint64_t op, uint64_t destination, port_name_t receive, uint64_t deadline)
{
	return trap4(TRAP_msg, op, destination, receive, deadline);
}

#endif
