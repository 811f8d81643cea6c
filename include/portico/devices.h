/*
 * Device numbers of /dev, and the badge that vfs gives to a right on the server of a device.
 *
 * Numbers are Linux's where Linux has the device.
 */
#ifndef PORTICO_DEVICES_H
#define PORTICO_DEVICES_H

#include <stdint.h>

#define DEVICE(major, minor) ((uint64_t)(major) << 8 | (uint64_t)(minor)) /* both below 256 here */
#define DEVICE_MAJOR(device) ((uint32_t)((device) >> 8) & 0xfffu)
#define DEVICE_MINOR(device) ((uint32_t)(device) & 0xffu)

#define DEVICE_NULL DEVICE(1, 3)
#define DEVICE_ZERO DEVICE(1, 5)
#define DEVICE_FULL DEVICE(1, 7)
#define DEVICE_RANDOM DEVICE(1, 8)
#define DEVICE_URANDOM DEVICE(1, 9)
#define DEVICE_KMSG DEVICE(1, 11)
#define DEVICE_TTY DEVICE(5, 0)       /* the controlling terminal */
#define DEVICE_CONSOLE DEVICE(5, 1)
#define DEVICE_PTMX DEVICE(5, 2)
#define DEVICE_SERIAL(n) DEVICE(4, 64 + (n)) /* /dev/ttyS0: the console's line */
#define DEVICE_HOST_OUTPUT DEVICE(240, 0) /* COM1 raw, not a terminal: standard output of `run -- CMD` */
#define DEVICE_HOST_ERROR DEVICE(240, 1)  /* COM3 raw: its standard error */
#define DEVICE_SUPERVISOR DEVICE(240, 2)  /* root: what svc(8) talks to */
#define DEVICE_PTS(n) DEVICE(136, n)

/* vfs's device id of /dev, and the inode number of a device node there: so that tty can answer fstat. */
#define DEVFS_DEVICE UINT64_C(5)
#define PROCFS_DEVICE UINT64_C(4) /* of proc's files, so that vfs can show it of the mount */
#define DEVFS_INODE(device) (UINT64_C(0x10000) + (device))

/* Badge of a referred right, one for each open: device number, open flags (O_ACCMODE, O_NONBLOCK, O_NOCTTY...), serial number. */
#define DEVICE_BADGE(device, flags, serial) ((uint64_t)(device) << 48 | (uint64_t)((flags) & 0xffffff) << 24 | ((serial) & 0xffffff))
#define DEVICE_BADGE_DEVICE(badge) ((badge) >> 48)
#define DEVICE_BADGE_FLAGS(badge) ((uint32_t)((badge) >> 24) & 0xffffffu)

#endif
