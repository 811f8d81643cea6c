/*
 * The boot plan: which servers there are, what each may reach, and what it may spend. Bottom of the call order first.
 *
 * Badges: a process's ordinary right has badge 0; proc, sig and vfs know an upper server by BADGE_CONTROL or
 * BADGE_OTHER and its number in this table. Nothing else in the system gives authority to a server.
 */
#include "root.h"

enum { SERIAL, VFS, PROC, SIG, IPCD, TTY, NET };

const struct root_plan root_plan[] = {
        [SERIAL] =
                {
                        .name = "serial",
                        .priority = 23,
                        .memory_percent = 5,
                        .kernel_kib = 1024,
                        .ports = {{0x3f8, 8}, {0x3e8, 8}},
                        .line = {4},
                },
        [VFS] =
                {
                        .name = "vfs",
                        .priority = 20,
                        .memory_percent = 90,
                        .modules = true,
                        .kernel_kib = 65536,
                        .grant =
                                {
                                        {"proc", "proc", BADGE_OTHER, RIGHT_MINT}, /* referrals to /proc */
                                        {"tty", "tty", 0, RIGHT_MINT},             /* referrals to terminals */
                                        {"net", "net", 0, RIGHT_MINT},             /* ... to socket files */
                                        {"supervisor", "root", 0, RIGHT_MINT},     /* ... to /dev/supervisor */
                                },
                },
        [PROC] =
                {
                        .name = "proc",
                        .priority = 20,
                        .memory_percent = 100,
                        .power = true,
                        .modules = true,
                        .kernel_kib = 262144,
                        .grant =
                                {
                                        {"vfs", "vfs", BADGE_CONTROL, 0},
                                        {"sig", "sig", 0, 0}, /* these four are what processes get */
                                        {"net", "net", 0, 0},
                                        {"ipc", "ipcd", 0, RIGHT_MINT}, /* ... and referrals from /proc */
                                        {"tty", "tty", 0, 0},
                                },
                },
        [SIG] =
                {
                        .name = "sig",
                        .priority = 21,
                        .memory_percent = 20,
                        .kernel_kib = 32768,
                        .grant =
                                {
                                        {"proc", "proc", BADGE_CONTROL | SIG, 0},
                                        {"vfs", "vfs", BADGE_OTHER | SIG, 0},
                                },
                },
        [IPCD] =
                {
                        .name = "ipcd",
                        .priority = 21,
                        .memory_percent = 50, /* the pages of segments are its own */
                        .kernel_kib = 32768,
                        .grant =
                                {
                                        {"proc", "proc", BADGE_CONTROL | IPCD, 0},
                                        {"sig", "sig", BADGE_CONTROL | IPCD, 0},
                                },
                },
        [TTY] =
                {
                        .name = "tty",
                        .priority = 21,
                        .memory_percent = 10,
                        .kernel_kib = 8192,
                        .grant =
                                {
                                        {"sig", "sig", BADGE_CONTROL | TTY, 0},
                                        {"proc", "proc", BADGE_CONTROL | TTY, 0},
                                        {"vfs", "vfs", BADGE_OTHER | TTY, 0},
                                        {"serial0", "serial", 0, 0}, /* COM1 */
                                        {"serial2", "serial", 2, 0}, /* COM3 */
                                },
                },
        [NET] =
                {
                        .name = "net",
                        .priority = 21,
                        .memory_percent = 50, /* what sockets have not delivered yet */
                        .kernel_kib = 65536,  /* rights in flight */
                        .grant =
                                {
                                        {"proc", "proc", BADGE_CONTROL | NET, 0},
                                        {"vfs", "vfs", BADGE_OTHER | NET, 0}, /* this one and the next: to know their rights again */
                                        {"ipc", "ipcd", BADGE_OTHER | NET, 0},
                                        {"tty", "tty", BADGE_OTHER | NET, 0},
                                        {"supervisor", "root", BADGE_OTHER | NET, 0},
                                },
                },
};

const unsigned root_plan_count = sizeof(root_plan) / sizeof(root_plan[0]);
_Static_assert(sizeof(root_plan) / sizeof(root_plan[0]) <= ROOT_SERVERS, "a record for each");
