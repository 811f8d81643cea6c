/*
 * Memory of a new image. See image.h.
 *
 * Layout: <portico/layout.h>. Stack contents: System V ABI, x86_64 supplement, 3.4.1 ("Initial Stack and Register
 * State").
 */
#include "image.h"

#include "kernel_ops.h"

#include <portico/layout.h>
#include <portico/start.h>
#include <portico/strings.h>

#define CLOCK_TICKS 100u
#define STACK_RESERVE 0x10000u /* what must be left below the arguments for the program to begin */
#define ENDPOINT_AREA_STACK 0x5000u

enum auxiliary {
	AUX_NULL = 0,
	AUX_PHDR = 3,
	AUX_PHENT = 4,
	AUX_PHNUM = 5,
	AUX_PAGESZ = 6,
	AUX_BASE = 7,
	AUX_FLAGS = 8,
	AUX_ENTRY = 9,
	AUX_UID = 11,
	AUX_EUID = 12,
	AUX_GID = 13,
	AUX_EGID = 14,
	AUX_PLATFORM = 15,
	AUX_HWCAP = 16,
	AUX_CLKTCK = 17,
	AUX_SECURE = 23,
	AUX_RANDOM = 25,
	AUX_HWCAP2 = 26,
	AUX_EXECFN = 31,
	AUX_MINSIGSTKSZ = 51,
};

static uint64_t page_down(uint64_t value)
{
	return value & ~(PAGE_SIZE - 1);
}

static uint64_t page_up(uint64_t value)
{
	return page_down(value + PAGE_SIZE - 1);
}

static int map(port_name_t task, uint64_t start, uint64_t end, port_name_t object, uint64_t offset, uint32_t flags)
{
	if (start == end)
		return 0;
	if ((flags & (VM_WRITE | VM_EXECUTE)) == (VM_WRITE | VM_EXECUTE))
		flags |= VM_ALLOW_WX;
	int64_t status = kernel_vm_map(task, start, end - start, object, offset, flags | VM_FIXED);
	return status < 0 ? kern_errno(status) : 0;
}

static int put(port_name_t task, uint64_t address, const void *bytes, size_t length)
{
	if (length == 0)
		return 0;
	int64_t status = kernel_vm_write(task, address, bytes, length);
	if (status < 0)
		return status == KERN_FAULT ? ENOMEM : kern_errno(status);
	return (size_t)status == length ? 0 : ENOMEM;
}

static int read_object(const struct elf_source *source, uint64_t offset, void *to, size_t length)
{
	int64_t status = kernel_object_read((port_name_t)source->handle, offset, to, length);
	if (status < 0)
		return EIO;
	return (size_t)status == length ? 0 : ENOEXEC;
}

int image_plan(port_name_t object, uint64_t size, struct elf_plan *plan)
{
	struct elf_source source = {.read = read_object, .size = size, .handle = object};
	return elf_plan(&source, plan);
}

int image_place(struct program *program, bool interpreter)
{
	const struct elf_plan *plan = &program->plan;
	uint64_t base = interpreter ? INTERPRETER_BASE : PIE_BASE;
	uint64_t limit =
	        interpreter ? STACK_TOP - (STACK_TOP - INTERPRETER_BASE) / 2 : MMAP_TOP - (MMAP_TOP - PIE_BASE) / 2;
	if (!plan->relocatable) {
		program->bias = 0;
		return plan->high <= MMAP_TOP ? 0 : ENOEXEC;
	}
	program->bias = base - plan->low;
	return plan->high - plan->low <= limit - base ? 0 : ENOEXEC;
}

/* One segment: the file's part, then zeros. `size`: of the file. */
static int map_segment(port_name_t task, port_name_t object, uint64_t size, const struct elf_segment *s, uint64_t bias,
                       uint32_t private_flags)
{
	uint64_t start = s->address + bias;
	uint64_t file_end = start + s->file_size, memory_end = start + s->memory_size;
	uint32_t flags = s->protection | private_flags;
	int error = 0;

	if (s->file_size > 0)
		error = map(task, page_down(start), page_up(file_end), object, page_down(s->offset), flags | VM_COPY);
	uint64_t zero_from = s->file_size > 0 ? page_up(file_end) : page_down(start);
	if (!error && page_up(memory_end) > zero_from)
		error = map(task, zero_from, page_up(memory_end), PORT_NULL, 0, flags);
	if (!error && s->file_size > 0 && memory_end > file_end && (s->protection & VM_WRITE)) {
		static const uint8_t zeros[PAGE_SIZE];
		if (page_down(s->offset + s->file_size) >= size && file_end < page_up(file_end))
			return EFAULT;
		uint64_t end = memory_end < zero_from ? memory_end : zero_from;
		/* The page's rest is file contents beyond the segment: all of it reads as zero, as on Linux. */
		error = put(task, file_end, zeros, (end < page_up(file_end) ? page_up(file_end) : end) - file_end);
	}
	return error;
}

static int map_program(port_name_t task, const struct program *program)
{
	for (uint32_t i = 0; i < program->plan.segment_count; i++) {
		int error = map_segment(task, program->object, program->size, &program->plan.segment[i], program->bias,
		                        VM_INHERIT_COPY);
		if (error)
			return error;
	}
	return 0;
}

/* libposix: what cannot be written is shared by all processes, what can be is each one's own, always. */
static int map_libposix(port_name_t task)
{
	const struct elf_plan *plan = &root->libposix_plan;
	for (uint32_t i = 0; i < plan->segment_count; i++) {
		const struct elf_segment *s = &plan->segment[i];
		int error;
		if (s->protection & VM_WRITE)
			error = map_segment(task, root->libposix, root->libposix_size, s, 0, VM_INHERIT_ALWAYS_COPY);
		else
			error = map(task, page_down(s->address), page_up(s->address + s->memory_size), root->libposix,
			            page_down(s->offset), s->protection | VM_INHERIT_SHARE);
		if (error)
			return error;
	}
	return map(task, THREAD_AREAS + ENDPOINT_AREA_STACK, THREAD_AREAS + THREAD_AREA_STACK_TOP, PORT_NULL, 0,
	           VM_READ | VM_WRITE | VM_INHERIT_ALWAYS_COPY);
}

/* Writes 64-bit words upwards, through a buffer. */
struct word_writer {
	port_name_t task;
	uint64_t address;
	uint32_t count;
	int error;
	uint64_t word[256];
};

static void flush_words(struct word_writer *w)
{
	if (!w->error)
		w->error = put(w->task, w->address, w->word, w->count * sizeof(w->word[0]));
	w->address += w->count * sizeof(w->word[0]);
	w->count = 0;
}

static void put_word(struct word_writer *w, uint64_t word)
{
	w->word[w->count++] = word;
	if (w->count == sizeof(w->word) / sizeof(w->word[0]))
		flush_words(w);
}

static void put_auxiliary(struct word_writer *w, uint64_t type, uint64_t value)
{
	put_word(w, type);
	put_word(w, value);
}

/* Addresses of `count` strings that lie one after another from `address` on, then a null pointer. */
static void put_pointers(struct word_writer *w, const char *strings, uint32_t count, uint64_t address)
{
	for (uint32_t i = 0; i < count; i++) {
		size_t size = strlen(strings) + 1;
		put_word(w, address);
		address += size;
		strings += size;
	}
	put_word(w, 0);
}

/* Strings and other bytes at the top of the stack. */
struct stack_top {
	uint64_t execfn, environment, arguments, platform, random;
	uint64_t low; /* 16-byte aligned; vectors end here */
};

#define AUXILIARY_WORDS 40u /* 20 pairs, AUX_NULL included */

static int put_stack_bytes(port_name_t task, const struct image_request *r, struct stack_top *top)
{
	static const char platform[8] = "x86_64";
	const struct exec_request *s = r->strings;
	size_t name_size = strlen(r->execfn) + 1;
	uint64_t bytes = name_size + s->environment_size + s->arguments_size;
	uint64_t words = 3 + (uint64_t)s->argument_count + s->environment_count + AUXILIARY_WORDS;
	if (bytes + words * 8 + 256 + STACK_RESERVE > r->stack_size)
		return E2BIG;

	top->execfn = STACK_TOP - 8 - name_size;
	top->environment = top->execfn - s->environment_size;
	top->arguments = top->environment - s->arguments_size;
	top->platform = (top->arguments & ~UINT64_C(15)) - 16;
	top->random = top->platform - 16;
	top->low = top->random;
	uint8_t random[16];
	random_bytes(random, sizeof(random));
	int error = put(task, top->execfn, r->execfn, name_size);
	if (!error)
		error = put(task, top->environment, s->environment, s->environment_size);
	if (!error)
		error = put(task, top->arguments, s->arguments, s->arguments_size);
	if (!error)
		error = put(task, top->platform, platform, sizeof(platform));
	if (!error)
		error = put(task, top->random, random, sizeof(random));
	return error;
}

static void put_auxiliary_vector(struct word_writer *w, const struct image_request *r, const struct stack_top *top)
{
	const struct program *main = r->main;
	put_auxiliary(w, AUX_PHDR, main->plan.headers ? main->plan.headers + main->bias : 0);
	put_auxiliary(w, AUX_PHENT, 56);
	put_auxiliary(w, AUX_PHNUM, main->plan.header_count);
	put_auxiliary(w, AUX_PAGESZ, PAGE_SIZE);
	put_auxiliary(w, AUX_BASE, r->interpreter ? r->interpreter->plan.low + r->interpreter->bias : 0);
	put_auxiliary(w, AUX_FLAGS, 0);
	put_auxiliary(w, AUX_ENTRY, main->plan.entry + main->bias);
	put_auxiliary(w, AUX_UID, r->cred->uid);
	put_auxiliary(w, AUX_EUID, r->cred->euid);
	put_auxiliary(w, AUX_GID, r->cred->gid);
	put_auxiliary(w, AUX_EGID, r->cred->egid);
	put_auxiliary(w, AUX_SECURE, r->secure);
	put_auxiliary(w, AUX_RANDOM, top->random);
	put_auxiliary(w, AUX_EXECFN, top->execfn);
	put_auxiliary(w, AUX_HWCAP, kernel_hwcap());
	put_auxiliary(w, AUX_HWCAP2, kernel_hwcap2());
	put_auxiliary(w, AUX_PLATFORM, top->platform);
	put_auxiliary(w, AUX_CLKTCK, CLOCK_TICKS);
	put_auxiliary(w, AUX_MINSIGSTKSZ, kernel_signal_stack_min());
	put_auxiliary(w, AUX_NULL, 0);
}

static int build_stack(port_name_t task, const struct image_request *r, struct image_layout *layout)
{
	const struct exec_request *s = r->strings;
	struct stack_top top;
	uint32_t flags = VM_READ | VM_WRITE | VM_INHERIT_COPY | VM_GROWS_DOWN;
	if (r->main->plan.executable_stack)
		flags |= VM_EXECUTE;
	int error = map(task, STACK_TOP - r->stack_size, STACK_TOP, PORT_NULL, 0, flags);
	if (!error)
		error = put_stack_bytes(task, r, &top);
	if (error)
		return error;

	uint64_t words = 3 + (uint64_t)s->argument_count + s->environment_count + AUXILIARY_WORDS;
	layout->stack = (top.low - words * 8) & ~UINT64_C(15);
	layout->arguments_start = top.arguments;
	layout->arguments_end = top.arguments + s->arguments_size;
	layout->environment_start = top.environment;
	layout->environment_end = top.environment + s->environment_size;
	struct word_writer w = {.task = task, .address = layout->stack};
	put_word(&w, s->argument_count);
	put_pointers(&w, s->arguments, s->argument_count, top.arguments);
	put_pointers(&w, s->environment, s->environment_count, top.environment);
	put_auxiliary_vector(&w, r, &top);
	flush_words(&w);
	return w.error;
}

static int build_start_page(port_name_t task, const struct image_request *r, const struct image_layout *layout)
{
	const struct program *main = r->main;
	const struct process *p = r->process;
	uint64_t size = page_up(sizeof(struct posix_start) + r->strings->state_size);
	struct posix_start start = {
	        .magic = START_MAGIC,
	        .entry = layout->entry,
	        .stack = layout->stack,
	        .brk = layout->brk,
	        .program_start = main->plan.low + main->bias,
	        .program_end = main->plan.high + main->bias,
	        .pid = p->pid,
	        .parent = p->parent ? p->parent->pid : 0,
	        .group = p->group,
	        .session = p->session,
	        .uid = r->cred->uid,
	        .euid = r->cred->euid,
	        .suid = r->cred->suid,
	        .gid = r->cred->gid,
	        .egid = r->cred->egid,
	        .sgid = r->cred->sgid,
	        .trace = root->trace,
	        .secure = r->secure,
	        .state_size = r->strings->state_size,
	        .start_size = size,
	};
	memcpy(start.name, r->name, strnlen(r->name, sizeof(start.name) - 1));
	if (r->path && strlen(r->path) < sizeof(start.path))
		memcpy(start.path, r->path, strlen(r->path));
	int error = map(task, LIBPOSIX_HEAP, LIBPOSIX_HEAP + size, PORT_NULL, 0,
	                VM_READ | VM_WRITE | VM_INHERIT_ALWAYS_COPY);
	if (!error)
		error = put(task, LIBPOSIX_HEAP, &start, sizeof(start));
	if (!error)
		error = put(task, LIBPOSIX_HEAP + sizeof(start), r->strings->state, r->strings->state_size);
	return error;
}

int image_build(port_name_t task, const struct image_request *r, struct image_layout *layout)
{
	const struct program *entered = r->interpreter ? r->interpreter : r->main;
	layout->entry = entered->plan.entry + entered->bias;
	layout->brk = r->main->plan.high + r->main->bias;
	int error = map_program(task, r->main);
	if (!error && r->interpreter)
		error = map_program(task, r->interpreter);
	if (!error)
		error = build_stack(task, r, layout);
	if (!error)
		error = map_libposix(task);
	if (!error)
		error = build_start_page(task, r, layout);
	return error;
}
