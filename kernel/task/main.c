/*
 * The kernel's start, after the machine is up: idle threads, and the first task from the boot module named "root".
 *
 * root is a static ELF64 image. It gets its segments, a stack, an endpoint, the machine and log rights and the root ledger; everything else it
 * makes by traps. The kernel's command line lies at the beginning of its send page.
 */
#include <kernel/ipc/ipc.h>
#include <kernel/task/devices.h>
#include <kernel/task/domain.h>
#include <kernel/task/sched.h>
#include <kernel/task/task.h>
#include <kernel/vm/vm.h>

#define ELF_LOAD 1
#define ELF_EXECUTABLE 2
#define ELF_X86_64 62
#define ELF_X 1
#define ELF_W 2
#define ELF_R 4
#define SEGMENTS_MAX 16
#define ROOT_ATTEMPTS 6u
#define REAP_STEPS 16u /* the incarnation before is not to be in the way */
#define LOADING_AREA 0x600000000000ul /* where segments are filled before they are mapped for good */

struct elf_header {
	uint8_t ident[16];
	uint16_t type, machine;
	uint32_t version;
	uint64_t entry, phoff, shoff;
	uint32_t flags;
	uint16_t ehsize, phentsize, phnum, shentsize, shnum, shstrndx;
};

struct elf_segment {
	uint32_t type, flags;
	uint64_t offset, vaddr, paddr, filesz, memsz, align;
};

static const struct boot_module *module_find(const char *name)
{
	for (uint32_t i = 0; i < boot_module_count; i++) {
		const char *a = boot_modules[i].name, *b = name;
		while (*a != '\0' && *a == *b)
			a++, b++;
		if (*a == *b)
			return &boot_modules[i];
	}
	return NULL;
}

/* The segment's pages, filled through a passing mapping, then mapped with the protection they are meant to have. */
static bool load_segment(struct task *task, const uint8_t *image, const struct elf_segment *s)
{
	uint64_t start = s->vaddr & ~(PAGE_SIZE - 1);
	uint64_t size = (s->vaddr + s->memsz + PAGE_SIZE - 1 - start) & ~(PAGE_SIZE - 1);
	uint64_t protection = (s->flags & ELF_R ? VM_READ : 0) | (s->flags & ELF_W ? VM_WRITE : 0) |
			      (s->flags & ELF_X ? VM_EXECUTE : 0);
	struct memory_object *object = memory_object_create(size, task->ledger);
	bool ok;

	if (object == NULL)
		return false;
	ok = vm_map_enter(task->map, LOADING_AREA, size, object, 0, VM_READ | VM_WRITE | VM_FIXED, VM_READ | VM_WRITE) >= 0 &&
	     vm_copy_out(task->map, LOADING_AREA + (s->vaddr - start), image + s->offset, s->filesz) == s->filesz &&
	     vm_map_remove(task->map, LOADING_AREA, size) >= 0 &&
	     vm_map_enter(task->map, start, size, object, 0, protection | VM_FIXED | VM_INHERIT_NONE, VM_READ | VM_WRITE | VM_EXECUTE) >= 0;
	object_unref((struct kobject *)object);
	return ok;
}

/* Entry point, 0 if the image is none. */
static uint64_t load_image(struct task *task, const uint8_t *image, uint64_t size)
{
	struct elf_header header;
	struct elf_segment segment;

	if (size < sizeof(header))
		return 0;
	__builtin_memcpy(&header, image, sizeof(header));
	if (__builtin_memcmp(header.ident, "\177ELF\2\1", 6) != 0 || header.type != ELF_EXECUTABLE ||
	    header.machine != ELF_X86_64 || header.phentsize != sizeof(segment) || header.phnum > SEGMENTS_MAX ||
	    header.phoff > size || header.phnum * sizeof(segment) > size - header.phoff)
		return 0;
	for (unsigned i = 0; i < header.phnum; i++) {
		__builtin_memcpy(&segment, image + header.phoff + i * sizeof(segment), sizeof(segment));
		if (segment.type != ELF_LOAD || segment.memsz == 0)
			continue;
		if (segment.filesz > segment.memsz || segment.offset > size || segment.filesz > size - segment.offset ||
		    !load_segment(task, image, &segment))
			return 0;
	}
	return header.entry;
}

static void give_rights(struct task *task)
{
	if (right_enter_object(task->space, &machine_object, RIGHT_CONTROL, NAME_MACHINE) < 0 ||
	    right_enter_object(task->space, &log_object, 0, NAME_LOG) < 0 ||
	    right_enter_object(task->space, OBJECT(&root_ledger), RIGHT_CONTROL, NAME_SELF_LEDGER) < 0)
		panic("root: no room for its rights");
}

static struct domain *root_domain; /* whose incarnations only the kernel makes */

static void start_root(const struct boot_module *module, uint64_t start_flags)
{
	int64_t status;
	bool first = root_domain->incarnation == 0;
	struct task *task = domain_task_create(root_domain, &root_ledger, &status);
	struct portico_frame frame = {.rsp = SERVER_STACK_TOP, .rdi = SERVER_ENDPOINT, .rcx = start_flags};
	struct thread *thread;

	if (task == NULL)
		panic("root: no task: %d", (int)status);
	root_task = task;
	__builtin_memcpy(task->name, "root", sizeof("root"));
	frame.rip = load_image(task, page_virtual(module->physical), module->size);
	if (frame.rip == 0)
		panic("root: the boot module is no static ELF64 image, or there is no memory for it");
	if (vm_map_enter(task->map, SERVER_STACK_TOP - SERVER_STACK_SIZE, SERVER_STACK_SIZE, NULL, 0,
			 VM_READ | VM_WRITE | VM_FIXED | VM_INHERIT_NONE, VM_READ | VM_WRITE) < 0)
		panic("root: no stack");
	if (first)
		give_rights(task);
	thread = thread_create(task, 0, SERVER_ENDPOINT, THREAD_SERVER | THREAD_NO_FPU, &status);
	if (thread == NULL)
		panic("root: no thread: %d", (int)status);
	thread->priority = PRIORITY_SERVER;
	for (unsigned i = 0; first && i < MSG_INLINE_MAX - 1 && boot_command_line[i] != '\0'; i++)
		thread->endpoint->send->data[i] = (uint8_t)boot_command_line[i];
	thread_arch_set_frame(thread, &frame);
	thread_make_runnable(thread);
	object_unref(OBJECT(thread));
	object_unref(OBJECT(task));
}

void kernel_main(void)
{
	const struct boot_module *module = module_find("root");

	sched_init();
	campaign_init();
	if (module == NULL)
		panic("there is no boot module named root");
	root_domain = domain_create(&root_ledger);
	if (root_domain == NULL)
		panic("root: no domain");
	start_root(module, 0);
}

/*
 * Nobody watches root but the kernel. What ended it twice in the same transaction, by itself and not from outside, is given up by the next
 * incarnation; if that does not help, or root never came as far as its first receive, the system cannot go on.
 */
void root_ended(void)
{
	static uint64_t commits_then;
	static unsigned times;
	const struct domain_info *last = &root_domain->last;
	uint64_t commits = root_domain->thread == NULL ? 0 : thread_counters(root_domain->thread)->commits;

	if (last->end == DOMAIN_END_TERMINATED)
		times = 0;
	else
		times = commits == commits_then ? times + 1 : 1;
	commits_then = commits;
	if (times > 0)
		kprintf("portico: root ended by itself: vector %lu error %#lx address %#lx rip %#lx\n", (unsigned long)last->vector,
			(unsigned long)last->error, (unsigned long)last->address, (unsigned long)last->rip);
	if (times >= ROOT_ATTEMPTS || commits == 0)
		panic("root has died");
	for (unsigned i = 0; i < REAP_STEPS && reaper_step(); i++)
		;
	start_root(module_find("root"), times >= 2 ? SERVER_START_GIVE_UP : 0);
}
