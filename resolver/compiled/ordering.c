/* Order of hashes: most are told apart by their upper bits, so two rounds over those leave little to sort. */
#include "kernels.h"

typedef struct {
    u64 hash;
    u32 row;
} Entry;

/* Stable: by hash, then by row. */
static void insertion(Entry *entries, i64 count) {
    for (i64 i = 1; i < count; i++) {
        Entry own = entries[i];
        i64 j = i;
        for (; j > 0 && entries[j - 1].hash > own.hash; j--) entries[j] = entries[j - 1];
        entries[j] = own;
    }
}

#define MOST_BITS 10
#define BUCKETS (1 << MOST_BITS)
#define FEW 24

/* Into buckets by the bits below `high`, so many that a few stay in each; bucket by bucket until hashes are equal. */
static void sorted(Entry *entries, Entry *spare, i64 count, int high) {
    if (count <= FEW) {
        insertion(entries, count);
        return;
    }
    i64 same = 1;
    while (same < count && entries[same].hash == entries[0].hash) same++;
    if (same == count) return;
    int bits = 1;
    while (bits < MOST_BITS && bits < high && count >> bits > 6) bits++;
    int shift = high - bits;
    u32 bounds[BUCKETS + 1], next[BUCKETS];
    u64 mask = (1ull << bits) - 1;
    memset(bounds, 0, (size_t)(mask + 2) * sizeof(u32));
    for (i64 i = 0; i < count; i++) bounds[(entries[i].hash >> shift & mask) + 1]++;
    for (u64 b = 0; b <= mask; b++) bounds[b + 1] += bounds[b];
    memcpy(next, bounds, (size_t)(mask + 1) * sizeof(u32));
    for (i64 i = 0; i < count; i++) spare[next[entries[i].hash >> shift & mask]++] = entries[i];
    memcpy(entries, spare, (size_t)count * sizeof(Entry));
    for (u64 b = 0; b <= mask; b++)
        if (bounds[b + 1] - bounds[b] > 1)
            sorted(entries + bounds[b], spare + bounds[b], bounds[b + 1] - bounds[b], shift);
}

/* Of a table of different hashes, in bits; a quarter of it is used at most. */
#define FEW_BITS 16
#define MANY_BITS 18
#define MANY 500000

/* What is asked for, where it is: rows in order, a rank per row, the first row of each rank, or a rank from 1 up as
   32 bits; `rows` says which row each hash is of, if not its own place. */
typedef struct {
    i64 *order, *ranks, *firsts;
    u32 *codes;
    const u32 *rows;
} Wanted;

static inline i64 row_of(const Wanted *wanted, i64 place) { return wanted->rows ? wanted->rows[place] : place; }

/* Ranks where there are few different hashes: each is looked up in a table that stays in the cache. Returns how
   many there are, or 0 where there are too many. */
static i64 ranked_few(const u64 *hashes, i64 count, const Wanted *wanted) {
    int bits = count < MANY ? FEW_BITS : MANY_BITS;
    i64 room = 1ll << bits, most = room / 4;
    u64 *known = malloc((size_t)(room * 12 + most * 16));
    u32 *number = malloc((size_t)count * sizeof(u32));
    if (!known || !number) {
        free(known), free(number);
        return -1;
    }
    u64 *distinct = known + room, *first = distinct + most, last = (u64)room - 1;
    u32 *place = (u32 *)(first + most);
    memset(place, 0, (size_t)room * sizeof(u32));
    i64 found = 0;
    for (i64 i = 0; i < count; i++) {
        u64 hash = hashes[i], at = hash >> (64 - bits);
        while (place[at] && known[at] != hash) at = (at + 1) & last;
        if (!place[at]) {
            if (found == most || (i < 2 * most && found > most / 2)) {
                free(known), free(number);
                return 0;
            }
            known[at] = hash;
            distinct[found] = hash;
            first[found] = (u64)i;
            place[at] = (u32)++found;
        }
        number[i] = place[at] - 1;
    }
    u64 *sorted_hashes = malloc((size_t)found * (sizeof(u64) + 2 * sizeof(i64)) + sizeof(i64));
    if (!sorted_hashes) {
        free(known), free(number);
        return -1;
    }
    i64 *rank = (i64 *)(sorted_hashes + found), *next = rank + found;
    memcpy(sorted_hashes, distinct, (size_t)found * sizeof(u64));
    qsort(sorted_hashes, (size_t)found, sizeof(u64), rising);
    for (i64 d = 0; d < found; d++) {
        i64 low = 0, high = found - 1;
        while (low < high) {
            i64 middle = (low + high) / 2;
            if (sorted_hashes[middle] < distinct[d])
                low = middle + 1;
            else
                high = middle;
        }
        rank[d] = low;
        if (wanted->firsts) wanted->firsts[low] = row_of(wanted, (i64)first[d]);
    }
    if (wanted->ranks)
        for (i64 i = 0; i < count; i++) wanted->ranks[i] = rank[number[i]];
    if (wanted->codes)
        for (i64 i = 0; i < count; i++) wanted->codes[row_of(wanted, i)] = (u32)rank[number[i]] + 1;
    if (wanted->order) {
        memset(next, 0, (size_t)(found + 1) * sizeof(i64));
        for (i64 i = 0; i < count; i++) next[rank[number[i]] + 1]++;
        for (i64 d = 0; d < found; d++) next[d + 1] += next[d];
        for (i64 i = 0; i < count; i++) wanted->order[next[rank[number[i]]]++] = i;
    }
    free(sorted_hashes), free(known), free(number);
    return found;
}

/* All that is wanted of hashes, equal ones in the order of rows. Returns how many differ. */
static i64 ordered(const u64 *hashes, i64 count, const Wanted *wanted) {
    if (!count) return 0;
    i64 few = ranked_few(hashes, count, wanted);
    if (few) return few;
    u32 bounds[BUCKETS + 1];
    i64 largest = count; /* what is sorted at a time */
    if (count >= 4 * BUCKETS) {
        memset(bounds, 0, sizeof bounds);
        for (i64 i = 0; i < count; i++) bounds[(hashes[i] >> (64 - MOST_BITS)) + 1]++;
        largest = 0;
        for (int b = 1; b <= BUCKETS; b++)
            if (bounds[b] > largest) largest = bounds[b];
    }
    Entry *entries = malloc((size_t)(count + largest) * sizeof(Entry));
    if (!entries) return -1;
    Entry *spare = entries + count;
    if (count < 4 * BUCKETS) {
        for (i64 i = 0; i < count; i++) entries[i] = (Entry){hashes[i], (u32)i};
        sorted(entries, spare, count, 64);
    } else {
        u32 next[BUCKETS];
        for (int b = 0; b < BUCKETS; b++) bounds[b + 1] += bounds[b];
        memcpy(next, bounds, sizeof next);
        for (i64 i = 0; i < count; i++) entries[next[hashes[i] >> (64 - MOST_BITS)]++] = (Entry){hashes[i], (u32)i};
        for (int b = 0; b < BUCKETS; b++)
            sorted(entries + bounds[b], spare, bounds[b + 1] - bounds[b], 64 - MOST_BITS);
    }
    i64 rank = -1;
    for (i64 i = 0; i < count; i++) {
        int fresh = i == 0 || entries[i].hash != entries[i - 1].hash;
        rank += fresh;
        if (wanted->order) wanted->order[i] = entries[i].row;
        if (wanted->ranks) wanted->ranks[entries[i].row] = rank;
        if (wanted->codes) wanted->codes[row_of(wanted, entries[i].row)] = (u32)rank + 1;
        if (wanted->firsts && fresh) wanted->firsts[rank] = row_of(wanted, entries[i].row);
    }
    free(entries);
    return rank + 1;
}

/* Rows in the order of their hashes; the rank of each row's hash, and the first row of each rank. */
KERNEL i64 hash_order(const u64 *hashes, i64 count, i64 *order, i64 *ranks, i64 *firsts) {
    const Wanted wanted = {order, ranks, firsts, 0, 0};
    return ordered(hashes, count, &wanted);
}

/* A code per row, from 1 up in the order of hashes, and the first row of each code; rows with one of the two `unknown`
   hashes are left as they are. */
KERNEL i64 hash_codes(const u64 *hashes, const u64 *unknown, i64 count, u32 *codes, i64 *firsts) {
    Wanted wanted = {0, 0, firsts, codes, 0};
    i64 all = 0;
    for (i64 i = 0; i < count; i++) all += hashes[i] != unknown[0] && hashes[i] != unknown[1];
    if (all == count) return ordered(hashes, count, &wanted);
    u64 *own = malloc((size_t)all * sizeof(u64) + 1);
    u32 *rows = malloc((size_t)all * sizeof(u32) + 1);
    i64 found = -1;
    if (own && rows) {
        i64 held = 0;
        for (i64 i = 0; i < count; i++)
            if (hashes[i] != unknown[0] && hashes[i] != unknown[1]) {
                own[held] = hashes[i];
                rows[held++] = (u32)i;
            }
        wanted.rows = rows;
        found = ordered(own, all, &wanted);
    }
    free(own), free(rows);
    return found;
}
