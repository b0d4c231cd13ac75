/* Scoring: sums of looked-up weights, and counts of levels for estimation. */
#include "kernels.h"

#define TABLE 256
#define BLOCK 512


/* Prior and summed weights of all columns per pair, in the order of columns; the odds of what each relation ties
   (to `tied`, if not 0), and their sum. `bytes` are (columns, stride); `stratum` the row of each pair in the tables,
   or 0. A relation's product begins at its base's; `order` lists relations with bases first. `models` holds, per
   stratum, the prior and each relation's rate; no odds are above `most`. */
KERNEL i64 odds(const u8 *bytes, i64 stride, i64 pairs, const u8 *stratum, const u64 *tables, i64 columns,
                const i64 *begins, const i64 *counts, const i64 *bases, const i64 *order, i64 relations,
                const i64 *tied_column, const u64 *tied_table, const double *models, double most,
                double *evidence, double *explained, double *tied) {
    double *room = malloc((size_t)(relations * BLOCK + 1) * sizeof(double));
    if (!room) return -1;
    for (i64 start = 0; start < pairs; start += BLOCK) {
        i64 size = pairs - start < BLOCK ? pairs - start : BLOCK;
        i64 row[BLOCK];
        double *sum = evidence + start, *total = explained + start;
        for (i64 i = 0; i < size; i++) {
            row[i] = stratum ? (i64)stratum[start + i] * TABLE : 0;
            sum[i] = total[i] = 0;
        }
        for (i64 k = 0; k < columns; k++) {
            const double *table = (const double *)tables[k];
            const u8 *byte = bytes + k * stride + start;
            for (i64 i = 0; i < size; i++) sum[i] += table[row[i] + byte[i]];
        }
        for (i64 o = 0; o < relations; o++) {
            i64 r = order[o];
            double *own = room + r * BLOCK;
            for (i64 i = 0; i < size; i++) own[i] = 1;
            for (i64 t = begins[r]; t < begins[r] + counts[r]; t++) {
                const double *table = (const double *)tied_table[t];
                const u8 *byte = bytes + tied_column[t] * stride + start;
                for (i64 i = 0; i < size; i++) own[i] *= table[row[i] + byte[i]];
            }
            if (bases[r] >= 0) {
                const double *base = room + bases[r] * BLOCK;
                for (i64 i = 0; i < size; i++) own[i] *= base[i];
            }
        }
        for (i64 i = 0; i < size; i++) {
            row[i] = row[i] / TABLE * (relations + 1);
            sum[i] += models[row[i]];
        }
        for (i64 r = 0; r < relations; r++) {
            double *own = room + r * BLOCK;
            for (i64 i = 0; i < size; i++) {
                double odds = own[i] * models[row[i] + r + 1];
                own[i] = odds < most ? odds : most;
                total[i] += own[i];
            }
            if (tied) memcpy(tied + r * pairs + start, own, (size_t)size * sizeof(double));
        }
    }
    free(room);
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
