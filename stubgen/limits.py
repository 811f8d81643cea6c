"""Numbers of the kernel's ABI (include/portico/message.h) and limits of the language. The generated C asserts the first two."""

INLINE_MAX = 3072
DESCRIPTORS_MAX = 16

# What `fast` promises: the registers' and a few cache lines' worth that the kernel's direct switch copies.
FAST_INLINE_MAX = 128

ORDINAL_MAX = 1023       # dispatch is by a dense table
INTERFACE_MAX = 0xffff   # MSG_ORDINAL has 16 bits for it
STRUCT_MAX = INLINE_MAX
WINDOW_MAX = 1 << 46     # less than the address space
U64_MAX = (1 << 64) - 1
I64_MIN = -(1 << 63)
