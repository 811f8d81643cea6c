/*
 * Copying and comparing, kernel only (the host tests use the C library's). Sizes of a few words are moved by plain instructions,
 * larger ones by the string instructions, a word at a time: that is the fewest instructions, which is what our figures count.
 */
#include "string.h"
#include <stdint.h>

typedef uint64_t __attribute__((aligned(1), may_alias)) word;

#define SMALL 64

/* From here on up: the part of `size` that is whole words, then the rest. */
static void copy_up(uint8_t *to, const uint8_t *from, size_t size)
{
	size_t words = size / 8;

	size &= 7;
	__asm__ volatile("rep movsq" : "+D"(to), "+S"(from), "+c"(words) : : "memory");
	__asm__ volatile("rep movsb" : "+D"(to), "+S"(from), "+c"(size) : : "memory");
}

static void copy_small(uint8_t *to, const uint8_t *from, size_t size)
{
	for (; size >= 8; size -= 8, to += 8, from += 8)
		*(word *)to = *(const word *)from;
	for (; size > 0; size--)
		*to++ = *from++;
}

void *memcpy(void *restrict to, const void *restrict from, size_t size)
{
	if (size <= SMALL)
		copy_small(to, from, size);
	else
		copy_up(to, from, size);
	return to;
}

void *memmove(void *to, const void *from, size_t size)
{
	uint8_t *t = to;
	const uint8_t *f = from;

	if ((uintptr_t)to - (uintptr_t)from >= size) {
		copy_up(t, f, size);
		return to;
	}
	while (size > 0) {
		size--;
		t[size] = f[size];
	}
	return to;
}

void *memset(void *to, int byte, size_t size)
{
	uint8_t *t = to;
	size_t words = size / 8, rest = size & 7;
	uint64_t value = (uint8_t)byte * UINT64_C(0x0101010101010101);

	__asm__ volatile("rep stosq" : "+D"(t), "+c"(words) : "a"(value) : "memory");
	__asm__ volatile("rep stosb" : "+D"(t), "+c"(rest) : "a"(value) : "memory");
	return to;
}

int memcmp(const void *a, const void *b, size_t size)
{
	const uint8_t *p = a, *q = b;

	for (; size >= 8 && *(const word *)p == *(const word *)q; size -= 8, p += 8, q += 8)
		;
	for (; size > 0; size--, p++, q++) {
		if (*p != *q)
			return *p - *q;
	}
	return 0;
}

size_t strlen(const char *s)
{
	size_t n = 0;

	while (s[n] != '\0')
		n++;
	return n;
}

int strcmp(const char *a, const char *b)
{
	while (*a != '\0' && *a == *b) {
		a++;
		b++;
	}
	return (uint8_t)*a - (uint8_t)*b;
}

int strncmp(const char *a, const char *b, size_t size)
{
	for (; size > 0; size--, a++, b++) {
		if (*a != *b || *a == '\0')
			return (uint8_t)*a - (uint8_t)*b;
	}
	return 0;
}
