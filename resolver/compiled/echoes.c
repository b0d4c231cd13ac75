/* Mailboxes made of the names beside them: see _made_of_names in echoes.py. */
#include "texts.h"

#define INITIALS 2    /* letters beside the names that are still the name */
#define LONG_ENOUGH 3 /* shorter names are found in any mailbox */
#define EXACT 18      /* digits that a word holds with their number */

/* Bytes that grow as they must. */
typedef struct {
    u8 *at;
    i64 size, room;
} Bytes;

static int fits(Bytes *bytes, i64 size) {
    bytes->size = 0;
    if (size <= bytes->room) return 1;
    u8 *grown = realloc(bytes->at, (size_t)(2 * size));
    if (!grown) return 0;
    bytes->at = grown;
    bytes->room = 2 * size;
    return 1;
}

/* A name without its spaces. */
static int name_into(Bytes *name, Text text) {
    if (!fits(name, text.size)) return 0;
    for (i64 k = 0; k < text.size; k++)
        if (text.at[k] != ' ') name->at[name->size++] = text.at[k];
    return 1;
}

/* The letters without the first place of a name. */
static void leave_out(Bytes *letters, const Bytes *name) {
    if (name->size < LONG_ENOUGH) return;
    for (i64 at = 0; at + name->size <= letters->size; at++) {
        if (memcmp(letters->at + at, name->at, (size_t)name->size)) continue;
        i64 behind = at + name->size;
        memmove(letters->at + at, letters->at + behind, (size_t)(letters->size - behind));
        letters->size -= name->size;
        return;
    }
}

/* A number for the digits of a text: 0 of none, another for every other row of digits (beyond EXACT, as hashes are). */
static u64 digits_in(Text text) {
    u64 word = 0, hash = 0, count = 0;
    for (i64 k = 0; k < text.size; k++) {
        if (!is_digit(text.at[k])) continue;
        word = word * 10 + (u64)(text.at[k] - '0');
        hash = mixed(hash ^ (u64)text.at[k]);
        count++;
    }
    if (!count) return 0;
    u64 above = 1; /* tells 07 from 7 */
    for (u64 k = 0; k < count && k < EXACT; k++) above *= 10;
    return count <= EXACT ? above + word : hash | 1ull << 63;
}

/* Whether all mailboxes of each of `rows` are made of its names, and a number for the digits of each mailbox.
   Codes are (profiles, slots); of names the first slot counts. */
KERNEL i64 made_of_names(ArrowArrayStream *firsts, i64 first_count, ArrowArrayStream *lasts, i64 last_count,
                         ArrowArrayStream *locals, i64 local_count, const u32 *first, i64 first_slots,
                         const u32 *last, i64 last_slots, const u32 *local, i64 slots, const u32 *rows, i64 count,
                         u8 *made, u64 *digits) {
    Texts texts[3];
    ArrowArrayStream *streams[3] = {firsts, lasts, locals};
    i64 counts[3] = {first_count, last_count, local_count}, failed = 0;
    int opened = 0;
    while (opened < 3 && !failed) {
        failed = open_texts(streams[opened], counts[opened], texts + opened);
        opened++;
    }
    Bytes one = {0}, other = {0}, letters = {0};
    for (i64 k = 0; k < count && !failed; k++) {
        Text own = text_of(texts, first[rows[k] * first_slots]);
        Text family = text_of(texts + 1, last[rows[k] * last_slots]);
        if (!name_into(&one, own) || !name_into(&other, family)) {
            failed = -1;
            break;
        }
        const Bytes *longer = one.size >= other.size ? &one : &other;
        made[k] = 1;
        for (i64 slot = 0; slot < slots; slot++) {
            Text text = text_of(texts + 2, local[rows[k] * slots + slot]);
            if (!fits(&letters, text.size)) {
                failed = -1;
                break;
            }
            for (i64 b = 0; b < text.size; b++)
                if (text.at[b] >= 'a' && text.at[b] <= 'z') letters.at[letters.size++] = text.at[b];
            i64 all = letters.size;
            leave_out(&letters, longer);
            leave_out(&letters, longer == &one ? &other : &one);
            made[k] &= text.size == 0 || (letters.size < all && letters.size <= INITIALS);
            digits[slot * count + k] = digits_in(text);
        }
    }
    free(one.at), free(other.at), free(letters.at);
    while (opened) close_texts(texts + --opened);
    return failed;
}
