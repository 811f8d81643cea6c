/*
 * The kernel log: COM2, polled. COM1 belongs to the serial driver; the kernel writes there only in a panic.
 */
#include "machine.h"
#include "x86.h"
#include <kernel/lib/printf.h>

#define UART_DATA 0
#define UART_INTERRUPTS 1
#define UART_FIFO 2
#define UART_LINE 3
#define UART_MODEM 4
#define UART_STATUS 5
#define STATUS_EMPTY 0x20
#define STATUS_ABSENT 0xff
#define POLLS_MAX 1000000

static bool panic_mode;

static void uart_init(uint16_t port)
{
	out8(port + UART_INTERRUPTS, 0);
	out8(port + UART_LINE, 0x80); /* divisor latch */
	out8(port + UART_DATA, 1);    /* 115200 baud */
	out8(port + UART_INTERRUPTS, 0);
	out8(port + UART_LINE, 3); /* 8 bits, no parity */
	out8(port + UART_FIFO, 0xc7);
	out8(port + UART_MODEM, 3);
}

static void uart_put(uint16_t port, char c)
{
	uint8_t status = in8(port + UART_STATUS);

	for (int i = 0; i < POLLS_MAX && (status & STATUS_EMPTY) == 0; i++)
		status = in8(port + UART_STATUS);
	if (status != STATUS_ABSENT)
		out8(port + UART_DATA, (uint8_t)c);
}

void console_init(void) { uart_init(COM2); }

void console_panic_mode(void)
{
	panic_mode = true;
	out8(COM1 + UART_INTERRUPTS, 0);
}

void com1_write(const char *text)
{
	for (; *text != '\0'; text++)
		uart_put(COM1, *text);
}

static void put(void *context, char c)
{
	(void)context;
	uart_put(COM2, c);
	if (!panic_mode)
		return;
	if (c == '\n')
		uart_put(COM1, '\r');
	uart_put(COM1, c);
}

void log_bytes(const char *text, size_t length)
{
	for (size_t i = 0; i < length; i++)
		put(NULL, text[i]);
}

void kvprintf(const char *format, va_list ap) { format_text(put, NULL, format, ap); }

void kprintf(const char *format, ...)
{
	va_list ap;

	va_start(ap, format);
	kvprintf(format, ap);
	va_end(ap);
}
