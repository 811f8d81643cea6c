"""The changes of layout that tests/campaign/updates makes in a copy of the tree: fields that are new, wider, or elsewhere, and what fills them."""

# server -> (file, what stands there once, what stands there then)
EDITS = {
    'vfs': [
        ('servers/vfs/vfs.h', '\tuint64_t badge;          /* slot in the low 32 bits, a generation above */\n\tuint32_t references;     /* 1 for the right, 1 a waiter */\n',
         '\tuint64_t references;     /* 1 for the right, 1 a waiter */\n\tuint64_t opened;         /* ns, monotonic; 0: before this was noted */\n'
         '\tuint64_t badge;          /* slot in the low 32 bits, a generation above */\n'),
        ('servers/vfs/vfs.h', '\tuint64_t map_hint;', '\tuint64_t opens;    /* files ever opened */\n\tuint64_t map_hint;'),
        ('servers/vfs/vfs.h', '\tuint32_t files_open;\n', '\tuint64_t files_open;\n'),
        ('servers/vfs/open_file.c', '\tvfs->file[slot] = file;\n', '\tvfs->file[slot] = file;\n\tfile->opened = server_now();\n\tvfs->opens++;\n'),
    ],
    'tty': [
        ('servers/tty/tty.h', '\tstruct open_file *next;      /* in its bucket */\n',
         '\tuint64_t opener;             /* principal; 0: before this was noted */\n\tstruct open_file *next;      /* in its bucket */\n'),
        ('servers/tty/tty.h', '\tuint32_t next_serial; /*', '\tuint64_t files_seen;\n\tuint32_t next_serial; /*'),
        ('servers/tty/files.c', '\tfile->badge = badge;\n', '\tfile->badge = badge;\n\tfile->opener = principal;\n\ttty->files_seen++;\n'),
    ],
    'serial': [
        ('drivers/serial/serial.h', '\tbool present;                         /*', '\tuint64_t services;\n\tbool present;                         /*'),
        ('drivers/serial/main.c', '\tbool came = uart_service(line);\n', '\tbool came = uart_service(line);\n\n\tline->services++;\n'),
    ],
    'proc': [
        ('servers/proc/proc.h', 'struct running_program {\n\tport_name_t file;\n\tuint32_t users;\n',
         'struct running_program {\n\tuint64_t users;\n\tport_name_t file;\n\tuint64_t first, most; /* users: at the start, at any time */\n'),
        ('servers/proc/proc.h', '\tuint64_t forks;  ', '\tuint64_t programs; /* ever */\n\tuint64_t forks;  '),
        ('servers/proc/table.c', '\tif (program)\n', '\troot->programs++;\n\tif (program)\n'),
    ],
    'sig': [
        ('servers/sig/sig.h', '\tstruct pending *first, *last;\n\tuint32_t queued;\n',
         '\tuint64_t generated; /* signals, ever */\n\tstruct pending *first, *last;\n\tuint64_t queued;\n'),
        ('servers/sig/queue.c', '\tp->queued++;\n', '\tp->queued++;\n\tp->generated++;\n'),
    ],
}
FOLDER = {'vfs': 'servers/vfs', 'tty': 'servers/tty', 'serial': 'drivers/serial', 'proc': 'servers/proc', 'sig': 'servers/sig'}
SERVERS = tuple(EDITS)
