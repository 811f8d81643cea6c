#include <portico/message.h>
#include <portico/rights.h>
struct msg_page *loopback_send_page(void);
const struct msg_page *loopback_reply_page(void);
int64_t loopback_call(uint64_t op, port_name_t to, uint32_t ordinal, uint64_t deadline);
int64_t loopback_send(uint64_t op, port_name_t to, uint32_t ordinal, uint64_t deadline);
void loopback_release(port_name_t name);
void loopback_unmap(uint64_t address, uint64_t size);
int loopback_errno(int64_t status);
