/* Blocking: hashes of keys, which of them stand on several profiles, and the pairs of their blocks. */
#include "kernels.h"

/* One part of a key: codes (4 or 8 bytes) of every profile, `width` of them a profile, and what each code is
   turned into, if it is not itself. */
typedef struct {
    const void *codes;
    const u64 *table;
    i64 width, slot, bytes;
} Part;

static inline u64 code_of(const Part *part, i64 row) {
    i64 place = row * part->width + part->slot;
    return part->bytes == 4 ? ((const u32 *)part->codes)[place] : ((const u64 *)part->codes)[place];
}

static inline u64 word_of(const Part *part, i64 row) {
    u64 code = code_of(part, row);
    return part->table ? part->table[code] : code;
}

/* Words (hash << bits | row) of the profiles that have every part of a key; returns how many there are. */
KERNEL i64 key_words(const u64 *codes, const u64 *tables, const i64 *widths, const i64 *slots, const i64 *bytes,
                     i64 parts, i64 profiles, i64 bits, u64 *out) {
    Part part[64];
    if (parts > 64) return -2;
    for (i64 k = 0; k < parts; k++)
        part[k] = (Part){(const void *)codes[k], (const u64 *)tables[k], widths[k], slots[k], bytes[k]};
    i64 found = 0;
    for (i64 row = 0; row < profiles; row++) {
        u64 hash = 0, word = 1;
        for (i64 k = 0; k < parts && row + AHEAD < profiles; k++)
            if (part[k].table) __builtin_prefetch(part[k].table + code_of(&part[k], row + AHEAD));
        for (i64 k = 0; k < parts && word; k++) {
            word = word_of(&part[k], row);
            hash = mixed(hash ^ word);
        }
        out[found] = hash << bits | (u64)row;
        found += word != 0;
    }
    return found;
}

/* Keep the words whose block may hold another word, in order, in place: two bits are kept for each of many
   blocks, some of which share them. Returns how many are left; where none is, some word stands first. */
KERNEL i64 not_alone(u64 *words, i64 count, i64 bits) {
    i64 size = 16;
    while ((1ll << size) < 4 * count && size < 26) size++;
    u64 mask = (1ull << size) - 1;
    u64 *once = calloc((size_t)2 << (size - 6), sizeof(u64));
    if (!once) return -1;
    u64 *twice = once + ((size_t)1 << (size - 6));
    for (i64 k = 0; k < count; k++) {
        u64 at = words[k] >> bits & mask, bit = 1ull << (at & 63);
        twice[at >> 6] |= once[at >> 6] & bit;
        once[at >> 6] |= bit;
    }
    i64 left = 0;
    for (i64 k = 0; k < count; k++) {
        u64 at = words[k] >> bits & mask, word = words[k];
        words[left] = word;
        left += twice[at >> 6] >> (at & 63) & 1;
    }
    free(once);
    return left;
}

/* How many blocks of sorted words have each size up to `most`; larger ones count as most + 1. Returns the largest
   size. */
KERNEL i64 block_sizes(const u64 *words, i64 count, i64 bits, i64 most, i64 *sizes) {
    i64 largest = 0;
    for (i64 begin = 0, end; begin < count; begin = end) {
        for (end = begin + 1; end < count && words[end] >> bits == words[begin] >> bits;) end++;
        i64 size = end - begin;
        sizes[size <= most ? size : most + 1]++;
        if (size > largest) largest = size;
    }
    return largest;
}

/* Pairs (left << bits | right) of the blocks of up to `allowed` words. */
KERNEL i64 block_pairs(const u64 *words, i64 count, i64 bits, i64 allowed, u64 *out) {
    u64 low = (1ull << bits) - 1;
    i64 found = 0;
    for (i64 begin = 0, end; begin < count; begin = end) {
        for (end = begin + 1; end < count && words[end] >> bits == words[begin] >> bits;) end++;
        if (end - begin > allowed) continue;
        for (i64 i = begin; i < end; i++)
            for (i64 j = i + 1; j < end; j++) out[found++] = (words[i] & low) << bits | (words[j] & low);
    }
    return found;
}

/* Each pair of sorted words (pair << 10 | key) once, as left << 32 | right, with its first key; how many pairs
   each key found first, and which only it found. Returns how many pairs there are. */
KERNEL i64 first_keys(const u64 *words, i64 count, i64 bits, u64 *pairs, u16 *keys, i64 *new, i64 *only) {
    u64 low = (1ull << bits) - 1;
    i64 found = 0;
    for (i64 begin = 0, end; begin < count; begin = end) {
        u64 pair = words[begin] >> 10, key = words[begin] & 1023;
        for (end = begin + 1; end < count && words[end] >> 10 == pair;) end++;
        pairs[found] = pair >> bits << 32 | (pair & low);
        keys[found++] = (u16)key;
        new[key]++;
        only[key] += end == begin + 1;
    }
    return found;
}

/* Some combinations of words (hash and profile, in the order of profiles; none: every profile with none) beside every
   word of one more part, `width` a profile, 0 where one is unknown: hashes and profiles, or words (hash << bits | row)
   where no rows are asked for. Returns how many there are. */
static inline i64 combined(const u64 *hashes, const u32 *rows, i64 count, const u64 *words, i64 width, i64 bits,
                           u64 *out, u32 *out_rows) {
    i64 found = 0;
    for (i64 k = 0; k < count; k++) {
        u64 hash = hashes ? hashes[k] : 0, row = rows ? rows[k] : (u64)k;
        const u64 *word = words + (i64)row * width;
        for (i64 j = 0; j < width; j++) {
            u64 next = mixed(hash ^ word[j]); /* which are there cannot be foreseen: nothing branches on it */
            out[found] = out_rows ? next : next << bits | row;
            if (out_rows) out_rows[found] = (u32)row;
            found += word[j] != 0;
        }
    }
    return found;
}

/* The first parts of a key of few profiles. */
KERNEL i64 few_hashes(const u64 *hashes, const u32 *rows, i64 count, const u64 *words, i64 width, u64 *out,
                      u32 *out_rows) {
    /* the compiler leaves the inner loop out where it knows the width, as most are */
    if (width == 1) return combined(hashes, rows, count, words, 1, 0, out, out_rows);
    return combined(hashes, rows, count, words, width, 0, out, out_rows);
}

/* Sort the words of one bucket, most of which are one block's and in order. */
static void sort_bucket(u64 *words, i64 count) {
    if (count > 24) { /* insertion would take too long */
        i64 k = 1;
        while (k < count && words[k - 1] <= words[k]) k++;
        if (k < count) qsort(words, (size_t)count, sizeof(u64), rising);
        return;
    }
    for (i64 k = 1; k < count; k++) {
        u64 word = words[k];
        i64 at = k;
        for (; at && words[at - 1] > word; at--) words[at] = words[at - 1];
        words[at] = word;
    }
}

/* Keep the blocks of 2 to `most` profiles, in place, the words of each beside each other, in order and once. Buckets
   take the place of a sort. None is kept where those of two profiles are more than so many `pairs`: then none counts.
   Returns how many words are left. */
static i64 grouped(u64 *words, i64 count, i64 bits, i64 most, double pairs) {
    i64 size = 6;
    while ((1ll << size) < count && size < 24) size++;
    u64 mask = (1ull << size) - 1;
    i64 left = 0, begin = 0, twos = 0;
    u32 *ends = calloc((size_t)mask + 2, sizeof(u32));
    u64 *moved = malloc((size_t)(count + 1) * sizeof(u64));
    if (!ends || !moved) {
        free(ends), free(moved);
        return -1;
    }
    for (i64 k = 0; k < count; k++) ends[(words[k] >> bits & mask) + 1]++;
    for (u64 k = 0; k < mask; k++) ends[k + 1] += ends[k];
    for (i64 k = 0; k < count; k++) moved[ends[words[k] >> bits & mask]++] = words[k];
    for (u64 k = 0; k <= mask && (double)twos <= pairs; begin = ends[k++]) {
        if (ends[k] < begin + 2) continue;
        sort_bucket(moved + begin, ends[k] - begin);
        for (i64 i = begin, first = left; i < ends[k]; first = left) {
            u64 block = moved[i] >> bits;
            for (; i < ends[k] && moved[i] >> bits == block; i++)
                if (left == first || words[left - 1] != moved[i]) words[left++] = moved[i];
            if (left < first + 2 || left > first + most) left = first;
            twos += left == first + 2;
        }
    }
    free(ends), free(moved);
    return (double)twos <= pairs ? left : 0;
}

/* The size up to which blocks together bring no more than so many pairs; blocking.py has the same. */
static i64 size_allowed(const i64 *sizes, i64 most, double pairs) {
    double total = 0;
    for (i64 size = 0; size <= most; size++) {
        total += (double)sizes[size] * (double)size * (double)(size - 1) / 2;
        if (total > pairs) return size - 1;
    }
    return most;
}

/* What key_words, not_alone, block_sizes and block_pairs do for a key, in one call, where profiles are few: its first
   parts are combined already, and this is the last. Blocks come in no order. Returns how many pairs there are; some
   come twice where a profile has several words. */
KERNEL i64 few_pairs(const u64 *hashes, const u32 *rows, i64 count, const u64 *words, i64 width, i64 bits, i64 most,
                     double pairs, u64 *out) {
    i64 *sizes = calloc((size_t)most + 2, sizeof(i64)), found = -1;
    u64 *every = malloc((size_t)(count * width + 1) * sizeof(u64));
    if (sizes && every) {
        count = width == 1 ? combined(hashes, rows, count, words, 1, bits, every, NULL)
                           : combined(hashes, rows, count, words, width, bits, every, NULL);
        count = not_alone(every, count, bits);
        if (count >= 0) count = grouped(every, count, bits, most, pairs);
        if (count >= 0) {
            block_sizes(every, count, bits, most, sizes);
            found = block_pairs(every, count, bits, size_allowed(sizes, most, pairs), out);
        }
    }
    free(sizes), free(every);
    return found;
}
