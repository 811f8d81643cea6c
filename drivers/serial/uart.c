/*
 * The 16550: registers as in National Semiconductor's data sheet of the PC16550D.
 */
#include "serial.h"

#define REG_DATA 0       /* and divisor, low byte */
#define REG_INTERRUPTS 1 /* and divisor, high byte */
#define REG_IDENT 2      /* read */
#define REG_FIFO 2       /* write */
#define REG_LINE 3
#define REG_MODEM 4
#define REG_STATUS 5
#define REG_MODEM_STATUS 6
#define REG_SCRATCH 7

#define INTERRUPT_INPUT 0x01u
#define INTERRUPT_OUTPUT 0x02u
#define IDENT_NONE 0x01u
#define FIFO_ON 0x07u /* enabled, both cleared, input interrupt from the first byte on */
#define FIFO_SIZE 16u
#define LINE_8N1 0x03u
#define LINE_DIVISOR 0x80u
#define MODEM_ON 0x0bu /* DTR, RTS, and OUT2: the PC's interrupt gate */
#define STATUS_INPUT 0x01u
#define STATUS_OUTPUT 0x20u
#define DIVISOR_115200 1u

static void set_interrupts(struct serial_line *line, uint8_t wanted)
{
	if (line->interrupts == wanted)
		return;
	line->interrupts = wanted;
	port_write(line->ports, REG_INTERRUPTS, wanted);
}

bool uart_start(struct serial_line *line)
{
	port_name_t ports = line->ports;

	port_write(ports, REG_SCRATCH, 0x5a);
	if (port_read(ports, REG_SCRATCH) != 0x5a)
		return false;
	port_write(ports, REG_INTERRUPTS, 0);
	port_write(ports, REG_LINE, LINE_DIVISOR | LINE_8N1);
	port_write(ports, REG_DATA, DIVISOR_115200 & 0xff);
	port_write(ports, REG_INTERRUPTS, DIVISOR_115200 >> 8);
	port_write(ports, REG_LINE, LINE_8N1);
	port_write(ports, REG_FIFO, FIFO_ON);
	port_write(ports, REG_MODEM, MODEM_ON);
	line->interrupts = 0;
	set_interrupts(line, INTERRUPT_INPUT);
	return true;
}

static bool receive(struct serial_line *line)
{
	bool came = false;

	while (ring_room(&line->input) > 0 && (port_read(line->ports, REG_STATUS) & STATUS_INPUT) != 0) {
		ring_put(&line->input, port_read(line->ports, REG_DATA));
		came = true;
	}
	return came;
}

static void transmit(struct serial_line *line)
{
	while (ring_count(&line->output) > 0 && (port_read(line->ports, REG_STATUS) & STATUS_OUTPUT) != 0) {
		size_t count;
		const uint8_t *bytes = ring_piece(&line->output, &count);

		if (count > FIFO_SIZE)
			count = FIFO_SIZE;
		port_write_bytes(line->ports, REG_DATA, bytes, count);
		ring_skip(&line->output, (uint32_t)count);
	}
}

bool uart_service(struct serial_line *line)
{
	bool came = receive(line);

	transmit(line);
	set_interrupts(line, (ring_room(&line->input) > 0 ? INTERRUPT_INPUT : 0) |
	                             (ring_count(&line->output) > 0 ? INTERRUPT_OUTPUT : 0));
	return came;
}

bool uart_pending(struct serial_line *line)
{
	return (port_read(line->ports, REG_IDENT) & IDENT_NONE) == 0;
}
