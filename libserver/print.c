/*
 * Formatted text: vsnprintf and snprintf without floating point; see portico/strings.h.
 */
#include <portico/strings.h>
#include <stdbool.h>
#include <stdint.h>

struct output {
	char *to;
	size_t size;
	size_t length; /* what it would be with room enough */
};

struct conversion {
	bool left, zero, plus, space, alternate;
	int width, precision; /* precision -1: none */
	int size;             /* 0 int, 1 long and longer, -1 short, -2 char */
};

static void put(struct output *out, char c)
{
	if (out->length + 1 < out->size)
		out->to[out->length] = c;
	out->length++;
}

static void pad(struct output *out, int count, char c)
{
	while (count-- > 0)
		put(out, c);
}

static void put_text(struct output *out, const struct conversion *conv, const char *text, size_t length)
{
	int fill = conv->width - (int)length;

	if (!conv->left)
		pad(out, fill, ' ');
	for (size_t i = 0; i < length; i++)
		put(out, text[i]);
	if (conv->left)
		pad(out, fill, ' ');
}

static void put_number(struct output *out, const struct conversion *conv, uint64_t value, unsigned base,
                       const char *prefix, bool capitals)
{
	char digits[24];
	int count = 0, prefix_length = 0;

	do {
		unsigned d = (unsigned)(value % base);
		digits[count++] = (char)(d < 10 ? '0' + d : (capitals ? 'A' : 'a') + d - 10);
		value /= base;
	} while (value != 0);
	if (conv->precision == 0 && count == 1 && digits[0] == '0')
		count = 0;
	while (prefix[prefix_length] != '\0')
		prefix_length++;
	int zeros = conv->precision > count ? conv->precision - count : 0;
	int fill = conv->width - prefix_length - zeros - count;
	if (conv->zero && !conv->left && conv->precision < 0 && fill > 0) {
		zeros += fill;
		fill = 0;
	}
	if (!conv->left)
		pad(out, fill, ' ');
	for (int i = 0; i < prefix_length; i++)
		put(out, prefix[i]);
	pad(out, zeros, '0');
	while (count > 0)
		put(out, digits[--count]);
	if (conv->left)
		pad(out, fill, ' ');
}

static int64_t signed_argument(const struct conversion *conv, va_list *arguments)
{
	if (conv->size > 0)
		return va_arg(*arguments, long);
	int value = va_arg(*arguments, int);
	return conv->size == 0 ? value : conv->size == -1 ? (short)value : (signed char)value;
}

static uint64_t unsigned_argument(const struct conversion *conv, va_list *arguments)
{
	if (conv->size > 0)
		return va_arg(*arguments, unsigned long);
	unsigned value = va_arg(*arguments, unsigned);
	return conv->size == 0 ? value : conv->size == -1 ? (unsigned short)value : (unsigned char)value;
}

static int parse_number(const char **format, va_list *arguments)
{
	int value = 0;

	if (**format == '*') {
		(*format)++;
		return va_arg(*arguments, int);
	}
	for (; **format >= '0' && **format <= '9'; (*format)++)
		value = value * 10 + (**format - '0');
	return value;
}

static void parse_flags(const char **format, struct conversion *conv)
{
	for (;; (*format)++) {
		switch (**format) {
		case '-':
			conv->left = true;
			break;
		case '0':
			conv->zero = true;
			break;
		case '+':
			conv->plus = true;
			break;
		case ' ':
			conv->space = true;
			break;
		case '#':
			conv->alternate = true;
			break;
		default:
			return;
		}
	}
}

static void parse(const char **format, struct conversion *conv, va_list *arguments)
{
	*conv = (struct conversion){.precision = -1};
	parse_flags(format, conv);
	conv->width = parse_number(format, arguments);
	if (conv->width < 0) {
		conv->left = true;
		conv->width = -conv->width;
	}
	if (**format == '.') {
		(*format)++;
		conv->precision = parse_number(format, arguments);
	}
	for (;; (*format)++) {
		if (**format == 'l' || **format == 'z' || **format == 'j' || **format == 't')
			conv->size = 1;
		else if (**format == 'h')
			conv->size--;
		else
			return;
	}
}

static void convert(struct output *out, char letter, struct conversion *conv, va_list *arguments)
{
	const char *text;
	char c;
	int64_t value;

	switch (letter) {
	case 'd':
	case 'i':
		value = signed_argument(conv, arguments);
		put_number(out, conv, value < 0 ? -(uint64_t)value : (uint64_t)value, 10,
		           value < 0     ? "-"
		           : conv->plus  ? "+"
		           : conv->space ? " "
		                         : "",
		           false);
		break;
	case 'u':
		put_number(out, conv, unsigned_argument(conv, arguments), 10, "", false);
		break;
	case 'o':
		put_number(out, conv, unsigned_argument(conv, arguments), 8, conv->alternate ? "0" : "", false);
		break;
	case 'x':
	case 'X':
		put_number(out, conv, unsigned_argument(conv, arguments), 16,
		           !conv->alternate ? ""
		           : letter == 'x'  ? "0x"
		                            : "0X",
		           letter == 'X');
		break;
	case 'p':
		put_number(out, conv, (uint64_t)va_arg(*arguments, void *), 16, "0x", false);
		break;
	case 'c':
		c = (char)va_arg(*arguments, int);
		put_text(out, conv, &c, 1);
		break;
	case 's':
		text = va_arg(*arguments, const char *);
		if (text == NULL)
			text = "(null)";
		put_text(out, conv, text, conv->precision < 0 ? strlen(text) : strnlen(text, (size_t)conv->precision));
		break;
	default:
		put(out, letter);
	}
}

int vsnprintf(char *to, size_t size, const char *format, va_list arguments)
{
	struct output out = {.to = to, .size = size};
	struct conversion conv;
	va_list copy;

	va_copy(copy, arguments);
	while (*format != '\0') {
		if (*format != '%') {
			put(&out, *format++);
			continue;
		}
		format++;
		parse(&format, &conv, &copy);
		if (*format != '\0')
			convert(&out, *format++, &conv, &copy);
	}
	va_end(copy);
	if (size > 0)
		to[out.length < size ? out.length : size - 1] = '\0';
	return (int)out.length;
}

int snprintf(char *to, size_t size, const char *format, ...)
{
	va_list arguments;

	va_start(arguments, format);
	int length = vsnprintf(to, size, format, arguments);
	va_end(arguments);
	return length;
}
