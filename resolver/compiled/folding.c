/* Texts in lower-case ASCII, character by character: see folded in folding.py. */
#include "texts.h"

#define CHARACTERS 0x110000

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
