/* Words that are told of beforehand, and what each is, looked up by what stands in a text. */
#ifndef LISTED_H
#define LISTED_H

#include "texts.h"

#define PLACES 8192 /* of the table of words */
#define MOST_LISTED (PLACES / 4)

/* Words (`ends` of each in `bytes`, none of them empty) and what each is; how long those are that begin with a byte,
   as bits. */
typedef struct {
    const u8 *bytes, *kinds;
    const i64 *ends;
    u32 lengths[256];
    u16 table[PLACES];
} Listed;

static inline u64 place_of_word(const u8 *at, i64 size) {
    u64 hash = (u64)size;
    for (i64 k = 0; k < size; k++) hash = (hash ^ at[k]) * MIX;
    return (hash ^ hash >> 29) & (PLACES - 1);
}

static inline u32 length_bit(i64 size) { return 1u << (size < 31 ? size : 31); }

static inline void list_words(Listed *listed, i64 count) {
    for (i64 w = 0; w < count; w++) {
        const u8 *word = listed->bytes + listed->ends[w];
        i64 size = listed->ends[w + 1] - listed->ends[w];
        u64 place = place_of_word(word, size);
        while (listed->table[place]) place = (place + 1) & (PLACES - 1);
        listed->table[place] = (u16)(w + 1);
        listed->lengths[word[0]] |= length_bit(size);
    }
}

/* Which of the words one is, -1 where it is not listed. */
static inline i64 which_of(const Listed *listed, const u8 *at, i64 size) {
    if (!(listed->lengths[at[0]] & length_bit(size))) return -1;
    for (u64 place = place_of_word(at, size); listed->table[place]; place = (place + 1) & (PLACES - 1)) {
        i64 w = listed->table[place] - 1;
        if (listed->ends[w + 1] - listed->ends[w] == size && !memcmp(listed->bytes + listed->ends[w], at, (size_t)size))
            return w;
    }
    return -1;
}

/* What a word is, 0 where it is not listed. */
static inline int kind_of(const Listed *listed, const u8 *at, i64 size) {
    i64 w = which_of(listed, at, size);
    return w < 0 ? 0 : listed->kinds[w];
}

#endif
