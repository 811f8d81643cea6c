/*
 * Descriptor table. See fd.h. Pure but for description_release (local.c), so that the host tests can run it.
 */
#include "fd.h"

#include "linux.h"
#include "string.h"
#include "thread.h"

#define WORD_BITS 64u
#define ENTRY_CLOEXEC 0x80000000u
#define SAVED_MAGIC 0x66647331u

/* Entry: 0 free, else index of the description + 1, and ENTRY_CLOEXEC. */
static uint32_t entries[FD_MAX];
static uint64_t used[FD_MAX / WORD_BITS];
static uint32_t first_free_word;   /* no word below has a free bit */
static uint32_t end_used;          /* no descriptor at or above is in use */
static struct description descriptions[FD_MAX];
static uint32_t free_hint = 0;     /* descriptions below are in use */
static uint32_t end_described;     /* descriptions at or above were never used */
PROCESS_LOCK table_lock;

struct saved_header { uint32_t magic, descriptions, descriptors, reserved; };
struct saved_description { uint32_t name, kind, ready_slot; uint8_t server, type; uint16_t flags; };
struct saved_descriptor { uint32_t fd, description; };

static uint32_t index_of(uint32_t entry)
{
	return (entry & ~ENTRY_CLOEXEC) - 1;
}

static bool in_use(uint32_t fd)
{
	return fd < FD_MAX && entries[fd] != 0;
}

static void mark(uint32_t fd, bool on)
{
	uint32_t word = fd / WORD_BITS;
	if (on) {
		used[word] |= UINT64_C(1) << fd % WORD_BITS;
		if (fd >= end_used)
			end_used = fd + 1;
		return;
	}
	used[word] &= ~(UINT64_C(1) << fd % WORD_BITS);
	if (word < first_free_word)
		first_free_word = word;
	while (end_used > 0 && entries[end_used - 1] == 0)
		end_used--;
}

static void set_entry(uint32_t fd, const struct description *description, bool close_on_exec)
{
	entries[fd] = ((uint32_t)(description - descriptions) + 1) | (close_on_exec ? ENTRY_CLOEXEC : 0);
	mark(fd, true);
}

/* Lowest free descriptor >= low, or FD_MAX. */
static uint32_t find_free(uint32_t low)
{
	uint32_t word = low / WORD_BITS;
	uint64_t mask = ~UINT64_C(0) << low % WORD_BITS;
	if (word < first_free_word) {
		word = first_free_word;
		mask = ~UINT64_C(0);
	}
	for (; word < FD_MAX / WORD_BITS; word++, mask = ~UINT64_C(0)) {
		uint64_t free = ~used[word] & mask;
		if (free)
			return word * WORD_BITS + (uint32_t)__builtin_ctzll(free);
		if (mask == ~UINT64_C(0) && word == first_free_word)
			first_free_word = word + 1;
	}
	return FD_MAX;
}

struct description *fd_get(int fd)
{
	if (!process.threaded) {
		if ((uint32_t)fd >= FD_MAX || entries[fd] == 0)
			return NULL;
		return &descriptions[index_of(entries[fd])];
	}
	return fd_hold(fd);
}

struct description *fd_hold(int fd)
{
	struct description *description = NULL;
	lock_take(&table_lock);
	if (in_use((uint32_t)fd)) {
		description = &descriptions[index_of(entries[fd])];
		description->references++;
	}
	lock_drop(&table_lock);
	return description;
}

static void dereference(struct description *description)
{
	struct description gone;
	lock_take(&table_lock);
	bool last = --description->references == 0;
	if (last) {
		uint32_t index = (uint32_t)(description - descriptions);
		gone = *description;
		memset(description, 0, sizeof(*description));
		if (index < free_hint)
			free_hint = index;
	}
	lock_drop(&table_lock);
	if (last)
		description_release(&gone);
}

void fd_put(struct description *description)
{
	if (process.threaded)
		dereference(description);
}

struct description *fd_describe(port_name_t name, uint32_t kind, uint8_t server)
{
	struct description made = { .name = name, .kind = kind, .references = 1, .ready_slot = READY_SLOT_UNKNOWN, .server = server };
	struct description *description = NULL;

	lock_take(&table_lock);
	while (free_hint < FD_MAX && descriptions[free_hint].references)
		free_hint++;
	if (free_hint < FD_MAX) {
		description = &descriptions[free_hint++];
		*description = made;
		if (free_hint > end_described)
			end_described = free_hint;
	}
	lock_drop(&table_lock);
	if (description == NULL)
		description_release(&made);
	return description;
}

int fd_install(struct description *description, int low, bool close_on_exec)
{
	if (low < 0 || (uint64_t)low >= process.file_limit) {
		dereference(description);
		return -EINVAL;
	}
	lock_take(&table_lock);
	uint32_t fd = find_free((uint32_t)low);
	bool fits = fd < FD_MAX && fd < process.file_limit;
	if (fits)
		set_entry(fd, description, close_on_exec);
	lock_drop(&table_lock);
	if (fits)
		return (int)fd;
	dereference(description);
	return -EMFILE;
}

int fd_open(port_name_t name, uint32_t kind, uint8_t server, bool close_on_exec)
{
	struct description *description = fd_describe(name, kind, server);
	return description ? fd_install(description, 0, close_on_exec) : -ENFILE;
}

int fd_replace(struct description *description, int fd, bool close_on_exec)
{
	if (fd < 0 || (uint32_t)fd >= FD_MAX || (uint64_t)fd >= process.file_limit) {
		dereference(description);
		return -EBADF;
	}
	lock_take(&table_lock);
	uint32_t old = entries[fd];
	set_entry((uint32_t)fd, description, close_on_exec);
	lock_drop(&table_lock);
	if (old)
		dereference(&descriptions[index_of(old)]);
	return fd;
}

int fd_close(int fd)
{
	lock_take(&table_lock);
	uint32_t old = in_use((uint32_t)fd) ? entries[fd] : 0;
	if (old) {
		entries[fd] = 0;
		mark((uint32_t)fd, false);
	}
	lock_drop(&table_lock);
	if (!old)
		return -EBADF;
	dereference(&descriptions[index_of(old)]);
	return 0;
}

int fd_flags(int fd)
{
	if (!in_use((uint32_t)fd))
		return -EBADF;
	return entries[fd] & ENTRY_CLOEXEC ? L_FD_CLOEXEC : 0;
}

int fd_set_flags(int fd, bool close_on_exec)
{
	int result = -EBADF;
	lock_take(&table_lock);
	if (in_use((uint32_t)fd)) {
		entries[fd] = (entries[fd] & ~ENTRY_CLOEXEC) | (close_on_exec ? ENTRY_CLOEXEC : 0);
		result = 0;
	}
	lock_drop(&table_lock);
	return result;
}

void fd_close_range(uint32_t first, uint32_t last, bool only_mark)
{
	for (uint32_t fd = first; fd <= last && fd < end_used; fd++) {
		if (!in_use(fd))
			continue;
		if (only_mark)
			fd_set_flags((int)fd, true);
		else
			fd_close((int)fd);
	}
}

int fd_next(int fd)
{
	for (uint32_t at = fd < 0 ? 0 : (uint32_t)fd; at < end_used; at++)
		if (in_use(at))
			return (int)at;
	return -1;
}

bool fd_is_private(const struct description *description)
{
	return description->type == DESCRIPTION_EPOLL || description->type == DESCRIPTION_FD_LIST;
}

/* ---- exec ---- */

static bool is_saved(uint32_t fd)
{
	return in_use(fd) && !fd_is_private(&descriptions[index_of(entries[fd])]);
}

static uint32_t count_saved(void)
{
	uint32_t count = 0;
	for (uint32_t fd = 0; fd < end_used; fd++)
		count += is_saved(fd);
	return count;
}

size_t fd_saved_size(void)
{
	return sizeof(struct saved_header) + end_described * sizeof(struct saved_description) +
	       count_saved() * sizeof(struct saved_descriptor);
}

size_t fd_save(void *to, size_t size)
{
	struct saved_header *header = to;
	struct saved_description *description = (void *)(header + 1);
	struct saved_descriptor *descriptor = (void *)(description + end_described);
	size_t needed = fd_saved_size();
	if (size < needed)
		return 0;
	*header = (struct saved_header){ .magic = SAVED_MAGIC, .descriptions = end_described, .descriptors = count_saved() };
	for (uint32_t i = 0; i < end_described; i++) {
		const struct description *d = &descriptions[i];
		description[i] = (struct saved_description){
			.name = d->name, .kind = d->kind, .ready_slot = d->ready_slot, .server = d->server, .type = d->type,
			.flags = d->flags };
	}
	for (uint32_t fd = 0; fd < end_used; fd++)
		if (is_saved(fd))
			*descriptor++ = (struct saved_descriptor){ fd, entries[fd] - 1 };
	return needed;
}

static void load_description(uint32_t index, const struct saved_description *saved)
{
	descriptions[index] = (struct description){
		.name = saved->name, .kind = saved->kind, .ready_slot = saved->ready_slot, .server = saved->server,
		.type = saved->type, .flags = saved->flags };
	if (index >= end_described)
		end_described = index + 1;
}

/* A description that no descriptor kept refers to goes. */
static void release_unreferenced(const struct saved_description *saved, uint32_t count)
{
	for (uint32_t i = 0; i < count; i++) {
		struct description gone = descriptions[i];
		if (gone.references || saved[i].name == PORT_NULL)
			continue;
		memset(&descriptions[i], 0, sizeof(descriptions[i]));
		description_release(&gone);
	}
}

size_t fd_load(const void *from, size_t size)
{
	const struct saved_header *header = from;
	if (size < sizeof(*header) || header->magic != SAVED_MAGIC || header->descriptions > FD_MAX || header->descriptors > FD_MAX)
		return 0;
	const struct saved_description *saved = (const void *)(header + 1);
	const struct saved_descriptor *descriptor = (const void *)(saved + header->descriptions);
	size_t needed = sizeof(*header) + header->descriptions * sizeof(*saved) + header->descriptors * sizeof(*descriptor);
	if (size < needed)
		return 0;
	for (uint32_t i = 0; i < header->descriptions; i++)
		load_description(i, &saved[i]);
	for (uint32_t i = 0; i < header->descriptors; i++) {
		uint32_t fd = descriptor[i].fd, index = descriptor[i].description & ~ENTRY_CLOEXEC;
		if (fd >= FD_MAX || index >= header->descriptions || descriptor[i].description & ENTRY_CLOEXEC || entries[fd])
			continue;
		descriptions[index].references++;
		set_entry(fd, &descriptions[index], false);
	}
	release_unreferenced(saved, header->descriptions);
	return needed;
}

/* ---- fork ---- */

void fd_forked(void)
{
	for (uint32_t i = 0; i < end_described; i++)
		descriptions[i].references = 0;
	for (uint32_t fd = 0; fd < end_used; fd++)
		if (in_use(fd))
			descriptions[index_of(entries[fd])].references++;
	for (uint32_t i = 0; i < end_described; i++) {
		struct description gone = descriptions[i];
		if (gone.references == 0 && gone.name != PORT_NULL) {
			memset(&descriptions[i], 0, sizeof(descriptions[i]));
			description_release(&gone);
		}
		descriptions[i].object = PORT_NULL;
	}
	free_hint = 0;
}
