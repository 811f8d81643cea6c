/*
 * printf's formatting core. Pure: no console, no buffer, no allocation.
 */
#include "printf.h"
#include "string.h"
#include <stdbool.h>
#include <stdint.h>

struct output {
	void (*put)(void *context, char c);
	void *context;
};

struct specification {
	bool left, zero, alternate;
	int width, precision; /* precision -1: none */
	int size;             /* number of l, or 2 for z */
};

static void pad(const struct output *o, char c, int count)
{
	for (; count > 0; count--)
		o->put(o->context, c);
}

/* prefix (sign, 0x), then digits or text, padded to the width. */
static void emit(const struct output *o, const struct specification *s, const char *prefix, const char *text, size_t length)
{
	int fill = s->width - (int)length - (int)strlen(prefix);

	if (!s->left && !s->zero)
		pad(o, ' ', fill);
	for (; *prefix != '\0'; prefix++)
		o->put(o->context, *prefix);
	if (!s->left && s->zero)
		pad(o, '0', fill);
	for (size_t i = 0; i < length; i++)
		o->put(o->context, text[i]);
	if (s->left)
		pad(o, ' ', fill);
}

static void emit_number(const struct output *o, const struct specification *s, const char *prefix, uint64_t v, unsigned base)
{
	char digits[24];
	size_t at = sizeof(digits);

	do {
		digits[--at] = "0123456789abcdef"[v % base];
		v /= base;
	} while (v != 0);
	emit(o, s, prefix, digits + at, sizeof(digits) - at);
}

static void emit_string(const struct output *o, const struct specification *s, const char *text)
{
	size_t length = 0;

	if (text == NULL)
		text = "(null)";
	while ((s->precision < 0 || length < (size_t)s->precision) && text[length] != '\0')
		length++;
	emit(o, s, "", text, length);
}

static int parse_number(const char **format, va_list *ap)
{
	int n = 0;

	if (**format == '*') {
		(*format)++;
		return va_arg(*ap, int);
	}
	while (**format >= '0' && **format <= '9')
		n = n * 10 + *(*format)++ - '0';
	return n;
}

static struct specification parse(const char **format, va_list *ap)
{
	struct specification s = { .precision = -1 };

	for (;; (*format)++) {
		if (**format == '-')
			s.left = true;
		else if (**format == '0')
			s.zero = true;
		else if (**format == '#')
			s.alternate = true;
		else
			break;
	}
	s.width = parse_number(format, ap);
	if (**format == '.') {
		(*format)++;
		s.precision = parse_number(format, ap);
	}
	for (;; (*format)++) {
		if (**format == 'l')
			s.size++;
		else if (**format == 'z')
			s.size = 2;
		else if (**format != 'h')
			break;
	}
	return s;
}

static void convert(const struct output *o, const struct specification *s, char conversion, va_list *ap)
{
	int64_t i;
	char c;

	switch (conversion) {
	case 'd':
	case 'i':
		i = s->size > 0 ? va_arg(*ap, int64_t) : va_arg(*ap, int);
		emit_number(o, s, i < 0 ? "-" : "", i < 0 ? -(uint64_t)i : (uint64_t)i, 10);
		break;
	case 'u':
		emit_number(o, s, "", s->size > 0 ? va_arg(*ap, uint64_t) : va_arg(*ap, unsigned), 10);
		break;
	case 'x':
		emit_number(o, s, s->alternate ? "0x" : "", s->size > 0 ? va_arg(*ap, uint64_t) : va_arg(*ap, unsigned), 16);
		break;
	case 'p':
		emit_number(o, s, "0x", va_arg(*ap, uint64_t), 16);
		break;
	case 's':
		emit_string(o, s, va_arg(*ap, const char *));
		break;
	case 'c':
		c = (char)va_arg(*ap, int);
		emit(o, s, "", &c, 1);
		break;
	default:
		o->put(o->context, '%');
		if (conversion != '%')
			o->put(o->context, conversion);
	}
}

void format_text(void (*put)(void *context, char c), void *context, const char *format, va_list ap)
{
	struct output o = { put, context };
	va_list arguments;

	va_copy(arguments, ap);
	while (*format != '\0') {
		struct specification s;

		if (*format != '%') {
			put(context, *format++);
			continue;
		}
		format++;
		s = parse(&format, &arguments);
		if (*format == '\0')
			break;
		convert(&o, &s, *format++, &arguments);
	}
	va_end(arguments);
}
