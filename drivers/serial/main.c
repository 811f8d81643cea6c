/*
 * Interface serial, and the interrupt line that both UARTs share.
 */
#include "serial.h"
#include <portico/client.h>
#include <portico/keep.h>
#include <root_client.h>
#include <serial_server.h>

#define NOTIFY_INTERRUPT UINT64_C(1)
#define INTERRUPT_LINE 4u
#define PORTS 8u

static struct serial *serial;

SERVER_KEEP_ROOT(struct serial);
/* By index: I/O ports, and the line number that a badge has (COM1 is 0, COM3 is 2). */
static const uint16_t first_port[SERIAL_LINES] = {0x3f8, 0x3e8};
static const uint64_t line_badge[SERIAL_LINES] = {0, 2};

/* Moves bytes, then tells the client what it waits for. */
static void service(struct serial_line *line)
{
	bool came = uart_service(line);
	uint64_t bits = came ? line->notify_input : 0;

	if (line->starved && ring_room(&line->output) >= SERIAL_OUTPUT_SIZE / 2) {
		line->starved = false;
		bits |= line->notify_output;
	}
	if (bits != 0 && line->notify != PORT_NULL)
		server_notify(line->notify, bits);
}

/*
 * The line is edge triggered and masked until it is acknowledged: what rises meanwhile is lost, so we look once more
 * after the acknowledgement.
 */
static void interrupted(uint64_t bits)
{
	bool pending;

	(void)bits;
	do {
		pending = false;
		for (unsigned i = 0; i < SERIAL_LINES; i++)
			if (serial->line[i].present)
				service(&serial->line[i]);
		(void)server_trap(TRAP_interrupt_ack, serial->interrupt, 0, 0, 0, 0, 0);
		for (unsigned i = 0; i < SERIAL_LINES; i++)
			pending |= serial->line[i].present && uart_pending(&serial->line[i]);
	} while (pending);
}

struct serial_line *serial_line_get(struct server_call *call)
{
	for (unsigned i = 0; i < SERIAL_LINES; i++)
		if (call->badge == line_badge[i])
			return &serial->line[i];
	return NULL;
}

void serial_line_put(struct serial_line *object)
{
	(void)object;
}

int serial_serve_attach(struct server_call *call, struct serial_line *line, port_name_t *notify, uint64_t input,
                        uint64_t output)
{
	(void)call;
	if (!line->present)
		return ENXIO;
	server_release_right(line->notify);
	line->notify = server_take(notify);
	line->notify_input = input;
	line->notify_output = output;
	if (ring_count(&line->input) > 0)
		server_notify(line->notify, input);
	return 0;
}

int serial_serve_read(struct server_call *call, struct serial_line *line, void *data, size_t *data_count)
{
	(void)call;
	if (!line->present)
		return ENXIO;
	*data_count = ring_peek(&line->input, data, 2048);
	ring_skip(&line->input, (uint32_t)*data_count);
	if (*data_count > 0)
		service(line);
	return 0;
}

int serial_serve_write(struct server_call *call, struct serial_line *line, const void *data, size_t data_count,
                       uint32_t *done)
{
	(void)call;
	if (!line->present)
		return ENXIO;
	*done = (uint32_t)ring_write(&line->output, data, data_count);
	service(line);
	if (*done < data_count) {
		*done += (uint32_t)ring_write(&line->output, (const char *)data + *done, data_count - *done);
		line->starved = *done < data_count;
	}
	return 0;
}

int serial_serve_pending(struct server_call *call, struct serial_line *line, uint32_t *output)
{
	(void)call;
	*output = ring_count(&line->output);
	return 0;
}

static void start_line(unsigned index)
{
	struct serial_line *line = &serial->line[index];
	int error = root_ioports(NAME_ROOT_SERVER, first_port[index], PORTS, &line->ports);

	ring_init(&line->input, line->input_bytes, SERIAL_INPUT_SIZE);
	ring_init(&line->output, line->output_bytes, SERIAL_OUTPUT_SIZE);
	if (error != 0)
		server_panic("I/O ports %x: error %d", first_port[index], error);
	line->present = uart_start(line);
	if (!line->present)
		server_log("no UART at %x", first_port[index]);
}

static void start(void)
{
	for (unsigned i = 0; i < SERIAL_LINES; i++)
		start_line(i);
	int error = root_interrupt(NAME_ROOT_SERVER, INTERRUPT_LINE, &serial->interrupt);
	if (error != 0)
		server_panic("interrupt line %u: error %d", INTERRUPT_LINE, error);
	int64_t status = trap3(TRAP_interrupt_bind, serial->interrupt, NAME_SERVICE, NOTIFY_INTERRUPT);
	if (status < 0)
		server_panic("interrupt_bind: status %d", (int)status);
	interrupted(NOTIFY_INTERRUPT);
}

int server_main(void)
{
	serial = server_keep_root(sizeof(*serial));
	server_register(&serial_interface);
	server_on_notify(NOTIFY_INTERRUPT, interrupted);
	if (server_cold())
		start();
	server_run();
}
