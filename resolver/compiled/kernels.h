/* What the kernels share. Whole numbers come as 64 bits, fractions as double, arrays as pointers: see library.py. */
#ifndef KERNELS_H
#define KERNELS_H

#include <math.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

typedef uint8_t u8;
typedef uint16_t u16;
typedef uint32_t u32;
typedef uint64_t u64;
typedef int32_t i32;
typedef int64_t i64;

#ifdef _WIN32
#define KERNEL __declspec(dllexport)
#else
#define KERNEL __attribute__((visibility("default")))
#endif

#define MIX 0x9E3779B97F4A7C15ull
#define MIX_AGAIN 0xBF58476D1CE4E5B9ull

/* Places that are asked for so many steps before they are needed. */
#define AHEAD 16

/* As keys.py mixes words. */
static inline u64 mixed(u64 word) {
    word = (word ^ word >> 31) * MIX;
    return (word ^ word >> 29) * MIX_AGAIN;
}

/* The order of words, for qsort. */
static inline int rising(const void *one, const void *other) {
    u64 a = *(const u64 *)one, b = *(const u64 *)other;
    return (a > b) - (a < b);
}

/* What one text says: bytes modulo 64 as bits, its first eight bytes, characters, whether all are ASCII. */
typedef struct {
    u64 letters, word;
    i32 length, ascii;
} Spelling;

#endif
