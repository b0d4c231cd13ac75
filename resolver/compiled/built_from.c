/* Which sources the library was built from: library.py loads no other. */
#include "kernels.h"

KERNEL const char *built_from = BUILT_FROM;
