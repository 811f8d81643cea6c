/*
 * Tracing: with the option posix-trace every call of every process goes to the kernel log, one line a call. Instead of the table
 * of handlers the entry then finds one whose every element is traced_call, so that nothing is paid otherwise.
 */
#include "trace.h"

#include "start.h"
#include "thread.h"
#include "usercopy.h"

#define LINE_MAX 400u

extern const void *const *const syscall_real_handlers;
static int64_t traced_call(uint64_t a, uint64_t b, uint64_t c, uint64_t d, uint64_t e, uint64_t f);

static const void *traced_handlers[SYSCALL_HANDLERS];

static void log_line(struct text *text, const char *line)
{
	text_put(text, "\n");
	size_t length = (size_t)(text->at - line);
	memcpy(client_send_page()->data, line, length);
	trap2(TRAP_log_write, NAME_LOG, length);
}

static void line_begin(struct text *text, char *line)
{
	text_begin_in(text, line, LINE_MAX);
	text_put(text, "[");
	text_unsigned(text, thread_self()->tid, 10);
	text_put(text, "] ");
}

/* Calls that do not return, or long not, are told before. */
static bool is_told_before(uint64_t number)
{
	return number == 59 || number == 60 || number == 231 || number == 322 || number == 61 || number == 58;
}

static int64_t traced_call(uint64_t a, uint64_t b, uint64_t c, uint64_t d, uint64_t e, uint64_t f)
{
	struct thread_state *thread = thread_self();
	uint64_t number = (uint64_t)thread->number, arguments[6] = { a, b, c, d, e, f };
	char line[LINE_MAX];
	struct text text;

	if (is_told_before(number)) {
		line_begin(&text, line);
		trace_format_call(&text, number, arguments, user_string);
		log_line(&text, line);
	}
	int64_t result = ((syscall_handler *)(uintptr_t)syscall_real_handlers[number])(a, b, c, d, e, f);
	line_begin(&text, line);
	trace_format_call(&text, number, arguments, user_string);
	trace_format_result(&text, number, result);
	log_line(&text, line);
	return result;
}

void trace_start(void)
{
	for (uint32_t i = 0; i < SYSCALL_HANDLERS; i++)
		traced_handlers[i] = (const void *)traced_call;
	syscall_handlers = traced_handlers;
}

static void put_register(struct text *text, const char *name, uint64_t value)
{
	text_put(text, name);
	text_unsigned(text, value, 16);
}

void trace_crash(const struct portico_block *block)
{
	char line[LINE_MAX];
	struct text text;
	const struct portico_frame *frame = &block->frame;

	line_begin(&text, line);
	put_register(&text, "libposix: exception ", block->vector);
	put_register(&text, " error ", block->error);
	put_register(&text, " address ", block->address);
	put_register(&text, " rip ", frame->rip);
	put_register(&text, " rsp ", frame->rsp);
	put_register(&text, " rax ", frame->rax);
	put_register(&text, " rdi ", frame->rdi);
	put_register(&text, " rsi ", frame->rsi);
	if (frame->rsp > (uint64_t)block && frame->rsp < (uint64_t)block + THREAD_AREA_STACK_TOP - 64)
		for (int i = 0; i < 8; i++)
			put_register(&text, i ? " " : " stack ", ((const uint64_t *)frame->rsp)[i]);
	log_line(&text, line);
}
