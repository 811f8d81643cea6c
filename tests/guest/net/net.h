/* What the parts of the suite of sockets share. */
#ifndef NET_SUITE_H
#define NET_SUITE_H

#include "../check/check.h"
#include <poll.h>
#include <stddef.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/ioctl.h>
#include <sys/select.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <sys/un.h>

/* An abstract name, or a path if it begins with a slash. Its length. */
socklen_t address(struct sockaddr_un *a, const char *name);
/* A socket bound to a name; listening, if backlog >= 0. */
int bound(int type, const char *name, int backlog);
int connected(int type, const char *name);
void pair(int type, int ends[2]);
/* A listener, and both ends of an accepted connection: [0] connected, [1] accepted. */
void connection(int type, const char *name, int ends[2]);
/* What a name says: "unnamed N", "path N", "@abstract N", with the length. */
const char *named(const struct sockaddr_un *a, socklen_t size);
/* recv of text, with MSG_DONTWAIT. One line: the text, "end", or the error. */
void receive(const char *name, int fd, size_t size, int flags);
/* Sends text. One line. */
void send_text(const char *name, int fd, const char *words, int flags);
/* poll(2) now: the events, as words. */
void polled(const char *name, int fd, short events);
/* Sends descriptors with one byte. Result of sendmsg. */
long pass(int fd, const int *fds, int count, int flags);
/* Receives up to `room` of them. How many came, or -1; *flags: msg_flags. */
int take(int fd, int *fds, int room, int flags, int *message_flags);
/* As many bytes as fit without waiting. */
long fill(int fd);
/* Descriptors of this process. */
int open_descriptors(void);
/* A child runs the body and exits with what it gives; one line each says how it ended. The child is asleep in its last call when this returns. */
pid_t asleep(int (*body)(void));

void basic_checks(void);
void stream_checks(void);
void name_checks(void);
void connect_checks(void);
void datagram_checks(void);
void message_checks(void);
void passing_checks(void);
void credential_checks(void);
void option_checks(void);
void poll_checks(void);
void wait_checks(void);
void storm_checks(void);

#endif
