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
