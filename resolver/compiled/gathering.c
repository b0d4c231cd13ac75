/* Looking up, merging and counting whole columns. */
#include "kernels.h"

/* How often each code stands in a column of `rows` x `slots`. */
KERNEL i64 code_counts(const u32 *codes, i64 count, i32 *times) {
    for (i64 k = 0; k < count; k++) times[codes[k]]++;
    return 0;
}

/* Add each row's entries of a table to its sum. */
KERNEL i64 add_entries(const u64 *table, const u32 *codes, i64 rows, i64 slots, u64 *sums) {
    for (i64 row = 0; row < rows; row++)
        for (i64 slot = 0; slot < slots; slot++) sums[row] += table[codes[row * slots + slot]];
    return 0;
}

/* Left and right of pair words. */
KERNEL i64 unpacked(const u64 *words, i64 pairs, u32 *left, u32 *right) {
    for (i64 p = 0; p < pairs; p++) {
        left[p] = (u32)(words[p] >> 32);
        right[p] = (u32)words[p];
    }
    return 0;
}

/* The stratum of each pair of rows: `number` is that of two of `parts` parts. */
KERNEL i64 strata_of(const u8 *part, const u8 *number, i64 parts, const u32 *left, const u32 *right, i64 pairs,
                     u8 *out) {
    for (i64 p = 0; p < pairs; p++) out[p] = number[part[left[p]] * parts + part[right[p]]];
    return 0;
}

/* Rows of `size` bytes each with others before those at `at`, which rise, as numpy.insert. */
KERNEL i64 inserted(const u8 *old, i64 count, i64 size, const i64 *at, const u8 *more, i64 many, u8 *out) {
    i64 from = 0;
    for (i64 k = 0; k < many; k++) {
        i64 run = (at[k] - from) * size;
        memcpy(out, old + from * size, (size_t)run);
        memcpy(out + run, more + k * size, (size_t)size);
        out += run + size;
        from = at[k];
    }
    memcpy(out, old + from * size, (size_t)((count - from) * size));
    return 0;
}

/* Level and weight of pairs in one column: `at` are their places in `bytes`. */
KERNEL i64 told(const u8 *bytes, const i64 *at, const u8 *stratum, i64 pairs, i64 top, const float *table,
                int8_t *level, float *weight) {
    for (i64 p = 0; p < pairs; p++) {
        u8 byte = bytes[at[p]];
        i64 rank = (i64)byte - 1;
        level[p] = (int8_t)(rank < top ? rank : top);
        weight[p] = table[(stratum ? (i64)stratum[p] * 256 : 0) + byte];
    }
    return 0;
}

/* Distinct values of each row, which are not 0, in their order: `slots` columns of values into `used` columns by row.
   Without `out`: how many columns that takes. */
KERNEL i64 packed(const u32 *values, i64 rows, i64 slots, u32 *out, i64 used) {
    i64 most = 0;
    for (i64 row = 0; row < rows; row++) {
        i64 held = 0;
        for (i64 slot = 0; slot < slots; slot++) {
            u32 value = values[slot * rows + row];
            int seen = !value;
            for (i64 before = 0; before < slot; before++) seen |= values[before * rows + row] == value;
            if (seen) continue;
            if (out) out[row * used + held] = value;
            held++;
        }
        for (i64 slot = held; out && slot < used; slot++) out[row * used + slot] = 0;
        if (held > most) most = held;
    }
    return most;
}

/* Entries of a table of 1, 2, 4 or 8 bytes each. */
KERNEL i64 looked_up(const void *table, i64 bytes, const u32 *index, i64 count, void *out) {
    switch (bytes) {
        case 1:
            for (i64 k = 0; k < count; k++) ((u8 *)out)[k] = ((const u8 *)table)[index[k]];
            return 0;
        case 2:
            for (i64 k = 0; k < count; k++) ((u16 *)out)[k] = ((const u16 *)table)[index[k]];
            return 0;
        case 4:
            for (i64 k = 0; k < count; k++) ((u32 *)out)[k] = ((const u32 *)table)[index[k]];
            return 0;
        case 8:
            for (i64 k = 0; k < count; k++) ((u64 *)out)[k] = ((const u64 *)table)[index[k]];
            return 0;
    }
    return -2;
}

/* Which pairs of rows have one number. */
KERNEL i64 of_one(const i64 *number, const u32 *left, const u32 *right, i64 pairs, u8 *out) {
    for (i64 p = 0; p < pairs; p++) out[p] = number[left[p]] == number[right[p]];
    return 0;
}

/* Rows of `slots` codes in another order. */
KERNEL i64 rows_of(const u32 *codes, i64 slots, const i64 *order, i64 rows, u32 *out) {
    for (i64 row = 0; row < rows; row++) {
        if (row + AHEAD < rows) __builtin_prefetch(codes + order[row + AHEAD] * slots);
        for (i64 slot = 0; slot < slots; slot++) out[row * slots + slot] = codes[order[row] * slots + slot];
    }
    return 0;
}
