/* Texts in lower-case ASCII, character by character: see folded in folding.py. */
#include "listed.h"

#define CHARACTERS 0x110000
#define LONGEST 256 /* of a phrase */

/* The character at the beginning of a text (UTF-8, as Arrow has it), and how many bytes it takes. */
static u32 character(const u8 *at, i64 *size) {
    if (at[0] < 0x80) return *size = 1, at[0];
    if (at[0] < 0xe0) return *size = 2, (u32)(at[0] & 0x1f) << 6 | (at[1] & 0x3f);
    if (at[0] < 0xf0) return *size = 3, (u32)(at[0] & 0x0f) << 12 | (u32)(at[1] & 0x3f) << 6 | (at[2] & 0x3f);
    *size = 4;
    return (u32)(at[0] & 0x07) << 18 | (u32)(at[1] & 0x3f) << 12 | (u32)(at[2] & 0x3f) << 6 | (at[3] & 0x3f);
}

/* The characters beyond ASCII that texts hold, rising, as far as there is room for them; returns how many there are. */
KERNEL i64 letters_of(ArrowArrayStream *stream, i64 count, u32 *letters, i64 room) {
    OPENED(stream, count)
    u8 *seen = 0;
    i64 found = 0, size;
    for (i64 v = 0; v < count; v++) {
        Text text = text_at(&texts, v);
        for (i64 k = 0; k < text.size; k += size) {
            if (text.at[k] < 0x80) {
                size = 1;
                continue;
            }
            if (!seen && !(seen = calloc(CHARACTERS / 8, 1))) {
                close_texts(&texts);
                return -1;
            }
            u32 letter = character(text.at + k, &size);
            seen[letter >> 3] |= (u8)(1 << (letter & 7));
        }
    }
    close_texts(&texts);
    for (u32 letter = 0; seen && letter < CHARACTERS; letter++)
        if (seen[letter >> 3] >> (letter & 7) & 1) {
            if (found < room) letters[found] = letter;
            found++;
        }
    free(seen);
    return found;
}

/* Which of the rising letters one is; it is among them. */
static i64 place_of(const u32 *letters, i64 count, u32 letter) {
    i64 low = 0, high = count - 1;
    while (low < high) {
        i64 middle = (low + high) / 2;
        if (letters[middle] < letter)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

/* Texts with ASCII in lower case and each of `letters` as it is written (`ends` of each in `bytes`); nulls are empty. */
KERNEL i64 folded(ArrowArrayStream *stream, i64 count, const u32 *letters, i64 known, const u8 *bytes, const i64 *ends,
                  ArrowSchema *schema, ArrowArray *array) {
    OPENED(stream, count)
    Builder builder;
    i64 most = known ? 0 : all_bytes(&texts), size;
    for (i64 v = 0; known && v < count; v++) {
        Text text = text_at(&texts, v);
        for (i64 k = 0; k < text.size; k += size) {
            u32 letter = character(text.at + k, &size);
            i64 l = size > 1 ? place_of(letters, known, letter) : 0;
            most += size > 1 ? ends[l + 1] - ends[l] : 1;
        }
    }
    if (begin_texts(&builder, count, most)) {
        close_texts(&texts);
        return -1;
    }
    for (i64 v = 0; v < count; v++) {
        Text text = text_at(&texts, v);
        for (i64 k = 0; k < text.size; k += size) {
            if (text.at[k] < 0x80) {
                put(&builder, lower(text.at[k]));
                size = 1;
                continue;
            }
            i64 l = place_of(letters, known, character(text.at + k, &size));
            append(&builder, (Text){bytes + ends[l], ends[l + 1] - ends[l]});
        }
        end_text(&builder);
    }
    close_texts(&texts);
    return hand_over(&builder, schema, array);
}

/* Whether the phrase of a text (see phrases in folding.py) is listed, an empty one where `blank` is; 2 where it is not
   ASCII, or too long for that to be told. */
static int among_listed(Text text, const Listed *listed, i64 longest, int blank) {
    u8 phrase[LONGEST];
    i64 used = 0;
    int open = 0;
    for (i64 k = 0; k < text.size; k++) {
        u8 byte = lower(text.at[k]);
        if (byte >= 128) return 2;
        if (byte == '\'' || byte == '`' || byte == '-') continue;
        if (!is_word(byte)) {
            open = used > 0;
            continue;
        }
        if (used + open >= longest) return 0; /* what is behind makes it no shorter */
        if (used + open >= LONGEST) return 2;
        if (open) phrase[used++] = ' ';
        phrase[used++] = byte;
        open = 0;
    }
    return used ? which_of(listed, phrase, used) >= 0 : blank;
}

/* Which texts are one of the listed phrases, none of which is empty; 2: not known. */
KERNEL i64 among(ArrowArrayStream *stream, i64 count, const u8 *bytes, const i64 *ends, i64 listed_count, i64 blank,
                 u8 *out) {
    if (listed_count > MOST_LISTED) return -2;
    Listed listed = {bytes, 0, ends, {0}, {0}};
    list_words(&listed, listed_count);
    i64 longest = 0;
    for (i64 w = 0; w < listed_count; w++)
        if (ends[w + 1] - ends[w] > longest) longest = ends[w + 1] - ends[w];
    OPENED(stream, count)
    for (i64 v = 0; v < count; v++) out[v] = (u8)among_listed(text_at(&texts, v), &listed, longest, blank != 0);
    close_texts(&texts);
    return 0;
}
