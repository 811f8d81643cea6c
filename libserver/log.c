/*
 * Lines for the kernel log, and the end of a server that cannot go on.
 *
 * The text passes through the send page: not to be used between marshalling and sending.
 */
#include "transaction.h"

#define LINE_MAX 1200

static void write_line(const char *kind, const char *format, va_list arguments)
{
	char line[LINE_MAX + 1];
	int used = snprintf(line, sizeof(line), "%s: %s", server_name, kind);
	int more = vsnprintf(line + used, sizeof(line) - (size_t)used, format, arguments);
	size_t length = (size_t)used + (size_t)more;

	if (length > LINE_MAX - 1)
		length = LINE_MAX - 1;
	line[length++] = '\n';
	/* The kernel takes the text from the send page; a call that is under way must not be written over. */
	if (results_call_outstanding())
		return;
	server_copy_plain(((struct msg_page *)(SERVER_ENDPOINT + ENDPOINT_SEND * PAGE_SIZE))->data, line, length);
	trap2(TRAP_log_write, NAME_LOG, length);
}

void server_log(const char *format, ...)
{
	va_list arguments;

	va_start(arguments, format);
	write_line("", format, arguments);
	va_end(arguments);
}

_Noreturn void server_panic(const char *format, ...)
{
	va_list arguments;

	va_start(arguments, format);
	write_line("panic: ", format, arguments);
	va_end(arguments);
	for (;;) {
		trap1(TRAP_task_terminate, TASK_SELF);
		__builtin_trap();
	}
}
