/*
 * printf's formatting, without a place to print to.
 */
#ifndef KERNEL_LIB_PRINTF_H
#define KERNEL_LIB_PRINTF_H

#include <stdarg.h>

/*
 * Formats to put(context, c), one character after the other. Knows %d %i %u %x %p %s %c %%, the flags - 0 #, width and precision
 * (also *), and h, l, ll, z. Anything else is printed as it stands.
 */
void format_text(void (*put)(void *context, char c), void *context, const char *format, va_list ap);

#endif
