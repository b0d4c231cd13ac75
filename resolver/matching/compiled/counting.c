/* Counting values once per group of profiles. */
#include "kernels.h"

/* Rows in the order of their numbers (counting sort); `starts` says where each number begins, one more at the end. */
KERNEL i64 in_groups(const i64 *number, i64 rows, i64 groups, u32 *starts, u32 *order) {
    memset(starts, 0, (size_t)(groups + 1) * sizeof(u32));
    for (i64 row = 0; row < rows; row++) starts[number[row]]++;
    u32 sum = 0;
    for (i64 g = 0; g <= groups; g++) {
        u32 count = starts[g];
        starts[g] = sum;
        sum += count;
    }
    for (i64 row = 0; row < rows; row++) order[starts[number[row]]++] = (u32)row;
    for (i64 g = groups; g > 0; g--) starts[g] = starts[g - 1];
    starts[0] = 0;
    return 0;
}

static int rising(const void *a, const void *b) {
    u32 x = *(const u32 *)a, y = *(const u32 *)b;
    return (x > y) - (x < y);
}

#define FEW 24

/* Each shared value once per group: counts[part][place of the value]++, and in `having` the groups that have any
   value. `shared` has a bit per value that more than one profile has; of others nothing is counted. Without `order`
   every row is a group of its own, of the part in `part`; else a group's number modulo `parts` is its part. */
KERNEL i64 count_values(const u32 *order, const u32 *starts, i64 groups, i64 parts, const u8 *part,
                        const u32 *whole, i64 slots, const u8 *shared, const u32 *place, i64 places, u32 *counts,
                        i64 *having) {
    i64 room = FEW;
    u32 few[FEW + 1], *many = few;
    for (i64 g = 0; g < groups; g++) {
        i64 begin = order ? starts[g] : g, end = order ? starts[g + 1] : g + 1;
        if (begin == end) continue;
        i64 own = order ? (parts > 1 ? g % parts : 0) : part ? part[g] : 0;
        i64 held = 0;
        int any = 0;
        if ((end - begin) * slots > room) {
            if (many != few) free(many);
            room = 2 * (end - begin) * slots;
            many = malloc((size_t)(room + 1) * sizeof(u32));
            if (!many) return -1;
        }
        for (i64 k = begin; k < end; k++) {
            const u32 *value = whole + (i64)(order ? order[k] : k) * slots;
            for (i64 slot = 0; slot < slots; slot++) {
                u32 v = value[slot];
                any |= v > 0;
                many[held] = v;
                held += shared[v >> 3] >> (v & 7) & 1;
            }
        }
        having[own] += any;
        if (held > FEW) qsort(many, (size_t)held, sizeof(u32), rising);
        for (i64 i = 0; i < held; i++) {
            int seen = 0;
            if (held > FEW)
                seen = i && many[i - 1] == many[i];
            else
                for (i64 j = 0; j < i; j++) seen |= many[j] == many[i];
            if (!seen) counts[own * places + place[many[i]]]++;
        }
    }
    if (many != few) free(many);
    return 0;
}
