/*
 * Serial line driver: 16550 UARTs of the PC on COM1 and COM3, which share interrupt line 4.
 *
 * Above: tty, through interface serial: it is told that bytes have come or room is there, and pulls. Below: root, for
 * I/O ports and interrupt line, and the kernel's port I/O traps. Knows nothing of terminals: bytes in, bytes out, none
 * lost: when the input buffer is full the UART's own flow control holds the sender.
 */
#ifndef SERIAL_H
#define SERIAL_H

#include <portico/ring.h>
#include <portico/server.h>

#define SERIAL_LINES 2u
#define SERIAL_INPUT_SIZE 4096u
#define SERIAL_OUTPUT_SIZE 16384u

struct serial_line {
	bool present;                         /* the UART answered */
	uint8_t interrupts;                   /* what IER holds */
	bool starved;                         /* a write did not fit: tell when there is room */
	port_name_t ports;                    /* I/O ports, 8 of them */
	port_name_t notify;                   /* right of who attached, PORT_NULL: nobody */
	uint64_t notify_input, notify_output; /* bits for it */
	struct ring input, output;
	uint8_t input_bytes[SERIAL_INPUT_SIZE];
	uint8_t output_bytes[SERIAL_OUTPUT_SIZE];
};

/* The keep's root structure. */
struct serial {
	struct serial_line line[SERIAL_LINES];
	port_name_t interrupt;
};

/* ---- uart.c ---- */
/* Resets and programs the UART: 115200 8N1, FIFOs on. False: there is none. */
bool uart_start(struct serial_line *line);
/* Moves bytes both ways as far as they go; returns whether input came. Sets the interrupts it needs to go on. */
bool uart_service(struct serial_line *line);
/* Does the UART ask for service? */
bool uart_pending(struct serial_line *line);

/* ---- port.c (tests: a UART in software) ---- */
uint8_t port_read(port_name_t ports, unsigned reg);
void port_write(port_name_t ports, unsigned reg, uint8_t value);
/* `count` bytes, at most 16, to the transmit register. */
void port_write_bytes(port_name_t ports, unsigned reg, const uint8_t *bytes, size_t count);

#endif
