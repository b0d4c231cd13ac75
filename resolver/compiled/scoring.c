/* Scoring: sums of looked-up weights, and counts of levels for estimation. */
#include "kernels.h"

#define TABLE 256
#define BLOCK 512


/* Summed weights of all columns and of those each relation ties, per pair, in the order of columns. `bytes` are
   (columns, stride); `stratum` the row of each pair in the tables, or 0. A relation's sum begins at its base's.
   `order` lists relations with bases first. */
KERNEL i64 summed(const u8 *bytes, i64 stride, i64 pairs, const u8 *stratum, const u64 *tables, i64 columns,
                  const i64 *begins, const i64 *counts, const i64 *bases, const i64 *order, i64 relations,
                  const i64 *tied_column, const u64 *tied_table, double *evidence, double *tied) {
    for (i64 start = 0; start < pairs; start += BLOCK) {
        i64 size = pairs - start < BLOCK ? pairs - start : BLOCK;
        i64 row[BLOCK];
        for (i64 i = 0; i < size; i++) row[i] = stratum ? (i64)stratum[start + i] * TABLE : 0;
        double *sum = evidence + start;
        for (i64 i = 0; i < size; i++) sum[i] = 0;
        for (i64 k = 0; k < columns; k++) {
            const double *table = (const double *)tables[k];
            const u8 *byte = bytes + k * stride + start;
            for (i64 i = 0; i < size; i++) sum[i] += table[row[i] + byte[i]];
        }
        for (i64 o = 0; o < relations; o++) {
            i64 r = order[o];
            double *own = tied + r * pairs + start;
            for (i64 i = 0; i < size; i++) own[i] = 0;
            for (i64 t = begins[r]; t < begins[r] + counts[r]; t++) {
                const double *table = (const double *)tied_table[t];
                const u8 *byte = bytes + tied_column[t] * stride + start;
                for (i64 i = 0; i < size; i++) own[i] += table[row[i] + byte[i]];
            }
            if (bases[r] >= 0) {
                const double *base = tied + bases[r] * pairs + start;
                for (i64 i = 0; i < size; i++) own[i] += base[i];
            }
        }
    }
    return 0;
}

/* Pairs that have one field to compare, which is not equal: `equal[k]` is the least byte of equality. */
KERNEL i64 lone_similar(const u8 *bytes, i64 stride, i64 pairs, i64 columns, const u8 *equal, u8 *out) {
    for (i64 start = 0; start < pairs; start += BLOCK) {
        i64 size = pairs - start < BLOCK ? pairs - start : BLOCK;
        u8 compared[BLOCK] = {0}, same[BLOCK] = {0};
        for (i64 k = 0; k < columns; k++) {
            const u8 *byte = bytes + k * stride + start;
            for (i64 i = 0; i < size; i++) {
                compared[i] += byte[i] > 0;
                same[i] |= byte[i] >= equal[k];
            }
        }
        for (i64 i = 0; i < size; i++) out[start + i] = compared[i] == 1 && !same[i];
    }
    return 0;
}

/* The summed weight of the pairs at each byte of a column. */
KERNEL i64 weighed(const u8 *bytes, const double *weight, i64 pairs, double *out) {
    for (i64 i = 0; i < pairs; i++) out[bytes[i]] += weight[i];
    return 0;
}

/* How often each byte stands in each row. */
KERNEL i64 byte_counts(const u8 *bytes, i64 stride, i64 pairs, i64 columns, i64 *out) {
    for (i64 k = 0; k < columns; k++) {
        const u8 *byte = bytes + k * stride;
        for (i64 i = 0; i < pairs; i++) out[k * TABLE + byte[i]]++;
    }
    return 0;
}
