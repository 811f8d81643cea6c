/*
 * The event loop's callbacks, clock, names and keep segment on the host; see host.h.
 */
#include "host.h"
#include "../internal.h"
#include <loopback.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>

#define SEGMENT_SIZE ((size_t)1 << 28)
#define RECORDS 64

struct record {
	port_name_t name;
	uint64_t word;
};

static struct {
	struct {
		uint64_t mask;
		void (*handler)(uint64_t bits);
	} notify[8];
	unsigned notify_count;
	void (*no_senders)(uint64_t badge, uint64_t make_send);
	void (*cancel)(uint64_t request, bool died);
	void (*dead_name)(port_name_t name, uint64_t cookie);
	void (*timer)(void);
	void (*deferred)(void);
	bool deferring;
	uint64_t deadline, now;
	struct {
		char name[32];
		port_name_t port;
	} service[16];
	unsigned services;
	struct record own[RECORDS], notified[RECORDS];
	size_t keep_limit;
} host;

static void *segment;
char server_name[17] = "host";
const char server_layout[] = "00000000000000000000000000000000000000000000000000000000000000000000000000000000";

void host_reset(void)
{
	if (segment != NULL)
		munmap(segment, SEGMENT_SIZE);
	segment = mmap(NULL, SEGMENT_SIZE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
	if (segment == MAP_FAILED)
		abort();
	memset(&host, 0, sizeof(host));
	host.deadline = DEADLINE_NEVER;
	host.now = 1000000000u;
	host.keep_limit = SEGMENT_SIZE;
}

/* Nothing is undone here. */
uint64_t transaction_number(void)
{
	return 0;
}

void undo_range(const void *to, size_t size)
{
	(void)to, (void)size;
}

void server_copy_plain(void *to, const void *from, size_t size)
{
	memcpy(to, from, size);
}

void server_zero_plain(void *to, size_t size)
{
	memset(to, 0, size);
}

void *keep_segment(void)
{
	if (segment == NULL)
		host_reset();
	return segment;
}

bool keep_segment_grow(size_t granted, size_t end)
{
	(void)granted;
	return end <= host.keep_limit;
}

void host_limit_keep(size_t bytes)
{
	host.keep_limit = bytes;
}

/* ---- callbacks ---- */

void server_on_notify(uint64_t mask, void (*handler)(uint64_t bits))
{
	host.notify[host.notify_count].mask = mask;
	host.notify[host.notify_count++].handler = handler;
}

void server_on_no_senders(void (*handler)(uint64_t badge, uint64_t make_send))
{
	host.no_senders = handler;
}

void server_on_cancel(void (*handler)(uint64_t request, bool died))
{
	host.cancel = handler;
}

void server_on_dead_name(void (*handler)(port_name_t name, uint64_t cookie))
{
	host.dead_name = handler;
}

int server_watch_death(port_name_t name, uint64_t cookie)
{
	(void)name;
	(void)cookie;
	return 0;
}

void server_on_timer(void (*handler)(void))
{
	host.timer = handler;
}

void server_set_timer(uint64_t deadline)
{
	host.deadline = deadline;
}

void server_on_deferred(void (*step)(void))
{
	host.deferred = step;
}

void server_defer(void)
{
	host.deferring = true;
}

/* A host test has one incarnation, and what the handlers do is done at once. */
bool server_cold(void)
{
	return true;
}

void server_promote(void)
{
}

void server_sample(void *value, size_t size)
{
	(void)value;
	(void)size;
}

void server_queue_word64(volatile uint64_t *word, uint64_t keep, uint64_t set)
{
	__atomic_store_n(word, (*word & keep) | set, __ATOMIC_SEQ_CST);
}

void server_queue_word32(volatile uint32_t *word, uint32_t keep, uint32_t set)
{
	__atomic_store_n(word, (*word & keep) | set, __ATOMIC_SEQ_CST);
}

void host_notify(uint64_t bits)
{
	loopback_enter();
	for (unsigned i = 0; i < host.notify_count; i++)
		if ((bits & host.notify[i].mask) != 0)
			host.notify[i].handler(bits & host.notify[i].mask);
	loopback_leave();
}

void host_no_senders(uint64_t badge, uint64_t make_send)
{
	loopback_enter();
	if (host.no_senders != NULL)
		host.no_senders(badge, make_send);
	loopback_leave();
}

void host_cancel(uint64_t request, bool died)
{
	loopback_enter();
	if (host.cancel != NULL)
		host.cancel(request, died);
	loopback_leave();
}

void host_dead_name(port_name_t name, uint64_t cookie)
{
	loopback_enter();
	if (host.dead_name != NULL)
		host.dead_name(name, cookie);
	loopback_leave();
}

void host_set_time(uint64_t now)
{
	host.now = now;
	while (host.deadline <= host.now) {
		host.deadline = DEADLINE_NEVER;
		loopback_enter();
		host.timer();
		loopback_leave();
	}
}

uint64_t host_deadline(void)
{
	return host.deadline;
}

unsigned host_run_deferred(void)
{
	unsigned steps = 0;

	while (host.deferring) {
		host.deferring = false;
		loopback_enter();
		host.deferred();
		loopback_leave();
		steps++;
	}
	return steps;
}

uint64_t server_now(void)
{
	return host.now;
}

int64_t server_realtime(void)
{
	return (int64_t)host.now + INT64_C(1700000000000000000);
}

/* ---- names ---- */

void host_service(const char *name, port_name_t port)
{
	snprintf(host.service[host.services].name, sizeof(host.service[0].name), "%s", name);
	host.service[host.services++].port = port;
}

port_name_t server_lookup(const char *name)
{
	for (unsigned i = 0; i < host.services; i++)
		if (strcmp(host.service[i].name, name) == 0)
			return host.service[i].port;
	return PORT_NULL;
}

static struct record *record(struct record *table, port_name_t name)
{
	for (unsigned i = 0; i < RECORDS; i++) {
		if (table[i].name == name || table[i].name == PORT_NULL) {
			table[i].name = name;
			return &table[i];
		}
	}
	abort();
}

void host_own_right(port_name_t name, uint64_t badge)
{
	/* Names do not come back: a full table forgets its oldest. */
	if (host.own[RECORDS - 1].name != PORT_NULL) {
		memmove(host.own, host.own + 1, sizeof(host.own) - sizeof(host.own[0]));
		host.own[RECORDS - 1] = (struct record){0};
	}
	record(host.own, name)->word = badge;
}

bool server_own_badge(port_name_t name, uint64_t *badge)
{
	for (unsigned i = 0; i < RECORDS; i++) {
		if (name != PORT_NULL && host.own[i].name == name) {
			*badge = host.own[i].word;
			return true;
		}
	}
	if (loopback_kind(name) != RIGHT_SEND || !loopback_same_port(name, NAME_SERVICE))
		return false;
	*badge = loopback_badge(name);
	return true;
}

port_name_t server_make_right(uint64_t badge, uint32_t flags)
{
	(void)flags;
	return loopback_server_right(NAME_SERVICE, badge);
}

port_name_t server_notify_right(void)
{
	return server_make_right(0, RIGHT_NOTIFY);
}

bool server_notify(port_name_t name, uint64_t bits)
{
	record(host.notified, name)->word |= bits;
	return true;
}

uint64_t host_notified(port_name_t name)
{
	struct record *r = record(host.notified, name);
	uint64_t bits = r->word;

	r->word = 0;
	return bits;
}

/* ---- log ---- */

void server_log(const char *format, ...)
{
	va_list arguments;

	va_start(arguments, format);
	vfprintf(stderr, format, arguments);
	va_end(arguments);
	fputc('\n', stderr);
}

_Noreturn void server_panic(const char *format, ...)
{
	va_list arguments;

	va_start(arguments, format);
	vfprintf(stderr, format, arguments);
	va_end(arguments);
	fputc('\n', stderr);
	abort();
}
