/* Comparing pairs of profiles: equal values first, what is left for the tests, and what tests know by integers. */
#include "kernels.h"

/* Values of two profiles against each other: bytes of equality, and the codes of what is not equal. A profile
   has `slots` values of `fields` codes each; `whole` numbers the values, 0 where a field is unknown. */
typedef struct {
    const u32 *codes[4];
    const u32 *whole;
    i64 fields, slots;
} Column;

static Column column_of(const u32 *const *codes, i64 fields, const u32 *whole, i64 slots) {
    Column column = {{0}, whole, fields, slots};
    for (i64 f = 0; f < fields; f++) column.codes[f] = codes[f];
    return column;
}

/* Left rows follow each other, right ones are anywhere: asked for early, they are there when needed. */
static inline void fetch_ahead(const Column *column, const u32 *right, i64 p, i64 pairs) {
    if (p + AHEAD >= pairs) return;
    i64 place = (i64)right[p + AHEAD] * column->slots;
    __builtin_prefetch(column->whole + place);
    for (i64 f = 0; f < column->fields; f++)
        if (column->codes[f] != column->whole) __builtin_prefetch(column->codes[f] + place);
}

/* The byte of the rarest value that both profiles have, 0 where they share none. */
static inline u8 equal_byte(const Column *column, const u8 *of_value, u32 left, u32 right) {
    const u32 *one = column->whole + (i64)left * column->slots;
    const u32 *other = column->whole + (i64)right * column->slots;
    u8 best = 0;
    for (i64 i = 0; i < column->slots; i++) {
        if (!one[i]) continue;
        for (i64 j = 0; j < column->slots; j++)
            if (one[i] == other[j] && of_value[one[i]] > best) best = of_value[one[i]];
    }
    return best;
}

/* equal_or_open of profiles with one value of one field. */
static i64 single_equal_or_open(const Column *column, const u8 *of_value, const u32 *left, const u32 *right,
                                i64 pairs, u8 *out, u32 *at, u32 *a, u32 *b) {
    const u32 *codes = column->codes[0], *whole = column->whole;
    i64 open = 0;
    for (i64 p = 0; p < pairs; p++) {
        fetch_ahead(column, right, p, pairs);
        u32 one = whole[left[p]], other = whole[right[p]];
        u32 x = codes == whole ? one : codes[left[p]], y = codes == whole ? other : codes[right[p]];
        out[p] = one && one == other ? of_value[one] : 0;
        at[open] = (u32)p;
        a[open] = x;
        b[open] = y;
        open += x && y && !out[p];
    }
    return open;
}

/* Bytes of equality into `out`; the slot pairs of the others, where a field is known on both sides, into `at`
   (the pair) and a, b (one row per field, `room` apart). Returns how many there are. */
KERNEL i64 equal_or_open(const u32 *const *codes, i64 fields, const u32 *whole, i64 slots, const u8 *of_value,
                         const u32 *left, const u32 *right, i64 pairs, u8 *out, u32 *at, u32 *a, u32 *b,
                         i64 room) {
    const Column column = column_of(codes, fields, whole, slots);
    if (fields == 1 && slots == 1) return single_equal_or_open(&column, of_value, left, right, pairs, out, at, a, b);
    i64 open = 0;
    for (i64 p = 0; p < pairs; p++) {
        fetch_ahead(&column, right, p, pairs);
        out[p] = equal_byte(&column, of_value, left[p], right[p]);
        if (out[p]) continue;
        i64 one = (i64)left[p] * slots, other = (i64)right[p] * slots;
        for (i64 i = 0; i < slots; i++) {
            if (fields == 1 && !column.codes[0][one + i]) continue;
            for (i64 j = 0; j < slots; j++) {
                if (fields == 1 && !column.codes[0][other + j]) continue;
                int known = 0;
                for (i64 f = 0; f < fields; f++) {
                    u32 x = column.codes[f][one + i], y = column.codes[f][other + j];
                    known |= x && y;
                    a[f * room + open] = x;
                    b[f * room + open] = y;
                }
                at[open] = (u32)p;
                open += known;
            }
        }
    }
    return open;
}

/* The bytes of equality of other frequencies, for those pairs whose byte says that they are equal. */
KERNEL i64 rebinned(const u32 *whole, i64 slots, const u8 *of_value, const u32 *left, const u32 *right, i64 pairs,
                    i64 top, u8 *out) {
    const Column column = column_of(0, 0, whole, slots);
    for (i64 p = 0; p < pairs; p++) {
        fetch_ahead(&column, right, p, pairs);
        if (out[p] <= top) continue;
        u8 byte = equal_byte(&column, of_value, left[p], right[p]);
        if (byte) out[p] = byte;
    }
    return 0;
}

/* The pairs' levels where their best so far is lower. */
KERNEL i64 raised(u8 *out, const u32 *at, const u32 *group, const u8 *levels, i64 open) {
    for (i64 k = 0; k < open; k++) {
        u8 byte = (u8)(1 + levels[group ? group[k] : k]);
        if (byte > out[at[k]]) out[at[k]] = byte;
    }
    return 0;
}

/* Each pair of codes once, the smaller first, and which of them stands where. Returns how many there are, or
   -1 where memory is short. */
KERNEL i64 grouped(const u32 *a, const u32 *b, i64 pairs, u32 *low, u32 *high, u32 *group) {
    i64 room = 1024;
    while (room < 2 * pairs) room *= 2;
    i32 *table = malloc((size_t)room * sizeof(i32));
    if (!table) return -1;
    memset(table, 0xff, (size_t)room * sizeof(i32));
    i64 found = 0;
    for (i64 p = 0; p < pairs; p++) {
        u32 x = a[p] < b[p] ? a[p] : b[p], y = a[p] < b[p] ? b[p] : a[p];
        u64 at = mixed((u64)x << 32 | y) >> 20 & (u64)(room - 1);
        while (table[at] >= 0 && (low[table[at]] != x || high[table[at]] != y)) at = (at + 1) & (u64)(room - 1);
        if (table[at] < 0) {
            low[found] = x;
            high[found] = y;
            table[at] = (i32)found++;
        }
        group[p] = (u32)table[at];
    }
    free(table);
    return found;
}

/* Drop what holds from the arrays, after writing the level of each; returns how many are left. */
KERNEL i64 settled(const u8 *holds, i64 pairs, i64 level, u8 *out, i64 *open, i64 fields, i64 **a, i64 **b) {
    i64 left = 0;
    for (i64 k = 0; k < pairs; k++) {
        if (holds[k]) out[open[k]] = (u8)level;
        open[left] = open[k];
        left += !holds[k];
    }
    for (i64 f = 0; f < fields; f++) {
        i64 to = 0;
        for (i64 k = 0; k < pairs; k++) {
            a[f][to] = a[f][k];
            b[f][to] = b[f][k];
            to += !holds[k];
        }
    }
    return left;
}

/* Letters of each text that the other lacks, each an edit; none where either is not ASCII. */
static void apart(const Spelling *x, const Spelling *y, i32 *more, i32 *less) {
    int plain = x->ascii && y->ascii;
    *more = plain ? __builtin_popcountll(x->letters & ~y->letters) : 0;
    *less = plain ? __builtin_popcountll(y->letters & ~x->letters) : 0;
}

KERNEL i64 near_by_edits(const Spelling *values, const i64 *a, const i64 *b, i64 pairs, double limit, u8 *out) {
    for (i64 p = 0; p < pairs; p++) {
        const Spelling *x = values + a[p], *y = values + b[p];
        i32 more, less;
        apart(x, y, &more, &less);
        out[p] = abs(x->length - y->length) <= limit && (more > less ? more : less) <= limit;
    }
    return 0;
}

KERNEL i64 near_by_ratio(const Spelling *values, const i64 *a, const i64 *b, i64 pairs, double limit, u8 *out) {
    for (i64 p = 0; p < pairs; p++) {
        const Spelling *x = values + a[p], *y = values + b[p];
        i32 more, less;
        apart(x, y, &more, &less);
        i32 one = x->length - more, other = y->length - less;
        out[p] = 2 * (one < other ? one : other) >= limit * (x->length + y->length);
    }
    return 0;
}

/* Whether Jaro-Winkler can reach the limit: see _winkler_may_reach in similarity.py. */
KERNEL i64 near_by_winkler(const Spelling *values, const i64 *a, const i64 *b, i64 pairs, double limit, u8 *out) {
    for (i64 p = 0; p < pairs; p++) {
        const Spelling *x = values + a[p], *y = values + b[p];
        i32 more, less;
        apart(x, y, &more, &less);
        i32 one = x->length - more, other = y->length - less;
        i32 shared = one < other ? one : other;
        double jaro = ((double)shared / (x->length > 1 ? x->length : 1) +
                       (double)shared / (y->length > 1 ? y->length : 1) + 1) / 3;
        u64 starts = x->word ^ y->word;
        int prefix = 0;
        for (int length = 1; length <= 4; length++) prefix += starts < 1ull << (64 - 8 * length);
        out[p] = jaro + 0.1 * prefix * (1 - jaro) >= limit;
    }
    return 0;
}

/* Pairs of codes with the same entry, which is not 0, in a table of that many bytes an entry. */
KERNEL i64 same_entry(const void *table, i64 bytes, const i64 *a, const i64 *b, i64 pairs, u8 *out) {
    const u32 *narrow = table;
    const u64 *wide = table;
    for (i64 p = 0; p < pairs; p++) {
        u64 x = bytes == 4 ? narrow[a[p]] : wide[a[p]], y = bytes == 4 ? narrow[b[p]] : wide[b[p]];
        out[p] = x && x == y;
    }
    return 0;
}

/* Equally many digits, at most `limit` of them off, or two neighbours exchanged. */
KERNEL i64 near_by_digits(const u64 *digits, const i32 *count, const i64 *a, const i64 *b, i64 pairs, double limit,
                          u8 *out) {
    for (i64 p = 0; p < pairs; p++) {
        out[p] = 0;
        if (count[a[p]] != count[b[p]] || count[a[p]] <= 0) continue;
        u64 x = digits[a[p]], y = digits[b[p]], gap = x ^ y;
        u64 places = (gap | gap >> 1 | gap >> 2 | gap >> 3) & 0x1111111111111111ull;
        int off = __builtin_popcountll(places);
        u64 low = places & (~places + 1), here = low * 15, above = here << 4;
        int exchanged = off == 2 && places == (low | low << 4) && (x & here) << 4 == (y & above) &&
                        (y & here) << 4 == (x & above);
        out[p] = off <= limit || exchanged;
    }
    return 0;
}

/* The summed weight of the words that both values have; each value's words rise. */
KERNEL i64 shared_words(const i64 *start, const u32 *token, const double *weight, const i64 *a, const i64 *b,
                        i64 pairs, double *out) {
    for (i64 p = 0; p < pairs; p++) {
        i64 i = start[a[p]], j = start[b[p]];
        double sum = 0;
        while (i < start[a[p] + 1] && j < start[b[p] + 1]) {
            if (token[i] == token[j]) sum += weight[token[i]];
            u32 x = token[i], y = token[j];
            i += x <= y;
            j += y <= x;
        }
        out[p] = sum;
    }
    return 0;
}

static int nearly(const Spelling *values, u32 a, u32 b) {
    i32 more, less;
    apart(values + a, values + b, &more, &less);
    return more <= 2 && less <= 2;
}

/* Pairs whose names may agree crosswise, and in which of five ways, one bit each: both names exchanged; the
   left's only name, kept as its first, is the right's last; kept as its last, the right's first; and the same
   of the right's only name. Returns how many there are. */
KERNEL i64 crosswise(const Spelling *values, const u32 *first, i64 firsts, const u32 *last, i64 lasts,
                     const u32 *left, const u32 *right, i64 pairs, const u8 *out_first, const u8 *out_last, i64 *at,
                     u8 *ways) {
    i64 found = 0;
    for (i64 p = 0; p < pairs; p++) {
        int first_open = out_first[p] <= 1, last_open = out_last[p] <= 1;
        if (!first_open && !last_open) continue;
        u32 f1 = first[left[p] * firsts], f2 = first[right[p] * firsts];
        u32 l1 = last[left[p] * lasts], l2 = last[right[p] * lasts];
        int way = 0;
        if (f1 && f2 && l1 && l2 && first_open && last_open) way |= nearly(values, f1, l2) || nearly(values, l1, f2);
        if (f1 && !l1 && l2 && first_open && nearly(values, f1, l2)) way |= 2;
        if (l1 && !f1 && f2 && last_open && nearly(values, l1, f2)) way |= 4;
        if (f2 && !l2 && l1 && first_open && nearly(values, f2, l1)) way |= 8;
        if (l2 && !f2 && f1 && last_open && nearly(values, l2, f1)) way |= 16;
        at[found] = p;
        ways[found] = (u8)way;
        found += way > 0;
    }
    return found;
}
