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

#define FEW 24
#define BLOCK 4096
/* What is counted: see count_values. `before` says how many shared values there are before each 64. */
typedef struct {
    const u32 *whole;
    const u64 *shared;
    const u32 *before;
    const u8 *part;
    i64 slots, places, parts;
    u32 *counts, *again;
    i64 *having;
} Counted;

static inline int is_shared(const Counted *counted, u32 value) {
    return counted->shared[value >> 6] >> (value & 63) & 1;
}

/* The place of a shared value among the shared ones. */
static inline u64 place_of(const Counted *counted, u32 value) {
    u64 below = counted->shared[value >> 6] & ((1ull << (value & 63)) - 1);
    return counted->before[value >> 6] + (u64)__builtin_popcountll(below);
}

/* Where a shared value is counted. */
static inline u32 *count_of(const Counted *counted, u64 part, u32 value) {
    return counted->counts + part * (u64)counted->places + place_of(counted, value);
}

/* Have what a row counts at hand when it is needed. */
static inline void announce(const Counted *counted, i64 row) {
    const u32 *value = counted->whole + row * counted->slots;
    u64 part = counted->part ? counted->part[row] : 0;
    for (i64 slot = 0; slot < counted->slots; slot++)
        if (is_shared(counted, value[slot])) __builtin_prefetch(count_of(counted, part, value[slot]), 1);
}

/* The values of one row, each once. */
static inline void count_row(const Counted *counted, i64 row) {
    const u32 *value = counted->whole + row * counted->slots;
    i64 part = counted->part ? counted->part[row] : 0;
    int any = 0;
    for (i64 slot = 0; slot < counted->slots; slot++) {
        u32 own = value[slot];
        if (!own) continue;
        any = 1;
        if (!is_shared(counted, own)) continue;
        int seen = 0;
        for (i64 before = 0; before < slot; before++) seen |= value[before] == own;
        if (!seen) ++*count_of(counted, (u64)part, own);
    }
    counted->having[part] += any;
    counted->having[counted->parts] += any;
}

/* The values of the rows of one group, each once in each part. `room` is for all of them: value by value, then part. */
static void count_group(const Counted *counted, const u32 *rows, i64 size, u64 *room) {
    i64 held = 0;
    u64 parts[4] = {0};
    for (i64 k = 0; k < size; k++) {
        const u32 *value = counted->whole + (i64)rows[k] * counted->slots;
        u64 part = counted->part ? counted->part[rows[k]] : 0;
        for (i64 slot = 0; slot < counted->slots; slot++)
            if (value[slot]) {
                room[held++] = (u64)value[slot] << 8 | part;
                parts[part >> 6] |= 1ull << (part & 63);
            }
    }
    i64 in = 0;
    for (u64 word = 0; word < 4; word++)
        for (u64 left = parts[word]; left; left &= left - 1) {
            counted->having[word * 64 + (u64)__builtin_ctzll(left)]++;
            in++;
        }
    counted->having[counted->parts] += in > 0;
    if (held > FEW) qsort(room, (size_t)held, sizeof(u64), rising);
    for (i64 i = 0; i < held; i++) {
        u32 value = (u32)(room[i] >> 8);
        if (!is_shared(counted, value)) continue;
        int seen = 0, elsewhere = 0;
        for (i64 j = held > FEW ? (i ? i - 1 : 0) : 0; j < i; j++) {
            seen |= room[j] == room[i];
            elsewhere |= room[j] >> 8 == value;
        }
        if (seen) continue;
        ++*count_of(counted, room[i] & 255, value);
        if (elsewhere) counted->again[place_of(counted, value)]++;
    }
}

/* Each shared value once per group and part: counts[part][its place among the shared ones]++, `again` where that is not
   the group's first part with it, and in `having` the groups that have any value in a part; last, in any. `shared` has
   a bit per value of `values` that more than one profile has (never of 0); of others nothing is counted. `part` is each
   row's; without it all are of one. Without `order` every row is a group of its own. */
KERNEL i64 count_values(const u32 *order, const u32 *starts, i64 groups, i64 parts, const u8 *part, const u32 *whole,
                        i64 slots, const u64 *shared, i64 values, i64 places, u32 *counts, u32 *again, i64 *having) {
    i64 words = values / 64 + 1, rows = order ? starts[groups] : groups, most = 0;
    for (i64 g = 0; order && g < groups; g++)
        if ((i64)(starts[g + 1] - starts[g]) > most) most = starts[g + 1] - starts[g];
    u32 *before = malloc((size_t)words * sizeof(u32)), sum = 0;
    u64 *room = malloc((size_t)(most * slots + 1) * sizeof(u64));
    if (!before || !room) {
        free(before), free(room);
        return -1;
    }
    for (i64 w = 0; w < words; w++) {
        before[w] = sum;
        sum += (u32)__builtin_popcountll(shared[w]);
    }
    const Counted counted = {whole, shared, before, part, slots, places, parts, counts, again, having};
    for (i64 row = 0; !order && row < rows; row++) {
        if (row + AHEAD < rows) announce(&counted, row + AHEAD);
        count_row(&counted, row);
    }
    for (i64 g = 0; order && g < groups; g++) {
        i64 begin = starts[g], size = starts[g + 1] - begin;
        if (begin + 2 * AHEAD < rows) __builtin_prefetch(whole + (i64)order[begin + 2 * AHEAD] * slots);
        if (begin + AHEAD < rows) announce(&counted, order[begin + AHEAD]);
        if (size == 1)
            count_row(&counted, order[begin]);
        else if (size > 1)
            count_group(&counted, order + begin, size, room);
    }
    free(before), free(room);
    return 0;
}

/* The dense rank of numbers up to `most`, and the first place of each rank. Returns how many differ. */
KERNEL i64 dense_ranks(const u64 *numbers, i64 count, i64 most, i64 *ranks, i64 *firsts) {
    i64 words = most / 64 + 1, found = 0;
    u64 *there = calloc((size_t)words, sizeof(u64));
    u32 *before = malloc((size_t)words * sizeof(u32));
    if (!there || !before) {
        free(there), free(before);
        return -1;
    }
    for (i64 i = 0; i < count; i++) there[numbers[i] >> 6] |= 1ull << (numbers[i] & 63);
    for (i64 w = 0; w < words; w++) {
        before[w] = (u32)found;
        found += __builtin_popcountll(there[w]);
    }
    for (i64 i = count - 1; i >= 0; i--) { /* the last to be written stays */
        u64 below = there[numbers[i] >> 6] & ((1ull << (numbers[i] & 63)) - 1);
        ranks[i] = before[numbers[i] >> 6] + __builtin_popcountll(below);
        firsts[ranks[i]] = i;
    }
    free(there), free(before);
    return found;
}

/* A bit per column in which a row is known, in words of 16. */
KERNEL i64 presences(const u64 *known, i64 columns, i64 rows, u16 *out) {
    memset(out, 0, (size_t)rows * sizeof(u16));
    for (i64 start = 0; start < rows; start += BLOCK) {
        i64 size = rows - start < BLOCK ? rows - start : BLOCK;
        for (i64 k = 0; k < columns; k++) {
            const u8 *own = (const u8 *)known[k] + start;
            for (i64 i = 0; i < size; i++) out[start + i] |= (u16)(own[i] << k);
        }
    }
    return 0;
}
