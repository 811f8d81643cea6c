/*
 * Text that grows in the keep: answers of /dev/supervisor.
 */
#include "root.h"
#include <portico/strings.h>

#define PIECE 512u
#define SIZE_FIRST 1024u

static bool reserve(struct answer *answer, size_t size)
{
	size_t want = answer->size == 0 ? SIZE_FIRST : answer->size;

	while (want < size)
		want *= 2;
	if (want == answer->size)
		return true;
	char *text = keep_resize(answer->text, want);
	if (text == NULL)
		return false;
	answer->text = text;
	answer->size = want;
	return true;
}

void answer_add(struct answer *answer, const char *format, ...)
{
	char piece[PIECE];
	va_list arguments;

	va_start(arguments, format);
	int wanted = vsnprintf(piece, sizeof(piece), format, arguments);
	va_end(arguments);
	size_t length = (size_t)wanted < sizeof(piece) ? (size_t)wanted : sizeof(piece) - 1;
	if (answer->short_of_memory || !reserve(answer, answer->length + length)) {
		answer->short_of_memory = true;
		return;
	}
	memcpy(answer->text + answer->length, piece, length);
	answer->length += length;
}

void answer_free(struct answer *answer)
{
	keep_free(answer->text);
	*answer = (struct answer){0};
}
