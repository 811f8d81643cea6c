/*
 * Text in fixed buffers, for traces and /proc paths. Pure.
 */
#include "string.h"

bool text_copy(char *to, size_t size, const char *from)
{
	size_t i = 0;
	for (; i + 1 < size && from[i]; i++)
		to[i] = from[i];
	if (size)
		to[i] = 0;
	return from[i] == 0;
}

void text_begin_in(struct text *text, char *buffer, size_t size)
{
	text->at = buffer;
	text->end = buffer + size - 1;
	*buffer = 0;
}

void text_put_bytes(struct text *text, const char *bytes, size_t count)
{
	for (size_t i = 0; i < count && text->at < text->end; i++)
		*text->at++ = bytes[i];
	*text->at = 0;
}

void text_put(struct text *text, const char *string)
{
	text_put_bytes(text, string, strlen(string));
}

void text_unsigned(struct text *text, uint64_t value, unsigned base)
{
	char digits[64];
	size_t count = 0;
	do {
		digits[sizeof(digits) - ++count] = "0123456789abcdef"[value % base];
		value /= base;
	} while (value);
	text_put_bytes(text, digits + sizeof(digits) - count, count);
}

void text_decimal(struct text *text, int64_t value)
{
	if (value < 0)
		text_put(text, "-");
	text_unsigned(text, value < 0 ? -(uint64_t)value : (uint64_t)value, 10);
}

bool text_number(const char **at, uint32_t *value)
{
	uint64_t sum = 0;
	const char *text = *at;
	if (*text < '0' || *text > '9')
		return false;
	for (; *text >= '0' && *text <= '9'; text++) {
		sum = sum * 10 + (uint64_t)(*text - '0');
		if (sum > UINT32_MAX)
			return false;
	}
	*at = text;
	*value = (uint32_t)sum;
	return true;
}
